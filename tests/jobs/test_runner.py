"""One job by one runner, with real bodies: every way in which work can end."""

from __future__ import annotations

import pytest

from faceengine.jobs.models import Job, Slot
from faceengine.jobs.states import State
from tests.jobs.conftest import run_next, submit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("act")]


def codes(job: Job) -> list[str]:
    return [data["code"] for data in job.events.filter(kind="message").values_list("data", flat=True)]


def test_work_is_done_and_told(slot: Slot) -> None:
    submit(steps=3)
    job = run_next(slot)
    assert (job.state, job.result) == (State.DONE, {"path": "counted.txt", "steps": 3, "stopped": False})
    assert job.checkpoint == {"iteration": 3, "path": "state.json", "attempt": 1}
    assert [event.seq for event in job.events.all()] == list(range(1, job.last_seq + 1))
