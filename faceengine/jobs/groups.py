"""Groups of people to whom jobs belong. The ledger knows their numbers only; a web app that has groups tells more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from faceengine.jobs.models import Job


@dataclass(frozen=True)
class Place:
    """What a job is a part of, and the address of its page."""

    name: str
    address: str


class Groups:
    """No groups: every job is its owner's alone."""

    def of_job(self, job: Job) -> int | None:  # noqa: ARG002
        """The group of a job that is about to be queued."""
        return None

    def admit(self, job: Job) -> None:
        """Called before ``job`` is queued, in that transaction. Raises :class:`Refused` if its group, or its owner in
        it, has too much already."""

    def check_disk(self, job: Job) -> None:
        """Called while ``job`` runs and writes. Raises :class:`Refused` if its group has no room left."""

    def of_user(self, user: Any) -> Sequence[int]:  # noqa: ARG002
        """The groups whose jobs ``user`` may see."""
        return []

    def places(self, jobs: Sequence[Job]) -> Mapping[UUID, Place]:  # noqa: ARG002
        """By key: of what each of ``jobs`` is a part, where it is of anything. With as many queries for many as for
        one."""
        return {}


_groups = Groups()


def know(groups: Groups) -> None:
    """Have ``groups`` asked from now on."""
    global _groups
    _groups = groups


def known() -> Groups:
    """Who is to be asked."""
    return _groups
