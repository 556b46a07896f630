"""Live progress: what a socket sends, to whom, and when it ends. The sockets are the real application's."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import transaction
from django.db.models import F
from django.test import Client

from faceengine.jobs.live import tail
from faceengine.jobs.live.consumers import Close
from faceengine.jobs.models import Job, JobEvent
from tests.web.consents import any_mandate
from webapp.accounts.models import User
from webapp.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


def tell(job: Job, kind: str, **data: Any) -> int:
    """One more event of the job; its ``seq``."""
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(last_seq=F("last_seq") + 1)
        job.refresh_from_db(fields=["last_seq"])
        JobEvent.objects.create(job=job, seq=job.last_seq, attempt=1, kind=kind, data=data)
    return job.last_seq


atell = database_sync_to_async(tell)


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner@example.org", "a long password")


@pytest.fixture
def job(owner: User) -> Job:
    return Job.objects.create(kind="train", slot_kind="gpu", owner=owner, mandate=any_mandate(owner))


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@asynccontextmanager
async def watching(
    browser: Client | None, job_id: uuid.UUID, after: int = 0, origin: str = "http://localhost"
) -> AsyncIterator[WebsocketCommunicator]:
    headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
    if browser and "sessionid" in browser.cookies:
        headers.append((b"cookie", f"sessionid={browser.cookies['sessionid'].value}".encode()))
    socket = WebsocketCommunicator(application, f"/ws/jobs/{job_id}/?after={after}", headers)
    accepted, code = await socket.connect(timeout=10)
    socket.refused = None if accepted else code
    try:
        yield socket
    finally:
        await socket.disconnect()


async def events(socket: WebsocketCommunicator, last: int) -> list[dict[str, Any]]:
    """All that the socket sends until the event ``last``."""
    got: list[dict[str, Any]] = []
    while not got or got[-1]["seq"] < last:
        got += json.loads(await socket.receive_from(timeout=10))
    return got


async def close_code(socket: WebsocketCommunicator) -> int:
    message = await socket.receive_output(timeout=10)
    assert message["type"] == "websocket.close"
    # Daphne's library takes nothing else for a number.
    assert type(message["code"]) is int
    return message["code"]


async def test_what_happened_before_is_replayed_and_what_happens_then_follows(browser: Client, job: Job) -> None:
    await atell(job, "losses", iteration=10, values={"a": 1.0}, images_per_second=2.0)
    async with watching(browser, job.pk) as socket:
        assert [event["kind"] for event in await events(socket, 1)] == ["losses"]
        await atell(job, "message", level="info", code="train.begin", text="Begins")
        (event,) = await events(socket, 2)
        assert (event["kind"], event["attempt"], event["data"]["code"]) == ("message", 1, "train.begin")


async def test_who_was_away_gets_only_what_came_after(browser: Client, job: Job) -> None:
    for iteration in range(5):
        await atell(job, "losses", iteration=iteration, values={}, images_per_second=1.0)
    async with watching(browser, job.pk, after=3) as socket:
        assert [event["seq"] for event in await events(socket, 5)] == [4, 5]


async def test_of_progress_only_the_newest_is_sent_and_of_all_else_everything(browser: Client, job: Job) -> None:
    for done in range(40):
        await atell(job, "progress", stage="train", done=done)
        if done % 10 == 0:
            await atell(job, "losses", iteration=done, values={}, images_per_second=1.0)
    async with watching(browser, job.pk) as socket:
        got = await events(socket, job.last_seq)
    assert [event["data"]["iteration"] for event in got if event["kind"] == "losses"] == [0, 10, 20, 30]
    assert [event["data"]["done"] for event in got if event["kind"] == "progress"] == [39]


async def test_a_long_past_comes_in_pages_without_a_gap(browser: Client, job: Job) -> None:
    rows = [JobEvent(job=job, seq=seq, attempt=1, kind="losses", data={"iteration": seq}) for seq in range(1, 1201)]
    await JobEvent.objects.abulk_create(rows)
    await Job.objects.filter(pk=job.pk).aupdate(last_seq=1200)
    async with watching(browser, job.pk) as socket:
        got = await events(socket, 1200)
    assert [event["seq"] for event in got] == list(range(1, 1201))


async def test_at_most_five_messages_a_second(browser: Client, job: Job) -> None:
    async with watching(browser, job.pk) as socket:
        loop = asyncio.get_running_loop()
        begin, messages, last = loop.time(), 0, 0
        await _tell_for(job, seconds=1.5)
        while last < job.last_seq:
            last = json.loads(await socket.receive_from(timeout=10))[-1]["seq"]
            messages += 1
        # One is the page that was read for this watcher alone, and one falls on the begin.
        assert messages <= 5 * (loop.time() - begin) + 2
        assert job.last_seq > messages


async def _tell_for(job: Job, seconds: float) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await atell(job, "losses", iteration=job.last_seq, values={}, images_per_second=1.0)
        await asyncio.sleep(0.02)


async def test_pictures_are_addresses(browser: Client, job: Job) -> None:
    await atell(job, "preview", iteration=300, path="previews/000300 <1>.png")
    async with watching(browser, job.pk) as socket:
        text = await socket.receive_from(timeout=10)
    assert json.loads(text)[0]["data"]["url"] == f"/jobs/{job.pk}/files/previews/000300%20%3C1%3E.png"
    assert "<" not in text


async def test_all_who_watch_get_all(browser: Client, job: Job) -> None:
    sockets = [watching(browser, job.pk) for _ in range(20)]
    opened = [await socket.__aenter__() for socket in sockets]
    await _tell_for(job, seconds=1)
    got = await asyncio.gather(*[events(socket, job.last_seq) for socket in opened])
    assert all([event["seq"] for event in one] == list(range(1, job.last_seq + 1)) for one in got)
    for socket in sockets:
        await socket.__aexit__(None, None, None)


async def test_nothing_is_read_while_nobody_watches(browser: Client, job: Job) -> None:
    last = await atell(job, "progress", stage="train", done=1)
    async with watching(browser, job.pk) as socket:
        await events(socket, last)
        following = tail.tail()._task
        assert following is not None
        assert not following.done()
    await asyncio.wait_for(following, 5)


async def test_strangers_the_signed_out_and_made_up_jobs_are_turned_away(browser: Client, job: Job) -> None:
    stranger = Client()
    user = await User.objects.acreate(email="stranger@example.org")
    await stranger.aforce_login(user)
    for client, job_id, code in [
        (stranger, job.pk, Close.FORBIDDEN),
        (None, job.pk, Close.SIGNED_OUT),
        (browser, uuid.uuid4(), Close.UNKNOWN),
    ]:
        async with watching(client, job_id) as socket:
            assert await close_code(socket) == code


async def test_staff_may_watch(job: Job) -> None:
    staff = Client()
    await staff.aforce_login(await User.objects.acreate(email="staff@example.org", is_staff=True))
    last = await atell(job, "progress", stage="train", done=1)
    async with watching(staff, job.pk) as socket:
        assert len(await events(socket, last)) == 1


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://localhost:9000", "https://localhost", "null"])
async def test_a_page_of_another_site_opens_no_socket(browser: Client, job: Job, origin: str) -> None:
    async with watching(browser, job.pk, origin=origin) as socket:
        assert socket.refused is not None


async def test_other_addresses_have_no_socket(browser: Client) -> None:
    socket = WebsocketCommunicator(application, "/ws/elsewhere/", [(b"origin", b"http://localhost")])
    assert (await socket.connect())[0] is False


async def test_signing_out_ends_the_session_s_sockets_at_once(browser: Client, owner: User, job: Job) -> None:
    other = Client()
    await other.aforce_login(owner)
    async with watching(browser, job.pk) as socket, watching(other, job.pk) as still:
        await database_sync_to_async(browser.post)("/sign-out/")
        assert await close_code(socket) == Close.SIGNED_OUT
        last = await atell(job, "progress", stage="train", done=1)
        assert len(await events(still, last)) == 1


async def test_who_may_no_longer_watch_is_shut_out_at_once(job: Job) -> None:
    staff = Client()
    user = await User.objects.acreate(email="staff@example.org", is_staff=True)
    await staff.aforce_login(user)
    async with watching(staff, job.pk) as socket:
        user.is_staff = False
        await user.asave()
        assert await close_code(socket) == Close.FORBIDDEN


async def test_it_is_asked_again_from_time_to_time(
    browser: Client, owner: User, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceengine.jobs.live.consumers.RECHECK", 0.2)
    async with watching(browser, job.pk) as socket:
        # An update without signals, as another process would make it.
        await User.objects.filter(pk=owner.pk).aupdate(is_active=False)
        assert await close_code(socket) == Close.SIGNED_OUT


async def test_who_talks_is_not_listened_to(browser: Client, job: Job) -> None:
    async with watching(browser, job.pk) as socket:
        await socket.send_to(text_data="x" * 1000)
        assert await close_code(socket) == Close.TALKED


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 5000, "%00", "١"])
async def test_an_after_that_is_no_number_is_zero(browser: Client, job: Job, after: str) -> None:
    last = await atell(job, "progress", stage="train", done=1)
    async with watching(browser, job.pk, after=after) as socket:  # type: ignore[arg-type]
        assert len(await events(socket, last)) == 1


async def test_a_database_that_is_away_for_a_while_loses_nothing(
    browser: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    monkeypatch.setattr(tail, "RETRY", 0.1)
    real, away = tail._lasts, True

    def lasts(job_ids: Any) -> dict[uuid.UUID, int]:
        if away:
            raise OperationalError("the database is away")
        return real(job_ids)

    monkeypatch.setattr(tail, "_lasts", lasts)
    async with watching(browser, job.pk) as socket:
        last = await atell(job, "progress", stage="train", done=1)
        assert await socket.receive_nothing(timeout=0.4)
        away = False
        assert len(await events(socket, last)) == 1
