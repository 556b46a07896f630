"""Whoever comes into view beside a followed face is swapped from the frame on in which they appear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from faceengine.conversion import look_ahead
from faceengine.conversion.chunks import Chunk
from faceengine.conversion.convert import _prepared
from faceengine.conversion.cuts import CutFinder
from faceengine.conversion.frame_swapper import Prepared
from faceengine.conversion.judging import Judge, Sight
from faceengine.conversion.labelling import label_of
from faceengine.conversion.loading import load_frame_swapper
from faceengine.conversion.look_ahead import Found, LookAhead
from faceengine.conversion.recognition import Recogniser
from faceengine.conversion.tracks import Tracker
from faceengine.embedding import Embedder
from faceengine.extraction.finder import Face, FaceFinder
from faceengine.thresholds import THRESHOLDS
from faceengine.training.swapper import Identity
from faceengine.video import VideoWriter, probe, read_frames
from tests.engine.conversions import config, frames_of

CASES = Path(__file__).parent / "cases"
COMES_BACK = 12
Image = NDArray[np.uint8]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine: more threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def prepared(video: Path, model: Path, direction: str, chunk: Chunk) -> list[Prepared]:
    """A chunk's frames with the faces that a conversion would swap; nothing is drawn."""
    chosen, info = config(video, model, direction=direction, device="cpu"), probe(video)
    return list(_prepared(video, info.fps, chunk, load_frame_swapper(chosen), label_of(chosen, info)))


def written(path: Path, images: Sequence[Image]) -> Path:
    height, width = images[0].shape[:2]
    with VideoWriter(path, width, height, probe(CASES / "face_at_the_edge.mp4").fps, crf=12) as writer:
        for image in images:
            writer.write(image)
    return path


def test_a_person_who_comes_back_is_swapped_at_once(tiny_run: Path) -> None:
    clip = CASES / "person_comes_back_beside_another.mp4"
    frames = prepared(clip, tiny_run, "b2a", Chunk(0, 40, (0,)))
    swapped = [number for number, frame in enumerate(frames) if frame.targets]
    assert swapped == list(range(COMES_BACK, 40))
    # And only they: the other one stands beside them in every frame.
    assert all(len(frame.targets) == 1 for frame in frames[COMES_BACK:])
    assert all(len(frame.faces) == 2 for frame in frames[COMES_BACK:])


@pytest.mark.parametrize("wait", [0, 7])
def test_so_they_are_mirrored_and_at_another_time(tiny_run: Path, tmp_path: Path, wait: int) -> None:
    """The first frame is held for a while, so that the finder's searches fall elsewhere."""
    images = [np.ascontiguousarray(one[:, ::-1]) for one in frames_of(CASES / "person_comes_back_beside_another.mp4")]
    clip = written(tmp_path / "mirrored.mp4", [images[0]] * wait + images)
    frames = prepared(clip, tiny_run, "b2a", Chunk(0, 40 + wait, (0,)))
    first = next(number for number, frame in enumerate(frames) if frame.targets)
    assert abs(first - COMES_BACK - wait) <= 1
    assert all(frame.targets for frame in frames[first:])


def test_a_part_that_ends_before_the_next_search_misses_nobody(tiny_run: Path) -> None:
    """As the last frames before a border of two chunks, or of a video."""
    clip = CASES / "person_comes_back_beside_another.mp4"
    frames = prepared(clip, tiny_run, "b2a", Chunk(0, 18, (0,)))
    assert [number for number, frame in enumerate(frames) if frame.targets] == list(range(COMES_BACK, 18))


def blocks(images: Sequence[Image]) -> list[list[Found]]:
    ahead = LookAhead(FaceFinder(), CutFinder())
    return list(ahead((number, number / 25, image) for number, image in enumerate(images)))


@pytest.mark.parametrize("appears", [3, 19, 27])
def test_a_face_is_dated_back_to_where_it_appears(short_a: Path, short_b: Path, appears: int) -> None:
    pairs = zip(frames_of(short_a, 30), frames_of(short_b, 30), strict=True)
    images = [
        np.concatenate([a, b if number >= appears else np.full_like(b, 100)], axis=1)
        for number, (a, b) in enumerate(pairs)
    ]
    # It fades in as little of the picture as a face has, so that it is no cut.
    found = [one for block in blocks(images) for one in block]
    assert [one.number for one in found] == list(range(30))
    assert [len(one.faces) for one in found] == [1] * appears + [2] * (30 - appears)


