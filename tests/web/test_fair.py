"""Turns: bounded, shared among clients and processes, fair to those that wait; and what uses them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, RequestFactory
from PIL import Image

from faceengine.jobs.models import Job
from tests.web.footage import client_of, member
from tests.web.test_verify import begin, left, ours, send, verify
from tests.web.ways import footage
from webapp import clients
from webapp.accounts.models import User
from webapp.api import waiting
from webapp.api.models import ApiToken
from webapp.api.tokens import make_token
from webapp.consent import links, services
from webapp.consent.models import Consent, Mandate
from webapp.fair.cache import SharedCache
from webapp.fair.limits import VERIFY, WAITS
from webapp.fair.turns import BusyError, Turns
from webapp.projects.models import Project
from webapp.provenance import arriving


@pytest.fixture(autouse=True)
def own_turns(settings: Any, tmp_path: Path) -> None:
    settings.TURNS_DIR = tmp_path / "turns"
    settings.VERIFY_DIR = tmp_path / "verify"


# ---- the mechanism ---------------------------------------------------------------------------------------------------


def test_a_client_has_its_share_and_all_have_theirs() -> None:
    turns = Turns("test", at_once=3, each=2)
    with turns.turn("anna"), turns.turn("anna"):
        with pytest.raises(BusyError) as busy, turns.turn("anna"):
            pass
        assert (busy.value.code, busy.value.status) == ("test.often", 429)
        with turns.turn("bert"), pytest.raises(BusyError) as busy, turns.turn("carl"):
            pass
        assert (busy.value.code, busy.value.status) == ("test.busy", 503)
        assert busy.value.retry_after > 0
    assert turns.count() == 0


def test_a_turn_ends_with_its_block_however_that_ends() -> None:
    turns = Turns("test", at_once=1, each=1)
    with pytest.raises(RuntimeError), turns.turn("anna"):
        raise RuntimeError
    with turns.turn("bert"):
        assert turns.count() == turns.count("bert") == 1


def test_whoever_has_fewer_turns_goes_first() -> None:
    """Anna asks for ten, then Bert for one: he waits for one of hers, not for all."""
    turns = Turns("test", at_once=1, each=1, waiting=20, waiting_each=10, patience=30)
    order: list[str] = []
    begun = threading.Event()

    def work(client: str) -> None:
        with turns.turn(client):
            begun.set()
            order.append(client)
            time.sleep(0.1)

    threads = [threading.Thread(target=work, args=("anna",)) for _ in range(5)]
    threads[0].start()
    begun.wait()
    for thread in threads[1:]:
        thread.start()
    time.sleep(0.02)
    late = [threading.Thread(target=work, args=(name,)) for name in ("bert", "carl")]
    for thread in late:
        thread.start()
    for thread in threads + late:
        thread.join()
    assert sorted(order) == ["anna"] * 5 + ["bert", "carl"]
    assert turns.count() == 0


def test_few_may_wait_and_not_for_ever() -> None:
    turns = Turns("test", at_once=1, each=1, waiting=1, waiting_each=1, patience=0.2)
    with turns.turn("anna"):
        begun = time.monotonic()
        with pytest.raises(BusyError), turns.turn("bert"):
            pass
        assert time.monotonic() - begun >= 0.2
    assert turns.count() == 0


def test_processes_share_turns_and_a_dead_one_has_none() -> None:
    turns = Turns("test", at_once=1, each=1)
    code = (
        "import sys, time\nfrom django.conf import settings\n"
        f"settings.configure(TURNS_DIR={str(django_settings.TURNS_DIR)!r})\n"
        "from webapp.fair.turns import Turns\n"
        "with Turns('test', at_once=1, each=1).turn('anna'):\n print('in', flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(BusyError), turns.turn("bert"):
            pass
        other.kill()
        other.wait()
    with turns.turn("bert"):
        pass


def test_what_a_full_disk_left_counts_for_nothing() -> None:
    folder = Path(django_settings.TURNS_DIR)
    folder.mkdir()
    for text in ("", "[{", "[1]", "{}", '[{"client": 1}]'):
        (folder / "test.json").write_text(text)
        with Turns("test", at_once=1, each=1).turn("anna"):
            pass


# ---- who asks --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_whose_key_it_is(settings: Any) -> None:
    settings.PROXIES = 1
    asked = RequestFactory().get("/", headers={"X-Forwarded-For": "203.0.113.7, 2001:db8:1:2:3:4:5:6"})
    assert clients.client_key(asked) == clients.address_key(asked) == "address:2001:db8:1:2::"
    asked.user = User.objects.create_user("anna@example.org", "a long password")
    assert clients.client_key(asked) == f"user:{asked.user.pk}"
    assert clients.current() == "nobody" or clients.current()


# ---- verifying -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_one_client_s_unfinished_files_are_no_one_else_s_trouble() -> None:
    """The attack: begin files until nobody else can."""
    busy = [Client(REMOTE_ADDR="192.0.2.1").post("/verify/parts/") for _ in range(arriving.EACH + 20)]
    assert [answer.status_code for answer in busy] == [201] * arriving.EACH + [429] * 20
    assert busy[-1].json()["code"] == "verify.often"
    assert busy[-1]["Retry-After"]
    other, content = Client(REMOTE_ADDR="192.0.2.2"), ours()
    token = begin(other)
    assert send(other, token, 0, content).status_code == 200
    assert other.post("/verify/", {"token": token}, headers={"Accept": "application/json"}).json()["verdict"] == "ours"


@pytest.mark.django_db
def test_one_client_takes_a_quarter_of_the_space(settings: Any) -> None:
    settings.VERIFY_TOTAL_MB, settings.VERIFY_FILE_MB = 4, 1
    greedy = Client(REMOTE_ADDR="192.0.2.1")
    tokens = [begin(greedy) for _ in range(3)]
    assert send(greedy, tokens[0], 0, bytes(1 << 20)).status_code == 200
    assert send(greedy, tokens[1], 0, b"more").json()["code"] == "verify.often"
    other = Client(REMOTE_ADDR="192.0.2.2")
    assert send(other, begin(other), 0, b"mine").status_code == 200
    for path in left():
        path.unlink()


@pytest.mark.django_db
def test_files_of_which_nothing_came_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    empty, begun = begin(client), begin(client)
    send(client, begun, 0, b"x")
    monkeypatch.setattr(arriving, "KEEP_SECONDS", 3)
    time.sleep(0.5)
    begin(client)
    names = [path.name for path in left()]
    assert begun in names
    assert empty not in names


@pytest.mark.django_db
def test_somebody_who_has_a_turn_waits_and_others_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.provenance.verifying.VERIFY", Turns("verify", at_once=2, each=1))
    with VERIFY.turn("address:127.0.0.1"):
        answer = verify(ours())
        assert (answer.status_code, answer.json()["code"]) == (429, "verify.often")
        assert verify(ours(), client=Client(REMOTE_ADDR="192.0.2.2")).json()["verdict"] == "ours"
        with VERIFY.turn("address:192.0.2.2"):
            answer = verify(ours(), client=Client(REMOTE_ADDR="192.0.2.3"))
            assert (answer.status_code, answer.json()["code"]) == (503, "verify.busy")
            assert answer["Retry-After"]


# ---- waiting for a job -----------------------------------------------------------------------------------------------


def test_a_request_too_many_does_not_wait(project: Project, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LONGEST", 2.0)
    job = footage(project.people.get(side="a")).job
    assert job is not None
    Job.objects.filter(pk=job.pk).update(state="queued")
    headers = {"Authorization": f"Bearer {make_token(owner, 'x')}"}
    held = [WAITS.turn(f"user:{owner.pk}") for _ in range(5)]
    for turn in held:
        turn.__enter__()
    begun = time.monotonic()
    answer = Client().get(f"/api/jobs/{job.pk}?wait=25", headers=headers)
    assert answer.status_code == 200
    assert answer["Retry-After"] == "5"
    for turn in held:
        turn.__exit__(None, None, None)
    first = time.monotonic() - begun
    answer = Client().get(f"/api/jobs/{job.pk}?wait=25", headers=headers)
    assert "Retry-After" not in answer
    assert time.monotonic() - begun - first >= 2.0
    assert WAITS.count() == 0


@pytest.mark.parametrize("lost", ["membership", "token", "account"])
def test_whoever_loses_access_is_told_while_waiting(
    project: Project, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = member(project, "editor")
    job = footage(project.people.get(side="a")).job
    assert job is not None
    Job.objects.filter(pk=job.pk).update(state="queued")
    headers = {"Authorization": f"Bearer {make_token(editor, 'x')}"}

    def lose(_: float) -> None:
        if lost == "membership":
            editor.memberships.all().delete()
        elif lost == "token":
            ApiToken.objects.filter(user=editor).delete()
        else:
            User.objects.filter(pk=editor.pk).update(is_active=False)

    monkeypatch.setattr(waiting.time, "sleep", lose)
    answer = Client().get(f"/api/jobs/{job.pk}?wait=5", headers=headers)
    assert answer.status_code == (404 if lost == "membership" else 401)


# ---- pages that need no account --------------------------------------------------------------------------------------


@pytest.fixture
def token(project: Project, owner: User) -> str:
    person = project.people.get(side="a")
    Mandate.objects.all().delete()
    Consent.objects.filter(person=person).delete()
    return links.make_link(services.ask(person, owner), owner)


def test_wrong_links_shut_nobody_out(token: str) -> None:
    """The attack: with a proxy that nobody declared all visitors have one address."""
    cache.clear()
    wrong = [Client().get("/consent/x/").status_code for _ in range(70)]
    assert wrong[0] == 404
    assert wrong[-1] == 429
    assert Client().get("/consent/withdraw/x/").status_code == 429
    assert Client().get(f"/consent/{token}/").status_code == 200


def test_a_link_has_a_count_for_each_address(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.consent.person_views._LOOKS", 3)
    codes = [Client(REMOTE_ADDR="192.0.2.1").get(f"/consent/{token}/").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert Client(REMOTE_ADDR="192.0.2.2").get(f"/consent/{token}/").status_code == 200


def test_counting_goes_on_while_redis_is_away() -> None:
    away = SharedCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_connect_timeout": 1}})
    away.clear()
    assert away.add("x", 0, 60)
    assert [away.incr("x") for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ValueError, match="y"):
        away.incr("y")


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_pictures_wait_for_their_turn(owner: User, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    content = BytesIO()
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(content, "PNG")
    name = f"{run.job.folder}/previews/000040.png"
    default_storage.save(name, ContentFile(content.getvalue()))
    turns = Turns("pictures", at_once=2, each=1)
    monkeypatch.setattr("webapp.provenance.delivery.PICTURES", turns)
    address = f"/jobs/{run.job_id}/files/previews/000040.png?download"
    assert client_of(owner).get(address).status_code == 200
    with turns.turn(f"user:{owner.pk}"):
        answer = client_of(owner).get(address)
        assert (answer.status_code, answer.json()["code"]) == (429, "pictures.often")
        assert answer["Retry-After"]
    assert turns.count() == 0
