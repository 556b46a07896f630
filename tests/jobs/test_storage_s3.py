"""S3 under stress: stores that fail, runners that were given up, files that change while they are sent."""

from __future__ import annotations

import itertools
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceengine.errors import InputError
from faceengine.faceset import FaceSet
from faceengine.jobs.models import Job
from faceengine.jobs.objects import StoreError
from faceengine.jobs.scratch import Place
from faceengine.jobs.workspace import workspace_of
from tests.engine.test_faceset import add
from tests.jobs.stores import BUCKET, Relay, keys, relay, s3, s3_server  # noqa: F401 - fixtures
from tests.jobs.test_workspace import Wants, at_work, job, next_attempt, publish, tree, wanting  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("s3", "wanting")]

MB = 1 << 20


@pytest.fixture(autouse=True)
def another_machine(settings: Any, tmp_path: Path) -> Callable[[], None]:
    """A function after whose call this process works like one on a machine with an empty disk."""

    def move() -> None:
        settings.JOBS_SCRATCH_DIR = tmp_path / f"scratch {time.monotonic_ns()}"

    return move


def files_of(one: Job) -> dict[str, str]:
    return Job.objects.get(id=one.id).files


def test_only_what_changed_is_sent_again(relay: Relay) -> None:  # noqa: F811
    one = job()
    workspace = workspace_of(one, 1)
    folder = at_work(workspace)
    (folder / "same").write_bytes(b"1")
    (folder / "changing").write_bytes(b"1")
    publish(workspace)
    first = files_of(one)
    (folder / "changing").write_bytes(b"12")
    publish(workspace)
    second = files_of(one)
    assert second["same"] == first["same"]
    assert second["changing"] != first["changing"]
    assert relay.count("PUT") == 3


def test_files_are_due_when_none_were_published_for_a_while(settings: Any) -> None:
    settings.JOBS_SAVE_SECONDS = 0.3
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    assert not workspace.due()
    time.sleep(0.3)
    assert workspace.due()
    publish(workspace)
    assert not workspace.due()


def test_what_was_pruned_leaves_the_manifest_and_the_store(s3: Any) -> None:  # noqa: F811
    one = job()
    workspace = workspace_of(one, 1)
    folder = at_work(workspace)
    for number in range(5):
        (folder / f"{number}.safetensors").write_bytes(b"weights")
        if number:
            (folder / f"{number - 1}.safetensors").unlink()
        publish(workspace)
    workspace.clean()
    assert set(files_of(one)) == {"4.safetensors"}
    assert keys(s3, f"{one.folder}/files/") == set(files_of(one).values())


def test_parts_locks_and_side_files_stay_here() -> None:
    one = job()
    workspace = workspace_of(one, 1)
    folder = at_work(workspace)
    for name in (".lock", ".result.part.mp4", "faces.sqlite-wal", ".hidden/file"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    (folder / "result.mp4").write_bytes(b"video")
    publish(workspace)
    assert set(files_of(one)) == {"result.mp4"}


def test_a_face_set_that_is_written_to_is_published_whole(another_machine: Callable[[], None]) -> None:
    one = job()
    workspace = workspace_of(one, 1)
    folder = at_work(workspace)
    enough = threading.Event()

    def extract() -> None:
        with FaceSet.create(folder) as faces:
            numbers = itertools.count()
            while not enough.is_set():
                add(faces, next(numbers))
                time.sleep(0.03)

    extractor = threading.Thread(target=extract)
    extractor.start()
    seen = []
    try:
        for _ in range(4):
            time.sleep(0.2)
            publish(workspace)
            another_machine()
            one.refresh_from_db()
            there = workspace_of(one, 1)
            with FaceSet.open(there.enter()) as faces:
                crops = faces.crops()
                for crop in crops:
                    faces.image(crop.id)
                    faces.masks(crop.id)
                seen.append(len(crops))
    finally:
        enough.set()
        extractor.join()
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1]


