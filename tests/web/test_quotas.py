"""What a team may have at once; and that no team shuts out another one, whatever it queues or announces."""

from __future__ import annotations

from typing import Any

import pytest

from faceengine.jobs import disk, transitions
from faceengine.jobs.models import Job, Slot
from faceengine.jobs.permits import Refused
from faceengine.jobs.states import State
from tests.web.consents import consented, mandate_of
from tests.web.footage import Tus, client_of, member, user
from tests.web.ways import footage
from webapp.accounts.models import Membership, User
from webapp.accounts.services import found_team
from webapp.projects.models import Person, Project
from webapp.projects.services import create_project
from webapp.uploads.models import Upload
from webapp.uploads.quotas import quota


@pytest.fixture
def person(project: Project) -> Person:
    return project.people.get(side="a")


@pytest.fixture
def other(db: None) -> Project:
    """A project of another team."""
    someone = user("of-another-team")
    return consented(create_project(someone, found_team(someone, "Another team"), "Another project"))


def job_of(project: Project, title: str = "", **more: Any) -> Job:
    """A job of the team; what it would do is not tried here."""
    more = {"owner": project.created_by, "title": title, "mandate": mandate_of(project).pk} | more
    return transitions.submit("extract", {"inputs": [f"projects/{project.pk}/a/x"]}, **more)


def order() -> list[str]:
    return list(transitions.queue_of("gpu").values_list("title", flat=True))


# ---- jobs ------------------------------------------------------------------------------------------------------------


def test_a_team_and_a_member_have_so_many_jobs(project: Project, owner: User, other: Project, settings: Any) -> None:
    settings.JOBS_TEAM_OPEN, settings.JOBS_MEMBER_OPEN = 3, 2
    editor = member(project, "editor")
    first = job_of(project)
    job_of(project)
    with pytest.raises(Refused) as refused:
        job_of(project)
    assert refused.value.code == "team.member_jobs"
    assert "2 jobs" in refused.value.text
    job_of(project, owner=editor)
    with pytest.raises(Refused) as refused:
        job_of(project, owner=editor)
    assert refused.value.code == "team.jobs"
    job_of(other)  # another team has its own
    assert transitions.cancel(first)
    job_of(project, owner=editor)
    with pytest.raises(Refused):
        transitions.retry(first)
    footage(project.people.get(side="a"))  # checking an upload is not counted with them


def test_a_page_says_why(project: Project, owner: User, settings: Any) -> None:
    settings.JOBS_TEAM_OPEN = 0
    footage(project.people.get(side="a"))
    answer = client_of(owner).post(f"/projects/{project.pk}/a/extract/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "team.jobs")


# ---- disk ------------------------------------------------------------------------------------------------------------


def test_everything_that_jobs_write_counts(project: Project, person: Person, other: Project, settings: Any) -> None:
    settings.TEAM_DISK_MB = 1
    job = job_of(project)
    slot = Slot.objects.create(host="here", name="gpu0", kind="gpu", pid=1, version="1")
    assert transitions.claim(slot) == job
    assert transitions.measured(job.pk, 1, 900_000)
    assert quota(project.team_id).left == (1 << 20) - 900_000
    assert Tus(project.created_by, person).create(600_000).status_code == 413
    job_of(project)
    assert not transitions.measured(job.pk, 1, 2_000_000)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "team.disk")
    with pytest.raises(Refused) as refused:
        job_of(project)
    assert refused.value.code == "team.disk"
    job_of(other)
    job.delete()
    job_of(project)


def test_a_result_that_fills_the_space_is_not_thrown_away(project: Project, settings: Any) -> None:
    settings.TEAM_DISK_MB = 1
    job = job_of(project)
    transitions.claim(Slot.objects.create(host="here", name="gpu0", kind="gpu", pid=1, version="1"))
    assert transitions.measured(job.pk, 1, 2_000_000, at_end=True)
    assert transitions.finish(job.pk, 1, {}, 0)


def test_jobs_that_ended_before_are_measured(project: Project, settings: Any) -> None:
    job = job_of(project)
    folder = settings.MEDIA_ROOT / job.folder / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(bytes(1000))
    transitions.cancel(job)
    assert disk.measure_some() == 1
    job.refresh_from_db()
    assert job.stored == 1000
    assert disk.measure_some() == 0


# ---- turns -----------------------------------------------------------------------------------------------------------


