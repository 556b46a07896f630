"""The AIGC metadata of GB 45438: written and read back, in every container that holds them; strangers' ones too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceengine.provenance.aigc import KEY, NAMESPACE, aigc, from_xmp, read_picture, read_video, with_xmp, xmp
from faceengine.provenance.picture import encode
from faceengine.video import VideoWriter, read_frames
from tests.engine.marking import ORIGIN, ffmpeg, picture

TEXT = aigc(ORIGIN, 'Studio "Ä" & 工作室 <b>')


def test_the_keys_are_those_of_the_standard_in_its_order() -> None:
    names = ["Label", "ContentProducer", "ProduceID", "ReservedCode1"]
    names += ["ContentPropagator", "PropagateID", "ReservedCode2"]
    assert list(json.loads(TEXT)) == names
    assert json.loads(TEXT)["Label"] == "1"
    assert json.loads(TEXT)["ProduceID"] == "a-job"


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_tells_them_and_is_a_picture_still(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"picture.{kind}"
    path.write_bytes(encode(picture(), kind, TEXT))
    assert read_picture(path) == json.loads(TEXT)
    with Image.open(path) as opened:
        opened.load()
        assert opened.size == (160, 120)
    if kind == "png":
        assert (np.asarray(Image.open(path)) == picture()).all()


def test_a_file_that_is_there_gains_them_without_being_encoded_again(tmp_path: Path) -> None:
    for kind, suffix in (("PNG", "png"), ("JPEG", "jpg")):
        plain = tmp_path / f"plain.{suffix}"
        Image.fromarray(picture()).save(plain, kind)
        marked = tmp_path / f"marked.{suffix}"
        marked.write_bytes(with_xmp(plain.read_bytes(), xmp(TEXT)))
        assert read_picture(marked) == json.loads(TEXT)
        assert (np.asarray(Image.open(marked)) == np.asarray(Image.open(plain))).all()
    with pytest.raises(ValueError, match="only PNG and JPEG"):
        with_xmp(b"GIF89a", xmp(TEXT))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("aigc") / "video.mp4"
    with VideoWriter(path, 160, 120, 25, tag=(KEY, TEXT)) as writer:
        for _ in range(5):
            writer.write(picture())
    return path


def test_a_video_has_them_as_a_key_of_its_meta_box(video: Path) -> None:
    assert read_video(video) == json.loads(TEXT)
    content = video.read_bytes()
    moov = content[content.index(b"moov") :]
    assert moov.index(b"udta") < moov.index(b"meta") < moov.index(b"keys") < moov.index(KEY.encode())
    assert len(list(read_frames(video))) == 5


@pytest.mark.parametrize(
    ("name", "options", "kept"),
    [
        ("copy.mp4", [], False),
        ("tags.mp4", ["-movflags", "use_metadata_tags"], True),
        ("tags.mov", ["-movflags", "use_metadata_tags"], True),
        ("copy.mkv", [], True),
    ],
)
def test_what_a_copy_without_encoding_leaves_of_them(
    video: Path, tmp_path: Path, name: str, options: list[str], kept: bool
) -> None:
    """docs/provenance.md has this table."""
    assert ffmpeg("-i", video, "-c", "copy", *options, tmp_path / name) == 0
    assert read_video(tmp_path / name) == (json.loads(TEXT) if kept else None)


def test_others_write_them_as_an_element() -> None:
    packet = xmp(TEXT).decode()
    start, end = packet.index(" TC260:AIGC="), packet.index("/></rdf:RDF>")
    value = packet[start:end].split('"', 1)[1].rsplit('"', 1)[0]
    packet = f"{packet[:start]}><TC260:AIGC>{value}</TC260:AIGC></rdf:Description>{packet[end + 2 :]}"
    assert from_xmp(packet.encode()) == json.loads(TEXT)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<",
        BOMB,
        b"<x/>",
        b"\xff\xfe",
        b"<x>" + b"a" * 70_000 + b"</x>",
        xmp("not json"),
        xmp("[1]"),
        xmp("[" * 9999),
    ],
)
def test_what_is_no_metadata_is_none(packet: bytes) -> None:
    assert from_xmp(packet) is None


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1\xff\xff", b"RIFF0000WEBP", b"x" * 100]
)
def test_what_is_no_file_has_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert read_picture(path) is None
    assert read_video(path) is None


def test_the_name_space_is_the_standards() -> None:
    assert NAMESPACE in xmp(TEXT).decode()