def test_a_runner_that_was_given_up_replaces_nothing(another_machine: Callable[[], None], s3: Any) -> None:  # noqa: F811
    one = job()
    zombie = workspace_of(Job.objects.get(id=one.id), 1)
    folder = at_work(zombie)
    (folder / "result.mp4").write_bytes(b"of the first")
    publish(zombie)

    another_machine()
    second = next_attempt(one)
    (at_work(second) / "result.mp4").write_bytes(b"of the second")

    (folder / "result.mp4").write_bytes(b"of the zombie, too late")
    zombie._published = lambda: one.files  # as if it had looked at the ledger just before it was given up
    publish(zombie, final=True)

    publish(second, final=True)
    second.clean()
    manifest = files_of(one)
    assert set(manifest) == {"result.mp4"}
    assert s3.get_object(Bucket=BUCKET, Key=manifest["result.mp4"])["Body"].read() == b"of the second"
    assert keys(s3, f"{one.folder}/files/") == set(manifest.values())


def test_a_runner_that_knows_it_was_given_up_sends_nothing(relay: Relay) -> None:  # noqa: F811
    one = job()
    zombie = workspace_of(Job.objects.get(id=one.id), 1)
    (at_work(zombie) / "result.mp4").write_bytes(b"late")
    next_attempt(one)
    assert zombie.save(final=True) == {}
    assert relay.count("PUT") == 0


def test_a_publishing_that_was_cut_short_leaves_the_earlier_one(another_machine: Callable[[], None], s3: Any) -> None:  # noqa: F811
    one = job()
    first = workspace_of(one, 1)
    folder = at_work(first)
    (folder / "a").write_bytes(b"old a")
    (folder / "b").write_bytes(b"old b")
    publish(first)
    (folder / "a").write_bytes(b"new a, longer")
    (folder / "b").write_bytes(b"new b, longer")
    first.save()  # sent, but the runner died before the ledger knew

    another_machine()
    second = next_attempt(one)
    assert tree(second.enter()) == {"a": b"old a", "b": b"old b"}
    publish(second, final=True)
    second.clean()
    assert keys(s3, f"{one.folder}/files/") == set(files_of(one).values())


def test_a_reader_of_a_run_that_goes_on_gets_its_newer_files_when_the_older_are_gone() -> None:
    maker = workspace_of(job(), 1)
    folder = at_work(maker)
    (folder / "losses.jsonl").write_bytes(b"1")
    publish(maker)
    reader = workspace_of(job(), 1)
    at_work(reader)
    look = reader._objects

    def look_just_before_it_changes(name: str) -> dict[str, tuple[str, str]]:
        found = look(name)
        reader._objects = look
        (folder / "losses.jsonl").write_bytes(b"12")
        publish(maker)
        maker.clean()
        return found

    reader._objects = look_just_before_it_changes
    found = Wants.from_dict(reader.localise({"video": maker.job.folder})).video
    assert tree(found) == {"losses.jsonl": b"12"}


def upload(s3: Any, name: str, data: bytes) -> None:  # noqa: F811
    s3.put_object(Bucket=BUCKET, Key=name, Body=data)


def localised(name: str) -> Path:
    """What a new job on this machine gets for ``name``."""
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    return Wants.from_dict(workspace.localise({"video": name})).video


def test_an_input_is_fetched_once_and_again_when_it_changed(s3: Any, relay: Relay) -> None:  # noqa: F811
    upload(s3, "clip.mp4", b"first")
    assert [localised("clip.mp4").read_bytes() for _ in range(3)] == [b"first"] * 3
    assert relay.count("GET") == 1
    upload(s3, "clip.mp4", b"second")
    assert localised("clip.mp4").read_bytes() == b"second"
    assert relay.count("GET") == 2


def test_the_cache_forgets_what_was_not_used_for_longest(s3: Any, settings: Any) -> None:  # noqa: F811
    settings.JOBS_CACHE_MB = 2
    for name in "abc":
        upload(s3, name, bytes(MB - 1))
    held = localised("a")
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    for name in "bca":
        workspace.localise({"video": name})
        time.sleep(0.01)
    workspace.clean()
    assert sum(path.stat().st_size for path in (settings.JOBS_SCRATCH_DIR / "cache").iterdir()) == 2 * (MB - 1)
    assert held.stat().st_size == MB - 1, "a job that still uses it must keep it"


def test_a_database_that_a_body_writes_to_is_its_own_copy(s3: Any) -> None:  # noqa: F811
    upload(s3, "set/faces.sqlite", b"index")
    (localised("set") / "faces.sqlite").write_bytes(b"changed")
    assert (localised("set") / "faces.sqlite").read_bytes() == b"index"


