"""Is this face the person to be replaced? Judged on new faces, in doubt, and now and then; not in every frame."""

from __future__ import annotations

import dataclasses
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
from faceengine.reference import Reference
from faceengine.thresholds import Reading

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


@dataclass(frozen=True)
class Consented:
    """The person who may be replaced, and the network that knows them."""

    reference: Reference
    embedder: Embedder


@dataclass(frozen=True)
class Look:
    """What one look at a face in one frame says."""

    reading: Reading
    """Is it the person to be replaced, and (where that is asked) the one who agreed to it?"""
    distance: float
    """To the person's medoid."""
    consented: float | None = None
    """To the nearest reference face of who agreed; ``None`` where nobody is asked."""
    wanted: bool = False
    """It is nearer to whom the person becomes."""
    refused: bool = False
    """It would have been replaced if the person in the recording had agreed to it."""


class Recogniser:
    """Keeps the verdicts of tracks up to date."""

    def __init__(
        self, embedder: Embedder, person: Person, wanted: Person | None = None, consented: Consented | None = None
    ) -> None:
        """``wanted`` is who the person becomes; a face that is nearer to them than to the person is not the person.

        It only counts if the same network knows both. With ``consented`` a face must be that person as well.
        """
        if embedder.name != person.network:
            raise ValueError(f"the person is known to {person.network}, not to {embedder.name}")
        self._embedder = embedder
        self._person = person.medoid
        self._wanted = wanted.medoid if wanted is not None and wanted.network == person.network else None
        self._consented = consented
        self.thresholds = None if consented is None else consented.embedder.thresholds
        """By which faces are compared with who agreed; ``None`` where nobody is asked."""

    def due(self, track: Track, frame: int) -> bool:
        """Whether the track's person should be looked at in this frame."""
        if track.checked is None:
            return True
        settled = track.strange == 0 if track.verdict == "same" else track.strange >= STRANGE
        return frame - track.checked >= (SURE_FOR if settled else UNSURE_FOR)

    def look(self, image: Image, tracks: Sequence[Track], landmarks: Points, frame: int) -> list[Look]:
        """Judge ``tracks`` by the ``(N, 68, 2)`` landmarks of their faces in ``image``, and settle their verdicts."""
        looks = self.glance(image, landmarks)
        for track, look in zip(tracks, looks, strict=True):
            track.checked = frame
            track.distance, track.consented, track.refused = look.distance, look.consented, look.refused
            self._settle(track, look.reading)
        return looks

    def glance(self, image: Image, landmarks: Points) -> list[Look]:
        """Return what the ``(N, 68, 2)`` landmarks' faces in ``image`` look like; no verdict changes."""
        embeddings = self._embedder(image, landmarks)
        looks = [self._look(embedding) for embedding in embeddings]
        if self._consented is None:
            return looks
        asked = self._consented
        if asked.embedder is not self._embedder:
            embeddings = asked.embedder(image, landmarks)
        distances = [asked.reference.distance(embedding) for embedding in embeddings]
        return [
            _restricted(look, distance, asked.embedder.reading(distance))
            for look, distance in zip(looks, distances, strict=True)
        ]

    def _look(self, embedding: NDArray[np.float64]) -> Look:
        distance = float(np.linalg.norm(embedding - self._person))
        if self._wanted is not None and np.linalg.norm(embedding - self._wanted) < distance:
            return Look("different", distance, wanted=True)
        return Look(self._embedder.reading(distance), distance)

    def _settle(self, track: Track, verdict: str) -> None:
        track.strange = track.strange + 1 if verdict == "different" else 0
        doubted = track.verdict == "same" and track.strange < STRANGE
        if verdict == "same" or not doubted:
            track.verdict = verdict


def _restricted(look: Look, distance: float, agreed: Reading) -> Look:
    """Return the look at a face at that distance from who agreed, ``agreed`` being what the distance says.

    The stricter of the two readings counts. But the person of a set is known by one face only and who agreed by
    several: who is surely the latter, seen from the side, is not surely somebody else.
    """
    reading: Reading = max(look.reading, agreed, key=("same", "unsure", "different").index)
    if agreed == "same" and reading == "different" and not look.wanted:
        reading = "unsure"
    refused = look.reading == "same" and agreed != "same"
    return dataclasses.replace(look, reading=reading, consented=distance, refused=refused)
