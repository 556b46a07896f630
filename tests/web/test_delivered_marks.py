"""Nothing unmarked leaves: what may be begun, which files are handed out, what is added to pictures on their way."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from PIL import Image

from faceengine.errors import ConfigError
from faceengine.jobs import kinds, transitions
from faceengine.jobs.models import Job
from faceengine.jobs.permits import Refused
from faceengine.provenance.credentials import CERTIFICATES, CHAIN_FILE, KEY, KEY_FILE, Credentials
from faceengine.provenance.origin import CONSENTS, JOB
from faceengine.provenance.reading import Reading, read
from tests.web.consents import mandate_of
from tests.web.footage import client_of, people, project_of, user
from tests.web.ways import converted, scored
from webapp.projects.models import Project
from webapp.provenance import signing
from webapp.studio import services
from webapp.studio.forms import ConvertForm
from webapp.studio.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return project_of(user("owner"))


def read_answer(answer: Any, path: Path) -> Reading:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    path.write_bytes(content)
    root = signing.root()
    assert root is not None
    return read(path, ours=root.read_text())


# -- conversions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [{"label": "none"}, {"marks": "label"}])
def test_no_conversion_without_all_marks_is_begun(run: Run, chosen: dict[str, str]) -> None:
    asset = run.project.people.get(side="a").assets.first()
    before = Job.objects.count()
    with pytest.raises(ConfigError) as caught:
        services.start_conversion(run.created_by, run, asset, chosen)  # type: ignore[arg-type]
    assert caught.value.code in ("config.choice", "option.unknown")
    by_hand = {"video": "v", "model": "m", "direction": "a2b"} | chosen
    with pytest.raises(Refused) as refused:
        transitions.submit("convert", by_hand, mandate=run.job.mandate)
    assert refused.value.code == "marks.missing"
    assert Job.objects.count() == before


@pytest.mark.parametrize("label", ["none", ""])
def test_the_form_does_not_offer_it(run: Run, label: str) -> None:
    form = ConvertForm(run=run, kept=[])
    assert [value for value, _ in form.fields["label"].choices] == ["both", "en", "zh"]  # type: ignore[attr-defined]
    asset = run.project.people.get(side="a").assets.first()
    sent = ConvertForm({"asset": asset.pk, "label": label, "label_place": "top"}, run=run, kept=[])  # type: ignore[union-attr]
    assert sent.is_valid() == (label == "")
    if label == "":
        assert "label" not in sent.settings
        assert sent.settings["label_place"] == "top"


def test_a_job_that_was_changed_to_do_without_is_stopped(run: Run) -> None:
    job = converted(run).job
    job.config |= {"label": "none"}
    with pytest.raises(Refused):
        kinds.get("convert").permit(job)
    part = Job(kind="convert-segment", config=job.config | {"label": "en", "marks": "label"}, mandate=job.mandate)
    assert kinds.get("convert-segment").permit(part) == job.mandate
    part.config["label"] = "none"
    with pytest.raises(Refused):
        kinds.get("convert-segment").permit(part)


def test_a_result_without_a_signature_is_not_handed_out(run: Run) -> None:
    conversion = converted(run)
    address = f"/jobs/{conversion.job_id}/files/result.mp4"
    for name, someone in people(run.project).items():
        expected = {"stranger": 404, "anonymous": 302}.get(name, 200)
        assert client_of(someone).get(address).status_code == expected, name
    Job.objects.filter(pk=conversion.job_id).update(result=conversion.job.result | {"signed_by": ""})
    for question in ("", "?download"):
        answer = client_of(run.created_by).get(address + question, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (409, "marks.missing")


def test_no_part_of_a_conversion_is_handed_out(run: Run) -> None:
    conversion = converted(run)
    part = Job.objects.create(
        kind="convert-segment", owner=run.created_by, parent=conversion.job, index=0, mandate=conversion.job.mandate,
        config={"video": "v", "model": "m", "direction": "a2b", "marks": "label"},
        result={"path": "result-000.mp4"}, title="part",
    )  # fmt: skip
    default_storage.save(f"{part.folder}/result-000.mp4", ContentFile(b"labelled only"))
    for question in ("", "?download"):
        answer = client_of(run.created_by).get(f"/jobs/{part.pk}/files/result-000.mp4{question}")
        assert answer.status_code == 404


def test_pictures_of_conversions_are_marked_like_all_others(run: Run, tmp_path: Path) -> None:
    conversion = converted(run)
    content = BytesIO()
    Image.fromarray(np.full((128, 320, 3), 90, np.uint8)).save(content, "JPEG")
    default_storage.save(f"{conversion.job.folder}/frame.jpg", ContentFile(content.getvalue()))
    for question in ("", "?download"):
        answer = client_of(run.created_by).get(f"/jobs/{conversion.job_id}/files/frame.jpg{question}")
        reading = read_answer(answer, tmp_path / "frame.jpg")
        assert reading.signature is not None
        assert reading.signature.trust == "ours"


@pytest.mark.parametrize("question", ["", "?download"])
def test_pictures_of_a_score_are_signed_and_keep_the_label_that_is_in_them(
    run: Run, tmp_path: Path, question: str
) -> None:
    score = scored(converted(run))
    answer = client_of(run.created_by).get(f"/jobs/{score.job_id}/files/frames/000031.jpg{question}")
    reading = read_answer(answer, tmp_path / "frame.jpg")
    assert reading.signature is not None
    assert (reading.signature.trust, reading.signature.state) == ("ours", "intact")
    assert reading.aigc is not None
    assert Image.open(tmp_path / "frame.jpg").size == (640, 240)


def test_a_body_knows_who_signs_and_for_whom(run: Run) -> None:
    job = converted(run).job
    told = kinds.get("convert").given(job)
    mandate = mandate_of(run.project)
    assert told[JOB] == str(job.pk)
    assert told[CONSENTS] == f"{mandate.consent_a_id},{mandate.consent_b_id}"
    Credentials.load(Path(told[CERTIFICATES]), Path(told[KEY]))


def test_the_page_shows_the_marks(run: Run) -> None:
    conversion = converted(run, label="en")
    shown = client_of(run.created_by).get(f"/conversions/{conversion.pk}/").content.decode()
    assert "AI MODIFIED" in shown
    assert "A studio signer" in shown
    assert 'href="/verify/"' in shown


# -- pictures ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def preview(run: Run) -> str:
    """The address of a training's preview that is a picture."""
    content = BytesIO()
    Image.fromarray(np.full((128, 320, 3), 90, np.uint8)).save(content, "PNG")
    default_storage.delete(f"{run.job.folder}/previews/000020.png")
    default_storage.save(f"{run.job.folder}/previews/000020.png", ContentFile(content.getvalue()))
    return f"/jobs/{run.job_id}/files/previews/000020.png"


