"""``manage.py up``: what it starts, keeps running and stops. Real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from faceengine.jobs.models import Job, Slot
from faceengine.jobs.states import State
from tests.jobs.backends import Stack, kill_tree, state_of, tree
from tests.jobs.servers import answers, free_port, wait_for

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


@pytest.fixture
def port() -> int:
    return free_port()


def up(stack: Stack, port: int, slots: str = "gpu0,cpu") -> subprocess.Popen[bytes]:
    """The studio, once it says that it is ready."""
    process = stack.start("up", "--port", str(port), "--slots", slots)
    wait_for(lambda: f"ready: http://127.0.0.1:{port}/" in stack.output(), 30, "the studio is ready")
    return process


def get(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def test_when_it_says_ready_all_of_it_is(stack: Stack, port: int) -> None:
    up(stack, port)
    health = get(port, "/health")
    assert (health["status"], health["slots"]) == ("ok", {"gpu": 1, "cpu": 1})
    assert stack.wait(stack.count(steps=1), State.DONE).slot is None


def test_no_process_that_stays_has_torch(stack: Stack, port: int) -> None:
    studio = up(stack, port)
    get(port, "/health")
    stack.wait(stack.count(steps=1), State.DONE)
    pids = tree(studio.pid)
    assert len(pids) == 4
    for pid in pids:
        assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_order(stack: Stack, port: int, number: signal.Signals) -> None:
    studio = up(stack, port)
    job = stack.count(steps=1000)
    stack.wait(job, State.RUNNING)
    wait_for(lambda: len(stack.counted(job)) > 2, 10, "some steps are done")
    below = tree(studio.pid)[1:]
    studio.send_signal(number)
    assert studio.wait(10) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in below)
    assert not answers(port)
    stopped = Job.objects.get(pk=job.pk)
    assert (stopped.state, stopped.checkpoint["iteration"]) == (State.QUEUED, len(stack.counted(job)))


def test_when_it_is_killed_nothing_of_it_stays(stack: Stack, port: int) -> None:
    studio = up(stack, port)
    job = stack.count(steps=1000)
    stack.wait(job, State.RUNNING)
    # A job runs from when it is claimed; its body is started a moment later.
    wait_for(lambda: len(tree(studio.pid)) > 4, 10, "the body is there")
    below = tree(studio.pid)[1:]
    studio.kill()
    studio.wait()
    wait_for(lambda: not any(alive(pid) for pid in below), 10, "its processes are gone")
    assert state_of(job) == State.QUEUED


def test_what_dies_is_started_again(stack: Stack, port: int) -> None:
    studio = up(stack, port, "cpu")
    web = next(pid for pid in tree(studio.pid) if b"daphne" in Path(f"/proc/{pid}/cmdline").read_bytes())
    slot = Slot.objects.get().pid
    for pid in (web, slot):
        kill_tree(pid)
    wait_for(lambda: Slot.objects.get().pid != slot and answers(port), 20, "both are back")
    assert get(port, "/health")["status"] == "ok"
    assert "web: killed by SIGKILL; starting it again in 0.5 s" in stack.output()


def test_an_old_database_is_named(stack: Stack, port: int) -> None:
    empty = f"sqlite:///{stack.folder / 'empty.sqlite3'}"
    assert stack.start("up", "--port", str(port), DATABASE_URL=empty).wait(20) == 1
    assert "run `manage.py migrate` first" in stack.output()


def test_a_port_that_is_taken_is_named(stack: Stack, port: int) -> None:
    up(stack, port, "cpu")
    assert stack.start("up", "--port", str(port)).wait(20) == 1
    assert f"127.0.0.1:{port} can't be listened on" in stack.output()


def test_a_slot_that_is_none_is_refused(stack: Stack) -> None:
    assert stack.start("worker", "--slots", "tpu0").wait(20) == 2
    assert "--slots" in stack.output()


def test_submit_queues_and_says_the_id(stack: Stack) -> None:
    config = stack.folder / "config.json"
    config.write_text('{"steps": 7}')
    assert stack.start("submit", "count", str(config), "--title", "Seven", "--priority", "3").wait(20) == 0
    job = Job.objects.get()
    assert (job.title, job.priority, job.config["steps"]) == ("Seven", 3, 7)
    assert stack.output().strip() == str(job.pk)


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("nothing", "{}", "there is no kind of job called 'nothing'"),
        ("count", '{"steps": 0}', "steps"),
        ("count", "[", "the config can't be used"),
    ],
)
def test_submit_says_what_is_wrong(stack: Stack, kind: str, config: str, said: str) -> None:
    path = stack.folder / "config.json"
    path.write_text(config)
    assert stack.start("submit", kind, str(path)).wait(20) == 1
    assert said in stack.output()
    assert not Job.objects.exists()


def alive(pid: int) -> bool:
    """Whether the process lives; who was killed and is not yet buried doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
