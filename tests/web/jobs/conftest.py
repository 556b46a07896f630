"""People before a job: whoever asked for it, whoever may only watch, whoever runs the studio, strangers, anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from faceengine.jobs import kinds, transitions
from faceengine.jobs.models import Job, Slot
from webapp.accounts.models import User
from webapp.consent.job_groups import own_or_staff

WATCHER = "watcher@example.org"


@pytest.fixture(autouse=True)
def watched_kind() -> Iterator[None]:
    """A kind of job that somebody may watch and not steer."""
    kinds.register(
        kinds.Kind(
            "watched",
            "faceengine.training.train.run",
            "faceengine.training.config.TrainConfig",
            may_watch=lambda user, job: own_or_staff(user, job) or user.email == WATCHER,
            may_steer=own_or_staff,
        )
    )
    yield
    del kinds._KINDS["watched"]


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@example.org", "a long password")


@pytest.fixture
def people(owner: User) -> dict[str, Client]:
    """A browser for each."""
    users = {
        "owner": owner,
        "watcher": User.objects.create_user(WATCHER),
        "staff": User.objects.create_user("staff@example.org", is_staff=True),
        "stranger": User.objects.create_user("stranger@example.org"),
    }
    browsers = {name: Client() for name in users}
    for name, user in users.items():
        browsers[name].force_login(user)
    return browsers | {"anonymous": Client()}


@pytest.fixture
def submit(owner: User) -> Callable[..., Job]:
    def submit(**fields: Any) -> Job:
        config = {"a": "faces/a", "b": "faces/b"}
        return transitions.submit("watched", config, **{"owner": owner, "title": "Anna", **fields})

    return submit


@pytest.fixture
def slot(db: None) -> Slot:
    return Slot.objects.create(host="here", name="gpu0", kind="gpu", pid=1, version="1")


@pytest.fixture
def running(submit: Callable[..., Job], slot: Slot) -> Job:
    submit()
    job = transitions.claim(slot)
    assert job is not None
    return job


@pytest.fixture
def folder(running: Job) -> Path:
    """The folder of the running job's files."""
    path = Path(settings.MEDIA_ROOT, running.folder)
    path.mkdir(parents=True)
    return path
