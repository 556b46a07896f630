"""What changes uploads and assets: one function for each thing that people do, and for what their jobs end with."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from faceengine.files import is_disk_full
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from faceengine.jobs.states import State
from faceengine.jobs.workspace import delete_files
from webapp.accounts.models import Team, User
from webapp.consent.errors import ConsentError
from webapp.consent.gate import Act, require_consent
from webapp.consent.synthetic import forbids
from webapp.fair.limits import PARTS
from webapp.projects.models import Person, Project
from webapp.projects.services import record
from webapp.uploads import arrivals
from webapp.uploads.arrivals import Readable, UploadError
from webapp.uploads.models import Asset, AssetState, Upload
from webapp.uploads.names import shown_name
from webapp.uploads.quotas import may_begin_upload, quota
from webapp.uploads.storage import delete_arrival

_MIB = 2**20
_REMEMBERED = timedelta(days=7)
"""So long after its expiry an upload is known to have been there."""
_PASSING = ("asset.missing", "disk.full", "intake.cancelled", "runner.lost", "store.unreachable")
"""Failures that are not the file's fault: it is kept, and can be tried again."""


# ---- arriving --------------------------------------------------------------------------------------------------------


def begin(actor: User, person: Person, name: str, size: int) -> Upload:
    """A new upload. No space is set aside for it: what has arrived counts.

    Raises :class:`ConsentError`, and :class:`UploadError` ``upload.empty``, ``.too_large``, ``.quota``, ``.many``.
    """
    require_consent(person.project, Act.UPLOAD, actor)
    if size == 0:
        raise UploadError("upload.empty", 400)
    if size > settings.UPLOADS_FILE_MB * _MIB:
        raise UploadError("upload.too_large", 413)
    remove_expired()
    with transaction.atomic():
        # The team's row is the lock: of two that begin at once, the second counts the first.
        team = Team.objects.select_for_update().get(pk=person.project.team_id)
        if size > quota(team.pk).left:
            raise UploadError("upload.quota", 413)
        if not may_begin_upload(team.pk, actor):
            raise UploadError("upload.many", 429)
        upload = Upload.objects.create(
            person=person, uploaded_by=actor, name=shown_name(name), size=size, expires_at=_expiry()
        )
        arrivals.make(upload.pk)
    return upload


def append(upload: Upload, offset: int, body: Readable, *, checksum: tuple[str, bytes] | None = None) -> None:
    """Add ``body`` to what has arrived; the last part makes an asset of it.

    Raises :class:`ConsentError`, :class:`BusyError`; :class:`UploadError` ``upload.offset`` where ``body`` begins
    elsewhere than it should, ``upload.quota``, ``upload.disk_full``, and those of :func:`arrivals.held` and
    :func:`arrivals.lengthen`. The offset then stays where it was.
    """
    require_consent(upload.person.project, Act.UPLOAD, upload.uploaded_by)
    room = quota(upload.person.project.team_id).left
    with arrivals.held(upload.pk) as file:
        upload.refresh_from_db()
        if offset != min(upload.offset, arrivals.here(upload.pk)):
            raise UploadError("upload.offset", 409)
        try:
            with PARTS.turn(f"user:{upload.uploaded_by_id}"):
                written = arrivals.lengthen(
                    file, offset, body, room=upload.size - offset, quota=room, checksum=checksum
                )
        except OSError as error:
            if is_disk_full(error):
                raise UploadError("upload.disk_full", 507) from error
            raise
        upload.offset, upload.expires_at = offset + written, _expiry()
        if not Upload.objects.filter(pk=upload.pk).update(offset=upload.offset, expires_at=upload.expires_at):
            raise UploadError("upload.expired", 410)
        _complete(upload, file)


def standing(upload: Upload) -> int:
    """How many bytes have arrived. Makes the asset of an upload that is whole if a process died that was about to."""
    if upload.asset_id is None and upload.offset == upload.size:
        with arrivals.held(upload.pk) as file:
            upload.refresh_from_db()
            _complete(upload, file)
    if upload.asset_id is None:
        upload.offset = min(upload.offset, arrivals.here(upload.pk))
    return upload.offset


def _complete(upload: Upload, file: IO[bytes]) -> None:
    """Move the file into the storage and queue a job that looks at it. Done again, it does what is left to do."""
    if upload.offset < upload.size or upload.asset_id is not None:
        return
    name = f"{upload.person.folder}/arrivals/{upload.pk}/file"
    if not _is_stored(name, upload.size):
        if arrivals.here(upload.pk) != upload.size:
            return
        os.fdatasync(file.fileno())
        with Path(file.name).open("rb") as arrived:
            default_storage.save(name, _Moved(arrived, file.name))
    try:
        _become_asset(upload, name)
    except (ConsentError, UploadError):  # withdrawn while it arrived: nothing of it stays
        delete_arrival(name)
        raise
    arrivals.remove(upload.pk)