def test_teams_take_turns_however_much_one_has_queued(project: Project, other: Project) -> None:
    """The attack: a hundred jobs before anybody else comes."""
    for number in range(100):
        job_of(project, f"a{number}")
    for number in range(3):
        job_of(other, f"b{number}")
    assert order()[:6] == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert order()[6:9] == ["a3", "a4", "a5"]
    slot = Slot.objects.create(host="here", name="gpu0", kind="gpu", pid=1, version="1")
    taken = [transitions.claim(slot)]
    assert taken[0] is not None
    assert taken[0].title == "a0"


def test_whoever_comes_again_and_again_gets_every_other_turn(project: Project, other: Project) -> None:
    for number in range(4):
        job_of(project, f"a{number}")
    slot = Slot.objects.create(host="here", name="gpu0", kind="gpu", pid=1, version="1")
    order = []
    job_of(other, "b")
    for _ in range(6):
        job = transitions.claim(slot)
        assert job is not None
        order.append(job.title[0])
        transitions.finish(job.pk, job.attempt, {}, 0)
        if not Job.objects.filter(title="b", state="queued").exists():
            job_of(other, "b")
    assert order == ["a", "b", "a", "b", "a", "b"]


def test_a_job_that_is_retried_goes_behind_its_team_s_others(project: Project, other: Project) -> None:
    first = job_of(project, "a0")
    job_of(project, "a1")
    transitions.cancel(first)
    job_of(other, "b0")
    transitions.retry(first)
    assert order() == ["b0", "a1", "a0"]


def test_members_move_their_team_s_jobs_only(project: Project, other: Project, owner: User) -> None:
    """The attack: one's own job before all others', or to the highest priority."""
    b = [job_of(other, f"b{number}") for number in range(3)]
    a = [job_of(project, f"a{number}") for number in range(3)]
    before = order()
    assert before == ["b0", "a0", "b1", "a1", "b2", "a2"]
    browser = client_of(owner)
    browser.post(f"/jobs/{a[2].pk}/front/")
    assert order() == ["b0", "a2", "b1", "a0", "b2", "a1"]
    browser.post(f"/jobs/{a[1].pk}/up/")
    assert order() == ["b0", "a2", "b1", "a1", "b2", "a0"]
    assert browser.post(f"/jobs/{a[1].pk}/raise/").status_code == 403
    assert browser.post(f"/jobs/{b[1].pk}/front/").status_code == 404
    page = browser.get("/jobs/").content.decode()
    assert f"/jobs/{a[0].pk}/front/" in page
    assert f"/jobs/{a[0].pk}/raise/" not in page
    owner.is_staff = True
    owner.save()
    client_of(owner).post(f"/jobs/{a[0].pk}/front/")
    assert order()[0] == "a0"


# ---- uploads ---------------------------------------------------------------------------------------------------------


def test_what_is_announced_shuts_nobody_out(project: Project, person: Person, settings: Any) -> None:
    """The attack: twelve empty uploads that together are the team's space."""
    settings.UPLOADS_TEAM_MB = 8
    tus = Tus(member(project, "editor"), person)
    assert [tus.create(1 << 20).status_code for _ in range(12)] == [201] * 12
    assert Tus(project.created_by, person).create(8 << 20).status_code == 201


def test_owners_see_and_remove_what_members_began(project: Project, person: Person) -> None:
    editor = member(project, "editor")
    second = user("second-editor")
    Membership.objects.create(team=project.team, user=second, role="editor")
    url = Tus(editor, person).create(1 << 20, "theirs.mp4")["Location"]
    Tus(editor, person).patch(url, 0, b"begun")
    room = f"/projects/{project.pk}/a/footage/"
    assert "theirs.mp4" in client_of(project.created_by).get(room).content.decode()
    assert str(editor) in client_of(project.created_by).get(room).content.decode()
    assert "theirs.mp4" not in client_of(second).get(room).content.decode()
    upload = Upload.objects.get()
    assert client_of(second).post(f"/uploads/{upload.pk}/give-up/").status_code == 404
    assert Tus(project.created_by, person).patch(url, 5, b"more").status_code == 404
    assert client_of(project.created_by).post(f"/uploads/{upload.pk}/give-up/").status_code == 302
    assert not Upload.objects.exists()
    assert quota(project.team_id).used == 0


def test_a_member_and_a_team_have_so_many_files_on_their_way(project: Project, person: Person, settings: Any) -> None:
    settings.UPLOADS_MEMBER_OPEN, settings.UPLOADS_TEAM_OPEN = 2, 3
    editor = Tus(member(project, "editor"), person)
    answers = [editor.create(1) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[-1]["Upload-Error"] == "upload.many"
    owner = Tus(project.created_by, person)
    assert [owner.create(1).status_code for _ in range(2)] == [201, 429]
