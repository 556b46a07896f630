"""Crops that look like one crop, by the embeddings that extraction stored in the set's index."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.core.files.storage import FileSystemStorage, default_storage
from numpy.typing import NDArray

from webapp.curation.models import FaceSet


class NoEmbeddingsError(LookupError):
    """The index of the set can't be read here, or doesn't hold the crop."""


def alike(face_set: FaceSet, number: int, count: int) -> list[int]:
    """Numbers of the ``count`` crops whose faces are nearest to that of crop ``number``, itself first.

    Raises :class:`NoEmbeddingsError`.
    """
    if not isinstance(default_storage, FileSystemStorage):
        raise NoEmbeddingsError("the index is in an object store")
    path = Path(default_storage.path(face_set.key("faces.sqlite")))
    if not path.is_file():
        raise NoEmbeddingsError(str(path.name))
    numbers, embeddings = _embeddings(path, path.stat().st_mtime_ns)
    (place,) = np.nonzero(numbers == number)
    if not len(place):
        raise NoEmbeddingsError(number)
    distances = np.linalg.norm(embeddings - embeddings[place[0]], axis=1)
    distances[place[0]] = -1
    nearest = np.argsort(distances, kind="stable")[:count]
    return [int(found) for found in numbers[nearest]]


@lru_cache(4)
def _embeddings(path: Path, changed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:  # noqa: ARG001
    """Numbers and ``(N, D)`` embeddings of an index as it was when it was last changed."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        # Only those of the network that most have: vectors of two networks have no distance.
        rows = connection.execute("SELECT id, embedding FROM crops ORDER BY id").fetchall()
    except sqlite3.DatabaseError as error:
        raise NoEmbeddingsError(path.name) from error
    finally:
        connection.close()
    width = len(rows[0][1]) if rows else 0
    usable = [(number, raw) for number, raw in rows if len(raw) == width]
    numbers = np.array([number for number, _ in usable], np.int64)
    joined = np.frombuffer(b"".join(raw for _, raw in usable), "<f8").astype(np.float32)
    return numbers, joined.reshape(len(numbers), -1)
