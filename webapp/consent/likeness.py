"""The face in a recording, as a network sees it: kept encrypted, and compared with footage."""

from __future__ import annotations

import json
import logging
from typing import Any

from webapp.consent import vault
from webapp.consent.models import Evidence
from webapp.projects.models import Person

log = logging.getLogger(__name__)


def likeness_of(person: Person) -> dict[str, Any] | None:
    """Return :func:`recorded_faces`; ``None`` also where they can't be read."""
    try:
        return recorded_faces(person)
    except vault.VaultError:
        log.exception("the likeness of person %s can't be read", person.pk)
        return None


def recorded_faces(person: Person) -> dict[str, Any] | None:
    """``{"network", "faces", "embeddings"}`` of the person, by the newest video of a consent that was accepted and not
    withdrawn; ``None`` without. A consent that is renewed by a document leaves the face of the recording before.

    Raises :class:`VaultError` if there are some that can't be read.
    """
    given = Evidence.objects.filter(consent__person=person, consent__accepted=True, consent__withdrawn_at=None)
    newest = given.exclude(likeness=b"").order_by("-created_at").first()
    return faces_in(newest, person) if newest is not None else None


def faces_in(kept: Evidence, person: Person) -> dict[str, Any]:
    """Return the same of one piece of evidence, which has a likeness. Raises :class:`VaultError`."""
    found: dict[str, Any] = json.loads(vault.unseal(bytes(kept.likeness), person, about_likeness(kept)))
    if "embedding" in found:  # kept before a person was known by several faces
        found["embeddings"] = [found.pop("embedding")]
    return found


def about_likeness(kept: Evidence) -> str:
    """Return what the encryption of a likeness is bound to."""
    return f"{kept.pk}:likeness"
