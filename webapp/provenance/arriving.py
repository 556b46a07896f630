"""Files that somebody wants verified: on the disk for as long as that takes, in a folder of their own, of limited size.

Anybody may send one, so the names are ours, nothing is kept, and what was given up is swept away by whoever comes next.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.crypto import salted_hmac

from webapp.provenance.errors import VerifyError

KEEP_SECONDS = 900
"""So long after its last part a file that was given up may stay; one of which nothing came, a tenth of it."""
MANY = 500
"""Files that may lie there at once."""
EACH = 10
"""Files of one client …"""
_SHARE = 4
"""… which may take a quarter of the space."""
_TOKEN_BYTES = 24
_OWNER = 16
"""Letters of a token that say whose it is."""
_TOKEN = re.compile("[A-Za-z0-9_-]{1,80}")


def begin(client: str) -> str:
    """Make room for a file of ``client`` that comes in parts; the token that its parts name.

    Raises :class:`VerifyError` ``verify.busy``, and ``verify.often`` where the client has its share of the room.
    """
    folder = settings.VERIFY_DIR
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(folder)
    owner = salted_hmac("verify", client).hexdigest()[:_OWNER]
    if len(_of(folder, owner)) >= EACH:
        raise VerifyError("verify.often")
    _ask_room(folder, owner)
    token = f"{owner}-{secrets.token_urlsafe(_TOKEN_BYTES)}"
    (folder / token).touch(0o600, exist_ok=False)
    return token


def append(token: str, offset: int, part: bytes) -> int:
    """Add a part that begins at ``offset``; how much is there now.

    Raises :class:`VerifyError` ``verify.gone``, ``.offset``, ``.too_large``, ``.often`` and ``.busy``.
    """
    path = _path(token)
    with path.open("r+b") as file:
        if file.seek(0, 2) != offset:
            raise VerifyError("verify.offset")
        if offset + len(part) > settings.VERIFY_FILE_MB << 20:
            path.unlink(missing_ok=True)
            raise VerifyError("verify.too_large")
        _ask_room(path.parent, token[:_OWNER])
        file.write(part)
        return file.tell()


@contextmanager
def arrived(client: str, token: str = "", sent: UploadedFile[Any] | None = None) -> Iterator[Path]:
    """The whole file, which came in parts or in one piece; it is gone afterwards."""
    if sent is not None:
        if (sent.size or 0) > settings.VERIFY_FILE_MB << 20:
            raise VerifyError("verify.too_large")
        token = begin(client)
        with _path(token).open("r+b") as file:
            for chunk in sent.chunks():
                file.write(chunk)
    path = _path(token)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _path(token: str) -> Path:
    """Where the file of a token is; whatever :func:`begin` has not made names no file, and never a path."""
    path: Path = settings.VERIFY_DIR / token if _TOKEN.fullmatch(token) else settings.VERIFY_DIR
    if not path.is_file():
        raise VerifyError("verify.gone")
    return path


def _sweep(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            found = path.stat()
            if time.time() - found.st_mtime > (KEEP_SECONDS if found.st_size else KEEP_SECONDS / 10):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _ask_room(folder: Path, owner: str) -> None:
    most = settings.VERIFY_TOTAL_MB << 20
    sizes = [_size(path) for path in folder.iterdir()]
    if len(sizes) >= MANY or sum(sizes) >= most:
        raise VerifyError("verify.busy")
    if sum(map(_size, _of(folder, owner))) >= max(most // _SHARE, settings.VERIFY_FILE_MB << 20):
        raise VerifyError("verify.often")


def _of(folder: Path, owner: str) -> list[Path]:
    """Return the files of one client."""
    return list(folder.glob(f"{owner}-*"))


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
