"""What a withdrawal takes away: everything that was made of the person, wherever it lies.

Rows go in the transaction of the withdrawal; files right after it. A tombstone stays of each thing: what it was, and
when it went (``webapp.consent.tombstones``).
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import receiver

from faceengine.jobs import transitions
from faceengine.jobs.live import presence
from faceengine.jobs.models import Job
from faceengine.jobs.names import key_of
from faceengine.jobs.rows import jobs_within, models_of_jobs, rows_within
from faceengine.jobs.states import OPEN
from webapp.accounts.models import Membership
from webapp.consent import leftovers
from webapp.consent.errors import ConsentError
from webapp.consent.models import Consent, Mandate, Tombstone
from webapp.consent.tombstones import settle
from webapp.consent.withdrawal import withdrawn
from webapp.projects import audit
from webapp.projects.mentions import Mentions
from webapp.projects.models import Person, Project
from webapp.removal import nameless
from webapp.uploads.models import Asset, Upload


@receiver(withdrawn)
def erase(consent: Consent, person: Person, mentions: Mentions, **_: Any) -> None:
    """Stop what is at work in the person's project, and delete all that was made of the person, and their name."""
    project = person.project
    jobs = _jobs_of(person)
    at_work = leftovers.at_work(jobs)
    _stop(Job.objects.filter(Q(pk__in=jobs) | Q(mandate__in=_mandates(project))))
    _bury(consent, person, jobs, at_work)
    Upload.objects.filter(person=person).delete()
    for rows in _rows_of(person):
        rows.delete()
    ended = list(jobs.values_list("pk", flat=True))
    # What is still dying stays for its runner to find, but says nothing of anybody.
    # What has no group and no owner is shown to nobody (``job_groups.is_erased``).
    unseen: dict[str, Any] = {"owner": None, "group": None, "title": "", "config": {}, "progress": None, "result": None}
    Job.objects.filter(pk__in=at_work).update(**unseen)
    Job.objects.filter(pk__in=ended).exclude(pk__in=at_work).delete()
    Person.objects.filter(pk=person.pk).update(name="")
    nameless.remove_mentions(person, mentions)
    audit.erase_names(person, mentions)
    for member in Membership.objects.filter(team=project.team_id).values_list("user", flat=True):
        presence.recheck(member)  # pages that are open close what they may not show any more
    transaction.on_commit(settle)


def _mandates(project: Project) -> QuerySet[Mandate, Any]:
    return Mandate.objects.filter(project=project).values("pk")


def _jobs_of(person: Person) -> QuerySet[Job]:
    """All of the project's jobs but those that made the other person's footage and faces."""
    ids = _with_parts(jobs_within(person.project) | Q(mandate__in=_mandates(person.project)))
    for other in _others(person):
        ids -= _with_parts(jobs_within(other))
    return Job.objects.filter(pk__in=ids)


def _with_parts(which: Q) -> set[Any]:
    """Return the keys of such jobs and of their parts."""
    found = set(Job.objects.filter(which).values_list("pk", flat=True))
    return found | set(Job.objects.filter(parent__in=found).values_list("pk", flat=True))


def _others(person: Person) -> QuerySet[Person]:
    return Person.objects.filter(project=person.project_id).exclude(pk=person.pk)


def _rows_of(person: Person) -> list[QuerySet[Any]]:
    """Return, for each model of what jobs make, the rows that show the person: all but the other person's own."""
    found = []
    for model, _ in models_of_jobs():
        rows = rows_within(model, person.project)
        for other in _others(person):
            rows = rows.exclude(pk__in=rows_within(model, other).values("pk"))
        found.append(rows)
    return found


def _stop(jobs: QuerySet[Job]) -> None:
    """End all that is open: what runs is killed by its runner within a heartbeat."""
    refusal = ConsentError("consent.withdrawn")
    for job in list(jobs.filter(state__in=OPEN).order_by("-parent")):
        transitions.refuse(job.pk, refusal)


def _bury(consent: Consent, person: Person, jobs: QuerySet[Job], at_work: set[Any]) -> None:
    known = {"consent": consent, "project_number": person.project_id, "side": person.side}
    hashes = dict(Asset.objects.filter(person=person).values_list("job", "sha256"))
    stones = [
        Tombstone(
            kind=job.kind,
            thing=str(job.pk),
            made_at=job.created_at,
            sha256=hashes.get(job.pk, ""),
            folder=job.folder,
            file=key_of(job, path) if (path := str((job.result or {}).get("path", ""))) else "",
            at_work=job.pk in at_work,
            **known,
        )
        for job in jobs
    ]
    for row in chain(Upload.objects.filter(person=person), *_rows_of(person)):
        facts = {"sha256": getattr(row, "sha256", ""), "made_at": getattr(row, "created_at", None)}
        stones.append(Tombstone(kind=_name_of(row), thing=str(row.pk), **facts, **known))
    # Pictures that are made when they are first looked at, and what is arriving: all that is the person's own.
    stones.append(Tombstone(kind="person", thing=str(person.pk), folder=person.folder, at_work=True, **known))
    Tombstone.objects.bulk_create(stones)


def _name_of(row: Any) -> str:
    """Return what a tombstone calls the row: its model's name, unless the model has another one for it."""
    return str(getattr(row, "TOMBSTONE", row._meta.model_name))
