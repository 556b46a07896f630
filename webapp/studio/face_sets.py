"""The engine's face sets where the storage has them: reading what was extracted, writing what people decided."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from math import dist
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.dispatch import receiver

from faceengine.errors import InputError
from faceengine.jobs.models import Job
from faceengine.jobs.states import OPEN
from faceengine.thresholds import THRESHOLDS
from webapp.consent.models import Consent
from webapp.consent.services import accepted
from webapp.curation.figures import counts
from webapp.curation.intake import export_verdicts, import_crops
from webapp.curation.models import CropState, FaceSet
from webapp.projects.services import record

log = logging.getLogger(__name__)

_DATABASE = "faces.sqlite"
_FILES = (_DATABASE, "faces.json")
"""All that is known of the crops but their pictures."""


def take_in(face_set: FaceSet) -> int:
    """Bring the crops' rows in line with what was extracted; the number of new ones."""
    with _here(face_set) as folder:
        return import_crops(face_set, folder)


def compare_again() -> int:
    """Compare the crops of those sets anew whose person has a new recording; how many were. Done by every slot's sweep.

    What people said of a crop stays. A set that is growing is compared when its extraction has ended.
    """
    done = 0
    waiting = FaceSet.objects.filter(to_compare=True).exclude(job__state__in=OPEN)
    for face_set in waiting.select_related("job", "person__project__team"):
        try:
            done += _compare(face_set)
        except InputError:
            log.exception("the faces %s can't be compared", face_set.folder)
            FaceSet.objects.filter(pk=face_set.pk).update(to_compare=False)
    return done


@transaction.atomic
def _compare(face_set: FaceSet) -> bool:
    """Of two slots that see it at once, one does it. A store that is away is asked again by the next sweep."""
    if not FaceSet.objects.filter(pk=face_set.pk, to_compare=True).update(to_compare=False):
        return False
    take_in(face_set)
    states, person = counts(face_set), face_set.person
    found = {"other": states[CropState.OTHER], "unsure": states[CropState.UNSURE]}
    record(None, "faces.compared", person.project.team, person.project, side=person.side, **found)
    return True


@receiver(accepted)
def _accepted(consent: Consent, **_: Any) -> None:
    """A consent has a recording of its own: earlier sets of its person are compared with that."""
    if consent.evidence.exclude(likeness=b"").exists():
        FaceSet.objects.filter(person=consent.person).exclude(folder="").update(to_compare=True)


def write_verdicts(face_set: FaceSet) -> None:
    """Let training know what people decided on each crop."""
    with _here(face_set) as folder:
        export_verdicts(face_set, folder)
        if not isinstance(default_storage, FileSystemStorage):
            _publish(face_set, folder / _DATABASE)


def write_verdicts_for(job: Job) -> None:
    """Write what is known of the crops into every face set that the job's config names. Its runner calls this before
    the job's process begins, so nobody is trained on, or recognised by, a crop that was set aside meanwhile."""
    named = [value for value in job.config.values() if isinstance(value, str) and value]
    for face_set in FaceSet.objects.select_related("job").filter(folder__in=named):
        write_verdicts(face_set)


def is_same_person(one: FaceSet, other: FaceSet) -> bool:
    """Whether the most typical faces of two sets are of one person, to the network that embedded both."""
    first, second = _typical(one), _typical(other)
    if first is None or second is None or first[0] != second[0] or first[0] not in THRESHOLDS:
        return False
    return THRESHOLDS[first[0]].reading(dist(first[1], second[1])) == "same"


def _typical(face_set: FaceSet) -> tuple[str, list[float]] | None:
    """Network and embedding of the most typical of the faces that training takes."""
    from faceengine.faceset import FaceSet as Files  # with OpenCV

    with _here(face_set) as folder, Files.open(folder) as files:
        measured = [crop for crop in files.crops(usable=True) if crop.medoid_distance is not None]
    found = min(measured, key=lambda crop: crop.medoid_distance or 0.0, default=None)
    return None if found is None else (found.embedding_network, found.embedding.tolist())


@contextmanager
def _here(face_set: FaceSet) -> Iterator[Path]:
    """The set's folder, or a copy of all but its pictures if the storage is elsewhere."""
    if isinstance(default_storage, FileSystemStorage):
        yield Path(default_storage.path(face_set.folder))
        return
    with TemporaryDirectory() as folder:
        for name in _FILES:
            with default_storage.open(face_set.key(name)) as file:
                Path(folder, name).write_bytes(file.read())
        yield Path(folder)


def _publish(face_set: FaceSet, path: Path) -> None:
    """Put a file of the set under a new key: a job that is reading the old one goes on reading that."""
    assert face_set.job is not None
    key = f"{face_set.folder}/files/{face_set.job.attempt}-{uuid.uuid4().hex}/{path.name}"
    with path.open("rb") as file:
        default_storage.save(key, File(file))
    Job.objects.filter(pk=face_set.job.pk).update(files=face_set.job.files | {path.name: key})