def test_a_shown_preview_is_signed_and_its_pixels_are_as_they_were(run: Run, preview: str, tmp_path: Path) -> None:
    answer = client_of(run.created_by).get(preview)
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline")
    reading = read_answer(answer, tmp_path / "shown.png")
    assert reading.signature is not None
    assert (reading.signature.trust, reading.signature.state) == ("ours", "intact")
    assert reading.signature.origin["job"] == str(run.job_id)
    assert len(reading.signature.origin["consents"]) == 2
    assert reading.aigc is not None
    assert (np.asarray(Image.open(tmp_path / "shown.png")) == 90).all()


def test_a_downloaded_preview_has_the_label_below_it(run: Run, preview: str, tmp_path: Path) -> None:
    answer = client_of(run.created_by).get(f"{preview}?download")
    assert answer["Content-Disposition"].startswith("attachment")
    reading = read_answer(answer, tmp_path / "download.png")
    assert reading.signature is not None
    assert reading.signature.state == "intact"
    pixels = np.asarray(Image.open(tmp_path / "download.png"))
    assert (pixels[:128] == 90).all()
    assert pixels.shape[0] > 128
    assert pixels[128:].max() > 200


def test_without_a_key_no_picture_leaves(run: Run, preview: str, settings: Any, tmp_path: Path) -> None:
    settings.SIGNING_OWN = False
    settings.SIGNING_KEY = tmp_path / "gone.pem"
    for question in ("", "?download"):
        answer = client_of(run.created_by).get(preview + question, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (409, "sign.missing")


# -- chains ------------------------------------------------------------------------------------------------------------


def test_make_signing_chain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_signing_chain", str(tmp_path / "chain"), "--organisation", "House of faces")
    assert f"SIGNING_KEY={tmp_path / 'chain' / KEY_FILE}" in capsys.readouterr().out
    made = Credentials.load(tmp_path / "chain" / CHAIN_FILE, tmp_path / "chain" / KEY_FILE)
    assert made.organisation == "House of faces"
    with pytest.raises(CommandError, match="already"):
        call_command("make_signing_chain", str(tmp_path / "chain"))


def test_a_conversion_that_cant_be_signed_fails_with_the_reason(run: Run) -> None:
    """The code comes from the engine; the page has words for it."""
    from faceengine.jobs import words

    for code in ("missing", "unreadable", "mismatch", "expired", "not_yet_valid", "failed"):
        assert words.message(f"sign.{code}") != f"sign.{code}"
