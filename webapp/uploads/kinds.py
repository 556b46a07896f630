"""The kind of job that takes files in."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from faceengine.jobs.kinds import Kind, Shows, register
from faceengine.jobs.models import Job
from faceengine.jobs.presentation import Presentation, Storage
from webapp.consent.gate import Act, may_deliver, permit
from webapp.consent.job_groups import able, may_with
from webapp.consent.tombstones import gone
from webapp.projects.access import Verb
from webapp.uploads import services
from webapp.uploads.models import Asset
from webapp.uploads.storage import forget

_LONGEST = 6 * 3600.0
"""Seconds: two hours of the largest video that is taken in, on two slow cores."""
_PRESENTATION = Presentation(
    label=_("Import file"),
    stages={"intake": _("checking and re-encoding")},
    audit={"asset.uploaded": _("uploaded {name}"), "asset.deleted": _("deleted {name}")},
    storage=Storage("footage", _("Footage")),
)


def register_all() -> None:
    """Make it known to the ledger."""
    register(
        Kind(
            "intake",
            "faceengine.intake.intake.run",
            "faceengine.intake.config.IntakeConfig",
            may_watch=lambda user, job: may_with(user, Verb.VIEW, job),
            may_steer=lambda user, job: may_with(user, Verb.EDIT, job),
            steerable=lambda user, jobs: able(user, Verb.EDIT, jobs),
            presentation=_PRESENTATION,
            shows=Shows.REAL,
            slot_kind="cpu",
            on_end=_on_end,
            permit=permit(Act.UPLOAD),
            may_deliver=may_deliver,
            on_gone=gone,
            confined=True,
            counted=False,  # what it makes is its asset's, see quotas.py
            longest=_LONGEST,
        )
    )


def _on_end(job: Job) -> None:
    asset = Asset.objects.select_related("person").filter(job=job).first()
    if asset is not None:
        services.taken_in(asset, job)
    else:  # deleted while its file was looked at
        transaction.on_commit(lambda: forget(job))
