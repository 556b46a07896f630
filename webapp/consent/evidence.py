"""Evidence that somebody agreed: looked at like any stranger's file, made plain, and kept encrypted.

A video goes through the same intake as footage, a document through ``documents.py``; each in a process of its own with
limits. What is kept is what they made of it, never the file as it came.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.functions import Now
from django.dispatch import receiver

from webapp.consent import vault
from webapp.consent.erasure import erased
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent, Evidence, PersonKey, Way, alive
from webapp.projects.models import Person

log = logging.getLogger(__name__)

_PATIENCE = 180.0
"""Seconds that looking at a file may take."""
_INTAKE = ("faceengine.intake.intake.run", "faceengine.intake.config.IntakeConfig")
_KINDS = {Way.WEBCAM: "video", Way.UPLOAD: "any", Way.PDF: "pdf"}


def keep(consent: Consent, file: UploadedFile[Any], way: str, *, phrase: str = "") -> Evidence:
    """Look at ``file``, and keep what it shows for ``consent``.

    Raises :class:`ConsentStepError` with the code of what is wrong with it: ``consent.evidence_*``, ``file.*``,
    ``video.*``, ``pdf.*``. Nothing of it is kept then.
    """
    assert consent.person is not None
    if not file.size:
        raise ConsentStepError("file.empty")
    if file.size > settings.CONSENT_FILE_MB << 20:
        raise ConsentStepError("consent.evidence_large")
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        arrived = Path(folder, "arrived")
        digest = _write(file, arrived)
        kind, made, facts = _look(arrived, Path(folder, "made"), way)
        evidence = Evidence(consent=consent, kind=kind, size=made.stat().st_size, sha256=digest, phrase=phrase)
        if kind == "video":
            found = _child("-m", "faceengine.extraction.likeness", str(made), str(Path(folder, "faces")))
            facts["faces"] = found["faces"]
            evidence.likeness = _sealed(found, evidence, consent.person)
        evidence.facts = facts
        evidence.file = _store(made, evidence, consent.person)
    evidence.save(force_insert=True)
    return evidence


def _write(file: UploadedFile[Any], path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as arrived:
        for piece in file.chunks():
            digest.update(piece)
            arrived.write(piece)
    return digest.hexdigest()


def _look(arrived: Path, folder: Path, way: str) -> tuple[str, Path, dict[str, Any]]:
    """Kind, the file to keep, and what is known of it."""
    wanted = _KINDS[Way(way)]
    with arrived.open("rb") as file:
        is_pdf = file.read(5) == b"%PDF-"
    if is_pdf and wanted != "video":
        facts = _child("-m", "webapp.consent.documents", str(arrived))
        if way == Way.PDF and not any(one["intact"] for one in facts["signatures"]):
            raise ConsentStepError("consent.evidence_unsigned")
        return "pdf", arrived, facts
    if wanted == "pdf":
        raise ConsentStepError("pdf.unknown")
    folder.mkdir()
    config = folder / ".config.json"
    config.write_text(json.dumps({"file": str(arrived), "max_minutes": 5, "max_side": 1280, "keep_fps": 30}))
    made = _child("-m", "faceengine.body", *_INTAKE, str(config), str(folder))
    if made.get("kind") != "video":
        raise ConsentStepError("consent.evidence_kind")
    facts = {name: made[name] for name in ("width", "height", "duration", "has_sound")}
    return "video", folder / made["file"], facts


def _child(*arguments: str) -> dict[str, Any]:
    """What a process of its own says of a file, in its last line."""
    try:
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        raise ConsentStepError("consent.evidence_unreadable") from None
    if ended.returncode:
        raise ConsentStepError(str(said.get("code", "consent.evidence_unreadable")))
    return said


def _store(made: Path, evidence: Evidence, person: Person) -> str:
    key = vault.key_for(person)
    with made.open("rb") as plain, tempfile.TemporaryFile() as box:
        vault.encrypt(plain, box, key, str(evidence.pk))
        box.seek(0)
        return str(default_storage.save(f"consents/{evidence.pk}", File(box)))


def _sealed(found: dict[str, Any], evidence: Evidence, person: Person) -> bytes:
    """The likeness, which is somebody's biometric data, under the person's key."""
    if not found["faces"]:
        return b""
    box = io.BytesIO()
    vault.encrypt(io.BytesIO(json.dumps(found).encode()), box, vault.key_for(person), f"{evidence.pk}:likeness")
    return box.getvalue()


def likeness_of(person: Person) -> dict[str, Any] | None:
    """``{"network", "faces", "embedding"}`` of the person, by the newest video of a live consent; ``None`` without."""
    of_live = Evidence.objects.filter(alive("consent__"), consent__person=person).exclude(likeness=b"")
    newest = of_live.order_by("-created_at").first()
    if newest is None:
        return None
    try:
        box = io.BytesIO(bytes(newest.likeness))
        said = b"".join(vault.decrypted(box, vault.key_for(person), f"{newest.pk}:likeness"))
    except vault.VaultError:
        log.exception("the likeness in evidence %s can't be read", newest.pk)
        return None
    found: dict[str, Any] = json.loads(said)
    return found


def stream(evidence: Evidence) -> Iterator[bytes]:
    """What was kept, piece by piece. Raises :class:`webapp.consent.vault.VaultError`, before the first piece too."""
    person = evidence.consent.person
    if not evidence.file or person is None:
        raise vault.VaultError("it was destroyed when the consent was withdrawn")
    key = vault.key_for(person)
    return _pieces(evidence, key)


def _pieces(evidence: Evidence, key: bytes) -> Iterator[bytes]:
    box: IO[bytes]
    with default_storage.open(evidence.file) as box:
        yield from vault.decrypted(box, key, str(evidence.pk))


@contextmanager
def open_evidence(consent: Consent) -> Iterator[Path | None]:
    """The newest video of the person, in a file that only this program reads and that is gone afterwards; ``None`` if
    there is none."""
    newest = consent.evidence.filter(kind="video").exclude(file="").order_by("-created_at").first()
    if newest is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        path = Path(folder, "evidence.mp4")
        with path.open("wb") as file:
            for piece in stream(newest):
                file.write(piece)
        yield path


@receiver(erased)
def destroy(person: Person, **_: Any) -> None:
    """The person withdraws: their key goes, so that no copy or backup of a file can be read, and the files go."""
    PersonKey.objects.filter(person=person).update(wrapped=b"", destroyed_at=Now())
    kept = Evidence.objects.filter(consent__person=person).exclude(file="")
    names = list(kept.values_list("file", flat=True))
    kept.update(file="", likeness=b"", facts={}, phrase="", destroyed_at=Now())
    transaction.on_commit(lambda: _delete(names))


def _delete(names: list[str]) -> None:
    """A store that is away keeps what nobody can read any more."""
    for name in names:
        try:
            default_storage.delete(name)
        except OSError:
            log.exception("evidence whose key is destroyed can't be removed: %s", name)
