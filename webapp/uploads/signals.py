"""However an asset or an upload goes, alone or with its project, its files go after it. And what consent asks."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from faceengine.jobs.states import State
from webapp.consent import synthetic
from webapp.consent.errors import ConsentStepError
from webapp.projects.models import Project
from webapp.uploads import arrivals
from webapp.uploads.models import Asset, Upload
from webapp.uploads.storage import delete_arrival, forget


@receiver(post_delete, sender=Asset)
def remove_asset_files(instance: Asset, **_: Any) -> None:
    """A job that is at work is asked to stop, and removes its files when it has."""
    if instance.arrival:
        transaction.on_commit(lambda: delete_arrival(instance.arrival))
    job = Job.objects.filter(pk=instance.job_id).first() if instance.job_id else None
    if job is None:
        return
    transitions.cancel(job)
    if not Job.objects.filter(pk=job.pk, state=State.RUNNING).exists():
        transaction.on_commit(lambda: forget(job))


@receiver(post_delete, sender=Upload)
def remove_arrived(instance: Upload, **_: Any) -> None:
    """What has arrived of it."""
    pk = instance.pk  # Django takes it from the instance afterwards
    transaction.on_commit(lambda: arrivals.remove(pk))


@receiver(synthetic.granting)
def refuse_other_footage(project: Project, **_: Any) -> None:
    """Only the demo's clips may show people who were made by a computer."""
    if Asset.objects.filter(person__project=project).exclude(sha256__in=synthetic.CLIPS).exists():
        raise ConsentStepError("consent.not_synthetic")
