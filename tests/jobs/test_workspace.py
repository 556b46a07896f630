"""A job's files: the same on a folder and on S3."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from faceengine.config import Config, option
from faceengine.errors import ConfigError, EngineError, InputError
from faceengine.jobs import kinds
from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.names import key_of
from faceengine.jobs.workspace import Workspace, delete_files, workspace_of
from tests.jobs.stores import local, relay, s3, s3_server, storage, tree  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage", "wanting")]


@dataclasses.dataclass(frozen=True)
class Inner(Config):
    """A config inside another."""

    mask: Path | None = option(None, help="a file")


@dataclasses.dataclass(frozen=True)
class Wants(Config):
    """Paths in every place where a config may have them."""

    video: Path = option(help="a file or folder")
    more: tuple[Path, ...] = option((), help="files or folders")
    other: Path | None = option(None, help="a file")
    inner: Inner = option(Inner(), help="nested")
    name: str = option("result.mp4", help="no path")


@pytest.fixture
def wanting() -> Iterator[None]:
    """The kind of job that these tests are about."""
    config = f"{__name__}.Wants"
    kinds.register(kinds.Kind("wanting", "nothing", config, lambda *_: True, lambda *_: True))
    yield
    del kinds._KINDS["wanting"]


def job(**fields: Any) -> Job:
    return Job.objects.create(kind="wanting", slot_kind="cpu", attempt=1, **fields)


def put(name: str, data: bytes = b"data") -> str:
    assert default_storage.save(name, ContentFile(data)) == name
    return name


def at_work(workspace: Workspace) -> Path:
    folder = workspace.enter()
    workspace.log_path().write_text("hello\n")
    return folder


def publish(workspace: Workspace, *, final: bool = False) -> None:
    """What a runner does at a checkpoint."""
    Job.objects.filter(id=workspace.job.id, attempt=workspace.attempt).update(files=workspace.save(final=final))


def next_attempt(one: Job) -> Workspace:
    Job.objects.filter(id=one.id).update(attempt=one.attempt + 1)
    one.refresh_from_db()
    return workspace_of(one, one.attempt)


def test_every_name_becomes_a_path_that_holds_what_the_storage_holds() -> None:
    put("projects/1/clip.mp4", b"clip")
    put("projects/1/photos/b/2.png", b"two")
    put("projects/1/photos/1.png", b"one")
    put("projects/1/photos-of-another/3.png", b"three")
    put("mask.png", b"mask")
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    config = Wants(
        Path("projects/1/clip.mp4"), (Path("projects/1/photos"), Path("mask.png")), inner=Inner(Path("mask.png"))
    )
    found = Wants.from_dict(workspace.localise(config.to_dict()))
    assert found.video.is_absolute()
    assert found.video.name == "clip.mp4"
    assert found.video.read_bytes() == b"clip"
    assert tree(found.more[0]) == {"1.png": b"one", "b/2.png": b"two"}
    assert found.more[1].read_bytes() == b"mask"
    assert found.inner.mask is not None
    assert found.inner.mask.read_bytes() == b"mask"
    assert found.other is None
    assert found.name == "result.mp4"


def test_what_was_deleted_is_said_to_be_missing() -> None:
    default_storage.delete(put("clip.mp4"))
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    with pytest.raises(InputError) as raised:
        workspace.localise({"video": "clip.mp4"})
    assert raised.value.code == "asset.missing"
    assert "clip.mp4" in str(raised.value)


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "jobs/../../secret", "a\\b", "a\0b", "."])
def test_a_name_that_leads_out_of_the_storage_is_refused(name: str) -> None:
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    with pytest.raises(EngineError) as raised:
        workspace.localise({"video": name})
    assert raised.value.code == ("config.text" if "\0" in name else "asset.name")


def test_a_bad_config_is_refused_before_anything_is_fetched() -> None:
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    with pytest.raises(ConfigError):
        workspace.localise({"video": "clip.mp4", "colour": "red"})


def test_a_later_attempt_finds_what_earlier_ones_published(settings: Any, tmp_path: Path) -> None:
    one = job()
    first = workspace_of(one, 1)
    folder = at_work(first)
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints/1.safetensors").write_bytes(b"weights")
    (folder / "losses.jsonl").write_text("{}\n")
    publish(first)
    settings.JOBS_SCRATCH_DIR = tmp_path / "another machine"
    second = next_attempt(one)
    files = {name: data for name, data in tree(second.enter()).items() if not name.startswith("logs/")}
    assert files == {"checkpoints/1.safetensors": b"weights", "losses.jsonl": b"{}\n"}


def test_one_jobs_result_is_another_ones_input() -> None:
    maker = workspace_of(job(), 1)
    folder = at_work(maker)
    (folder / "crops").mkdir()
    (folder / "crops/1.png").write_bytes(b"crop")
    (folder / "result.mp4").write_bytes(b"video")
    publish(maker, final=True)
    maker.clean()
    user = workspace_of(job(), 1)
    at_work(user)
    name = maker.job.folder
    found = Wants.from_dict(user.localise({"video": f"{name}/result.mp4", "more": [name, f"{name}/crops"]}))
    assert found.video.read_bytes() == b"video"
    assert {"result.mp4", "crops/1.png"} <= tree(found.more[0]).keys()
    assert tree(found.more[1]) == {"1.png": b"crop"}


def test_a_result_is_read_through_the_storage() -> None:
    workspace = workspace_of(job(), 1)
    (at_work(workspace) / "result.mp4").write_bytes(b"video")
    publish(workspace, final=True)
    workspace.clean()
    one = Job.objects.get(id=workspace.job.id)
    with default_storage.open(key_of(one, "result.mp4")) as file:
        assert file.read() == b"video"


def test_a_log_is_read_through_the_storage() -> None:
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    workspace.publish_log()
    workspace.clean()
    with default_storage.open(Attempt(job=workspace.job, number=1).log) as file:
        assert file.read() == b"hello\n"


def test_deleting_a_jobs_files_leaves_those_of_others() -> None:
    one, other = job(), job()
    for each in (one, other):
        workspace = workspace_of(each, 1)
        (at_work(workspace) / "result.mp4").write_bytes(b"video")
        publish(workspace, final=True)
        workspace.clean()
        each.refresh_from_db()
    put("projects/1/clip.mp4")
    delete_files(one)
    assert not default_storage.exists(key_of(one, "result.mp4"))
    assert not default_storage.exists(Attempt(job=one, number=1).log)
    assert default_storage.exists(key_of(other, "result.mp4"))
    assert default_storage.exists("projects/1/clip.mp4")
