"""However an asset or an upload goes, alone or with its project, its files go after it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from faceengine.jobs.workspace import delete_files
from webapp.uploads import arrivals
from webapp.uploads.models import Asset, Upload
from webapp.uploads.storage import delete_arrival


@receiver(post_delete, sender=Asset)
def remove_asset_files(instance: Asset, **_: Any) -> None:
    """The job is cancelled first: one that is at work must not make files again that are removed."""
    job = Job.objects.filter(pk=instance.job_id).first() if instance.job_id else None
    if instance.arrival:
        transaction.on_commit(lambda: delete_arrival(instance.arrival))
    if job is not None:
        transitions.cancel(job)
        transaction.on_commit(lambda: _forget(job))


@receiver(post_delete, sender=Upload)
def remove_arrived(instance: Upload, **_: Any) -> None:
    transaction.on_commit(lambda: arrivals.remove(instance.pk))


def _forget(job: Job) -> None:
    job.delete()
    delete_files(job)
