"""The engine's face sets where the storage has them: reading what was extracted, writing what people decided."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from math import dist
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage

from faceengine.jobs.models import Job
from faceengine.thresholds import THRESHOLDS
from webapp.curation.intake import export_verdicts, import_crops
from webapp.curation.models import FaceSet

_DATABASE = "faces.sqlite"
_FILES = (_DATABASE, "faces.json")
"""All that is known of the crops but their pictures."""


def take_in(face_set: FaceSet) -> int:
    """Bring the crops' rows in line with what was extracted; the number of new ones."""
    with _here(face_set) as folder:
        return import_crops(face_set, folder)


def write_verdicts(face_set: FaceSet) -> None:
    """Let training know what people decided on each crop."""
    with _here(face_set) as folder:
        export_verdicts(face_set, folder)
        if not isinstance(default_storage, FileSystemStorage):
            _publish(face_set, folder / _DATABASE)


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
