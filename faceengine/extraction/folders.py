"""The photos in a folder, and what else is there."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from faceengine.files import shown
from faceengine.video import PHOTO_SUFFIXES, is_photo

_HIDDEN = frozenset({"@eadir", "__macosx", "$recycle.bin", "#recycle", "system volume information", "lost+found"})
"""Folders of systems and network disks: copies, thumbnails and what was deleted."""
_HEAD = 64
_NAMED = 6
"""Kinds of files that are named in a line."""


@dataclass
class Found:
    """What a folder holds."""

    folder: Path
    photos: list[Path] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    """How many files of each kind are left out; hidden ones are not counted."""

    @property
    def words(self) -> str:
        """A line about what is passed over."""
        kinds = [f"{number} {kind}" for kind, number in self.passed_over.most_common(_NAMED)]
        kinds += ["others"] if len(self.passed_over) > _NAMED else []
        files = self.passed_over.total()
        return f"{files} file{'s' * (files != 1)} in {shown(self.folder)} passed over: {', '.join(kinds)}"


def look_through(folder: Path) -> Found:
    """Every photo in ``folder`` and the folders in it, in the order of their names, and what is passed over.

    A photo is what has the ending of one or begins as one. Hidden files and folders are passed over.
    """
    found = Found(folder)
    # An error in a folder leaves out this folder alone.
    walk = os.walk(folder, onerror=lambda error: found.passed_over.update([f"unreadable ({error.strerror})"]))
    for place, folders, names in walk:
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in names:
            path = Path(place, name)
            if _is_hidden(name):
                continue
            if path.is_file() and (path.suffix.lower() in PHOTO_SUFFIXES or begins_as_photo(path)):
                found.photos.append(path)
            else:
                found.passed_over[_kind(path)] += 1
    found.photos.sort()
    return found


def begins_as_photo(path: Path) -> bool:
    """Whether a file's first bytes are those of a photo; not if it can't be opened."""
    try:
        with path.open("rb") as file:
            return is_photo(file.read(_HEAD))
    except OSError:
        return False


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _HIDDEN


def _kind(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return "broken links"
    return shown(Path(path.suffix.lower())) if path.suffix else "without an ending"
