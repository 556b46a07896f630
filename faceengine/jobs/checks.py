"""``manage.py check``: names what is missing to run jobs, before a job finds out."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.files.storage import FileSystemStorage, default_storage

from faceengine import weights
from faceengine.errors import InputError
from faceengine.jobs import kinds, words

_BROKER_PORTS = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}
_BROKER_PATIENCE_SECONDS = 2.0


@register
def ffmpeg(**_: Any) -> list[CheckMessage]:
    """The program that writes videos."""
    import imageio_ffmpeg

    try:
        found = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        return [Error(f"ffmpeg is missing: {error}", hint="the package imageio-ffmpeg carries one", id="jobs.E001")]
    if not os.access(found, os.X_OK):
        return [Error(f"ffmpeg can't be run: {found}", hint="is it a program, and executable?", id="jobs.E001")]
    return []


@register
def carried_weights(**_: Any) -> list[CheckMessage]:
    """The networks that every installation has; those that are fetched are asked for when they are wanted."""
    missing: list[CheckMessage] = []
    for name in (weight.name for weight in weights.WEIGHTS.values() if weight.carried_by):
        try:
            weights.require(name)
        except InputError as error:
            missing.append(Error(str(error), id="jobs.E002"))
    return missing


@register
def folders(**_: Any) -> list[CheckMessage]:
    """What the studio writes to on this machine."""
    wanted = {"DATA_DIR": settings.DATA_DIR, "JOBS_SCRATCH_DIR": settings.JOBS_SCRATCH_DIR}
    if isinstance(default_storage, FileSystemStorage):
        wanted["MEDIA_ROOT"] = settings.MEDIA_ROOT
    found = ((name, Path(path), _why_not_writable(Path(path))) for name, path in wanted.items())
    return [Error(f"{name} can't be written to: {path}: {why}", id="jobs.E003") for name, path, why in found if why]


@register
def broker(**_: Any) -> list[CheckMessage]:
    """Celery's broker. Only a warning: what is queued waits for it, and what runs goes on."""
    if settings.TASKS_ENGINE != "celery":
        return []
    url = urlsplit(settings.CELERY_BROKER_URL)
    place = (url.hostname or "localhost", url.port or _BROKER_PORTS.get(url.scheme, 0))
    try:
        socket.create_connection(place, _BROKER_PATIENCE_SECONDS).close()
    except OSError as error:
        text = f"the broker at {place[0]}:{place[1]} does not answer ({error}): jobs wait until it does"
        return [Warning(text, hint="see CELERY_BROKER_URL", id="jobs.W001")]
    return []


@register
def kinds_are_described(**_: Any) -> list[CheckMessage]:
    """Every kind has a label, and no two say different things of one code."""
    hint = "docs/jobs.md says how a kind of job is added"
    nameless = [name for name in kinds.names() if not kinds.presentation_of(name).label]
    found: list[CheckMessage] = [
        Warning(f"jobs of the kind {name!r} have no label", hint=hint, id="jobs.W002") for name in nameless
    ]
    for what, said in (("messages", words.MESSAGES), ("advice", {}), ("audit", {})):
        seen = dict(said)
        for name in kinds.names():
            for code, text in getattr(kinds.presentation_of(name), what).items():
                if seen.setdefault(code, text) != text:
                    error = f"{what} of the kind {name!r}: {code} has other words elsewhere"
                    found.append(Error(error, hint=hint, id="jobs.E004"))
    return found


def _why_not_writable(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(folder, os.W_OK | os.X_OK) else "no permission"
