"""/verify/: for everybody, in a page and in JSON; what it says, what it refuses, and that nothing stays of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from faceengine.provenance.credentials import Credentials
from faceengine.provenance.origin import Origin
from faceengine.provenance.picture import mark_picture
from faceengine.provenance.signing import SOURCE_TYPE
from tests.engine.marking import chain, picture, signed_video
from tests.web.consents import consent_of
from tests.web.footage import client_of, people, project_of, user
from webapp.provenance import arriving, signing, words
from webapp.provenance.errors import REASONS

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def verify(content: bytes, name: str = "file.png", client: Client | None = None, **headers: str) -> Any:
    sent = SimpleUploadedFile(name, content)
    return (client or Client()).post("/verify/", {"file": sent}, headers=headers or JSON)


def page(content: bytes, name: str = "file.png") -> str:
    answer = verify(content, name, Accept="text/html")
    assert answer.status_code == 200
    return str(answer.content.decode())


def left() -> list[Path]:
    return list(Path(django_settings.VERIFY_DIR).iterdir())


def ours(*consents: str) -> bytes:
    return mark_picture(picture(), Origin("a-job", consents, ("5" * 64,)), signing.credentials())


# -- who may ---------------------------------------------------------------------------------------------------------


def test_everybody_may_ask() -> None:
    project = project_of(user("owner"))
    for name, someone in people(project).items():
        client = client_of(someone)
        assert client.get("/verify/").status_code == 200, name
        assert verify(ours(), client=client).json()["verdict"] == "ours", name
    assert left() == []


def test_it_needs_no_token_of_a_form_and_is_not_kept() -> None:
    answer = verify(ours(), client=Client(enforce_csrf_checks=True))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"


# -- what it says ----------------------------------------------------------------------------------------------------


def test_a_file_of_ours(tmp_path: Path) -> None:
    project = project_of(user("owner"))
    made = [
        consent_of(person, standing)
        for person, standing in zip(project.people.all(), ("live", "withdrawn"), strict=True)
    ]
    ids = [str(one.pk) for one in made if one]
    told = verify(ours(*ids, "00000000-0000-4000-8000-000000000000", "no id")).json()
    assert told["verdict"] == "ours"
    assert [one["standing"] for one in told["consents"]] == ["live", "withdrawn", "gone"]
    assert told["signature"]["origin"]["models"] == ["5" * 64]
    assert told["aigc"]["ProduceID"] == "a-job"
    shown = page(ours(*ids))
    assert "Made by this studio and unchanged since" in shown
    assert "Don&#x27;t use this file any more" in shown
    for person in project.people.all():
        assert str(person) not in shown
    for consent in made:
        assert consent is None or not consent.name or consent.name not in str(told)


def test_a_video_sent_in_one_piece(tmp_path: Path) -> None:
    content = signed_video(tmp_path / "result.mp4", signing.credentials()).read_bytes()
    assert verify(content, "result.mp4").json()["verdict"] == "ours"
    changed = bytearray(content)
    changed[-10] ^= 4
    assert verify(bytes(changed), "result.mp4").json()["verdict"] == "altered"
    assert "Changed after it was signed" in page(bytes(changed))


def test_consents_of_a_file_that_only_looks_like_ours_are_not_told(tmp_path: Path) -> None:
    project = project_of(user("owner"))
    consent = consent_of(project.people.first())  # type: ignore[arg-type]
    assert consent is not None
    forged = mark_picture(picture(), Origin("a-job", (str(consent.pk),)), chain(tmp_path, signing.ORGANISATION))
    told = verify(forged).json()
    assert (told["verdict"], told["consents"]) == ("unknown", [])
    assert "the signer is unknown" in page(forged)
    changed = bytearray(ours(str(consent.pk)))
    changed[-20] ^= 1
    told = verify(bytes(changed)).json()
    assert (told["verdict"], told["consents"]) == ("altered", [])


def test_signers_on_the_list_are_known(tmp_path: Path, settings: Any) -> None:
    other = mark_picture(picture(), Origin("job"), chain(tmp_path, "Another house"))
    settings.VERIFY_KNOWN = str(tmp_path / "root.pem")
    assert verify(other).json()["verdict"] == "known"
    assert "Another house" in page(other)


def test_what_has_no_signature() -> None:
    from faceengine.provenance.aigc import aigc
    from faceengine.provenance.picture import encode

    assert verify(encode(picture(), "png", aigc(Origin("job"), "Somebody"))).json()["verdict"] == "unsigned"
    plain = encode(picture(), "png", "{}")
    assert verify(plain).json()["verdict"] == "nothing"
    assert "No provenance labels found" in page(plain)


def test_what_a_stranger_writes_is_text(tmp_path: Path) -> None:
    """A title, a name and metadata that want to be a script."""
    from io import BytesIO

    import c2pa

    from faceengine.provenance.picture import encode

    bad = "<script>alert(1)</script>"
    credentials: Credentials = chain(tmp_path)
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", credentials.certificates, credentials.key, None))
    action = {"action": f"org.{bad}", "digitalSourceType": bad}
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    assertion = {"label": "c2pa.actions.v2", "data": {"actions": [created, action]}}
    manifest = {"title": bad, "claim_generator_info": [{"name": bad}], "assertions": [assertion]}
    made = BytesIO()
    c2pa.Builder(manifest).sign(signer, "image/png", BytesIO(encode(picture(), "png", f'{{"{bad}": "{bad}"}}')), made)
    shown = page(made.getvalue(), f"{bad}.png")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert bad not in shown


# -- what it refuses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"x", "verify.unknown"),
        (b"<html>", "verify.unknown"),
        (b"ffconcat version 1.0\nfile neighbour.mp4", "verify.unknown"),
        (b"PK\3\4" + b"0" * 100, "verify.unknown"),
    ],
)
def test_what_is_no_media_is_refused(content: bytes, code: str) -> None:
    answer = verify(content, "video.mp4")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert verify(content, "video.mp4", Accept="text/html").status_code == 422
    assert left() == []


@pytest.mark.parametrize("size", [9, 30, 200, 2000])
def test_a_truncated_file_ends_well(size: int) -> None:
    answer = verify(ours()[:size])
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert answer.json()["verdict"] in ("nothing", "damaged", "altered", "unsigned")


def test_no_file_and_an_empty_one() -> None:
    assert Client().post("/verify/", headers=JSON).json()["code"] == "verify.no_file"
    answer = verify(b"")
    assert (answer.status_code, answer.json()["code"]) == (422, "verify.empty")


def test_a_file_that_is_too_large(settings: Any) -> None:
    settings.VERIFY_FILE_MB = 0
    answer = verify(ours())
    assert (answer.status_code, answer.json()["code"]) == (413, "verify.too_large")


def test_every_code_and_verdict_has_its_words() -> None:
    assert {code.split(".")[0] for code in REASONS} == {"verify"}
    for verdict in ("ours", "known", "unknown", "altered", "invalid", "damaged", "remote", "unsigned", "nothing"):
        assert len(words.VERDICTS[verdict]) == 3


# -- in parts --------------------------------------------------------------------------------------------------------


def begin(client: Client) -> str:
    answer = client.post("/verify/parts/")
    assert answer.status_code == 201
    return str(answer.json()["token"])


def send(client: Client, token: str, offset: int, content: bytes) -> Any:
    return client.post(f"/verify/parts/{token}/?offset={offset}", content, content_type="application/octet-stream")


def test_a_file_comes_in_parts_and_goes_when_it_is_read() -> None:
    client, content = Client(), ours()
    token = begin(client)
    for offset in range(0, len(content), 10_000):
        told = send(client, token, offset, content[offset : offset + 10_000]).json()
    assert told["offset"] == len(content)
    answer = client.post("/verify/", {"token": token, "name": "x.png"}, headers=JSON)
    assert answer.json()["verdict"] == "ours"
    assert left() == []
    answer = client.post("/verify/", {"token": token}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (410, "verify.gone")


def test_parts_that_dont_fit_are_refused(settings: Any) -> None:
    client = Client()
    token = begin(client)
    assert send(client, token, 5, b"late").json()["code"] == "verify.offset"
    assert send(client, token, 0, b"first").json() == {"offset": 5}
    for offset in ("", "-1", "x", "9" * 30):
        assert client.post(f"/verify/parts/{token}/?offset={offset}").status_code == 409
    for strange in ("..", "x" * 32, "%2e%2e%2fsettings"):
        assert send(client, strange, 0, b"x").status_code in (404, 410)
    settings.VERIFY_FILE_MB = 0
    assert send(client, token, 5, b"more").status_code == 413
    assert left() == []


def test_the_folder_is_never_fuller_than_it_may_be(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    token = begin(client)
    settings.VERIFY_TOTAL_MB = 0
    assert client.post("/verify/parts/").status_code == 503
    assert send(client, token, 0, b"x").status_code == 503
    monkeypatch.setattr(arriving, "KEEP_SECONDS", -1)
    settings.VERIFY_TOTAL_MB = 1
    begin(client)  # what was given up is swept away first
    assert [path.name for path in left()] != [token]
    for path in left():
        path.unlink()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(method: str) -> None:
    assert getattr(Client(), method)("/verify/").status_code == 405
    assert Client().get("/verify/parts/").status_code == 405
