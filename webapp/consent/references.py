"""What a job is told of the two people who agreed: the faces of their consents' recordings (``faceengine.given``).

They are biometric data: encrypted at rest, and decrypted for as long as the process of a job that needs them lives.
"""

from __future__ import annotations

import json
from typing import Any

from faceengine.errors import InputError
from faceengine.jobs.models import Job
from webapp.consent import vault
from webapp.consent.likeness import recorded_faces
from webapp.consent.models import Evidence, Mandate
from webapp.projects.models import Person, Project, Side

VARIABLE = "CONSENT_REFERENCES"
"""As ``faceengine.reference`` reads it; importing that would bring NumPy into every process."""


def given(job: Job) -> dict[str, str]:
    """Return the variable by which the job's process compares faces with those of the project's two people.

    It is always there, so that a job can tell a person without a recording from a studio that forgot to say. Raises
    :class:`InputError` ``consent.reference`` if a recording's faces can't be read: then nobody may be replaced.
    """
    mandate = Mandate.objects.filter(pk=job.mandate).first() if job.mandate else None
    known: dict[str, Any] = dict.fromkeys(Side.values)
    if mandate is not None:
        known |= {person.side: _faces(person) for person in Person.objects.filter(project=mandate.project_id)}
    return {VARIABLE: json.dumps(known)}


def _faces(person: Person) -> dict[str, Any] | None:
    try:
        found = recorded_faces(person)
    except vault.VaultError as error:
        text = f"the faces in the recording of person {person.side.upper()}'s consent can't be read: {error}"
        raise InputError("consent.reference", text) from error
    return found and {"network": found["network"], "embeddings": found["embeddings"]}


def are_recorded(project: Project) -> bool:
    """Return whether there is a recording of any of the project's people that has a face in it."""
    given = Evidence.objects.filter(consent__person__project=project, consent__accepted=True)
    return given.filter(consent__withdrawn_at=None).exclude(likeness=b"").exists()
