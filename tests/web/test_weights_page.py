"""The page of the networks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from faceengine.fetching import Fetching
from faceengine.files import only_process
from faceengine.weights import WEIGHTS
from tests.web.footage import client_of, user
from webapp.accounts.models import User
from webapp.studio.weights_views import USES

pytestmark = pytest.mark.django_db


def test_everybody_who_is_signed_in_sees_what_is_here_and_what_is_missing(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert client_of(None).get("/weights/").status_code == 302
    page = client_of(user("anna")).get("/weights/").content.decode()
    for name, weight in WEIGHTS.items():
        assert name in page
        assert weight.sha256[:12] in page
    assert page.count(">available<") == 5
    assert page.count(">missing<") == 2


def test_every_network_has_its_words() -> None:
    assert set(USES) == set(WEIGHTS)


def test_it_needs_no_torch() -> None:
    code = (
        "import faceengine.weights as w, sys; [w.find(name) for name in w.WEIGHTS]; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- the download ------------------------------------------------------------------------------------------------------

FETCH = "/weights/fetch/"


@pytest.fixture
def online(monkeypatch: Any, tmp_path: Path) -> None:
    """An installation that may fetch, from a mirror that is not there."""
    monkeypatch.setenv("FETCH_WEIGHTS", "1")
    monkeypatch.setenv("FACEENGINE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("FACEENGINE_WEIGHTS_MIRROR", "http://127.0.0.1:9")


def staff() -> Any:
    return client_of(User.objects.create_user("root@example.org", "x", is_staff=True))


@pytest.mark.usefixtures("online")
def test_only_who_runs_the_installation_has_the_button() -> None:
    assert FETCH in staff().get("/weights/").content.decode()
    member = client_of(user("anna"))
    assert FETCH not in member.get("/weights/").content.decode()
    assert member.post(FETCH).status_code == 403
    assert client_of(None).post(FETCH).status_code == 302
    assert client_of(User.objects.get(is_staff=True)).get(FETCH).status_code == 405
    assert not Fetching.here().failed


@pytest.mark.usefixtures("online")
def test_the_button_begins_a_download_whose_end_the_page_shows() -> None:
    browser = staff()
    assert browser.post(FETCH).status_code == 302
    until = time.monotonic() + 30
    while (Fetching.here().running or not Fetching.here().failed) and time.monotonic() < until:
        time.sleep(0.1)
    page = browser.get("/weights/")
    assert "Refresh" not in page
    assert page.content.decode().count("The weights can&#x27;t be downloaded") == 2


@pytest.mark.usefixtures("online")
def test_while_it_goes_on_everybody_sees_how_far_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "weights" / ".fetching"
    with only_process(folder):
        known = {"running": True, "name": "fan-2d", "done": 2**20, "total": 2**22, "got": [], "failed": []}
        (folder / "state.json").write_text(json.dumps(known))
        page = client_of(user("anna")).get("/weights/")
        assert page["Refresh"]
        assert 'max="4194304" value="1048576"' in page.content.decode()
        assert FETCH not in staff().get("/weights/").content.decode()


@pytest.mark.usefixtures("online")
def test_switched_off_there_is_no_button_and_nothing_begins(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("FETCH_WEIGHTS", "0")
    browser = staff()
    page = browser.get("/weights/").content.decode()
    assert FETCH not in page
    assert "FETCH_WEIGHTS=0" in page
    assert browser.post(FETCH).status_code == 302
    assert not (tmp_path / "weights").exists()
