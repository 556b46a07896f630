"""From the last byte to an asset: real jobs, real bodies, every hostile file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import transaction

from faceengine.jobs import runner, transitions
from faceengine.jobs.models import Job, Slot
from faceengine.jobs.states import State
from tests.hostile import photos, videos
from tests.hostile.table import HARMLESS, REFUSED
from tests.hostile.videos import Make
from tests.hostile.watched import Watched
from tests.jobs.conftest import make_slot, run_next
from tests.web.footage import Tus, arriving, client_of, people, project_of, stored, user
from webapp.file_reasons import REASONS
from webapp.projects.models import Person
from webapp.uploads import services
from webapp.uploads.models import Asset, AssetState
from webapp.uploads.quotas import quota

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person() -> Person:
    return project_of(user("owner")).people.get(side="a")


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Watched() as watching:
        yield watching


@pytest.fixture
def slot() -> Slot:
    return make_slot("cpu")


def sent(person: Person, make: Make, folder: Path, address: str = "") -> Asset:
    """The asset of such a file, not looked at yet."""
    folder.mkdir()
    path = make(folder, address)
    owner = person.project.created_by
    Tus(owner, person).upload(path.read_bytes(), path.name)
    return Asset.objects.latest("pk")


def looked_at(asset: Asset, slot: Slot) -> Asset:
    run_next(slot)
    asset.refresh_from_db()
    return asset


# An empty file is refused before anything of it is sent: see test_tus.py.
ALL = {name: (make, code, "") for name, (make, code) in REFUSED.items() if name != "empty"} | {
    name: (make, "", kind) for name, (make, kind) in HARMLESS.items()
}


@pytest.mark.parametrize(("make", "code", "kind"), ALL.values(), ids=ALL)
def test_every_hostile_file_is_refused_or_made_harmless(
    person: Person,
    slot: Slot,
    watched: Watched,
    tmp_path: Path,
    make: Make,
    code: str,
    kind: str,
) -> None:
    asset = looked_at(sent(person, make, tmp_path / "stranger", watched.address), slot)
    assert (asset.code, asset.kind) == (code, kind)
    assert asset.state == (AssetState.REFUSED if code else AssetState.READY)
    assert code == "" or code in REASONS
    assert stored() == {asset.file, asset.poster, asset.filmstrip} - {""}
    assert arriving() == set()
    assert asset.stored == sum(default_storage.size(name) for name in stored())
    assert watched.asked == []
    assert Job.objects.get().attempt == 1


def test_what_becomes_of_a_video(person: Person, slot: Slot, tmp_path: Path) -> None:
    asset = looked_at(sent(person, lambda folder, _: videos.plain(folder), tmp_path / "in"), slot)
    assert (asset.width, asset.height, asset.frames, asset.fps, asset.duration) == (96, 64, 25, 25.0, 1.0)
    assert asset.has_sound
    assert len(asset.sha256) == 64
    assert quota(person.project.team_id).used == asset.stored > 0


def test_the_same_file_is_told_and_not_kept_twice(person: Person, slot: Slot, tmp_path: Path) -> None:
    first = looked_at(sent(person, lambda folder, _: videos.plain(folder), tmp_path / "in"), slot)
    again = looked_at(sent(person, lambda folder, _: videos.plain(folder), tmp_path / "again"), slot)
    assert (again.state, again.code) == (AssetState.REFUSED, "file.duplicate")
    assert stored() == {first.file, first.poster, first.filmstrip}
    other = person.project.people.get(side="b")
    assert (
        looked_at(sent(other, lambda folder, _: videos.plain(folder), tmp_path / "b"), slot).state == AssetState.READY
    )


def test_of_two_copies_looked_at_side_by_side_one_is_kept(person: Person, slot: Slot, tmp_path: Path) -> None:
    make = photos.saved("a.png", "PNG")
    first, second = (sent(person, make, tmp_path / name) for name in ("in", "again"))
    assert looked_at(first, slot).state == AssetState.READY
    assert looked_at(second, slot).code == "file.duplicate"
    assert stored() == {first.file, first.poster}
    assert quota(person.project.team_id).used == first.stored


@pytest.mark.parametrize(("code", "kept"), [("disk.full", True), ("body.killed", False)])
def test_what_is_not_the_files_fault_can_be_tried_again(
    person: Person, slot: Slot, tmp_path: Path, code: str, kept: bool
) -> None:
    asset = sent(person, photos.saved("a.png", "PNG"), tmp_path / "in")
    job = transitions.claim(slot)
    assert job is not None
    transitions.fail(job.id, job.attempt, code, "…")
    asset.refresh_from_db()
    assert (asset.state, asset.code, bool(asset.arrival)) == (AssetState.REFUSED, code, kept)
    assert bool(stored()) == kept
    assert services.retry(asset) == kept
    if kept:
        assert looked_at(asset, slot).state == AssetState.READY
        assert not services.retry(asset)


def test_cancelled_it_waits_for_somebody_to_try_again(person: Person, slot: Slot, tmp_path: Path) -> None:
    asset = sent(person, photos.saved("a.png", "PNG"), tmp_path / "in")
    assert asset.job is not None
    transitions.cancel(asset.job)
    asset.refresh_from_db()
    assert (asset.code, services.retry(asset)) == ("intake.cancelled", True)
    assert looked_at(asset, slot).state == AssetState.READY


def test_deleted_its_files_and_its_job_go(person: Person, slot: Slot, tmp_path: Path) -> None:
    owner = person.project.created_by
    assert owner is not None
    asset = looked_at(sent(person, lambda folder, _: videos.plain(folder), tmp_path / "in"), slot)
    unchecked = sent(person, photos.saved("a.png", "PNG"), tmp_path / "more")
    for one in (asset, unchecked):
        services.delete_asset(owner, one)
    assert stored() == set()
    assert not Job.objects.exists()
    assert not any(path.is_file() for path in Path(default_storage.path("")).rglob("*"))


def test_deleted_while_it_is_looked_at_nothing_comes_back(person: Person, slot: Slot, tmp_path: Path) -> None:
    owner = person.project.created_by
    assert owner is not None
    make = videos.encoded("a.mp4", "-pix_fmt", "yuv420p", picture="testsrc2=size=640x480:rate=25:duration=20")
    asset = sent(person, make, tmp_path / "in")

    def delete() -> None:
        while not Job.objects.filter(state=State.RUNNING).exclude(progress=None).exists():
            threading.Event().wait(0.05)
        services.delete_asset(owner, Asset.objects.get(pk=asset.pk))

    deleting = threading.Thread(target=delete)
    deleting.start()
    runner.run_next(slot, stopping=lambda: False)
    deleting.join()
    assert stored() == set()
    assert not Job.objects.exists()


def test_with_its_project_everything_goes(person: Person, slot: Slot, tmp_path: Path) -> None:
    looked_at(sent(person, photos.saved("a.png", "PNG"), tmp_path / "in"), slot)
    Tus(person.project.created_by, person).create(10)
    with transaction.atomic():
        person.project.delete()
    assert stored() == arriving() == set()
    assert not Job.objects.exists()


def test_who_may_see_and_steer_the_job(person: Person, slot: Slot, tmp_path: Path) -> None:
    asset = sent(person, photos.saved("a.png", "PNG"), tmp_path / "in")
    seen = {"owner": 200, "editor": 200, "reviewer": 200, "viewer": 200, "stranger": 404, "anonymous": 302}
    cancelled = {"owner": 302, "editor": 302, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}
    for name, someone in people(person.project).items():
        client = client_of(someone)
        assert client.get(f"/jobs/{asset.job_id}/").status_code == seen[name], name
        assert client.post(f"/jobs/{asset.job_id}/cancel/").status_code == cancelled[name], name
