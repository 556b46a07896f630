"""Paths of a machine, which are nobody's business but its operator's, taken out of texts that people get to read.

One place for all of them: what the job store keeps (errors, messages, results), refusals, logs, and files of text.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

_PART = r"[^\s/'\"<>|*?,;()\[\]{}\\:]+"
_ABSOLUTE = re.compile(rf"(?:file://|(?<![\w./\\-]))/(?:{_PART}/)+(?:{_PART})?")
"""Two folders deep or more; not the path of a web address, nor one that begins elsewhere than at the root."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KNOWN = re.compile(rf"/(jobs/{_UUID}(?:/.*)?|projects/\d+/.*)$")
"""What of a path is a name in the storage."""
_CODE = re.compile(r".*/(?:site-packages|dist-packages|python3\.\d+)/(.+)$|/((?:faceengine|webapp)/.+)$")
"""What of a path says where in the code something is."""
_ROOTS = ("MEDIA_ROOT", "JOBS_SCRATCH_DIR", "UPLOADS_DIR", "VERIFY_DIR", "DATA_DIR", "BASE_DIR")


def hide_paths(text: str) -> str:
    """Return ``text`` with a name in place of each absolute path: as the storage or the code knows it, or its last
    part."""
    if "/" not in text:
        return text
    for root in _roots(tuple(str(getattr(settings, name, "")) for name in _ROOTS)):
        text = text.replace(f"{root}/", "").replace(root, Path(root).name)
    return _ABSOLUTE.sub(_name_of, text)


def hide_all(value: Any) -> Any:
    """Return JSON ``value`` with :func:`hide_paths` of every text in it."""
    if isinstance(value, dict):
        return {key: hide_all(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [hide_all(one) for one in value]
    return hide_paths(value) if isinstance(value, str) else value


def _name_of(found: re.Match[str]) -> str:
    path = found[0].removeprefix("file://")
    if known := _KNOWN.search(path):
        return known[1]
    if code := _CODE.search(path):
        return str(code[1] or code[2])
    return path.rstrip("/").rpartition("/")[2]


@lru_cache(8)
def _roots(configured: tuple[str, ...]) -> tuple[str, ...]:
    """Folders of this machine, the longest first. Known ones may have blanks in them, which no pattern can see."""
    folders = [*configured, sys.prefix, sys.base_prefix, tempfile.gettempdir(), str(Path.home())]
    both = {folder for one in folders if one for folder in (one.rstrip("/"), os.path.realpath(one))}
    return tuple(sorted((one for one in both if one.count("/") >= 2), key=len, reverse=True))
