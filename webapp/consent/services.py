"""What changes a consent: asked for, given, reviewed, withdrawn."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.dispatch import Signal

from webapp.accounts.models import User
from webapp.consent import reviewing, synthetic
from webapp.consent.errors import ConsentStepError
from webapp.consent.evidence import destroy, forget, forget_refused
from webapp.consent.models import VALID_FOR, Consent, Way, alive, every_purpose
from webapp.consent.withdrawal import mentions_of, withdrawn
from webapp.names import plain_name
from webapp.projects.models import Person, Project
from webapp.projects.services import record

_NOBODY = {"name": "", "email": "", "refused_why": ""}
"""What a consent says of its person in words."""

accepted = Signal()
"""Sent in the transaction of a review that accepted, with ``consent``."""


def live(person: Person) -> Consent | None:
    """The person's live consent, by the database's clock."""
    return Consent.objects.filter(alive(), person=person).order_by("-reviewed_at").first()


@transaction.atomic
def ask(person: Person, by: User, *, purposes: list[str] | None = None, **fields: Any) -> Consent:
    """Ask ``person`` to agree, for ``purposes`` (all unless said). ``fields``: others of :class:`Consent`.

    Raises :class:`ConsentStepError` ``consent.open`` while an earlier question, or answer, is not decided on.
    """
    fields = {"name": person.name, "purposes": every_purpose() if purposes is None else purposes} | fields
    Person.objects.select_for_update().get(pk=person.pk)  # of two who ask at once the second waits, and is refused
    try:
        with transaction.atomic():  # where rows can't be locked, the database's own rule refuses the second
            consent = Consent.objects.create(
                person=person, project_number=person.project_id, side=person.side, asked_by=by, **fields
            )
    except IntegrityError:
        raise ConsentStepError("consent.open") from None
    record(by, "consent.asked", person.project.team, person.project, side=person.side, consent=str(consent.pk))
    return consent


def take_over(consent: Consent, by: User) -> None:
    """From now on ``by`` is who asked: whoever has the person's link or their file can't review what comes of it.

    Raises :class:`ConsentStepError` ``consent.closed`` if it was given, decided or withdrawn already.
    """
    open_ = Consent.objects.filter(pk=consent.pk, given_at=None, accepted=None, withdrawn_at=None)
    _change(open_, consent, "consent.closed", asked_by=by)


@transaction.atomic
def renew(consent: Consent, by: User) -> None:
    """``by`` asks from now on, because they make another link. Raises as :func:`take_over`."""
    take_over(consent, by)
    _record(by, "consent.link_made", consent)


@transaction.atomic
def take_back(consent: Consent, by: User) -> None:
    """Take back a question that nobody has answered, with the name and the address that it named.

    Raises :class:`ConsentStepError` ``consent.closed``.
    """
    take_over(consent, by)  # nobody can answer from here on
    _record(by, "consent.taken_back", consent)
    for kept in consent.evidence.all():  # of an answer that was cut off
        forget(kept)
    consent.delete()


@transaction.atomic
def give(consent: Consent, way: str, **fields: Any) -> None:
    """The person agrees. ``fields``: others of :class:`Consent`, such as the statement's version and hash.

    Raises :class:`ConsentStepError` ``consent.closed`` if it was given, decided or withdrawn already.
    """
    open_ = Consent.objects.filter(pk=consent.pk, given_at=None, accepted=None, withdrawn_at=None)
    _change(open_, consent, "consent.closed", way=way, given_at=Now(), **fields)
    _record(None, "consent.given", consent, way=way)


@transaction.atomic
def review(consent: Consent, reviewer: User, accept: bool, why: str = "") -> None:
    """A second person of the team, who has looked at the evidence, accepts or refuses what was given.

    Raises :class:`ConsentStepError` ``consent.not_given``, ``.no_reason``, ``.closed``, and those of ``reviewing.py``.
    """
    reviewing.require_reviewer(consent, reviewer)
    consent.refresh_from_db()  # it may have been withdrawn since the page was shown
    if consent.given_at is None:
        raise ConsentStepError("consent.not_given")
    if consent.accepted is not None or consent.withdrawn_at is not None:
        raise ConsentStepError("consent.closed")
    reviewing.require_seen(consent, reviewer)
    why = "" if accept else plain_name(why)[:300]
    if not accept and not why:
        raise ConsentStepError("consent.no_reason")
    decided: dict[str, Any] = {"accepted": accept, "refused_why": why}
    decided |= {"expires_at": Now() + VALID_FOR} if accept else {}
    open_ = Consent.objects.filter(pk=consent.pk, accepted=None, withdrawn_at=None).exclude(given_at=None)
    _change(open_, consent, "consent.closed", reviewed_by=reviewer, reviewed_at=Now(), **decided)
    if accept:
        # What the person said last counts: also where it is less than before.
        earlier = Consent.objects.filter(alive(), person=consent.person).exclude(pk=consent.pk)
        earlier.update(expires_at=Now())
    _record(reviewer, "consent.accepted" if accept else "consent.rejected", consent)
    if accept:
        accepted.send(sender=Consent, consent=consent)
    else:
        forget_refused()


@transaction.atomic
def withdraw(consent: Consent) -> bool:
    """The person takes their consent back, at once and for good; whether it was still there to be taken back.

    Whatever else the person has agreed to in the project goes with it, and all that was made of them.
    """
    mentions = mentions_of(consent.person) if consent.person is not None else None
    if not Consent.objects.filter(pk=consent.pk, withdrawn_at=None).update(withdrawn_at=Now(), **_NOBODY):
        return False
    if consent.person is not None and mentions is not None:
        others = Consent.objects.filter(person=consent.person)
        others.filter(withdrawn_at=None).update(withdrawn_at=Now())
        others.update(**_NOBODY)
        if not withdrawn.has_listeners(Consent):
            raise ImproperlyConfigured("nothing deletes what was made of the person: install webapp.removal")
        withdrawn.send(sender=Consent, consent=consent, person=consent.person, mentions=mentions)
        destroy(consent.person)
    consent.refresh_from_db()
    _record(None, "consent.withdrawn", consent)
    return True


def data_taken(consent: Consent) -> None:
    """The person, or whoever has their link, got a copy of what is held: the audit trail says so."""
    _record(None, "consent.data_taken", consent)


@transaction.atomic
def grant_synthetic(project: Project, by: User | None = None) -> list[Consent]:
    """For the demo: both people were made by a computer, and the consents say just that.

    Only the clips in ``synthetic.py`` can then be uploaded. Raises :class:`ConsentStepError` ``consent.not_synthetic``
    if the project has other footage already.
    """
    synthetic.granting.send(sender=Project, project=project)
    granted = []
    for person in project.people.all():
        consent = live(person) or Consent.objects.create(
            person=person,
            project_number=project.pk,
            side=person.side,
            name=person.name,
            way=Way.SYNTHETIC,
            given_at=Now(),
            reviewed_at=Now(),
            accepted=True,
            expires_at=Now() + VALID_FOR,
        )
        granted.append(consent)
        record(by, "consent.synthetic", project.team, project, side=person.side, consent=str(consent.pk))
    return granted


def _change(rows: Any, consent: Consent, otherwise: str, **fields: Any) -> None:
    if not rows.update(**fields):
        raise ConsentStepError(otherwise)
    consent.refresh_from_db()


def _record(actor: User | None, verb: str, consent: Consent, **data: Any) -> None:
    if consent.person is not None:
        project = consent.person.project
        record(actor, verb, project.team, project, side=consent.side, consent=str(consent.pk), **data)
