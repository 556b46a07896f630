"""Is a recording one that the studio has seen before, whatever was done to its file?

Compared is how it sounds and how the person moves in it (``faceengine.evidence.fingerprint``), with all recordings that
were ever sent. After a withdrawal only the sound is left to compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from faceengine.identity import distances
from faceengine.thresholds import THRESHOLDS
from webapp.consent import vault
from webapp.consent.likeness import faces_in
from webapp.consent.models import Evidence

if TYPE_CHECKING:  # it loads OpenCV and FFmpeg, which takes half of what a slot or a page's process needs to start
    from faceengine.evidence.fingerprint import Fingerprint


class Kinship(Enum):
    """What a recording has to do with those that are known."""

    NEW = "new"
    SAME = "same"
    """It was sent before, for this consent or another one."""
    OTHER_FACE = "other_face"
    """It sounds or moves as one that was sent before, but another person is in it: a reviewer must look."""


def compare(new: Evidence, likeness: dict[str, Any]) -> Kinship:
    """Return what ``new``, with its fingerprint and this likeness, has to do with all evidence of other consents."""
    from faceengine.evidence.fingerprint import Fingerprint

    found = Kinship.NEW
    fingerprint = Fingerprint.from_json(new.fingerprint)
    others = Evidence.objects.filter(kind="video").exclude(consent=new.consent_id).exclude(fingerprint={})
    for other in others.select_related("consent__person").iterator():
        if _is_same(fingerprint, Fingerprint.from_json(other.fingerprint)):
            if not _other_face(likeness, other):
                return Kinship.SAME
            found = Kinship.OTHER_FACE
    return found


def _is_same(one: Fingerprint, other: Fingerprint) -> bool:
    from faceengine.evidence.fingerprint import SAME_MOVEMENT, SAME_SOUND, same_movement, same_sound

    return same_movement(one, other) >= SAME_MOVEMENT or same_sound(one, other) >= SAME_SOUND


def _other_face(likeness: dict[str, Any], other: Evidence) -> bool:
    """Whether the two faces are surely two people's. Where that can't be told any more they are not."""
    person = other.consent.person
    if person is None or not other.likeness:
        return False
    try:
        known = faces_in(other, person)
    except vault.VaultError:
        return False
    if not _comparable(likeness, known):
        return False
    apart = distances(_matrix(likeness["embeddings"]), _matrix(known["embeddings"]))
    return bool(apart.min() > THRESHOLDS[known["network"]].different)


def _comparable(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one.get("faces") and one.get("network") == other.get("network") and one["network"] in THRESHOLDS)


def _matrix(rows: Sequence[Sequence[float]]) -> Any:
    return np.array(rows, dtype=np.float64)
