"""One frame of a result: the face in it, the face it replaced, and what pixels and landmarks say of the two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceengine.embedding import Embedder
from faceengine.embedding.chips import five_points
from faceengine.evaluation.change import Change, mean_colour, measure_change, seam
from faceengine.evaluation.features import Features, measure_features
from faceengine.evaluation.hues import Hues, hues
from faceengine.evaluation.identity import Gatherer
from faceengine.evaluation.metrics import box_scores
from faceengine.evaluation.motion import aligned_difference, flicker
from faceengine.evaluation.sharpness import detail_energy
from faceengine.extraction.finder import Face, FaceFinder
from faceengine.extraction.landmarks import Landmarker
from faceengine.extraction.quality import sharpness
from faceengine.geometry import Image, Points, align_matrix, iou, warp
from faceengine.video import Frame

# Less overlap than this and the two are not the same place in the picture.
_SAME_PLACE = 0.3
# As face sets have it by default: sharpness depends on the crop's size a little.
_CROP = 256


@dataclass(frozen=True)
class Truth:
    """Against the perfect swap, inside the face box."""

    psnr: float
    ssim: float
    psnr_unswapped: float | None
    """Of the footage before the swap; ``None`` without its video."""


@dataclass(frozen=True)
class FrameMeasures:
    """What is known of one frame that has, or had before the swap, a face."""

    frame: int
    time: float
    landmarks: Points | None
    """``(68, 2)`` in the result; ``None`` if no face is found where one should be."""
    row: int | None
    """Row of its embedding in every judge's gatherer; ``None`` as above."""
    sharpness: float | None
    """Of its upright crop, as a face set has it."""
    detail: float | None = None
    """High-frequency energy inside the face (``sharpness.py``)."""
    hues: Hues | None = None
    features: Features | None = None
    original_landmarks: Points | None = None
    original_detail: float | None = None
    original_hues: Hues | None = None
    original_features: Features | None = None
    flicker: float | None = None
    """Against the frame before, if that is the one just before in the video."""
    original_sharpness: float | None = None
    change: Change | None = None
    seam: float | None = None
    colour: NDArray[np.float64] | None = None
    original_colour: NDArray[np.float64] | None = None
    truth: Truth | None = None

    @property
    def swapped(self) -> bool | None:
        """``None`` when it can't be known (no video of the footage before the swap)."""
        return None if self.change is None else self.change.swapped


class Judge:
    """A network that tells people apart, and the faces of both videos on their way through it."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self.result = Gatherer(embedder)
        self.original = Gatherer(embedder)


class Measurer:
    """Measures frame after frame of one result."""

    def __init__(self, landmarker: Landmarker, judges: list[Judge], device: str) -> None:
        self._landmarker = landmarker
        self._judges = judges
        self._find, self._find_original = FaceFinder(device=device), FaceFinder(device=device)
        self._before: tuple[int, NDArray[np.float32]] | None = None

    def __call__(self, frame: Frame, original: Image | None, truth: Image | None) -> FrameMeasures | None:
        """The measures of ``frame``; ``None`` if there is, and was, nobody in it.

        ``original`` and ``truth`` are the same moment before the swap and swapped perfectly, ``(H, W, 3)`` RGB of the
        same size. Of several faces before the swap the one that changed most is meant.
        """
        if original is None:
            return self._alone(frame, truth)
        before = self._face_before(frame.image, original)
        if before is None:
            return None
        face, landmarks, change = before
        for judge in self._judges:
            judge.original.add(judge.embedder.chip(original, landmarks))
        found = self._face_at(frame.image, face)
        return FrameMeasures(
            frame.index,
            frame.time,
            *self._look(frame.image, found),
            original_landmarks=landmarks,
            original_detail=detail_energy(original, landmarks),
            original_hues=hues(original, landmarks),
            original_features=measure_features(original, landmarks),
            flicker=self._flicker(frame, original, landmarks),
            original_sharpness=_sharpness(original, landmarks),
            change=change,
            seam=seam(frame.image, original, landmarks, change) if change.swapped else None,
            colour=mean_colour(frame.image, landmarks),
            original_colour=mean_colour(original, landmarks),
            truth=_against_truth(frame.image, truth, original, face),
        )

    def _flicker(self, frame: Frame, original: Image, landmarks: Points) -> float | None:
        now = aligned_difference(frame.image, original, landmarks)
        before, self._before = self._before, (frame.index, now)
        return flicker(before[1], now) if before is not None and before[0] == frame.index - 1 else None

    def _alone(self, frame: Frame, truth: Image | None) -> FrameMeasures | None:
        faces = self._find(frame.image)
        boxed = faces if truth is None else self._find_original(truth)
        if not faces and not boxed:
            return None
        return FrameMeasures(
            frame.index,
            frame.time,
            *self._look(frame.image, faces[0] if faces else None),
            truth=_against_truth(frame.image, truth, None, boxed[0]) if boxed else None,
        )

    def _face_before(self, image: Image, original: Image) -> tuple[Face, Points, Change] | None:
        faces = self._find_original(original)
        if not faces:
            return None
        every = self._landmarker(original, np.stack([face.box for face in faces]))
        changes = [measure_change(image, original, points) for points in every]
        # Where nothing was changed the surest face is meant, else the one that was swapped.
        best = max(range(len(faces)), key=lambda i: changes[i].inside) if any(c.swapped for c in changes) else 0
        return faces[best], every[best], changes[best]

    def _face_at(self, image: Image, where: Face) -> Face | None:
        near = [face for face in self._find(image) if iou(face.box, where.box) >= _SAME_PLACE]
        return max(near, key=lambda face: iou(face.box, where.box), default=None)

    def _look(
        self, image: Image, face: Face | None
    ) -> tuple[Points | None, int | None, float | None, float | None, Hues | None, Features | None]:
        """The face's landmarks, its row in every judge's queue, its sharpness, detail, hues and features."""
        if face is None:
            return None, None, None, None, None, None
        (landmarks,) = self._landmarker(image, face.box[None])
        rows = [judge.result.add(judge.embedder.chip(image, landmarks)) for judge in self._judges]
        seen = detail_energy(image, landmarks), hues(image, landmarks), measure_features(image, landmarks)
        return landmarks, rows[0], _sharpness(image, landmarks), *seen


def _sharpness(image: Image, landmarks: Points) -> float:
    return sharpness(warp(image, align_matrix(five_points(landmarks), _CROP), _CROP))


def _against_truth(image: Image, truth: Image | None, original: Image | None, face: Face) -> Truth | None:
    if truth is None:
        return None
    scores = box_scores(image, truth, face.box)
    unswapped = None if original is None else box_scores(original, truth, face.box)
    return None if scores is None else Truth(*scores, None if unswapped is None else unswapped[0])
