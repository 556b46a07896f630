"""Consents for tests: people who have agreed, or have got some way towards it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.web.pdfs import signed_pdf
from webapp.accounts.models import User
from webapp.accounts.proofs import prove_by_mail
from webapp.accounts.services import found_team
from webapp.consent import reviewing, services
from webapp.consent.evidence import keep
from webapp.consent.models import Consent, Mandate, Way
from webapp.projects.models import Person, Project
from webapp.projects.services import create_project, record

STANDINGS = ("none", "asked", "waiting", "live", "refused", "expired", "withdrawn")


def reviewer() -> User:
    """Somebody who accepts consents, and has no part in anything else."""
    return User.objects.get_or_create(email="reviews-consents@example.org")[0]


def consent_of(person: Person, standing: str = "live", **fields: Any) -> Consent | None:
    """A consent of ``person`` that stands there; ``None`` for ``none``. A question that was still open goes."""
    if standing == "none":
        return None
    now = timezone.now()
    known: dict[str, Any] = {"project_number": person.project_id, "side": person.side, "name": str(person)}
    if standing != "asked":
        known |= {"way": Way.UPLOAD, "given_at": now}
    if standing not in ("asked", "waiting"):
        known |= {"reviewed_by": reviewer(), "reviewed_at": now, "accepted": standing != "refused"}
        known |= {"expires_at": now + timedelta(days=-1 if standing == "expired" else 300)}
    if standing == "withdrawn":
        known |= {"withdrawn_at": now}
    if standing in ("asked", "waiting"):
        Consent.objects.filter(person=person, accepted=None, withdrawn_at=None).delete()
    return Consent.objects.create(person=person, **known | fields)


def consented(project: Project) -> Project:
    """The project, whose people both have agreed."""
    for person in project.people.all():
        consent_of(person)
    return project


def any_mandate(owner: User | None = None) -> UUID:
    """What a job names that belongs to nothing else: the consents of a project made for it."""
    owner = owner or reviewer()
    project = Project.objects.filter(name="Work of its own", created_by=owner).first()
    project = project or create_project(owner, found_team(owner, "Team of its own"), "Work of its own")
    return mandate_of(project).pk


def mandate_of(project: Project) -> Mandate:
    """What jobs of the project name; its people agree if they haven't yet."""
    if not Consent.objects.filter(person__project=project).exists():
        consented(project)
    consents: dict[str, Any] = {f"consent_{one.side}": one for one in Consent.objects.filter(person__project=project)}
    return Mandate.objects.get_or_create(project=project, **consents)[0]


def with_document(consent: Consent) -> Consent:
    """The consent, for which the person has sent a signed document."""
    keep(consent, SimpleUploadedFile("signed.pdf", signed_pdf()), Way.PDF)
    return consent


def look_at(consent: Consent, reviewer: User) -> None:
    """The reviewer opens all that was sent."""
    assert consent.person is not None
    project = consent.person.project
    for kept in consent.evidence.exclude(file=""):
        record(reviewer, reviewing.SEEN, project.team, project, side=consent.side, **reviewing.seen_version(kept))


def reviewed(consent: Consent, reviewer: User, *, accept: bool = True, why: str = "") -> None:
    """A second person, whose address is proven, looks at what was sent and decides."""
    prove_by_mail(reviewer)
    look_at(consent, reviewer)
    services.review(consent, reviewer, accept, why)
