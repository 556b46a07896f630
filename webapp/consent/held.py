"""What the studio holds about a person, as a copy for them (GDPR articles 15 and 20, PIPL article 45)."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from webapp.consent import evidence, vault
from webapp.consent.models import Consent
from webapp.curation.models import Crop
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
    person = consent.person
    return {
        "consent": {name: getattr(consent, name) for name in fields},
        "standing": str(consent.standing),
        "evidence": _rows(consent.evidence.all(), "id", "kind", "size", "sha256", "created_at", "destroyed_at"),
        "files": _rows(Asset.objects.filter(person=person), "name", "kind", "sha256", "size", "created_at", "duration"),
        "faces": Crop.objects.filter(face_set__person=person).count() if person else 0,
        "models": _rows(Run.objects.filter(project__people=person), "id", "name", "created_at"),
        "results": _rows(
            Conversion.objects.filter(Q(run__project__people=person)), "id", "direction", "created_at", "job"
        ),
        "deleted": _rows(consent.tombstones.all(), "kind", "thing", "sha256", "made_at", "erased_at"),
    }


def _rows(found: Any, *names: str) -> list[dict[str, Any]]:
    return list(found.order_by("pk").values(*names))
