"""Every file that an installation keeps, wherever it is: the storage, and the folders of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage


class Root(StrEnum):
    """Where names begin."""

    STORAGE = "storage"
    UPLOADS = "uploads"
    VERIFY = "verify"
    SCRATCH = "scratch"


@dataclass(frozen=True)
class Found:
    """A file: its name below the root, its bytes, and when it was last written, in seconds since 1970."""

    root: Root
    name: str
    size: int
    written: float

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.name.split("/"))


def is_local() -> bool:
    """Whether the storage is a folder."""
    return isinstance(default_storage, FileSystemStorage)


def folder_of(root: Root) -> Path | None:
    """The root's folder on this machine; ``None`` for a storage elsewhere."""
    if root == Root.STORAGE:
        return Path(default_storage.path("")) if is_local() else None
    folders = {
        Root.UPLOADS: settings.UPLOADS_DIR,
        Root.VERIFY: settings.VERIFY_DIR,
        Root.SCRATCH: settings.JOBS_SCRATCH_DIR,
    }
    return Path(folders[root])


def everything() -> Iterator[Found]:
    """All files of all roots."""
    for root in Root:
        folder = folder_of(root)
        yield from _in_bucket() if folder is None else _in_folder(root, folder)


def remove(files: Iterable[Found]) -> list[Found]:
    """Remove the files, and folders that are empty then; those that are gone."""
    gone = list(files)
    elsewhere = [file.name for file in gone if folder_of(file.root) is None]
    if elsewhere:
        from faceengine.jobs.objects import Bucket

        Bucket(give_up=lambda: True).delete(elsewhere)
    here = [(folder, file) for file in gone if (folder := folder_of(file.root)) is not None]
    for folder, file in here:
        with suppress(FileNotFoundError):
            (folder / file.name).unlink()
    for folder, file in here:
        _prune(folder, (folder / file.name).parent)
    return gone


def _prune(root: Path, folder: Path) -> None:
    """Remove ``folder`` and those above it, up to two below ``root``, as long as they are empty."""
    with suppress(OSError):
        while folder != root and folder.parent != root:
            folder.rmdir()
            folder = folder.parent
        if folder != root and folder.parent == root and root == folder_of(Root.UPLOADS):
            folder.rmdir()


def _in_folder(root: Root, top: Path) -> Iterator[Found]:
    """Files only, links not followed: what they lead to is elsewhere."""
    for parent, _, names in os.walk(top):
        for name in names:
            path = Path(parent, name)
            with suppress(FileNotFoundError):
                stat = path.lstat()
                yield Found(root, path.relative_to(top).as_posix(), stat.st_size, stat.st_mtime)


def _in_bucket() -> Iterator[Found]:
    from faceengine.jobs.objects import Bucket

    for key, size, written in Bucket(give_up=lambda: True).sizes():
        yield Found(Root.STORAGE, key, size, written)
