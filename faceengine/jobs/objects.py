"""Objects in an S3 bucket: fetched whole or not at all, and a store that is away for a while is waited for."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import default_storage
from urllib3.exceptions import HTTPError

from faceengine.awake import AwakeClock
from faceengine.errors import EngineError, InputError
from faceengine.events import ShouldStop, never
from faceengine.files import disk_full, is_disk_full
from faceengine.jobs.names import missing

log = logging.getLogger(__name__)
ResultT = TypeVar("ResultT")

_CHUNK = 1 << 20
_LONGEST_PAUSE = 30.0
_LONGEST_CALL = 120.0
"""Seconds of one try that count: it may be a machine's sleep."""
_MOST = 1000
"""Objects that one request may delete."""
# The caller has threads of its own, one a file.
_TRANSFER = TransferConfig(use_threads=False)


class StoreError(EngineError):
    """The store did not answer for longer than ``settings.JOBS_STORE_PATIENCE`` seconds, or refuses us."""


class Bucket:
    """The bucket of Django's default storage. Names are keys. Safe to use from several threads."""

    def __init__(self, give_up: ShouldStop = never) -> None:
        """``give_up``: asked between two attempts; true ends the patience."""
        self._give_up = give_up
        self._name: str = default_storage.bucket_name  # type: ignore[attr-defined]
        self._client: Any = default_storage.connection.meta.client  # type: ignore[attr-defined]

    def tag(self, key: str) -> str | None:
        """What changes when the object does, or ``None`` if there is no such object."""
        try:
            head = self._patiently(f"look at {key}", lambda: self._client.head_object(Bucket=self._name, Key=key))
        except InputError:
            return None
        return str(head["ETag"])

    def tags(self, prefix: str) -> dict[str, str]:
        """Keys that begin with ``prefix``, and the tags of their objects."""

        return {item["Key"]: item["ETag"] for item in self._list(prefix)}

    def sizes(self, prefix: str = "") -> list[tuple[str, int, float]]:
        """Key, bytes, and seconds since 1970 at the last change, of every object that begins with ``prefix``."""

        return [(item["Key"], item["Size"], item["LastModified"].timestamp()) for item in self._list(prefix)]

    def _list(self, prefix: str) -> list[dict[str, Any]]:
        """What the store tells of every object that begins with ``prefix``."""

        def listing() -> list[dict[str, Any]]:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix)
            return [item for page in pages for item in page.get("Contents", [])]

        return self._patiently(f"list {prefix or 'all'}", listing)

    def download(self, key: str, path: Path) -> None:
        """Fetch the object into ``path``, which is there whole or not at all.

        Raises :class:`InputError` ``asset.missing`` if there is no such object and ``disk.full``.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may fetch the same object into the cache at once.
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            self._patiently(f"fetch {key}", lambda: self._stream(key, part))
            part.replace(path)
        except OSError as error:
            if is_disk_full(error):
                raise disk_full(path) from error
            raise
        finally:
            part.unlink(missing_ok=True)

    def upload(self, path: Path, key: str) -> None:
        """Send the file; the object is there whole or not at all. Raises ``FileNotFoundError``."""
        self._patiently(f"store {key}", lambda: self._client.upload_file(str(path), self._name, key, Config=_TRANSFER))

    def delete(self, keys: Sequence[str]) -> None:
        """Remove the objects; one that is not there is no error."""
        for start in range(0, len(keys), _MOST):
            wanted = {"Objects": [{"Key": key} for key in keys[start : start + _MOST]], "Quiet": True}
            self._patiently("delete", lambda: self._client.delete_objects(Bucket=self._name, Delete=wanted))  # noqa: B023 - called at once

    def _stream(self, key: str, part: Path) -> None:
        answer = self._client.get_object(Bucket=self._name, Key=key)
        with part.open("wb") as file:
            for chunk in answer["Body"].iter_chunks(_CHUNK):
                file.write(chunk)
        # iter_chunks raises on a body that is cut short, so what is here is whole.

    def _patiently(self, what: str, call: Callable[[], ResultT]) -> ResultT:
        """``call()``, again and again while the store is away, with growing pauses."""
        waited, pause = AwakeClock(_LONGEST_CALL), 0.5
        while True:
            try:
                return call()
            except (BotoCoreError, ClientError, S3UploadFailedError, HTTPError) as error:
                if _status(error) == 404 and _code(error) != "NoSuchBucket":
                    raise missing(what.partition(" ")[2]) from error
                if 400 <= _status(error) < 500 and _status(error) not in (408, 429):
                    raise StoreError("store.refused", f"the file store refuses to {what}: {error}") from error
                if waited() + pause > settings.JOBS_STORE_PATIENCE or self._give_up():
                    raise StoreError("store.unreachable", f"the file store can't be reached to {what}") from error
                log.warning("the file store can't %s (%s); again in %.1f s", what, error, pause)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _status(error: Exception) -> int:
    """The HTTP status that the store answered with, or 0 if it did not answer."""
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _code(error: Exception) -> str:
    return str(_answer(error).get("Error", {}).get("Code", ""))


def _answer(error: Exception) -> dict[str, Any]:
    cause = error.__context__ if isinstance(error, S3UploadFailedError) else error
    return cause.response if isinstance(cause, ClientError) else {}
