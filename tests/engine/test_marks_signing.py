"""Signatures: what they say, whom they hold for, and that no change passes; files that want to do harm."""

from __future__ import annotations

import http.server
import os
import random
import struct
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from faceengine.errors import InputError
from faceengine.provenance import inspect as inspecting
from faceengine.provenance.credentials import Credentials
from faceengine.provenance.inspect import inspect
from faceengine.provenance.picture import encode, label_picture, mark_picture, sign_picture
from faceengine.provenance.reading import Reading, Signature, read
from faceengine.provenance.signing import SOURCE_TYPE, sign_video
from tests.engine.marking import ORIGIN, chain, ffmpeg, picture, signed_video


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> tuple[Credentials, str]:
    """A studio's chain, and its root."""
    folder = tmp_path_factory.mktemp("studio")
    return chain(folder), (folder / "root.pem").read_text()


@pytest.fixture(scope="module")
def signed(studio: tuple[Credentials, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signed_video(tmp_path_factory.mktemp("signed") / "result.mp4", studio[0])


def signature(reading: Reading) -> Signature:
    assert reading.signature is not None
    return reading.signature


def test_a_signed_video_tells_all_but_names(signed: Path, studio: tuple[Credentials, str]) -> None:
    reading = read(signed, ours=studio[1])
    told = signature(reading)
    assert (told.trust, told.state, told.findings) == ("ours", "intact", ())
    assert told.organisation == "A studio"
    assert told.actions == (("c2pa.opened", ""), ("c2pa.edited", "compositeWithTrainedAlgorithmicMedia"))
    assert told.ingredients == (("source video", "parentOf"),)
    assert told.origin == {
        "job": "a-job",
        "consents": ["consent-a", "consent-b"],
        "models": ["0" * 64],
        "source_sha256": "1" * 64,
    }
    assert told.when.endswith("Z")
    assert reading.aigc is not None
    assert reading.aigc["ProduceID"] == "a-job"
    assert not signed.with_name("plain.mp4").exists()


def test_whose_it_is_depends_on_who_reads(signed: Path, studio: tuple[Credentials, str], tmp_path: Path) -> None:
    chain(tmp_path / "other")
    other = (tmp_path / "other" / "root.pem").read_text()
    assert signature(read(signed)).trust == "unknown"
    assert signature(read(signed, ours=other)).trust == "unknown"
    assert signature(read(signed, ours=other, known=studio[1])).trust == "known"
    assert signature(read(signed, ours=studio[1], known=other)).trust == "ours"


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_is_marked_in_every_way(studio: tuple[Credentials, str], tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"still.{kind}"
    path.write_bytes(mark_picture(picture(), ORIGIN, studio[0], kind=kind))
    reading = read(path, ours=studio[1])
    assert (signature(reading).trust, signature(reading).state) == ("ours", "intact")
    assert reading.aigc is not None
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    assert signature(read(path, ours=studio[1])).state == "altered"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_file_that_is_there_gains_all_marks(studio: tuple[Credentials, str], tmp_path: Path, kind: str) -> None:
    plain, path = BytesIO(), tmp_path / "picture"
    Image.fromarray(picture()).save(plain, kind)
    for made, taller in ((sign_picture, False), (label_picture, True)):
        path.write_bytes(made(plain.getvalue(), ORIGIN, studio[0]))
        reading = read(path, ours=studio[1])
        assert (signature(reading).trust, signature(reading).state) == ("ours", "intact")
        assert reading.aigc is not None
        assert (Image.open(path).height > 120) == taller


def test_a_file_is_signed_as_it_is(studio: tuple[Credentials, str]) -> None:
    plain = BytesIO()
    Image.fromarray(picture()).save(plain, "PNG")
    made = sign_picture(plain.getvalue(), ORIGIN, studio[0])
    assert Image.open(BytesIO(made)).tobytes() == picture().tobytes()
    with pytest.raises(ValueError, match="only PNG"):
        sign_picture(b"GIF89a", ORIGIN, studio[0])


# -- changes ----------------------------------------------------------------------------------------------------------


def boxes(content: bytes) -> list[tuple[bytes, int, int]]:
    """Kind, start and end of every box at the top."""
    found, at = [], 0
    while at < len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        found.append((kind, at, at + size))
        at += size
    return found


def test_every_change_of_one_byte_is_told(signed: Path, studio: tuple[Credentials, str], tmp_path: Path) -> None:
    """In 200 random places outside ``ftyp`` and C2PA's own ``uuid``, the only ranges left out: docs/provenance.md."""
    content = signed.read_bytes()
    layout = boxes(content)
    assert [kind for kind, _, _ in layout if kind in (b"ftyp", b"uuid")] == [b"ftyp", b"uuid"]
    inside = [at for kind, start, end in layout if kind not in (b"ftyp", b"uuid") for at in range(start, end)]
    assert len(inside) > len(content) * 0.5
    chance, path = random.Random(5), tmp_path / "changed.mp4"
    for at in chance.sample(inside, 200):
        changed = bytearray(content)
        changed[at] ^= chance.randrange(1, 256)
        path.write_bytes(changed)
        try:
            reading = read(path, ours=studio[1])
        except InputError:
            continue  # not even a video any more
        found = reading.signature
        assert reading.problem == "verify.damaged" or (found is not None and found.state == "altered"), at


def test_a_change_of_what_is_signed_is_told(signed: Path, studio: tuple[Credentials, str], tmp_path: Path) -> None:
    """What the hash of the file leaves out, the manifest, is what the signature is over."""
    content, path = signed.read_bytes(), tmp_path / "changed.mp4"
    for word in (b"consent-a", b"a-job", b"c2pa.edited", b"1" * 64):
        changed = content.replace(word, bytes([word[0] ^ 1]) + word[1:], 1)
        assert changed != content
        path.write_bytes(changed)
        reading = read(path, ours=studio[1])
        assert reading.signature is None or reading.signature.state == "altered"
        assert reading.signature is not None or reading.problem == "verify.damaged"


def test_a_copy_by_ffmpeg_has_no_signature_but_its_label(signed: Path, tmp_path: Path) -> None:
    assert ffmpeg("-i", signed, "-c", "copy", "-movflags", "use_metadata_tags", tmp_path / "copy.mp4") == 0
    reading = read(tmp_path / "copy.mp4")
    assert reading.signature is None
    assert reading.aigc is not None


def test_a_video_can_be_an_ingredient_of_the_next(
    signed: Path, studio: tuple[Credentials, str], tmp_path: Path
) -> None:
    plain = tmp_path / "plain.mp4"
    plain.write_bytes(signed.read_bytes())
    sign_video(plain, tmp_path / "again.mp4", ORIGIN, studio[0], source=signed)
    told = signature(read(tmp_path / "again.mp4", ours=studio[1]))
    assert (told.state, told.ingredients) == ("intact", (("source video", "parentOf"),))


def test_what_cant_be_signed_leaves_nothing(studio: tuple[Credentials, str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"this is no video")
    with pytest.raises(InputError) as caught:
        sign_video(broken, tmp_path / "result.mp4", ORIGIN, studio[0], source=broken)
    assert caught.value.code == "sign.failed"
    assert not [path for path in tmp_path.iterdir() if path.name != "broken.mp4"]


# -- strangers' files --------------------------------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


CREATED = {
    "label": "c2pa.actions.v2",
    "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}]},
}


def test_a_manifest_elsewhere_is_not_fetched(
    studio: tuple[Credentials, str], tmp_path: Path, listener: tuple[str, list[str]]
) -> None:
    address, asked = listener
    made, credentials = BytesIO(), studio[0]
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", credentials.certificates, credentials.key, None))
    builder = c2pa.Builder({"title": "x", "assertions": [CREATED]})
    builder.set_no_embed()
    builder.set_remote_url(f"{address}/manifest.c2pa")
    builder.sign(signer, "image/png", BytesIO(encode(picture(), "png", "{}")), made)
    path = tmp_path / "remote.png"
    path.write_bytes(made.getvalue())
    assert address.encode() in path.read_bytes()
    for reading in (read(path).to_dict(), inspect(path)):
        assert reading["signature"] is None
        assert reading["problem"] == "verify.remote"
    sign_picture(path.read_bytes(), ORIGIN, credentials)
    assert asked == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "verify.empty"),
        (b"x", "verify.unknown"),
        (os.urandom(4096), "verify.unknown"),
        (b"<script>alert(1)</script>", "verify.unknown"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "verify.unknown"),
    ],
)
def test_what_is_no_media_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        inspect(path)
    assert caught.value.code == code


@pytest.mark.parametrize("size", [12, 100, 1000, 5000, -1])
def test_a_truncated_file_is_told_from_a_whole_one(signed: Path, tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(signed.read_bytes()[:size])
    reading = inspect(path)
    assert reading["signature"] is None or reading["signature"]["state"] == "altered"


def test_a_file_that_takes_too_long_is_given_up(signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspecting, "_WAITS", 0.001)
    with pytest.raises(InputError) as caught:
        inspect(signed)
    assert caught.value.code == "verify.gave_up"
