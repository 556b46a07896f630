"""The gate: the one place that says whether something of a project may be used.

Both people must have agreed, for this purpose, and neither may have withdrawn or let it expire. It is asked whenever
something begins, at every checkpoint, and whenever anything is shown or handed out; by the database's clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from faceengine.jobs import kinds
from faceengine.jobs.kinds import Makes, Shows
from faceengine.jobs.models import Job
from faceengine.jobs.names import FileName, Role
from faceengine.jobs.states import State
from webapp.consent.errors import ConsentError
from webapp.consent.models import Consent, Mandate, Purpose, Standing, alive
from webapp.projects.models import AuditEntry, Person, Project, Side
from webapp.projects.services import record


class Act(TextChoices):
    """What is about to be done with what belongs to a project."""

    UPLOAD = "upload", _("uploading")
    EXTRACT = "extract", _("extracting faces")
    TRAIN = "train", _("training")
    CONVERT = "convert", _("converting")
    SCORE = "score", _("scoring")
    PREVIEW = "preview", _("viewing")
    WATCH = "watch", _("watching a result")
    DELIVER = "deliver", _("downloading")


PURPOSES = {
    Act.EXTRACT: Purpose.TRAIN,
    Act.TRAIN: Purpose.TRAIN,
    Act.CONVERT: Purpose.SWAP,
    Act.SCORE: Purpose.SWAP,
    Act.WATCH: Purpose.SWAP,
    Act.DELIVER: Purpose.DELIVER,
}
"""What both people must have agreed to. Bringing footage in and looking at it is part of any consent."""
_WATCHED = (Role.PICTURE, Role.VIDEO)
"""What pages of the studio show in place."""

_CODES = {
    Standing.ASKED: "consent.missing",
    Standing.WAITING: "consent.waiting",
    Standing.REFUSED: "consent.refused",
    Standing.EXPIRED: "consent.expired",
    Standing.WITHDRAWN: "consent.withdrawn",
}
_IN_JOB = re.compile(r"\bjobs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")
_IN_PROJECT = re.compile(r"\bprojects/(\d+)/")
_ONCE_IN = timedelta(minutes=1)
"""A page of 200 pictures that may not be shown is one entry of the audit trail, not 200."""


def require_consent(project: Project, act: Act, actor: Any = None) -> Mandate:
    """The live consents of the project's two people, if these allow ``act``; one query when they do.

    Raises :class:`ConsentError` ``consent.missing``, ``.waiting``, ``.refused``, ``.expired``, ``.withdrawn`` or
    ``.scope``, and says so in the audit trail.
    """
    try:
        return _mandate(project, act)
    except ConsentError as error:
        remember(error, actor)
        raise


def _mandate(project: Project, act: Act) -> Mandate:
    both_live = Mandate.objects.filter(alive("consent_a__"), alive("consent_b__"), project=project)
    found = both_live.select_related("consent_a", "consent_b").order_by("-created_at").first()
    mandate = found or _new_mandate(project, act)
    purpose = PURPOSES.get(act)
    for consent in (mandate.consent_a, mandate.consent_b):
        if purpose is not None and purpose not in consent.purposes:
            raise ConsentError("consent.scope", _person(project, consent.side), project, act, purpose)
    return mandate


def _new_mandate(project: Project, act: Act) -> Mandate:
    """The first mandate of two live consents."""
    found: dict[str, Any] = {}
    for side in Side.values:
        consent = Consent.objects.filter(alive(), person__project=project, side=side).order_by("-reviewed_at").first()
        if consent is None:
            raise _why_not(project, side, act)
        found[f"consent_{side}"] = consent
    return Mandate.objects.get_or_create(project=project, **found)[0]


def _why_not(project: Project, side: str, act: Act) -> ConsentError:
    newest = Consent.objects.filter(person__project=project, side=side).order_by("-asked_at").first()
    code = _CODES.get(newest.standing, "consent.expired") if newest else "consent.missing"
    return ConsentError(code, _person(project, side), project, act)


def _person(project: Project, side: str) -> Person | None:
    return Person.objects.filter(project=project, side=side).first()


def remember(error: ConsentError, actor: Any = None) -> None:
    """Say in the audit trail that something was refused; once a minute for the same refusal."""
    if error.project is None:
        return
    said = {"act": str(error.act), "code": error.code, "side": error.person.side if error.person else ""}
    who = actor if actor is not None and actor.is_authenticated else None
    lately = AuditEntry.objects.filter(
        project=error.project, verb="consent.refused", actor=who, data=said, at__gt=Now() - _ONCE_IN
    )
    error.entry = lately.first() or record(who, "consent.refused", error.project.team, error.project, **said)


def is_remembered(error: ConsentError) -> bool:
    """Whether the audit trail says so: an entry goes with the transaction that the refusal ended."""
    return error.entry is not None and AuditEntry.objects.filter(pk=error.entry.pk, verb="consent.refused").exists()


# ---- of jobs --------------------------------------------------------------------------------------------------------


def permit(act: Act, *, reserved: Sequence[str] = ()) -> Callable[[Job], UUID | None]:
    """For kinds of jobs that do ``act``: what the ledger asks before a job is queued, begins, or goes on.

    ``reserved``: fields of the job's config that must be unset.
    """

    def ask(job: Job) -> UUID:
        project = _project_of(job, act)
        mandate = require_consent(project, act)
        if job.state != State.RUNNING:  # while it runs its config is fixed
            _keep_to_project(job, project, act, reserved)
        return mandate.pk

    return ask


def _keep_to_project(job: Job, project: Project, act: Act, reserved: Sequence[str]) -> None:
    """Two consents allow what is the project's own, and nobody else's footage, faces or models."""
    config = json.dumps(job.config)
    jobs = {UUID(number) for number in _IN_JOB.findall(config)} - {job.pk}
    elsewhere = set(_IN_PROJECT.findall(config)) - {str(project.pk)}
    own = Mandate.objects.filter(project=project).values("pk")
    chosen = any(job.config.get(name) is not None for name in reserved)
    if elsewhere or chosen or (jobs and Job.objects.filter(pk__in=jobs).exclude(mandate__in=own).exists()):
        error = ConsentError("consent.foreign", None, project, act)
        remember(error)
        raise error


def may_deliver(job: Job, name: FileName, download: bool) -> None:
    """For kinds of jobs: asked before the job's file ``name`` is shown in a page, or leaves the studio (``download``).

    Raises :class:`ConsentError`.
    """
    act = _act_of(kinds.get(job.kind), name.role, download)
    _mandate(_project_of(job, act), act)


def _act_of(kind: kinds.Kind, role: Role, download: bool) -> Act:
    """Return what it is to hand out such a file: what a page shows is watched in the studio, all else leaves it."""
    watched = role in _WATCHED
    if role == Role.CHECKPOINT or (watched and download and kind.shows != Shows.REAL):
        return Act.DELIVER
    if kind.makes != Makes.NOTHING and role != Role.LOG:
        return Act.WATCH if watched else Act.DELIVER
    return Act.WATCH if watched and kind.shows == Shows.RESULT else Act.PREVIEW


def _project_of(job: Job, act: Act) -> Project:
    found = Mandate.objects.select_related("project__team").filter(pk=job.mandate).first() if job.mandate else None
    if found is None:
        raise ConsentError("consent.no_mandate", act=act)
    return found.project
