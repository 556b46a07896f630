"""One frame in, the same frame with the person's face replaced out: everything of a conversion but the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from faceengine.conversion import blend, colour
from faceengine.conversion.blend import Floats, Region
from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.cuts import CutFinder
from faceengine.conversion.recognition import Recogniser
from faceengine.conversion.tracks import Track, Tracker
from faceengine.embedding.chips import five_points
from faceengine.extraction.finder import Face, FaceFinder
from faceengine.extraction.landmarks import Landmarker
from faceengine.geometry import Image, Matrix, Points, align_matrix, transform, warp


class Model(Protocol):
    """What conversion asks of a trained model; ``training.swapper.Swapper`` is one."""

    @property
    def size(self) -> int: ...
    @property
    def coverage(self) -> float: ...

    def __call__(self, crops: Image, /) -> tuple[Floats, Floats]:
        """``(B, size, size, 3)`` RGB → colour ``(B, size, size, 3)`` in [0, 255] and masks ``(B, size, size, 2)`` in
        [0, 1]: the face in the drawn picture, and the face that is visible in the crop."""
        ...


@dataclass(frozen=True)
class Seen:
    """A face of a frame and who it is taken for."""

    face: Face
    track: int
    verdict: str
    """``same`` (it was swapped), ``unsure`` or ``different``."""
    distance: float
    """To the person's medoid, when last looked at."""


@dataclass(frozen=True)
class Target:
    """A face to swap: ``(size, size, 3)`` crop, the matrix frame → crop, and ``(68, 2)`` landmarks in crop shares."""

    crop: Image
    matrix: Matrix
    landmarks: Points


@dataclass(frozen=True)
class Prepared:
    """A frame before the model: what it shows, and what of it the model has to see."""

    image: Image
    faces: tuple[Seen, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Swap:
    """A finished frame. ``result`` is ``image`` itself, not a copy, where nobody was swapped."""

    image: Image
    result: Image
    mask: Image
    """``(H, W)`` uint8, how much of each pixel is new."""
    faces: tuple[Seen, ...]

    @property
    def swapped(self) -> bool:
        return any(seen.verdict == "same" for seen in self.faces)


class FrameSwapper:
    """Swaps the person's face in the frames of a video, given in order, or in a single picture.

    Between frames it remembers where faces were, who they are, and how they moved. ``prepare`` and ``finish`` are its
    two halves, for callers that gather the crops of several frames for one call of the model; frames must be prepared
    in order, and may be finished whenever.
    """

    def __init__(
        self,
        model: Model,
        *,
        finder: FaceFinder,
        landmarker: Landmarker,
        recogniser: Recogniser,
        settings: ConvertConfig,
    ) -> None:
        self._model = model
        self._finder = finder
        self._landmarker = landmarker
        self._recogniser = recogniser
        self._settings = settings
        self._starts_shot = CutFinder()
        self._track = Tracker(settings.smoothing)
        self._frame = -1

    def __call__(self, image: Image, time: float = 0.0) -> Swap:
        """Swap in one ``(H, W, 3)`` uint8 RGB frame at ``time`` seconds."""
        return self.run([self.prepare(image, time)])[0]

    def forget(self) -> None:
        """Know nothing of the frames so far: the next one may be of any place or video."""
        # A new finder of cuts takes its first frame for one, and there everything else is forgotten.
        self._starts_shot = CutFinder()

    def run(self, frames: Sequence[Prepared]) -> list[Swap]:
        """Put all faces of these frames through the model at once and finish each frame."""
        crops = [target.crop for frame in frames for target in frame.targets]
        colours, masks = self._model(np.stack(crops)) if crops else ((), ())
        outputs = iter(zip(colours, masks, strict=True))
        return [self.finish(frame, [next(outputs) for _ in frame.targets]) for frame in frames]

    def prepare(self, image: Image, time: float) -> Prepared:
        """Find the faces, judge who they are, and cut out the person's."""
        self._frame += 1
        if self._starts_shot(image):
            self._finder.reset()
            self._track.forget()
        faces = self._finder(image)
        tracks = self._track(faces, self._frame)
        landmarks = self._look(image, faces, tracks)
        targets = tuple(
            self._target(image, face, track, landmarks[track.number], time)
            for face, track in zip(faces, tracks, strict=True)
            if track.verdict == "same"
        )
        seen = tuple(
            Seen(face, track.number, track.verdict, track.distance) for face, track in zip(faces, tracks, strict=True)
        )
        return Prepared(image, seen, targets)

    def _look(self, image: Image, faces: list[Face], tracks: list[Track]) -> dict[int, Points]:
        """Bring the verdicts up to date; the ``(68, 2)`` landmarks, by track, of every face that needs them."""
        due = [track for track in tracks if self._recogniser.due(track, self._frame)]
        needed = [
            (face, track) for face, track in zip(faces, tracks, strict=True) if track in due or track.verdict == "same"
        ]
        if not needed:
            return {}
        found = self._landmarker(image, np.array([face.box for face, _ in needed]))
        landmarks = {track.number: points for (_, track), points in zip(needed, found, strict=True)}
        if due:
            self._recogniser.look(image, due, np.array([landmarks[track.number] for track in due]), self._frame)
        return landmarks

    def _target(self, image: Image, face: Face, track: Track, landmarks: Points, time: float) -> Target:
        scale = float(np.sqrt((face.box[2:] - face.box[:2]).prod()))
        steady = track.landmarks(landmarks, time, scale)
        size = self._model.size
        # As training aligns its crops.
        matrix = align_matrix(five_points(steady), size, self._model.coverage)
        return Target(warp(image, matrix, size), matrix, (transform(steady, matrix) + 0.5) / size)

    def finish(self, frame: Prepared, outputs: Sequence[tuple[Floats, Floats]]) -> Swap:
        """Blend the model's ``(colour, masks)`` of each target into the frame."""
        mask = np.zeros(frame.image.shape[:2], np.uint8)
        if not frame.targets:
            return Swap(frame.image, frame.image, mask, frame.faces)
        result = frame.image.copy()
        for target, (face, masks) in zip(frame.targets, outputs, strict=True):
            self._put(result, mask, target, face, masks)
        return Swap(frame.image, result, mask, frame.faces)

    def _put(self, result: Image, mask: Image, target: Target, face: Floats, masks: Floats) -> None:
        """Blend one face into ``result`` and its mask into ``mask``, in place."""
        chosen = self._settings
        size = self._model.size
        cover = masks.min(axis=-1)
        if chosen.blend != "direct":
            cover = blend.soft_mask(
                masks, target.landmarks, cover=chosen.cover, erode=chosen.erode, feather=chosen.feather
            )
        weight = blend.resample(cover, size)
        face = colour.transfer(face, target.crop.astype(np.float32), weight, chosen.color)
        face = colour.sharpen(face, chosen.sharpen)
        margin = blend.POISSON_MARGIN if chosen.blend == "poisson" else 1
        region = Region.around(target.matrix, size, margin)
        rows, columns = region.inside(result)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        own = region.own(rows, columns)
        pasted = region.paste(face, target.matrix)
        share = region.paste(cover, blend.resized(target.matrix, size, cover.shape[0]), mask=True)
        put = blend.clone if chosen.blend == "poisson" else blend.paste
        put(result, region, pasted, share)
        mask[rows, columns] = np.maximum(mask[rows, columns], np.rint(share[own] * 255).astype(np.uint8))
