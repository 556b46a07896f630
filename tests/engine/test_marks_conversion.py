"""A conversion's marks: in every frame, in the file, last of all; and nothing at all without them."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceengine.conversion import chunks as borders_of
from faceengine.conversion import segments
from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.convert import run, swaps
from faceengine.conversion.labelling import label_of
from faceengine.conversion.loading import load_frame_swapper
from faceengine.conversion.segments import JoinConfig, join, plan
from faceengine.errors import InputError
from faceengine.evaluation.change import face_hull
from faceengine.extraction.finder import FaceFinder
from faceengine.extraction.landmarks import make_landmarker
from faceengine.files import sha256
from faceengine.provenance import credentials as who
from faceengine.provenance import marks
from faceengine.provenance.credentials import CERTIFICATES, CHAIN_FILE, KEY, KEY_FILE, ROOT_FILE, make_chain
from faceengine.provenance.reading import read
from faceengine.video import VideoWriter, probe, read_frames
from tests.engine.conftest import Heard


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chain that this process signs with."""
    folder = tmp_path / "chain"
    make_chain(folder, "A studio")
    monkeypatch.setenv(CERTIFICATES, str(folder / CHAIN_FILE))
    monkeypatch.setenv(KEY, str(folder / KEY_FILE))
    return folder


def config(video: Path, model: Path, **settings: object) -> ConvertConfig:
    settings = {"direction": "a2b", "landmarks": "dlib", "device": "cpu"} | settings
    return ConvertConfig(video=video, model=model, **settings)  # type: ignore[arg-type]


def labelled_frames(path: Path, config: ConvertConfig, column: int = 0) -> list[bool]:
    """Of each frame, whether it looks in a place that the label may have as a labelled one does."""
    info = probe(config.video)
    label, found = label_of(config, info), []
    grey = np.full((info.height, info.width, 3), 128, np.uint8)
    ideals = [(label.box(spot), label.drawn(grey, spot)) for spot in label.spots]
    for frame in read_frames(path):
        panel = frame.image[:, column * info.width : (column + 1) * info.width]
        found.append(any(alike(panel, ideal, box) for box, ideal in ideals))
    return found


