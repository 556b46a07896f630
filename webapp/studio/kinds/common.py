"""What the studio's kinds of jobs have in common: who may see and steer them, consent, marks, and removal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from faceengine.jobs.kinds import Kind
from faceengine.jobs.models import Job
from webapp.consent import references
from webapp.consent.gate import Act, permit
from webapp.consent.job_groups import able, may_with
from webapp.consent.tombstones import gone
from webapp.projects.access import Verb
from webapp.provenance import delivery
from webapp.studio import face_sets


def may_watch(user: Any, job: Job) -> bool:
    """Whether ``user`` may see the job and its files."""
    return may_with(user, Verb.VIEW, job)


def may_steer(user: Any, job: Job) -> bool:
    """Whether ``user`` may pause, cancel and move the job."""
    return may_with(user, Verb.EDIT, job)


def steerable(user: Any, jobs: Sequence[Job]) -> set[UUID]:
    """:func:`may_steer` of many jobs at once."""
    return able(user, Verb.EDIT, jobs)


def studio_kind(
    name: str,
    function: str,
    config_class: str,
    act: Act,
    *,
    compared: bool = False,
    reserved: Sequence[str] = (),
    given: Callable[[Job], dict[str, str]] | None = None,
    **more: Any,
) -> Kind:
    """Return a kind whose jobs belong to a project and need its two consents.

    Args:
        name: the kind's stable name.
        function, config_class: dotted paths, see :class:`Kind`.
        act: what both people must have agreed to.
        compared: whether the job's process gets the faces of the people who agreed, to work with nobody else's.
        reserved: fields of the config that must be unset.
        given: what the job's process is told besides.
        **more: other fields of :class:`Kind`.
    """

    def told(job: Job) -> dict[str, str]:
        return (given(job) if given else {}) | (references.given(job) if compared else {})

    more |= {"permit": delivery.marked(permit(act, reserved=reserved)), "may_deliver": delivery.may_deliver}
    more |= {"prepare": delivery.prepare, "given": told, "on_gone": gone}
    more |= {"steerable": steerable, "before": face_sets.write_verdicts_for}
    return Kind(name, function, config_class, may_watch, may_steer, **more)
