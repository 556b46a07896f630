"""The page of the networks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from faceengine.weights import WEIGHTS
from tests.web.footage import client_of, user
from webapp.studio.weights_views import USES

pytestmark = pytest.mark.django_db


def test_everybody_who_is_signed_in_sees_what_is_here_and_what_is_missing(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert client_of(None).get("/weights/").status_code == 302
    page = client_of(user("anna")).get("/weights/").content.decode()
    for name, weight in WEIGHTS.items():
        assert name in page
        assert weight.sha256[:12] in page
    assert page.count(">here<") == 5
    assert page.count(">missing<") == 2


def test_every_network_has_its_words() -> None:
    assert set(USES) == set(WEIGHTS)


def test_it_needs_no_torch() -> None:
    code = (
        "import faceengine.weights as w, sys; [w.find(name) for name in w.WEIGHTS]; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
