"""Evidence that somebody agreed: looked at like any stranger's file, made plain, and kept encrypted.

A video goes through the same intake as footage, a document through ``documents.py``; each in a process of its own with
limits. What is kept is what they made of it, never the file as it came.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from faceengine import weights
from faceengine.confined import run as confined
from faceengine.confined.limits import Limits
from webapp import clients
from webapp.consent import recordings, vault
from webapp.consent.documents import LIMITS as DOCUMENT_LIMITS
from webapp.consent.errors import ConsentStepError
from webapp.consent.likeness import about_likeness
from webapp.consent.models import Consent, Evidence, Way
from webapp.fair.limits import EVIDENCE
from webapp.fair.turns import BusyError
from webapp.projects.models import Person

log = logging.getLogger(__name__)

_PATIENCE = 180.0
"""Seconds that looking at a file may take."""
_PLAIN = "evidence-"
"""How the folders begin in which evidence is looked at, in plain."""
_LEFT = 4 * _PATIENCE
"""Seconds after which nobody looks at it any more."""
_INTAKE = ("faceengine.intake.intake.run", "faceengine.intake.config.IntakeConfig")
_LIMITS = Limits(memory_mb=12_288, cpu_seconds=600, file_mb=1024, processes=512)
"""Of what looks at a recording; networks reserve much address space."""
_KINDS = {Way.WEBCAM: "video", Way.UPLOAD: "any", Way.PDF: "pdf"}


def keep(consent: Consent, file: UploadedFile[Any], way: str, *, phrase: str = "") -> Evidence:
    """Look at ``file``, and keep what it shows for ``consent``.

    Raises :class:`ConsentStepError` with the code of what is wrong with it: ``consent.evidence_*``, ``file.*``,
    ``video.*``, ``pdf.*``; ``consent.busy`` while too many files are looked at; or ``consent.vault`` if nothing can be
    kept safely just now. Nothing of it is kept then.
    """
    try:
        with EVIDENCE.turn(clients.current()):
            return _keep(consent, file, way, phrase)
    except BusyError as error:
        raise ConsentStepError("consent.busy") from error
    except (vault.VaultError, ImproperlyConfigured) as error:
        log.exception("evidence can't be encrypted")
        raise ConsentStepError("consent.vault") from error


def _keep(consent: Consent, file: UploadedFile[Any], way: str, phrase: str) -> Evidence:
    assert consent.person is not None
    if not file.size:
        raise ConsentStepError("file.empty")
    if file.size > settings.CONSENT_FILE_MB << 20:
        raise ConsentStepError("consent.evidence_large")
    _clear_up()
    with tempfile.TemporaryDirectory(prefix=_PLAIN) as folder:
        arrived = Path(folder, "arrived")
        digest = _write(file, arrived)
        _refuse_known(consent, digest)
        kind, made, facts = _look(arrived, Path(folder, "made"), way)
        evidence = Evidence(consent=consent, kind=kind, size=made.stat().st_size, sha256=digest, phrase=phrase)
        evidence.kept_sha256 = _digest(made)
        if kind == "video":
            faces = Path(folder, "faces")
            faces.mkdir()
            reads = [made, *weights.folders()]
            found = _child("faceengine.evidence.examine", made, faces, reads=reads, writes=[faces])
            facts |= _shown(evidence, found)
            evidence.likeness = _sealed(found["likeness"], evidence, consent.person)
        evidence.facts = facts
        evidence.file = _store(made, evidence, consent.person)
    try:
        evidence.save(force_insert=True)
    except BaseException:
        default_storage.delete(evidence.file)
        raise
    return evidence


def _shown(evidence: Evidence, found: dict[str, Any]) -> dict[str, Any]:
    """What a recording shows: one face that speaks, in a recording that is not known yet. Else it is refused."""
    if found["problem"]:
        raise ConsentStepError(f"consent.evidence_{found['problem']}")
    evidence.fingerprint = found["fingerprint"]
    kinship = recordings.compare(evidence, found["likeness"])
    if kinship == recordings.Kinship.SAME:
        raise ConsentStepError("consent.evidence_known")
    likeness = found["likeness"]
    facts = {"faces": likeness["faces"], "others": likeness.get("others", 0)}
    facts |= {"speaking": found["speaking"], "voice": found["voice"]}
    return facts | ({"other_face": True} if kinship == recordings.Kinship.OTHER_FACE else {})


def _clear_up() -> None:
    """What was cut off because the program was killed is finished: files that lie here in plain, keys that must go."""
    vault.finish_destroying()
    for folder in Path(tempfile.gettempdir()).glob(f"{_PLAIN}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _LEFT:
                shutil.rmtree(folder)


def _refuse_known(consent: Consent, digest: str) -> None:
    """A file that was evidence of another consent proves nothing of this one: neither as it was sent, nor as members
    can download it. Hashes stay when somebody withdraws, so that nobody agrees again for them by what they once sent.
    """
    known = Evidence.objects.filter(Q(sha256=digest) | Q(kept_sha256=digest))
    if known.exclude(consent=consent).exists():
        raise ConsentStepError("consent.evidence_known")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        facts = _child("webapp.consent.documents", arrived, limits=DOCUMENT_LIMITS, reads=[arrived])
        if way == Way.PDF and not any(one["intact"] for one in facts["signatures"]):
            raise ConsentStepError("consent.evidence_unsigned")
        return "pdf", arrived, facts
    if wanted == "pdf":
        raise ConsentStepError("pdf.unknown")
    folder.mkdir()
    config = folder / ".config.json"
    config.write_text(json.dumps({"file": str(arrived), "max_minutes": 5, "max_side": 1280, "keep_fps": 30}))
    made = _child("faceengine.body", *_INTAKE, config, folder, reads=[arrived], writes=[folder])
    if made.get("kind") != "video":
        raise ConsentStepError("consent.evidence_kind")
    facts = {name: made[name] for name in ("width", "height", "duration", "has_sound")}
    return "video", folder / made["file"], facts


def _child(module: str, *arguments: str | Path, limits: Limits = _LIMITS, **files: Any) -> dict[str, Any]:
    """What a confined process says of a file, in its last line; ``files``: what it may read and write."""
    try:
        ended = confined.run(["-m", module, *map(str, arguments)], limits, seconds=_PATIENCE, **files)
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
    return vault.seal(json.dumps(found).encode(), person, about_likeness(evidence))


def stream(evidence: Evidence) -> Iterator[bytes]:
    """What was kept, piece by piece. Raises :class:`webapp.consent.vault.VaultError`, before the first piece too."""
    person = evidence.consent.person
    if not evidence.file or person is None:
        raise vault.VaultError("it was destroyed when the consent was withdrawn")
    pieces = _pieces(evidence, vault.key_of(person))
    first = next(pieces, b"")  # what is lost or changed is told before an answer begins
    return chain([first], pieces)


def _pieces(evidence: Evidence, key: bytes) -> Iterator[bytes]:
    box: IO[bytes]
    try:
        with default_storage.open(evidence.file) as box:
            yield from vault.decrypted(box, key, str(evidence.pk))
    except OSError as error:
        raise vault.VaultError("the file is not there") from error


@contextmanager
def open_evidence(consent: Consent) -> Iterator[Path | None]:
    """The newest video of the person, in a file that only this program reads and that is gone afterwards; ``None`` if
    there is none."""
    newest = consent.evidence.filter(kind="video").exclude(file="").order_by("-created_at").first()
    if newest is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix=_PLAIN) as folder:
        path = Path(folder, "evidence.mp4")
        with path.open("wb") as file:
            for piece in stream(newest):
                file.write(piece)
        yield path


def forget(kept: Evidence) -> None:
    """Remove evidence of an answer that came to nothing."""
    default_storage.delete(kept.file)
    kept.delete()


def destroy(person: Person) -> None:
    """The person withdraws: their key goes, so that no copy or backup of a file can be read, and the files go."""
    vault.destroy_key(person)
    Consent.objects.filter(person=person).update(statement_text=b"")
    _forget_contents(Evidence.objects.filter(consent__person=person))


def forget_refused() -> None:
    """What was sent for a consent that was not accepted proves nothing and goes, after a time that may be set."""
    keep_for = timedelta(days=settings.CONSENT_REFUSED_KEEP_DAYS)
    over = Evidence.objects.filter(consent__accepted=False, consent__reviewed_at__lte=Now() - keep_for)
    _forget_contents(over)


def _forget_contents(of: QuerySet[Evidence]) -> None:
    """Leave of evidence only what tells the same recording if it is sent again: hashes, and how it sounded."""
    for kept in of.filter(destroyed_at=None):
        sound = {"sound": kept.fingerprint["sound"]} if "sound" in kept.fingerprint else {}
        emptied = {"file": "", "likeness": b"", "facts": {}, "phrase": "", "fingerprint": sound}
        Evidence.objects.filter(pk=kept.pk).update(**emptied, destroyed_at=Now())
        if kept.file:
            transaction.on_commit(partial(_delete, [kept.file]))


def _delete(names: list[str]) -> None:
    """A store that is away keeps what nobody can read any more."""
    for name in names:
        try:
            default_storage.delete(name)
        except OSError:
            log.exception("can't remove evidence that must be deleted: %s", name)
