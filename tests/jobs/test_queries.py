"""What waits says for what it waits, at a cost that does not grow with the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from faceengine.jobs import queries, transitions
from faceengine.jobs.models import PROTOCOL, Job, Slot
from faceengine.jobs.queries import Waiting, waiting_for
from faceengine.jobs.states import State
from tests.jobs.conftest import make_slot, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("act")]


def test_without_a_slot() -> None:
    assert waiting_for(submit()) == Waiting("slot", {"slot_kind": "gpu"})


def test_a_slot_that_was_not_seen_for_long_is_none() -> None:
    make_slot(seen_at=Now() - timedelta(seconds=31))
    make_slot("cpu")
    assert waiting_for(submit()).code == "slot"
    assert [slot.name for slot in queries.live_slots()] == ["cpu"]


def test_behind_others_then_for_a_busy_slot_then_for_nothing(slot: Slot) -> None:
    first, second, third = submit(), submit(), submit(priority=-1)
    assert waiting_for(first).code == "next"
    assert waiting_for(third) == Waiting("ahead", {"count": 2})
    transitions.claim(slot)
    assert waiting_for(second) == Waiting("busy", {"count": 1})
    first.refresh_from_db()
    assert waiting_for(first).code == "nothing"


def test_for_a_newer_version_or_a_kind_that_nobody_knows(slot: Slot) -> None:
    job = submit()
    job.protocol = PROTOCOL + 1
    assert waiting_for(job).code == "version"
    job.kind = "of an app that is gone"
    assert waiting_for(job) == Waiting("kind", {"kind": "of an app that is gone"})


def test_for_its_parts_or_for_people(slot: Slot) -> None:
    submit("acts")
    job = transitions.claim(slot)
    assert job is not None
    transitions.split(job.id, 1, [{"part": 0}, {"part": 1}])
    transitions.finish(transitions.claim(slot).id, 1, {}, 0)  # type: ignore[union-attr]
    job.refresh_from_db()
    assert waiting_for(job) == Waiting("parts", {"done": 1, "total": 2})
    transitions.pause(job)
    job.refresh_from_db()
    assert waiting_for(job).code == "paused"


def test_long_queues_cost_no_more_queries_nor_rows(slot: Slot, django_assert_num_queries: Any) -> None:
    Job.objects.bulk_create(Job(kind="act", slot_kind="gpu", rank=number) for number in range(1000))
    last = Job.objects.filter(state=State.QUEUED).latest("rank")
    with django_assert_num_queries(2):
        assert waiting_for(last) == Waiting("ahead", {"count": queries.MANY})
