"""What the rows of the database name, read once: by this a file is known, or nobody's."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.names import in_job
from faceengine.jobs.states import ENDED, OPEN
from webapp.consent.models import Evidence
from webapp.curation.models import Crop, FaceSet
from webapp.projects.models import Project
from webapp.uploads.models import Asset, Upload

_JOB = re.compile(r"\bjobs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")
_PROJECT = re.compile(r"\bprojects/(\d+)/")


class Known:
    """Read it after the files were listed: what came in between then has its row, or is young."""

    def __init__(self) -> None:
        now = timezone.now()
        self.projects: set[int] = set(Project.objects.values_list("pk", flat=True))
        self.names: set[str] = set(Evidence.objects.exclude(file="").values_list("file", flat=True))
        for fields in Asset.objects.values_list("arrival", "file", "poster", "filmstrip"):
            self.names |= set(fields) - {""}
        self.crops: set[int] = set(Crop.objects.values_list("pk", flat=True))
        coming = list(Upload.objects.filter(asset=None).values_list("pk", "expires_at"))
        self.arriving: set[UUID] = {pk for pk, expires_at in coming if expires_at >= now}
        self.expired: set[UUID] = {pk for pk, expires_at in coming if expires_at < now}
        self.old_logs: set[tuple[UUID, int]] = set(old_attempts().values_list("job", "number"))
        self._read_jobs()
        folders = [*FaceSet.objects.exclude(folder="").values_list("folder", flat=True), *self.names]
        self.spoken_of |= {found[0] for name in folders if (found := in_job(f"{name}/"))}

    def _read_jobs(self) -> None:
        self.kinds: dict[UUID, str] = {}
        self.ended: set[UUID] = set()
        self.spoken_of: set[UUID] = set()
        """Jobs, there or not, whose files some row names."""
        self.projects_spoken_of: set[int] = set()
        self.in_use: set[UUID] = set()
        """Jobs that are there, or whose files one wants that may still run."""
        jobs = Job.objects.values_list("pk", "kind", "state", "config", "files")
        for pk, kind, state, config, files in jobs.iterator():
            self.kinds[pk] = kind
            self.names |= set(files.values())
            text = json.dumps(config)
            wanted = {UUID(number) for number in _JOB.findall(text)}
            self.spoken_of |= wanted
            self.projects_spoken_of |= {int(number) for number in _PROJECT.findall(text)}
            self.in_use |= {pk} | (wanted if state in OPEN else set())
            if state in ENDED:
                self.ended.add(pk)


def old_attempts() -> QuerySet[Attempt]:
    """Attempts of jobs that have ended, whose logs are kept no longer, and those whose logs were to be gone by now."""
    before = timezone.now() - timedelta(days=settings.LOGS_KEEP_DAYS)
    return Attempt.objects.filter(Q(ended_at__lt=before, job__state__in=ENDED) | Q(log_removed_at__isnull=False))