def test_a_store_that_comes_back_is_waited_for(relay: Relay) -> None:  # noqa: F811
    one = job()
    workspace = workspace_of(one, 1)
    (at_work(workspace) / "result.mp4").write_bytes(b"video")
    relay.down = True
    back = threading.Timer(1.5, lambda: setattr(relay, "down", False))
    back.start()
    publish(workspace)
    assert not back.is_alive()
    assert set(files_of(one)) == {"result.mp4"}


def test_a_store_that_stays_away_is_given_up(settings: Any, relay: Relay) -> None:  # noqa: F811
    settings.JOBS_STORE_PATIENCE = 1
    workspace = workspace_of(job(), 1)
    (at_work(workspace) / "result.mp4").write_bytes(b"video")
    relay.down = True
    began = time.monotonic()
    with pytest.raises(StoreError) as raised:
        workspace.save()
    assert raised.value.code == "store.unreachable"
    assert time.monotonic() - began < 10


def test_whoever_is_told_to_end_does_not_wait_for_the_store(relay: Relay) -> None:  # noqa: F811
    workspace = workspace_of(job(), 1, give_up=lambda: True)
    at_work(workspace)
    relay.down = True
    began = time.monotonic()
    with pytest.raises(StoreError):
        workspace.localise({"video": "clip.mp4"})
    assert time.monotonic() - began < 5


def test_a_connection_cut_in_the_middle_leaves_no_half_file(s3: Any, relay: Relay) -> None:  # noqa: F811
    data = np.random.default_rng(0).bytes(4 * MB)
    upload(s3, "clip.mp4", data)
    relay.cut_after = 2 * MB
    assert localised("clip.mp4").read_bytes() == data
    assert relay.cut_after is None


def test_a_bucket_that_is_not_there_is_not_waited_for(settings: Any) -> None:
    options = settings.STORAGES["default"]["OPTIONS"] | {"bucket_name": "another"}
    settings.STORAGES = settings.STORAGES | {"default": settings.STORAGES["default"] | {"OPTIONS": options}}
    workspace = workspace_of(job(), 1)
    (at_work(workspace) / "result.mp4").write_bytes(b"video")
    with pytest.raises(StoreError) as raised:
        workspace.save()
    assert raised.value.code == "store.refused"


def test_a_full_disk_is_said_to_be_full_and_keeps_no_part(s3: Any, settings: Any) -> None:  # noqa: F811
    upload(s3, "clip.mp4", bytes(3 * MB))
    workspace = workspace_of(job(), 1)
    at_work(workspace)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MB, hard))
    try:
        with pytest.raises(InputError) as raised:
            workspace.localise({"video": "clip.mp4"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert raised.value.code == "disk.full"
    assert list((settings.JOBS_SCRATCH_DIR / "cache").iterdir()) == []


def test_the_folders_of_the_dead_are_removed_and_those_of_the_living_stay(settings: Any) -> None:
    code = (
        "import sys, time; from pathlib import Path; from django.conf import settings;"
        "settings.configure(JOBS_SCRATCH_DIR=Path(sys.argv[1]));"
        "from faceengine.jobs.scratch import Place; place = Place(sys.argv[2]); place.take();"
        "(place.folder / 'file').write_text('x'); print('taken', flush=True); time.sleep(60)"
    )
    people = [
        subprocess.Popen([sys.executable, "-c", code, str(settings.JOBS_SCRATCH_DIR), name], stdout=subprocess.PIPE)
        for name in ("living", "dead")
    ]
    try:
        for person in people:
            assert person.stdout is not None
            assert person.stdout.readline() == b"taken\n"
        people[1].send_signal(signal.SIGKILL)
        people[1].wait()
        third = Place("third")
        third.take()
        attempts = settings.JOBS_SCRATCH_DIR / "attempts"
        assert {path.name for path in attempts.iterdir() if path.is_dir()} == {"living", "third"}
        third.leave()
        assert {path.name for path in attempts.iterdir() if path.is_dir()} == {"living"}
    finally:
        for person in people:
            person.kill()
            person.wait()
            assert person.stdout is not None
            person.stdout.close()
