"""What the studio holds about a person, as a copy for them (GDPR articles 15 and 20, PIPL article 45)."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from webapp.consent import evidence, vault
from webapp.consent.models import Consent, Evidence
from webapp.consent.statements import agreed
from webapp.curation.models import Crop
from webapp.projects.models import Person
from webapp.studio.models import Conversion, Run
from webapp.uploads.models import Asset

_ENDINGS = {"video": "mp4", "pdf": "pdf"}


def archive(consent: Consent) -> bytes:
    """A ZIP of ``data.json`` and of the evidence that the person gave."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        said = json.dumps(held(consent), cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
        file.writestr("data.json", said)
        for kept in consent.evidence.exclude(file=""):
            try:
                content = b"".join(evidence.stream(kept))
            except vault.VaultError as error:
                file.writestr(f"{kept.pk}.txt", str(error))
            else:
                file.writestr(f"{kept.pk}.{_ENDINGS[kept.kind]}", content)
    return whole.getvalue()


def held(consent: Consent) -> dict[str, Any]:
    """The consent itself, its evidence, and what was made of the person, with hashes and dates."""
    fields = (
        *("id", "side", "name", "email", "way", "purposes", "statement_version", "statement_sha256", "language"),
        *("asked_at", "given_at", "reviewed_at", "accepted", "refused_why", "expires_at", "withdrawn_at"),
    )
    # After a withdrawal the project may ask another person in the same place: nothing of theirs is this person's.
    person = consent.person if consent.withdrawn_at is None else None
    made = _made_of(person) if person is not None else {}
    return {
        "consent": {name: getattr(consent, name) for name in fields},
        "standing": str(consent.standing),
        "statement": agreed(consent),
        "evidence": [_evidence(kept) for kept in consent.evidence.order_by("created_at")],
        **made,
        "deleted": _rows(consent.tombstones.all(), "kind", "thing", "sha256", "made_at", "erased_at"),
    }


def _evidence(kept: Evidence) -> dict[str, Any]:
    fields = ("id", "kind", "size", "sha256", "phrase", "facts", "created_at", "destroyed_at")
    # The face as a network sees it: that there is one is said, what it is would be of use to nobody but a forger.
    return {name: getattr(kept, name) for name in fields} | {"compared_with_footage": bool(kept.likeness)}


def _made_of(person: Person) -> dict[str, Any]:
    files = Asset.objects.filter(person=person)
    return {
        "files": _rows(files, "name", "kind", "sha256", "size", "created_at", "duration"),
        "faces": Crop.objects.filter(face_set__person=person).count(),
        "models": _rows(Run.objects.filter(project=person.project_id), "id", "name", "created_at"),
        "results": _rows(
            Conversion.objects.filter(run__project=person.project_id), "id", "direction", "created_at", "job"
        ),
    }


def _rows(found: Any, *names: str) -> list[dict[str, Any]]:
    return list(found.order_by("pk").values(*names))
