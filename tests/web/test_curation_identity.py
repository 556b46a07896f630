"""Faces of somebody else are set aside: by real extractions of the two synthetic people's clips."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from curation_sets import face_set_of, member, owner_of
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from faceengine.conversion.recognition import SetPerson
from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.faceset import FaceSet as Files
from tests.web.consents import consent_of, mandate_of, reviewed, with_document
from tests.web.footage import project_of, user
from tests.web.ways import TINY, faces
from webapp.accounts.models import Role
from webapp.consent.evidence import _sealed, keep
from webapp.consent.likeness import likeness_of
from webapp.consent.models import Evidence
from webapp.consent.services import withdraw
from webapp.curation.best import keep_best
from webapp.curation.figures import counts
from webapp.curation.intake import export_verdicts, import_crops
from webapp.curation.models import Crop, CropState, FaceSet, Identity
from webapp.curation.selection import Selection, View
from webapp.curation.verdicts import change_rule, decide, settle
from webapp.projects.models import AuditEntry
from webapp.studio.errors import StudioError
from webapp.studio.face_sets import compare_again, is_same_person
from webapp.studio.services import start_run
from webapp.studio.standing import standings

DEMO = Path(__file__).parents[2] / "demo"
A, B = DEMO / "person_a.mp4", DEMO / "person_b.mp4"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Person A's footage, 13 crops, and among it a clip of person B, 5 crops."""
    folder = tmp_path_factory.mktemp("faces")
    clips = [folder / "a.mp4", folder / "b.mp4"]
    for clip, of in zip(clips, (A, B), strict=True):
        shutil.copy(of, clip)
    run(ExtractConfig(inputs=(clips[0],), every=80), folder / "set")
    # the second clip comes in later, and less of it
    with Files.open(folder / "set") as files:
        every = files.settings["every"]
    run(ExtractConfig(inputs=tuple(clips), every=every), folder / "set")
    return folder / "set"


@pytest.fixture
def face_set(db: None, mixed: Path) -> FaceSet:
    made = face_set_of(0)
    made.folder = f"projects/{made.person.project_id}/a/faces"
    made.save()
    shutil.rmtree(Path(settings.MEDIA_ROOT, made.folder), ignore_errors=True)
    shutil.copytree(mixed, Path(settings.MEDIA_ROOT, made.folder))
    _thin_out_b(Path(settings.MEDIA_ROOT, made.folder))
    import_crops(made, Path(settings.MEDIA_ROOT, made.folder))
    return made


def _thin_out_b(folder: Path) -> None:
    """Most of the set is person A; then its most typical face is one of theirs."""
    with Files.open(folder) as files:
        of_b = [crop.id for crop in files.crops() if crop.input.endswith("b.mp4")]
        files._db.execute(f"DELETE FROM crops WHERE id IN ({', '.join(map(str, of_b[5:]))})")
        known = files.crops()
        embeddings = np.array([crop.embedding for crop in known])
        from faceengine.faceset import medoid

        typical = embeddings[medoid(embeddings)]
        for crop, embedding in zip(known, embeddings, strict=True):
            files.update(crop.id, medoid_distance=float(np.linalg.norm(embedding - typical)))


def of_clip(face_set: FaceSet, name: str) -> set[str]:
    return set(Crop.objects.filter(face_set=face_set, input__endswith=name).values_list("state", flat=True))


def test_somebody_else_s_clip_among_a_person_s_footage_is_set_aside(face_set: FaceSet) -> None:
    assert of_clip(face_set, "b.mp4") == {CropState.OTHER}
    assert CropState.OTHER not in of_clip(face_set, "a.mp4")
    assert counts(face_set)[CropState.OTHER] == 5


def test_no_verdict_brings_somebody_else_back(face_set: FaceSet) -> None:
    ann, owner = member(face_set, "ann@example.org"), owner_of(face_set)
    decide(face_set, ann, Selection(View(), all_but=()), "keep")
    assert of_clip(face_set, "b.mp4") == {CropState.OTHER}
    assert of_clip(face_set, "a.mp4") == {CropState.KEPT}
    settle(face_set, owner, list(face_set.crops.values_list("pk", flat=True)), "keep")
    change_rule(face_set, owner, "majority", 1)
    keep_best(face_set, owner, 500)
    assert of_clip(face_set, "b.mp4") == {CropState.OTHER}


