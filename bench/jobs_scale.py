"""What 10,000 queued jobs cost beside 100: the claim of the next one, and the page that lists them.

Twice as many are queued: half are nobody's team's, which whoever runs the installation sees, half are two teams', which
a member of both sees. So the page of each lists 100 jobs, and then 10,000.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bench.jobs import Figure, report
from bench.jobs_studio import open_studio

FEW, MANY = 100, 10_000
"""Jobs that each of the two sees."""
ROUNDS = 30
TARGET = 1.5
TEAMS = (None, 101, None, 102)
"""Whose the jobs are, one after the other."""


def main() -> None:
    open_studio()
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.urls import reverse

    from faceengine.jobs.models import Slot

    slot = Slot.objects.create(host="bench", name="gpu0", kind="gpu", pid=os.getpid())
    owner = get_user_model().objects.create(email="bench@localhost", is_staff=True)
    browser = Client(headers={"host": "localhost"})
    browser.force_login(owner)
    member = Client(headers={"host": "localhost"})
    member.force_login(member_of([team for team in TEAMS if team]))

    found: dict[int, tuple[float, ...]] = {}
    queued = 0
    for count in (FEW, MANY):
        queue(2 * count - queued, owner)
        queued = 2 * count
        page = reverse("jobs:list")
        found[count] = median(claims(slot)), *(median(pages(one, page)) for one in (browser, member))
    report(
        [
            _figure(f"{what} with {MANY:,} queued jobs beside {FEW}", found[MANY][index], found[FEW][index])
            for index, what in enumerate(("claim", "jobs page", "jobs page of a member"))
        ]
    )


def member_of(teams: Sequence[int]) -> Any:
    """Somebody of those teams."""
    from django.contrib.auth import get_user_model

    from webapp.accounts.models import Membership, Team

    found = get_user_model().objects.create(email="member@localhost")
    for number in teams:
        Membership.objects.create(user=found, team=Team.objects.create(pk=number, name="Bench"), role="editor")
    return found


def queue(count: int, owner: Any) -> None:
    """Make queued jobs of several priorities and kinds of slots, all at once: submitting is not what is measured."""
    from bench.consents import mandate
    from faceengine.jobs.models import Job

    config = {"a": "faces/a", "b": "faces/b"}
    rank, allowed = time.time_ns() // 1000, mandate()
    jobs = [
        Job(kind="train", title=f"run {number}", owner=owner, config=config, priority=number % 3, rank=rank + number,
            slot_kind="cpu" if number % 5 == 0 else "gpu", mandate=allowed, group=TEAMS[number % len(TEAMS)])
        for number in range(count)
    ]  # fmt: skip
    Job.objects.bulk_create(jobs, batch_size=500)


def median(times: Iterable[float]) -> float:
    """Of all times but the first."""
    return statistics.median(list(times)[1:])


def claims(slot: Any) -> Iterator[float]:
    """Seconds of each claim. Each job is ended before the next claim, so that the slot is free."""
    from faceengine.jobs import transitions

    for _ in range(ROUNDS):
        began = time.perf_counter()
        job = transitions.claim(slot)
        yield time.perf_counter() - began
        assert job is not None
        assert transitions.finish(job.id, job.attempt, {}, 0)


def pages(browser: Any, address: str) -> Iterator[float]:
    """Seconds of each request of the page, without a network."""
    for _ in range(ROUNDS):
        began = time.perf_counter()
        assert browser.get(address).status_code == 200
        yield time.perf_counter() - began


def _figure(name: str, many: float, few: float) -> Figure:
    text = f"{1e3 * many:.1f} ms, {1e3 * few:.1f} ms: {many / few:.2f} ×"
    return Figure(name, text, f"≤ {TARGET} ×", many / few <= TARGET)


if __name__ == "__main__":
    main()