def alike(one: np.ndarray, other: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    """Whether two pictures are much the same inside the box."""
    x, y, width, height = box
    cuts = [picture[y : y + height, x : x + width].astype(float).ravel() for picture in (one, other)]
    return float(np.corrcoef(*cuts)[0, 1]) > 0.9


@pytest.mark.parametrize(("layout", "column"), [("result", 0), ("triple", 1)])
def test_every_frame_and_the_file_are_marked(
    tiny_run: Path, short_a: Path, tmp_path: Path, studio: Path, heard: Heard, layout: str, column: int
) -> None:
    settings = config(short_a, tiny_run, layout=layout, label_place="top-left")
    result = run(settings, tmp_path / "out", on_event=heard)
    assert labelled_frames(result.path, settings, column) == [True] * 50
    reading = read(result.path, ours=(studio / ROOT_FILE).read_text())
    assert reading.signature is not None
    assert (reading.signature.trust, reading.signature.state) == ("ours", "intact")
    assert reading.signature.origin["models"] == [result.model]
    assert reading.signature.origin["source_sha256"] == sha256(short_a)
    assert reading.aigc is not None
    assert reading.aigc["ContentProducer"] == "A studio"
    assert result.signed_by == "A studio signer"
    assert [event.code for event in heard.events if hasattr(event, "code")] == ["marks.done"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["result.mp4"]


def squared(video: Path, path: Path, face: float) -> Path:
    """A video of 256 × 256 pixels that follows the person's face, which is ``face`` pixels wide by its rectangle."""
    info, find, scale = probe(video), FaceFinder(), 0.0
    with VideoWriter(path, 256, 256, info.fps, crf=12) as writer:
        for frame in read_frames(video):
            x0, y0, x1, y1 = find(frame.image)[0].box
            scale = scale or face / (x1 - x0)
            side = 256 / scale
            left = np.clip((x0 + x1 - side) / 2, 0, info.width - side)
            top = np.clip((y0 + y1 - side) / 2, 0, info.height - side)
            matrix = scale * np.array([[1, 0, -left], [0, 1, -top]])
            writer.write(cv2.warpAffine(frame.image, matrix, (256, 256)))
    return path


@pytest.mark.parametrize("face", [100.0, 140.0])
def test_in_a_small_square_the_label_stays_off_the_face(
    tiny_run: Path, short_a: Path, tmp_path: Path, face: float
) -> None:
    """No landmark of it, nor what is between them, is below the plate, in any frame."""
    chosen = config(squared(short_a, tmp_path / "square.mp4", face), tiny_run)
    info = probe(chosen.video)
    label, landmarker = label_of(chosen, info), make_landmarker("dlib")
    spots, faces = set(), 0
    with closing(swaps(chosen, info.fps, load_frame_swapper(chosen), label)) as found:
        for swap in found:
            spots.add(swap.spot)
            x, y, width, height = label.box(swap.spot)
            for points in landmarker(swap.image, np.array([seen.face.box for seen in swap.faces]).reshape(-1, 4)):
                faces += 1
                assert not face_hull(points, swap.image.shape)[y : y + height, x : x + width].any()
    assert faces >= 45
    assert len(spots) == 1


def test_without_a_label_it_still_has_the_others(tiny_run: Path, short_a: Path, tmp_path: Path, studio: Path) -> None:
    result = run(config(short_a, tiny_run, label="none", end=5), tmp_path)
    reading = read(result.path)
    assert reading.signature is not None
    assert reading.aigc is not None


def test_parts_carry_the_label_and_their_join_all(
    tiny_run: Path, short_a: Path, tmp_path: Path, studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(borders_of, "SECONDS", 1.0)
    monkeypatch.setattr(borders_of, "WARM_UPS", (0.4, 0.8))
    monkeypatch.setattr(segments, "SHORTEST", 0.5)
    settings = config(short_a, tiny_run)
    parts = [ConvertConfig.from_dict(settings.to_dict() | changed) for changed in plan(settings)]
    assert len(parts) == 2
    made = [run(part, tmp_path / part.name) for part in parts]
    for part in made:
        assert part.signed_by == ""
        assert read(part.path).signature is read(part.path).aigc is None
    result = join(JoinConfig(video=short_a, parts=tuple(made)), tmp_path / "joined")
    assert labelled_frames(result.path, settings) == [True] * 50
    reading = read(result.path, ours=(studio / ROOT_FILE).read_text())
    assert reading.signature is not None
    assert (reading.signature.trust, reading.signature.state) == ("ours", "intact")
    assert reading.signature.origin["models"] == [made[0].model]
    assert reading.aigc is not None
    assert [path.name for path in (tmp_path / "joined").iterdir()] == ["result.mp4"]


@pytest.mark.parametrize("why", ["missing", "unreadable", "expired", "not_yet_valid"])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_nothing_unmarked_is_left(
    tiny_run: Path, short_a: Path, tmp_path: Path, studio: Path, monkeypatch: pytest.MonkeyPatch, why: str, when: str
) -> None:
    """Found out before the work, or, if it comes to that while it goes on, at its end."""

    class Clock(datetime):
        year_shown = {"expired": 2099, "not_yet_valid": 2001}.get(why)

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return datetime(cls.year_shown or 0, 1, 1, tzinfo=UTC)

    def break_it(*_: object) -> None:
        if why == "missing":
            (studio / KEY_FILE).unlink(missing_ok=True)
        elif why == "unreadable":
            (studio / KEY_FILE).write_bytes(b"no key")
        else:
            monkeypatch.setattr(who, "datetime", Clock)

    if when == "before":
        break_it()
    else:
        monkeypatch.setattr(marks.files, "sha256", lambda path: break_it() or sha256(path))
    with pytest.raises(InputError) as caught:
        run(config(short_a, tiny_run, end=5), tmp_path / "out")
    assert caught.value.code == f"sign.{why}"
    assert list((tmp_path / "out").iterdir()) == []


def test_the_join_fails_as_well(tiny_run: Path, short_a: Path, tmp_path: Path, studio: Path) -> None:
    part = run(config(short_a, tiny_run, marks="label", end=25), tmp_path / "part")
    (studio / KEY_FILE).unlink()
    with pytest.raises(InputError) as caught:
        join(JoinConfig(video=short_a, parts=(dataclasses.replace(part),)), tmp_path / "out")
    assert caught.value.code == "sign.missing"
    assert not (tmp_path / "out" / "result.mp4").exists()