def test_who_may_be_somebody_else_waits_for_a_keep(face_set: FaceSet) -> None:
    ann = member(face_set, "ann@example.org")
    doubted = face_set.crops.filter(input__endswith="a.mp4").earliest("number")
    face_set.crops.filter(pk=doubted.pk).update(identity=Identity.UNSURE)
    for value, state in ((None, "unsure"), ("reject", "rejected"), ("keep", "kept"), (None, "unsure")):
        decide(face_set, ann, Selection(View(), (doubted.number,)), value)
        doubted.refresh_from_db()
        assert doubted.state == state
    assert doubted in View.from_json({"states": ["unsure"]}).filtered(face_set)


def test_training_and_conversion_get_neither(face_set: FaceSet) -> None:
    doubted = face_set.crops.filter(input__endswith="a.mp4").earliest("number")
    face_set.crops.filter(pk=doubted.pk).update(identity=Identity.UNSURE)
    decide(face_set, owner_of(face_set), Selection(View(), (doubted.number,)), None)
    folder = Path(settings.MEDIA_ROOT, face_set.folder)
    export_verdicts(face_set, folder)
    with Files.open(folder) as files:
        taken = files.crops(usable=True)
        strangers = [crop.embedding for crop in files.crops() if crop.input.endswith("b.mp4")]
    assert {Path(crop.input).name for crop in taken} == {"a.mp4"}
    assert doubted.number not in [crop.id for crop in taken]
    person = SetPerson.of(folder)
    assert all(np.linalg.norm(stranger - person.medoid) > 0.6 for stranger in strangers)


def test_the_room_shows_them_apart(face_set: FaceSet, client: Client) -> None:
    client.force_login(owner_of(face_set))
    url = f"/projects/{face_set.person.project_id}/a/faces/"
    page = client.get(url).content.decode()
    assert 'data-state="other" aria-pressed="false">Another person <span class="number quiet">5</span>' in page
    assert 'data-state="unsure"' in page
    only = client.get(f"{url}tiles", {"view": '{"states": ["other"]}'}).json()["tiles"]
    assert len(only) == 5


def test_two_people_with_the_same_footage_are_the_same_person(face_set: FaceSet) -> None:
    other = FaceSet(person=face_set.person, folder=f"{face_set.folder}-2")
    shutil.rmtree(Path(settings.MEDIA_ROOT, other.folder), ignore_errors=True)
    shutil.copytree(Path(settings.MEDIA_ROOT, face_set.folder), Path(settings.MEDIA_ROOT, other.folder))
    assert is_same_person(face_set, other)
    with Files.open(Path(settings.MEDIA_ROOT, other.folder)) as files:
        of_b = [crop.id for crop in files.crops() if crop.input.endswith("b.mp4")]
        files.update(of_b[0], medoid_distance=-1.0)  # as if it were the most typical one
    assert not is_same_person(face_set, other)


def test_training_is_refused_when_most_faces_are_somebody_else(db: None) -> None:
    owner = user("owner")
    project = project_of(owner)
    sets = [faces(person) for person in project.people.all()]
    assert mandate_of(project)
    sets[0].crops.filter(number__lte=16).update(identity=Identity.DIFFERENT, state=CropState.OTHER)
    with pytest.raises(StudioError) as refused:
        start_run(owner, project, "First", TINY)
    assert refused.value.code == "run.other_person"
    standing = standings([project])[0]
    assert [one.mostly_others for one in standing.people] == [True, False]
    client = Client()
    client.force_login(owner)
    assert "most of these faces are not " in client.get(f"/projects/{project.pk}/").content.decode()


