"""The two people who agreed: faces from the recordings of their consents, against which a job compares.

A studio passes them to a job's process (``given.py``), so that no face lies in a job's config, folder or environment.
Without it (on the command line) nobody is compared: there, consent is the user's responsibility.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from faceengine import given
from faceengine.errors import InputError
from faceengine.thresholds import THRESHOLDS, Reading

VARIABLE = "CONSENT_REFERENCES"
SIDES = ("a", "b")
_DIGITS = 6


@dataclass(frozen=True)
class Reference:
    """One person: ``embeddings`` is ``(K, D)``, a few looks of them, as ``network`` gives them."""

    network: str
    embeddings: NDArray[np.float64]

    def distance(self, embedding: NDArray[np.float64]) -> float:
        """Return the Euclidean distance of a ``(D,)`` embedding by the same network to the nearest look."""
        return float(np.linalg.norm(self.embeddings - embedding, axis=1).min())

    def reading(self, embedding: NDArray[np.float64]) -> Reading:
        """Return what that distance says."""
        return THRESHOLDS[self.network].reading(self.distance(embedding))


@dataclass(frozen=True)
class References:
    """Both people of a project by side, ``a`` and ``b``; ``None`` for one whose consent has no recording."""

    people: Mapping[str, Reference | None]

    @classmethod
    def here(cls) -> Self | None:
        """Return those that the studio gave this process; ``None`` if it gave none.

        Raises :class:`InputError` ``consent.reference`` for something that is not what :meth:`to_text` writes.
        """
        text = given.get(VARIABLE) or ""
        return cls.from_text(text) if text else None

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what :meth:`to_text` wrote; raises as :meth:`here` does."""
        try:
            found = json.loads(text)
            return cls({side: _read(found[side]) for side in SIDES})
        except (ValueError, KeyError, TypeError) as error:
            raise InputError("consent.reference", "the faces of the consents' recordings can't be read") from error

    def to_text(self) -> str:
        """Return both people as JSON of a few kilobytes."""
        return json.dumps({side: _written(self.people.get(side)) for side in SIDES})

    @property
    def digest(self) -> str:
        """A hash by which results that were compared with the same recordings are recognised."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()[:16]

    def contradicts(self, side: str, record: Mapping[str, Any]) -> bool:
        """Return whether ``record`` (``network``, ``medoid``; as a checkpoint keeps a person) is surely somebody else
        than the person of ``side``. Networks that can't be compared contradict nobody."""
        reference = self.people.get(side)
        if reference is None or reference.network != record["network"]:
            return False
        return reference.reading(np.array(record["medoid"], dtype=np.float64)) == "different"


def _read(one: Any) -> Reference | None:
    if one is None:
        return None
    embeddings = np.array(one["embeddings"], dtype=np.float64)
    if one["network"] not in THRESHOLDS or embeddings.ndim != 2 or not embeddings.size:
        raise ValueError("no embeddings of a known network")
    return Reference(one["network"], embeddings)


def _written(one: Reference | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"network": one.network, "embeddings": one.embeddings.round(_DIGITS).tolist()}