def test_a_face_that_comes_just_before_a_cut_is_found(short_a: Path, short_b: Path) -> None:
    a, b = frames_of(short_a, 10), frames_of(short_b, 10)
    x0, y0, x1, y1 = FaceFinder()(b[0])[0].box.astype(int)
    small = [cv2.resize(one[max(0, y0 - 40) : y1 + 40, x0 - 40 : x1 + 40], (120, 120)) for one in b]
    images = [one.copy() for one in a]
    for image, patch in zip(images[6:], small[6:], strict=True):
        image[10:130, 10:130] = patch
    other = np.ascontiguousarray(255 - a[0][::-1])
    found = [one for block in blocks([*images, *[other] * 3]) for one in block]
    assert [len(one.faces) for one in found[:10]] == [1] * 6 + [2] * 4


def test_frames_wait_within_bounds() -> None:
    assert look_ahead._most(np.empty((480, 640, 3), np.uint8)) == look_ahead.MOST_FRAMES
    assert look_ahead._most(np.empty((1080, 1920, 3), np.uint8)) == look_ahead.MOST_FRAMES
    assert look_ahead._most(np.empty((2160, 3840, 3), np.uint8)) == 10
    assert look_ahead._most(np.empty((8000, 8000, 3), np.uint8)) == look_ahead.FEWEST_FRAMES


def test_no_more_frames_wait_than_may(short_a: Path) -> None:
    waiting = 0
    for block in blocks(frames_of(short_a, 50)):
        waiting += 1 - len(block)
        assert waiting <= look_ahead.MOST_FRAMES


# -- verdicts in hindsight -------------------------------------------------------------------------------------------


class Distances:
    """An embedder for which the face of frame ``n`` is at the ``n``-th distance from the person at 0."""

    name = "script"
    thresholds = THRESHOLDS["dlib-resnet"]
    reading = Embedder.reading

    def __init__(self, distances: Sequence[float]) -> None:
        self._distances = distances
        self.looks: list[int] = []

    def __call__(self, image: Image, landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
        self.looks.append(int(image[0, 0, 0]))
        return np.array([[self._distances[self.looks[-1]]] for _ in landmarks])


def judged(distances: Sequence[float], length: int = 25) -> tuple[str, list[int]]:
    """The verdict on each frame by its first letter, in stretches of ``length``; and the frames looked at."""
    embedder = Distances(distances)
    recogniser = Recogniser(embedder, Identity("script", np.zeros(1)))  # type: ignore[arg-type]
    judge = Judge(recogniser, lambda _, boxes: np.zeros((len(boxes), 68, 2)))  # type: ignore[arg-type]
    track, said = Tracker(0.5), ""
    box = np.array([10.0, 10, 90, 90])
    for start in range(0, len(distances), length):
        sights = []
        for number in range(start, min(start + length, len(distances))):
            found = Found(np.full((1, 1, 3), number, np.uint8), 0.0, number, False, [Face(box, np.zeros((5, 2)), 0.99)])
            sights.append(Sight(found, track(found.faces, number)))
        judge(sights)
        said += "".join(verdict[0] for sight in sights for verdict in sight.verdicts.values())
    return said, embedder.looks


SAME, UNSURE, OTHER = 0.3, 0.55, 0.7


def test_a_known_person_costs_a_look_a_second() -> None:
    said, looks = judged([SAME] * 100)
    assert said == "s" * 100
    assert len(looks) <= 6


def test_whoever_turns_out_to_be_the_person_was_so_before() -> None:
    assert judged([UNSURE] * 9 + [SAME] * 16)[0] == "s" * 25
    assert judged([OTHER] * 8 + [UNSURE] * 3 + [SAME] * 14)[0] == "d" * 8 + "s" * 17


@pytest.mark.parametrize(("change", "more"), [(7, 0), (23, 0), (24, 1), (25, 0), (33, 0)])
def test_a_face_that_becomes_somebody_else_is_not_swapped(change: int, more: int) -> None:
    """A track that passes from one person to another without a cut: at a stretch's last frame it might be a blink."""
    swapped = change + more
    assert judged([SAME] * change + [OTHER] * (60 - change))[0] == "s" * swapped + "d" * (60 - swapped)


def test_one_strange_look_is_a_blink() -> None:
    distances = [SAME] * 75
    for frame in (24, 49):  # where stretches end, and are looked at
        distances[frame] = OTHER
    assert judged(distances)[0] == "s" * 75


def test_somebody_who_comes_back_after_another_is_swapped_again() -> None:
    said = judged([SAME] * 20 + [OTHER] * 30 + [SAME] * 25)[0]
    assert said == "s" * 20 + "d" * 30 + "s" * 25


def test_nobody_is_swapped_who_never_is_the_person() -> None:
    said, looks = judged([OTHER] * 100)
    assert said == "d" * 100
    assert len(looks) <= 8
    assert "s" not in judged([UNSURE] * 50)[0]


def test_the_case_is_as_it_is_said_to_be() -> None:
    assert len(list(read_frames(CASES / "person_comes_back_beside_another.mp4"))) == 40