def test_training_is_refused_when_both_people_are_one(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = user("owner")
    project = project_of(owner)
    for person in project.people.all():
        found = faces(person)
        with Files.open(Path(settings.MEDIA_ROOT, found.folder)) as files:
            typical = files.crops()[0]
            files.update(typical.id, medoid_distance=0.0)
            blob = np.full(128, 0.1, "<f8").tobytes()
            files._db.execute("UPDATE crops SET embedding = ? WHERE id = ?", [blob, typical.id])
    with pytest.raises(StudioError) as refused:
        start_run(owner, project, "First", TINY)
    assert refused.value.code == "run.same_person"


def test_the_consent_s_recording_says_who_the_person_is(face_set: FaceSet) -> None:
    """Footage that shows somebody else from its first to its last frame has no face of its own to be told by."""
    consent = consent_of(face_set.person)
    assert consent is not None
    kept = keep(consent, SimpleUploadedFile("me.mp4", (DEMO / "held_out_b.mp4").read_bytes()), "upload")
    found = likeness_of(face_set.person)
    assert found is not None
    assert (found["network"], kept.facts["faces"]) == ("dlib-resnet", found["faces"])
    assert b"dlib" not in kept.likeness
    import_crops(face_set, Path(settings.MEDIA_ROOT, face_set.folder))
    assert of_clip(face_set, "a.mp4") == {CropState.OTHER}
    assert CropState.OTHER not in of_clip(face_set, "b.mp4")
    assert standings([face_set.person.project])[0].people[0].mostly_others
    withdraw(consent)
    kept.refresh_from_db()
    assert bytes(kept.likeness) == b""
    assert likeness_of(face_set.person) is None


def recorded(consent: Any, clip: str) -> None:
    keep(consent, SimpleUploadedFile("me.mp4", (DEMO / clip).read_bytes()), "upload")


def test_a_new_recording_has_earlier_faces_compared_again(face_set: FaceSet) -> None:
    """B's recording comes after A's faces were taken in; a slot's sweep compares, and what people said stays."""
    person, project = face_set.person, face_set.person.project
    judged = face_set.crops.filter(input__endswith="b.mp4").earliest("number")
    ann = member(face_set, "ann@example.org")
    decide(face_set, ann, Selection(View(), (judged.number,)), "reject")
    assert compare_again() == 0
    consent = consent_of(person, "waiting", asked_by=owner_of(face_set))
    assert consent is not None
    recorded(consent, "held_out_b.mp4")
    reviewed(consent, member(face_set, "editor@example.org", Role.EDITOR))
    face_set.refresh_from_db()
    assert face_set.to_compare
    page = Client()
    page.force_login(owner_of(face_set))
    for address in (f"/projects/{project.pk}/", f"/projects/{project.pk}/a/faces/"):
        assert "being compared with the new" in page.get(address).content.decode()
    assert CropState.OTHER not in of_clip(face_set, "a.mp4")
    assert compare_again() == 1
    assert compare_again() == 0
    face_set.refresh_from_db()
    assert not face_set.to_compare
    assert of_clip(face_set, "a.mp4") == {CropState.OTHER}
    judged.refresh_from_db()
    assert (judged.identity, judged.state) == (Identity.SAME, CropState.REJECTED)
    assert judged.verdicts.get().value == "reject"
    entry = AuditEntry.objects.get(verb="faces.compared")
    assert (entry.project, entry.data["side"]) == (project, "a")
    assert entry.data["other"] == face_set.crops.filter(state=CropState.OTHER).count()


def test_nothing_is_trained_before_they_were_compared(db: None) -> None:
    owner = user("owner")
    project = project_of(owner)
    sets = [faces(person) for person in project.people.all()]
    assert mandate_of(project)
    FaceSet.objects.filter(pk=sets[0].pk).update(to_compare=True)
    with pytest.raises(StudioError) as refused:
        start_run(owner, project, "First", TINY)
    assert refused.value.code == "faces.comparing"


def test_faces_wait_for_their_extraction_and_for_a_store_that_is_away(
    face_set: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp.studio import face_sets

    def away(_: FaceSet) -> int:
        raise OSError("the store is away")

    FaceSet.objects.filter(pk=face_set.pk).update(to_compare=True)
    with monkeypatch.context() as patched:
        patched.setattr(face_sets, "take_in", away)
        with pytest.raises(OSError):
            compare_again()
    assert FaceSet.objects.get(pk=face_set.pk).to_compare
    (Path(settings.MEDIA_ROOT, face_set.folder) / "faces.sqlite").write_bytes(b"no database at all, for a while" * 99)
    assert compare_again() == 0
    assert not FaceSet.objects.get(pk=face_set.pk).to_compare


def test_a_renewal_by_a_document_leaves_the_face_of_the_recording(face_set: FaceSet) -> None:
    person = face_set.person
    first = consent_of(person)
    assert first is not None
    recorded(first, "held_out_b.mp4")
    second = consent_of(person, "waiting", asked_by=owner_of(face_set))
    assert second is not None
    reviewed(with_document(second), member(face_set, "editor@example.org", Role.EDITOR))
    assert not FaceSet.objects.get(pk=face_set.pk).to_compare
    assert likeness_of(person) is not None
    first.refresh_from_db()
    assert first.standing == "expired"


def test_a_likeness_of_one_face_is_read_as_well(face_set: FaceSet) -> None:
    """As it was kept before a person was known by several."""
    consent = consent_of(face_set.person)
    assert consent is not None
    evidence = Evidence(consent=consent, kind="video", size=1, sha256="0" * 64)
    evidence.likeness = _sealed({"network": "dlib-resnet", "faces": 3, "embedding": [0.5]}, evidence, face_set.person)
    evidence.save(force_insert=True)
    assert likeness_of(face_set.person) == {"network": "dlib-resnet", "faces": 3, "embeddings": [[0.5]]}
