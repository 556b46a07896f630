"""Cleaning up: what the survey says may go, goes."""

from __future__ import annotations

import logging

from django.db.models.functions import Now

from faceengine.jobs.models import Attempt
from faceengine.jobs.names import in_job
from webapp.operations.places import Found, remove
from webapp.operations.survey import Amount, Why, survey

log = logging.getLogger(__name__)


def preview() -> dict[Why, list[Found]]:
    """What would go now."""
    return dict(survey().going)


def clean_up() -> Amount:
    """Remove it; how much that was. It looks afresh: what has got a row since a preview stays."""
    gone = Amount()
    for why, files in survey().going.items():
        if why == Why.OLD_LOG:
            _forget_logs(files)
        for file in remove(files):
            gone.add(file)
    log.info("cleaned up: %d files, %d bytes", gone.files, gone.size)
    return gone


def _forget_logs(files: list[Found]) -> None:
    """Say so in the attempts' rows first: then no row names the files."""
    for file in files:
        found = in_job(file.name)
        if found is not None:
            number = int(found[1].removeprefix("logs/").removesuffix(".log"))
            Attempt.objects.filter(job=found[0], number=number).update(log_removed_at=Now())
