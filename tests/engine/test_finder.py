"""Finding and following faces, beside facenet-pytorch's own MTCNN on the same frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

from faceengine.extraction import finder as module
from faceengine.extraction.finder import Face, FaceFinder
from faceengine.geometry import Image, iou
from faceengine.video import read_frames


class Spy(FaceFinder):
    """A finder that counts how often it searches the whole frame."""

    def __init__(self, **options: int) -> None:
        super().__init__(**options)
        self.searches = 0
        search = self._mtcnn.search

        def counted(image: Image) -> list[Face]:
            self.searches += 1
            return search(image)

        self._mtcnn.search = counted  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def frames(short_a: Path) -> list[Image]:
    return [frame.image for frame in read_frames(short_a)]


@pytest.fixture(scope="module")
def other(short_b: Path) -> Image:
    return next(read_frames(short_b)).image


@pytest.fixture(scope="module")
def mtcnn() -> MTCNN:
    return MTCNN(keep_all=True, min_face_size=30)


def surest(mtcnn: MTCNN, image: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    boxes, scores, points = mtcnn.detect(image, landmarks=True)
    best = int(np.argmax(scores))
    return boxes[best], points[best]


def beside(one: Image, two: Image) -> Image:
    return np.concatenate([one, two], axis=1)


def test_a_whole_frame_is_searched_as_mtcnn_does(frames: list[Image], mtcnn: MTCNN) -> None:
    finder = FaceFinder()
    for image in frames[::10]:
        finder.reset()
        face = finder(image)[0]
        box, points = surest(mtcnn, image)
        assert iou(face.box, box) > 0.8
        assert np.abs(face.points - points).max() < 0.05 * (box[2] - box[0])


def test_a_followed_face_is_where_mtcnn_finds_it(frames: list[Image], mtcnn: MTCNN) -> None:
    finder = Spy()
    overlaps = []
    for index, image in enumerate(frames):
        faces = finder(image)
        assert len(faces) == 1
        if index % 7 == 0:
            overlaps.append(iou(faces[0].box, surest(mtcnn, image)[0]))
    assert np.median(overlaps) > 0.8
    assert min(overlaps) > 0.6
    assert finder.searches <= 5


def test_points_are_named_as_seen(frames: list[Image]) -> None:
    left_eye, right_eye, nose, left_mouth, right_mouth = FaceFinder()(frames[0])[0].points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_each_face_of_a_frame_has_its_own_points(frames: list[Image], other: Image) -> None:
    faces = FaceFinder()(beside(frames[0], other))
    assert len(faces) == 2
    assert faces[0].score >= faces[1].score
    for face in faces:
        x0, y0, x1, y1 = face.box
        assert ((face.points > (x0, y0)) & (face.points < (x1, y1))).all()


def test_a_newcomer_is_noticed_within_the_redo_interval(frames: list[Image], other: Image) -> None:
    """The second person fades in slowly enough to be no cut."""
    finder = FaceFinder(redo_every=8)
    alone, both = beside(frames[0], np.full_like(other, 120)), beside(frames[0], other)
    assert len(finder(alone)) == 1
    seen = [len(finder(cv2.addWeighted(alone, 1 - step / 20, both, step / 20, 0))) for step in range(1, 21)]
    seen += [len(finder(both)) for _ in range(8)]
    assert seen[-1] == 2


def test_a_cut_is_searched_at_once(frames: list[Image], other: Image) -> None:
    finder = Spy(redo_every=1000)
    finder(frames[0])
    moved = np.roll(other, 200, axis=1)
    face = finder(moved)[0]
    assert finder.searches == 2
    fresh = FaceFinder()(moved)[0]
    assert iou(face.box, fresh.box) > 0.9


def test_a_face_that_leaves_is_let_go(frames: list[Image]) -> None:
    finder = FaceFinder(redo_every=1000)
    assert len(finder(frames[0])) == 1
    x0, y0, x1, y1 = finder(frames[0])[0].box.astype(int)
    covered = frames[0].copy()
    covered[y0 - 20 : y1 + 20, x0 - 20 : x1 + 20] = 128
    assert finder(covered) == []
    assert len(finder(frames[0])) == 1


def test_an_empty_scene_that_stands_still_is_not_searched_again_and_again() -> None:
    finder = Spy(redo_every=10)
    empty = np.full((240, 320, 3), 90, np.uint8)
    for _ in range(20):
        assert finder(empty) == []
    assert finder.searches <= 3


def test_a_slow_fade_in_is_noticed_while_nothing_is_followed(frames: list[Image]) -> None:
    finder = FaceFinder(redo_every=1000)
    black = np.zeros_like(frames[0])
    seen = [len(finder(cv2.addWeighted(black, 1 - step / 100, frames[0], step / 100, 0))) for step in range(101)]
    assert seen[0] == 0
    assert seen[-1] == 1


def test_reset_forgets(frames: list[Image]) -> None:
    finder = Spy(redo_every=1000)
    finder(frames[0])
    finder.reset()
    finder(frames[1])
    assert finder.searches == 2


def test_a_large_frame_is_searched_small_and_answered_large(frames: list[Image]) -> None:
    large = cv2.resize(frames[0], None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert max(large.shape) > module.LARGEST
    small_face, large_face = FaceFinder()(frames[0])[0], FaceFinder()(np.asarray(large, np.uint8))[0]
    assert iou(large_face.box, small_face.box * 4) > 0.85
    width = large_face.box[2] - large_face.box[0]
    assert np.abs(large_face.points - small_face.points * 4).max() < 0.05 * width


@pytest.mark.parametrize("shape", [(5, 5, 3), (1, 400, 3), (29, 29, 3)])
def test_a_picture_smaller_than_a_face_holds_none(shape: tuple[int, int, int]) -> None:
    assert FaceFinder()(np.zeros(shape, np.uint8)) == []


def test_a_face_at_the_border_stays_an_answer(frames: list[Image]) -> None:
    x0, y0, x1, y1 = FaceFinder()(frames[0])[0].box.astype(int)
    cut = np.ascontiguousarray(frames[0][(y0 * 3 + y1) // 4 :, x0:x1])
    finder = FaceFinder()
    for _ in range(3):  # found or not, at the border nothing may break
        assert all(np.isfinite(face.box).all() for face in finder(cut))


def test_the_pool_that_replaces_torchs_gives_the_same() -> None:
    import torch

    theirs = torch.nn.MaxPool2d(2, 2, ceil_mode=True)
    for height, width in [(8, 8), (7, 8), (8, 7), (7, 9)]:
        x = torch.randn(2, 3, height, width)
        assert torch.equal(module._Halve()(x), theirs(x))
