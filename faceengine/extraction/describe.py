"""Everything about one face that needs its frame: cut, marked, masked, measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceengine.embedding import Embedder
from faceengine.extraction import quality
from faceengine.extraction.finder import Face
from faceengine.extraction.landmarks import Landmarker
from faceengine.extraction.masks import face_masks
from faceengine.extraction.sources import Shot
from faceengine.extraction.turning import as_it_was
from faceengine.faceset import Crop
from faceengine.geometry import Image, Points, align_matrix, share_outside, square_box, transform, warp


@dataclass(frozen=True)
class Described:
    """One face with its pictures; its crop has an empty embedding until the chip went through the network."""

    crop: Crop
    image: Image
    masks: dict[str, Image]
    chip: Image
    """What the embedder looks at."""


class Describer:
    """Describes the faces of a frame, ``size`` pixels square."""

    def __init__(self, landmarker: Landmarker, embedder: Embedder, size: int) -> None:
        self._landmarker = landmarker
        self._embedder = embedder
        self._size = size

    def mark(self, shot: Shot, faces: list[Face]) -> NDArray[np.float64]:
        """The landmarks ``(N, 68, 2)`` of a frame's faces. Apart from the rest, since it takes as long again."""
        if shot.image is None or not faces:
            return np.empty((0, 68, 2))
        return self._landmarker(shot.image, np.stack([face.box for face in faces]))

    def describe(self, shot: Shot, faces: list[Face], landmarks: NDArray[np.float64]) -> list[Described]:
        """The faces in the order they come."""
        return [self._one(shot, index, face, landmarks[index]) for index, face in enumerate(faces)]

    def _one(self, shot: Shot, index: int, face: Face, landmarks: Points) -> Described:
        frame = shot.image
        assert frame is not None  # only a frame has faces
        matrix = align_matrix(face.points, self._size)
        image = warp(frame, matrix, self._size)
        masks = face_masks(transform(landmarks, matrix), self._size)
        grey = quality.grey(image)
        box = square_box(face.box)
        yaw, pitch, roll = quality.pose(landmarks)
        crop = Crop(
            input=shot.source.name,
            frame=shot.index,
            time=shot.time,
            face=index,
            width=frame.shape[1],
            height=frame.shape[0],
            box=box,
            points=face.points,
            score=face.score,
            matrix=matrix,
            landmarks=landmarks,
            landmark_network=self._landmarker.name,
            embedding=np.empty(0),
            embedding_network=self._embedder.name,
            sharpness=quality.sharpness(grey),
            brightness=quality.brightness(grey, masks["face"]),
            face_size=float(box[2] - box[0]),
            yaw=yaw,
            pitch=pitch,
            roll=roll,
            landmark_gap=quality.landmark_gap(landmarks, face.points, box),
            hash=quality.difference_hash(grey),
            outside=share_outside(landmarks, frame.shape[1], frame.shape[0]),
        )
        return Described(as_it_was(crop, shot.turn), image, masks, self._embedder.chip(frame, landmarks))
