"""Claiming: nothing twice, in order, at a cost that does not grow; what this version can't do is left to others."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from faceengine.jobs import transitions
from faceengine.jobs.models import PROTOCOL, Attempt, Job, Slot
from faceengine.jobs.states import State
from tests.jobs.conftest import make_slot, submit

pytestmark = pytest.mark.usefixtures("act")


@pytest.mark.django_db(transaction=True)
def test_many_who_claim_at_once_get_everything_once_and_in_order() -> None:
    slots = [make_slot(f"gpu{number}") for number in range(6)]
    jobs = [submit(title=str(number)) for number in range(48)]
    together = threading.Barrier(len(slots))

    def work(slot: Slot) -> list[int]:
        try:
            together.wait()
            claimed = []
            while (job := transitions.claim(slot)) is not None:
                claimed.append(int(job.title))
                assert transitions.finish(job.id, job.attempt, {}, 0)
            return claimed
        finally:
            connection.close()

    with ThreadPoolExecutor(len(slots)) as pool:
        claimed = list(pool.map(work, slots))
    assert sorted(itertools.chain(*claimed)) == list(range(len(jobs)))
    assert all(mine == sorted(mine) for mine in claimed)
    assert Attempt.objects.count() == len(jobs)
    assert set(Job.objects.values_list("state", "attempt")) == {(State.DONE, 1)}


@pytest.mark.django_db(transaction=True)
def test_parts_that_end_at_once_while_people_steer_the_whole(slot: Slot) -> None:
    submit("acts")
    whole = transitions.claim(slot)
    assert whole is not None
    assert transitions.split(whole.id, 1, [{"part": number} for number in range(8)])
    parts = [transitions.claim(make_slot(f"gpu{number}")) for number in range(1, 9)]
    together = threading.Barrier(len(parts) + 1)

    def end(part: Job) -> bool:
        try:
            together.wait()
            return transitions.finish(part.id, part.attempt, {}, 0)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(parts)) as pool:
        ended = [pool.submit(end, part) for part in parts if part]
        together.wait()
        for _ in range(3):
            transitions.pause(whole)
            transitions.resume(whole)
        assert all(one.result() for one in ended)
    whole.refresh_from_db()
    assert whole.state == State.QUEUED
    assert set(whole.parts.values_list("state", flat=True)) == {State.DONE}
    assert list(whole.events.values_list("seq", flat=True)) == list(range(1, whole.last_seq + 1))


@pytest.mark.django_db
def test_the_next_job_is_the_first_row_of_an_index() -> None:
    """Whether few or many are queued, nothing is sorted or looked through."""
    Job.objects.bulk_create(
        Job(kind="act", slot_kind="gpu", rank=number, priority=number % 3) for number in range(2000)
    )
    asked: list[tuple[str, Any]] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        assert transitions.claim(make_slot()) is not None
    search = next(query for query in asked if "ORDER BY" in query[0])
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(f"{explain} {search[0]}", search[1])
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert "USING INDEX jobs_next" in plan or "Index Scan using jobs_next" in plan, plan
    assert "TEMP B-TREE" not in plan, plan


@pytest.mark.django_db
def test_what_is_too_new_or_unknown_waits_and_holds_nobody_up(slot: Slot) -> None:
    newer, unknown, plain = submit(title="newer"), submit(title="unknown"), submit(title="plain")
    Job.objects.filter(id=newer.id).update(protocol=PROTOCOL + 1)
    Job.objects.filter(id=unknown.id).update(kind="of an app that is gone")
    claimed = transitions.claim(slot)
    assert claimed == plain
    assert transitions.finish(plain.id, 1, {}, 0)
    assert transitions.claim(slot) is None


@pytest.mark.django_db
def test_a_slot_has_one_job_and_what_its_last_process_left_is_given_back(slot: Slot) -> None:
    first = submit()
    assert transitions.claim(slot) == first
    assert transitions.claim(slot) == first  # by the next process of that slot
    first.refresh_from_db()
    assert (first.attempt, first.failures) == (2, 1)
