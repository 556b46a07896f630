"""Files of a job as a browser gets them: in pieces, from any place in the file, never as a whole in memory.

Django has no ranges, which ``<video>`` needs to jump, and under Daphne its ``FileResponse`` reads the whole file first.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from faceengine.errors import InputError
from faceengine.jobs import kinds
from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.names import FileName, Role, key_of, log_of
from faceengine.jobs.paths import hide_paths

CHUNK = 1 << 18
LISTED = 200
"""Files that a page names at most; a face set has thousands."""

_SHOWN = ("image/png", "image/jpeg", "image/webp", "video/mp4", "video/webm")
"""What a browser may show in place. Anything else could be a page with a script in it, so it is only downloaded."""
_NOT_HERE = (Role.LOG, Role.DATABASE)
_LONGEST_LINE = 16 << 20
"""Bytes of a line that are held until its end is there."""
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})$")


@dataclass(frozen=True)
class Listed:
    """One file of a job: its name within the job's folder, and its bytes (``None`` where the storage is elsewhere)."""

    name: str
    size: int | None


def listing(job: Job) -> tuple[list[Listed], bool]:
    """The job's files by name, and whether there are more than are listed. Logs and hidden files are left out."""
    files = _local_files(Path(default_storage.path(job.folder))) if _is_local() else _published(job)
    some = list(itertools.islice(files, LISTED + 1))
    return sorted(some[:LISTED], key=lambda file: file.name), len(some) > LISTED


def respond(request: HttpRequest, job: Job, name: str, *, download: bool = False) -> HttpResponseBase:
    """The job's file ``name``, or the part of it that is asked for. Raises :class:`Http404`, and :class:`Refused`
    for what may not be handed out. A log has an address of its own: :func:`respond_log`; a database is nobody's.

    What a script gets by its token has left the studio, whatever the script calls it. Of a text the machine's paths are
    taken out on the way. An object store sends all other files itself: the answer is its signed address.
    """
    download = download or getattr(request, "by_token", False)
    try:
        file = FileName(name)
    except InputError:
        raise Http404 from None
    if file.role in _NOT_HERE:
        raise Http404
    found = _found(job, file)
    ask(job, file, download=download)
    if (made := _prepared(job, file, download=download)) is not None:
        return _small(made, file, download=download)
    return _send(request, job, found, file, download=download)


def respond_log(request: HttpRequest, attempt: Attempt) -> HttpResponseBase:
    """All that an attempt's body wrote, as a file. Raises :class:`Http404` and :class:`Refused`."""
    name = log_of(attempt.number)
    ask(attempt.job, name, download=True)
    if not default_storage.exists(attempt.log):
        raise Http404
    return _text(request, attempt.log, name)


def ask(job: Job, name: FileName, *, download: bool = False) -> None:
    """Raises :class:`Refused` if the job's file ``name`` may not be shown, or not handed out (``download``)."""
    with suppress(kinds.UnknownKindError):
        kinds.get(job.kind).may_deliver(job, name, download)


def _prepared(job: Job, name: FileName, *, download: bool) -> bytes | None:
    """What the owner of the job's kind hands out in place of its file."""
    try:
        return kinds.get(job.kind).prepare(job, name, download)
    except kinds.UnknownKindError:
        return None
    except OSError:
        raise Http404 from None


def _small(content: bytes, name: FileName, *, download: bool) -> HttpResponse:
    """A small file out of memory."""
    response = HttpResponse(content)
    _describe(response, name, download=download)
    response["Cache-Control"] = "private, no-cache"
    return response


def _found(job: Job, name: FileName) -> str | Path:
    """The file on this machine, or its key in an object store. Raises :class:`Http404`.

    No link is followed, within the folder neither: its name would say another thing of the file than the file's own.
    """
    if not _is_local():
        if str(name) not in job.files:
            raise Http404
        return key_of(job, name)
    path = Path(default_storage.path(job.folder)).resolve() / str(name)
    if path.resolve() != path or not path.is_file():
        raise Http404
    return path


def _send(request: HttpRequest, job: Job, found: str | Path, name: FileName, *, download: bool) -> HttpResponseBase:
    if name.role == Role.TEXT:
        return _text(request, found if isinstance(found, str) else f"{job.folder}/{name}", name)
    if isinstance(found, str):
        return HttpResponseRedirect(default_storage.url(found))
    return _ranged(request, found, name, download=download)


