"""One frame in, the same frame with the person's face replaced out: everything of a conversion but the files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

import numpy as np

from faceengine.conversion import blend, colour
from faceengine.conversion.blend import Floats, Region
from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.cuts import CutFinder
from faceengine.conversion.judging import Judge, Sight
from faceengine.conversion.look_ahead import Found, LookAhead
from faceengine.conversion.recognition import Recogniser
from faceengine.conversion.tracks import Track, Tracker
from faceengine.embedding.chips import five_points
from faceengine.extraction.finder import Face, FaceFinder
from faceengine.extraction.landmarks import Landmarker
from faceengine.geometry import Image, Matrix, Points, align_matrix, transform, warp
from faceengine.provenance.free_corner import Spot


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
    consented: float | None = None
    """To who agreed, if it was looked at in this very frame and somebody asks."""
    refused: bool = False
    """It is like the person, but not like who agreed, and so was not swapped."""


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
    starts_shot: bool = True
    coming: tuple[Face, ...] = ()
    """Faces of this frame and of those after it in its shot, as far as they are known by then."""
    spot: Spot | None = None
    """Where the visible label goes, once that is settled."""


@dataclass(frozen=True)
class Swap:
    """A finished frame. ``result`` is ``image`` itself, not a copy, where nobody was swapped."""

    image: Image
    result: Image
    mask: Image
    """``(H, W)`` uint8, how much of each pixel is new."""
    faces: tuple[Seen, ...]
    spot: Spot | None = None
    """Where the visible label goes."""

    @property
    def swapped(self) -> bool:
        return any(seen.verdict == "same" for seen in self.faces)


class FrameSwapper:
    """Swaps the person's face in the frames of a video, given in order, or in a single picture.

    Between frames it remembers where faces were, who they are, and how they moved. ``prepare`` and ``finish`` are its
    two halves, for callers that gather the crops of several frames for one call of the model; frames must be prepared
    in order, and may be finished whenever. ``prepare_all`` looks a second ahead, and so misses nobody.
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
        self._judge = Judge(recogniser, landmarker)
        self.thresholds = recogniser.thresholds
        """By which faces are compared with who agreed; ``None`` where nobody is asked."""
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
        """Find the faces, judge who they are by this frame and those before it, and cut out the person's."""
        self._frame += 1
        starts_shot = self._starts_shot(image)
        if starts_shot:
            self._finder.reset()
        sight = self._followed(Found(image, time, self._frame, starts_shot, self._finder(image)))
        self._judge.now(sight)
        return self._prepared(sight, ())

    def prepare_all(self, frames: Iterable[tuple[Image, float]]) -> Iterator[Prepared]:
        """Prepare a stretch of (frame, seconds) from its first to its last, with the benefit of hindsight.

        About a second of frames is held (:mod:`look_ahead`); all that are left come after the last.
        """
        ahead = LookAhead(self._finder, self._starts_shot)
        waiting: deque[Sight] = deque()
        for found in ahead(self._numbered(frames)):
            sights = [self._followed(one) for one in found]
            if sights:
                self._judge(sights)
                waiting.extend(sights)
            # One for one: whoever draws them is not to wait for a whole stretch and then be given all of it. One
            # stays: a shot's first frame is a stretch by itself, and its label is to be clear of the next faces too.
            if len(waiting) > 1:
                yield self._prepared(waiting.popleft(), waiting)
        while waiting:
            yield self._prepared(waiting.popleft(), waiting)

    def _numbered(self, frames: Iterable[tuple[Image, float]]) -> Iterator[tuple[int, float, Image]]:
        for image, time in frames:
            self._frame += 1
            yield self._frame, time, image

    def _followed(self, found: Found) -> Sight:
        if found.starts_shot:
            self._track.forget()
        return Sight(found, self._track(found.faces, found.number))

    def _prepared(self, sight: Sight, after: Iterable[Sight]) -> Prepared:
        """Cut out the person's face wherever it is; ``after`` are frames after it."""
        swapped = [track for track in sight.tracks if sight.verdicts[track.number] == "same"]
        self._judge.mark(sight, swapped)
        found = sight.found
        targets = tuple(
            self._target(found.image, face, track, sight.landmarks[track.number], found.time)
            for face, track in sight.faces(swapped)
        )
        seen = tuple(_seen(face, track, sight) for face, track in sight.faces(sight.tracks))
        shot = takewhile(lambda one: not one.found.starts_shot, after)
        coming = tuple(face for one in (sight, *shot) for face in one.found.faces)
        return Prepared(found.image, seen, targets, found.starts_shot, coming)

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
            return Swap(frame.image, frame.image, mask, frame.faces, frame.spot)
        result = frame.image.copy()
        for target, (face, masks) in zip(frame.targets, outputs, strict=True):
            self._put(result, mask, target, face, masks)
        return Swap(frame.image, result, mask, frame.faces, frame.spot)

    def _put(self, result: Image, mask: Image, target: Target, face: Floats, masks: Floats) -> None:
        """Blend one face into ``result`` and its mask into ``mask``, in place."""
        chosen = self._settings
        size = self._model.size
        cover = masks.min(axis=-1)
        if chosen.blend != "direct":
            cover = blend.soft_mask(
                masks, target.landmarks, cover=chosen.cover, erode=chosen.erode, feather=chosen.feather
            )
        region = self._region(result, target, cover)
        rows, columns = region.inside(result)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        weight = blend.resample(cover, size)
        footage = target.crop.astype(np.float32)
        face = colour.transfer(face, footage, weight, chosen.color)
        face = colour.sharpen(face, footage, weight, chosen.sharpen)
        own = region.own(rows, columns)
        pasted = region.paste(np.rint(face).astype(np.uint8), target.matrix)
        share = region.paste_mask(cover, blend.resized(target.matrix, size, cover.shape[0]))
        put = blend.clone if chosen.blend == "poisson" else blend.paste
        put(result, region, pasted, share)
        mask[rows, columns] = np.maximum(mask[rows, columns], np.rint(share[own] * 255).astype(np.uint8))

    def _region(self, result: Image, target: Target, cover: Floats) -> Region:
        """The pixels to work on. Pasting needs those that the mask reaches; Poisson's equation a rectangle that doesn't
        depend on the mask, and may reach beyond the frame."""
        if self._settings.blend == "poisson":
            return Region.around(target.matrix, self._model.size, blend.POISSON_MARGIN)
        part = blend.extent(cover)
        if part is None:
            return Region(0, 0, 0, 0)
        return Region.around(target.matrix, self._model.size, part=part).clipped(result)


def _seen(face: Face, track: Track, sight: Sight) -> Seen:
    look, verdict = sight.looks.get(track.number), sight.verdicts[track.number]
    return Seen(
        face,
        track.number,
        verdict,
        track.distance,
        consented=None if look is None else look.consented,
        refused=verdict != "same" and track.number in sight.refused,
    )
