"""Is this face the person to be replaced? Judged on new faces, in doubt, and now and then; not in every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceengine.conversion.tracks import Track
from faceengine.embedding import Embedder
from faceengine.errors import InputError
from faceengine.faceset import FaceSet, medoid
from faceengine.geometry import Image, Points

SURE_FOR = 25
"""Frames after which a settled verdict is looked at again."""
UNSURE_FOR = 5
"""Frames after which an unsettled one is."""
STRANGE = 2
"""Looks in a row that must call a face another one before that is settled. Until then a followed face that was the
person stays it: one look may fall on a blink, and in profile everybody looks unsure."""


class Person(Protocol):
    """Who somebody is to an embedding network: ``medoid`` is ``(D,)`` as the network named ``network`` gives it."""

    @property
    def network(self) -> str: ...
    @property
    def medoid(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class SetPerson:
    """A person known from a face set."""

    network: str
    medoid: NDArray[np.float64]

    @classmethod
    def of(cls, folder: Path) -> SetPerson:
        """The most typical usable face of the set. Raises :class:`InputError` if there is none."""
        with FaceSet.open(folder) as faces:
            crops = faces.crops(usable=True)
        if not crops:
            raise InputError("convert.person", f"{folder} has no usable crop to know the person by")
        network = crops[0].embedding_network
        embeddings = np.array([crop.embedding for crop in crops if crop.embedding_network == network])
        return cls(network, embeddings[medoid(embeddings)])


class Recogniser:
    """Keeps the verdicts of tracks up to date."""

    def __init__(self, embedder: Embedder, person: Person, wanted: Person | None = None) -> None:
        """``wanted`` is who the person becomes; a face that is nearer to them than to the person is not the person.

        It only counts if the same network knows both.
        """
        if embedder.name != person.network:
            raise ValueError(f"the person is known to {person.network}, not to {embedder.name}")
        self._embedder = embedder
        self._person = person.medoid
        self._wanted = wanted.medoid if wanted is not None and wanted.network == person.network else None

    def due(self, track: Track, frame: int) -> bool:
        """Whether the track's person should be looked at in this frame."""
        if track.checked is None:
            return True
        settled = track.strange == 0 if track.verdict == "same" else track.strange >= STRANGE
        return frame - track.checked >= (SURE_FOR if settled else UNSURE_FOR)

    def look(self, image: Image, tracks: Sequence[Track], landmarks: Points, frame: int) -> None:
        """Judge ``tracks`` by the ``(N, 68, 2)`` landmarks of their faces in ``image``."""
        for track, embedding in zip(tracks, self._embedder(image, landmarks), strict=True):
            track.checked = frame
            track.distance = float(np.linalg.norm(embedding - self._person))
            self._settle(track, self._verdict(embedding, track.distance))

    def _verdict(self, embedding: NDArray[np.float64], distance: float) -> str:
        if self._wanted is not None and np.linalg.norm(embedding - self._wanted) < distance:
            return "different"
        return self._embedder.reading(distance)

    def _settle(self, track: Track, verdict: str) -> None:
        track.strange = track.strange + 1 if verdict == "different" else 0
        doubted = track.verdict == "same" and track.strange < STRANGE
        if verdict == "same" or not doubted:
            track.verdict = verdict
