"""Bells through a real Redis: news arrive at once, and a Redis that is away costs no more than the next look."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.test import Client
from redis.asyncio import from_url

from faceengine.events import Message
from faceengine.jobs import transitions
from faceengine.jobs.live import bell, tail
from faceengine.jobs.models import Job, Slot
from tests.jobs import servers
from tests.jobs.conftest import submit
from tests.jobs.test_live import events, watching
from webapp.accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("act")]


@pytest.fixture
def redis(settings: Any) -> Iterator[servers.Server]:
    try:
        with servers.redis() as server:
            settings.REDIS_URL = f"redis://127.0.0.1:{server.port}/0"
            yield server
    except servers.MissingServerError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("owner@example.org", "a long password"))
    return client


@pytest.fixture
def job(browser: Client, slot: Slot) -> Job:
    submit("act", owner=User.objects.get())
    claimed = transitions.claim(slot)
    assert claimed is not None
    return claimed


async def _listened_to(redis: servers.Server) -> None:
    """Until the web process has subscribed: a bell before that is found by the next look, which here never comes."""
    async with from_url(f"redis://127.0.0.1:{redis.port}/0") as client, asyncio.timeout(10):
        while not dict(await client.pubsub_numsub(bell.CHANNEL))[bell.CHANNEL.encode()]:
            await asyncio.sleep(0.01)


@database_sync_to_async
def say(job: Job, code: str) -> int:
    transitions.record(job.pk, 1, [Message("info", code, "")])
    job.refresh_from_db()
    return job.last_seq


async def test_a_bell_brings_news_without_waiting_for_the_next_look(
    redis: servers.Server, browser: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "FALLBACK", 3600.0)
    async with watching(browser, job.pk) as socket:
        await events(socket, job.last_seq)
        await _listened_to(redis)
        for code in ("one", "two", "three"):
            last = await say(job, code)
            assert (await events(socket, last))[-1]["data"]["code"] == code


async def test_without_redis_the_ledger_is_looked_at_and_nothing_is_lost(
    redis: servers.Server, browser: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "FALLBACK", 0.2)
    async with watching(browser, job.pk) as socket:
        await events(socket, job.last_seq)
        redis.kill()
        last = await say(job, "meanwhile")
        assert (await events(socket, last))[-1]["data"]["code"] == "meanwhile"