def _become_asset(upload: Upload, name: str) -> None:
    with transaction.atomic():
        # Whoever deletes the project finds the asset, or its upload is gone.
        Project.objects.select_for_update().filter(pk=upload.person.project_id).first()
        if not Upload.objects.filter(pk=upload.pk).exists():
            raise UploadError("upload.expired", 410)
        asset = Asset.objects.create(
            person=upload.person,
            name=upload.name,
            uploaded_by=upload.uploaded_by,
            arrival=name,
            size=upload.size,
            stored=upload.size,
        )
        asset.job = _take_in(asset)
        asset.save(update_fields=["job"])
        upload.asset = asset
        if not Upload.objects.filter(pk=upload.pk).update(asset=asset):
            raise UploadError("upload.expired", 410)
        project = upload.person.project
        record(upload.uploaded_by, "asset.uploaded", project.team, project, name=upload.name, side=upload.person.side)


def _is_stored(name: str, size: int) -> bool:
    """Whether it is there whole; a part of it, left by a process that died, is removed."""
    if not default_storage.exists(name):
        return False
    if default_storage.size(name) == size:
        return True
    default_storage.delete(name)
    return False


class _Moved(File[bytes]):
    """A file that a storage on the same disk takes over instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def terminate(upload: Upload) -> None:
    """Give up an upload, and remove what has arrived. An asset that it has become stays."""
    with arrivals.held(upload.pk):
        Upload.objects.filter(pk=upload.pk).delete()
        arrivals.remove(upload.pk)


def remove_expired() -> int:
    """Remove what has arrived of uploads that were broken off long ago; how many there were."""
    now = timezone.now()
    Upload.objects.filter(expires_at__lt=now - _REMEMBERED).delete()
    expired = Upload.objects.filter(expires_at__lt=now, asset=None).values_list("pk", flat=True)
    for pk in expired:
        arrivals.remove(pk)
    return len(expired)


def _expiry() -> datetime:
    return timezone.now() + timedelta(hours=settings.UPLOADS_EXPIRE_HOURS)


# ---- taking in -------------------------------------------------------------------------------------------------------


def _take_in(asset: Asset) -> Job:
    """The job that looks at the file, goes before long ones, and knows which files are here already."""
    known = Asset.objects.filter(person=asset.person, state=AssetState.READY).values_list("sha256", flat=True)
    config = {"file": asset.arrival, "name": f"asset-{asset.pk}", "known": sorted(known)}
    mandate = require_consent(asset.person.project, Act.UPLOAD, asset.uploaded_by).pk
    return transitions.submit("intake", config, owner=asset.uploaded_by, title=asset.name, priority=10, mandate=mandate)


def taken_in(asset: Asset, job: Job) -> None:
    """Bring the asset to where its job, which has ended, has brought its file."""
    if job.state == State.DONE:
        _accept(asset, job)
    else:
        code = "intake.cancelled" if job.state == State.CANCELLED else job.error_code
        _refuse(asset, code, keep=code in _PASSING or code.startswith("consent."))


def _accept(asset: Asset, job: Job) -> None:
    result = job.result or {}
    # The person's row is the lock: of two copies that were looked at side by side, the second finds the first.
    Person.objects.select_for_update().get(pk=asset.person_id)
    twins = Asset.objects.filter(person=asset.person, sha256=result["sha256"], state=AssetState.READY)
    if twins.exclude(pk=asset.pk).exists():
        _refuse(asset, "file.duplicate", keep=False)
        transaction.on_commit(lambda: delete_files(job))
        return
    if forbids(asset.person, result["sha256"]):
        _refuse(asset, "consent.synthetic", keep=False)
        transaction.on_commit(lambda: delete_files(job))
        return
    for name in ("kind", "sha256", "width", "height", "frames", "fps", "duration", "has_sound"):
        setattr(asset, name, result[name])
    for name in ("file", "poster", "filmstrip"):
        setattr(asset, name, f"{job.folder}/{result[name]}" if result[name] else "")
    asset.state, asset.code, asset.stored = AssetState.READY, "", result["size"]
    _drop_arrival(asset)
    asset.save()


def _refuse(asset: Asset, code: str, *, keep: bool) -> None:
    asset.state, asset.code = AssetState.REFUSED, code
    if not keep:
        asset.stored = 0
        _drop_arrival(asset)
    asset.save()


def retry(asset: Asset) -> bool:
    """Look at a file again that was kept; whether that can be done."""
    with transaction.atomic():
        again = Asset.objects.filter(pk=asset.pk, state=AssetState.REFUSED).exclude(arrival="")
        if asset.job is None or not again.update(state=AssetState.CHECKING, code=""):
            return False
        return transitions.retry(asset.job)


def delete_asset(actor: User, asset: Asset) -> None:
    """Delete an asset with its files and its job; what was made of it earlier stays."""
    project = asset.person.project
    with transaction.atomic():
        record(actor, "asset.deleted", project.team, project, name=asset.name, side=asset.person.side)
        asset.delete()  # its files go after it, see signals.py


def _drop_arrival(asset: Asset) -> None:
    arrival, asset.arrival = asset.arrival, ""
    if arrival:
        transaction.on_commit(lambda: delete_arrival(arrival))