def _text(request: HttpRequest, key: str, name: FileName) -> HttpResponseBase:
    """A file of text, in pieces and without the machine's paths; always whole, since its length isn't known before."""
    response = HttpResponse() if request.method == "HEAD" else StreamingHttpResponse(_lines(key))
    _describe(response, name, download=True)
    response["Cache-Control"] = "private, no-cache"
    return response


async def _lines(key: str) -> AsyncIterator[bytes]:
    """Some lines at a time, so that no path lies across two pieces."""
    file = await asyncio.to_thread(default_storage.open, key)
    rest = b""
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            lines, end, rest = (rest + chunk).rpartition(b"\n")
            if len(rest) > _LONGEST_LINE:
                lines, end, rest = lines + end + rest, b"", b""
            yield _without_paths(lines + end)
        yield _without_paths(rest)
    finally:
        await asyncio.to_thread(file.close)


def _without_paths(content: bytes) -> bytes:
    return hide_paths(content.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _ranged(request: HttpRequest, path: Path, name: FileName, *, download: bool) -> HttpResponseBase:
    """``path`` as an answer to ``request``: 200, 206 for one range, 304 for what the browser has, 416."""
    stat = path.stat()
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    response = _answer(request, path, stat, tag)
    response["ETag"] = tag
    response["Last-Modified"] = http_date(stat.st_mtime)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    if response.status_code in (200, 206):
        _describe(response, name, download=download)
    return response


def _describe(response: HttpResponseBase, name: FileName, *, download: bool) -> None:
    """Say what the file is; only a picture or video is shown in place."""
    kind = name.content_type
    response["Content-Type"] = kind
    response["Content-Disposition"] = content_disposition_header(download or kind not in _SHOWN, name.last) or "inline"


def _answer(request: HttpRequest, path: Path, stat: os.stat_result, tag: str) -> HttpResponseBase:
    if tag in [known.strip() for known in request.headers.get("If-None-Match", "").split(",")]:
        return HttpResponse(status=304)
    span = _span(request, stat, tag)
    if span is None:
        return _part(request, path, 0, stat.st_size, 200)
    first, last = span
    if first > last:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{stat.st_size}"})
    response = _part(request, path, first, last + 1 - first, 206)
    response["Content-Range"] = f"bytes {first}-{last}/{stat.st_size}"
    return response


def _span(request: HttpRequest, stat: os.stat_result, tag: str) -> tuple[int, int] | None:
    """First and last byte that are asked for, the last before the first if there are none; ``None`` for all.

    As RFC 9110 allows, several ranges and what can't be understood are answered with the whole file.
    """
    match = _RANGE.match(request.headers.get("Range", ""))
    if not match or not any(match.groups()) or not _unchanged(request.headers.get("If-Range"), stat, tag):
        return None
    begin, end = match.groups()
    if not begin:
        return (max(0, stat.st_size - int(end)), stat.st_size - 1) if int(end) else (1, 0)
    if end and int(end) < int(begin):
        return None
    return int(begin), min(int(end or stat.st_size), stat.st_size - 1)


def _unchanged(condition: str | None, stat: os.stat_result, tag: str) -> bool:
    """Whether ``If-Range`` names the file as it is now, so that a part fits to the parts the browser has."""
    return condition is None or condition == tag or parse_http_date_safe(condition) == int(stat.st_mtime)


def _part(request: HttpRequest, path: Path, first: int, size: int, status: int) -> HttpResponseBase:
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(status=status)
    else:
        response = StreamingHttpResponse(_read(path, first, size), status=status)
    response["Content-Length"] = str(size)
    return response


async def _read(path: Path, first: int, size: int) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while size > 0 and (chunk := await asyncio.to_thread(os.pread, file.fileno(), min(CHUNK, size), first)):
            first, size = first + len(chunk), size - len(chunk)
            yield chunk
    finally:
        file.close()


def _is_local() -> bool:
    return isinstance(default_storage, FileSystemStorage)


def _local_files(folder: Path) -> Iterator[Listed]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for path in (Path(parent, name) for name in names):
            if is_offered(shown := path.relative_to(folder).as_posix()) and not path.is_symlink():
                yield Listed(shown, path.stat().st_size)


def _published(job: Job) -> Iterator[Listed]:
    return (Listed(name, None) for name in job.files if is_offered(name))


def is_offered(name: str) -> bool:
    """Return whether :func:`respond` may hand out the file of that name in a job's folder."""
    try:
        return FileName(name).role not in _NOT_HERE
    except InputError:
        return False
