"""``manage.py check`` names what is missing."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from faceengine.jobs import checks
from tests.jobs.servers import free_port


def test_an_installation_as_it_should_be_has_nothing_to_say() -> None:
    assert checks.ffmpeg() + checks.carried_weights() + checks.folders() + checks.broker() == []


def test_a_missing_ffmpeg_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    assert [(error.id, "ffmpeg" in error.msg) for error in checks.ffmpeg()] == [("jobs.E001", True)]


def test_weights_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from faceengine import weights

    monkeypatch.setattr(weights, "_places", lambda _: [])
    found = checks.carried_weights()
    assert {error.id for error in found} == {"jobs.E002"}
    assert any("shape_predictor_68" in error.msg or "dlib-68" in error.msg for error in found)


@pytest.mark.parametrize("name", ["DATA_DIR", "JOBS_SCRATCH_DIR", "MEDIA_ROOT"])
def test_a_folder_that_cannot_be_is_named(settings: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    setattr(settings, name, tmp_path / "file" / "folder")
    (error,) = checks.folders()
    assert (error.id, error.msg.split()[0]) == ("jobs.E003", name)


def test_a_silent_broker_is_a_warning(settings: Any) -> None:
    settings.TASKS_ENGINE = "celery"
    settings.CELERY_BROKER_URL = f"amqp://guest:secret@127.0.0.1:{free_port()}//"
    (warning,) = checks.broker()
    assert warning.id == "jobs.W001"
    assert "secret" not in warning.msg


def test_a_broker_that_answers_is_fine(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.TASKS_ENGINE = "celery"
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        assert checks.broker() == []
