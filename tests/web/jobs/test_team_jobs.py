"""The jobs of a team: every member has them in the lists, whoever began them; nobody else has."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from faceengine.jobs import paging, transitions
from faceengine.jobs.access import jobs_of, may_steer, may_watch
from faceengine.jobs.live.consumers import Close, RefusedError, admit
from faceengine.jobs.models import Job
from faceengine.jobs.shown import slots
from faceengine.jobs.states import State
from tests.web.consents import mandate_of
from tests.web.footage import client_of, member, people, project_of, user
from tests.web.ways import claimed, converted, footage, scored, trained
from webapp.accounts.models import Membership, User
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db
CONFIG = {"a": "faces/a", "b": "faces/b"}


@pytest.fixture
def project() -> Project:
    return project_of(user("owner"))


def begun(project: Project, owner: User | None, title: str = "Their training") -> Job:
    return transitions.submit("train", CONFIG, owner=owner, title=title, mandate=mandate_of(project).pk)


def listed(someone: User | None, address: str = "/jobs/") -> str:
    return client_of(someone).get(address).content.decode()


def test_every_member_sees_what_anybody_of_the_team_began(project: Project) -> None:
    editor = member(project, "editor")
    begun(project, editor)
    ended = begun(project, editor, "An ended one")
    assert transitions.cancel(ended)
    visitors = {name: one for name, one in people_but_editor(project).items() if one is not None}
    for name, one in visitors.items():
        seen = name != "stranger"
        for address in ("/jobs/", "/jobs/queued/gpu/"):
            assert ("Their training" in listed(one, address)) == seen, (name, address)
        assert ("An ended one" in listed(one, "/jobs/ended/cancelled/")) == seen, name


def people_but_editor(project: Project) -> dict[str, User | None]:
    """One of every kind of visitor, where an editor is there already."""
    editor = Membership.objects.get(team=project.team, role="editor")
    User.objects.filter(pk=editor.user_id).update(email="first-editor@example.org")
    return people(project)


def test_a_row_says_who_began_it_and_in_which_project(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(name="Spring <b>")
    job = begun(project, member(project, "editor"))
    viewer = member(project, "viewer")
    for address in ("/jobs/", f"/jobs/{job.pk}/"):
        page = listed(viewer, address)
        assert f'<a href="/projects/{project.pk}/">Spring &lt;b&gt;</a>' in page
        assert "a-editor@example.org" in page


def test_who_runs_the_installation_sees_no_team_s_jobs(project: Project) -> None:
    staff = User.objects.create_user("staff@example.org", is_staff=True)
    job = begun(project, member(project, "editor"))
    assert "Their training" not in listed(staff)
    assert client_of(staff).get(f"/jobs/{job.pk}/").status_code == 404


def test_who_leaves_a_team_leaves_its_jobs_also_the_own_ones(project: Project) -> None:
    editor = member(project, "editor")
    begun(project, editor)
    assert "Their training" in listed(editor)
    Membership.objects.filter(user=editor).delete()
    assert "Their training" not in listed(editor)


def test_lists_pages_files_and_sockets_agree(project: Project) -> None:
    """Whoever has a job in a list may open it and watch it, and nobody else."""
    job = begun(project, member(project, "editor"))
    log = f"/jobs/{job.pk}/logs/1/"
    job.attempts.create(number=1, slot="here/gpu0")
    for name, one in people_but_editor(project).items():
        client = client_of(one)
        has = one is not None and "Their training" in listed(one)
        assert has == (name not in ("stranger", "anonymous")), name
        expected = 302 if one is None else 200 if has else 404
        assert client.get(f"/jobs/{job.pk}/").status_code == expected, name
        assert client.get(log).status_code == expected, name
        if one is not None:
            session = client.session.session_key
            if has:
                assert admit(session, job.pk)[0] == one.pk
            else:
                with pytest.raises(RefusedError) as refused:
                    admit(session, job.pk)
                assert refused.value.close == Close.FORBIDDEN


def test_buttons_are_for_those_whose_role_reaches(project: Project) -> None:
    job = begun(project, None)
    for name, one in people(project).items():
        if one is not None:
            may = name in ("owner", "editor")
            assert may_steer(one, job) == may, name
            assert may_watch(one, job) == (name != "stranger"), name
            assert (f"/jobs/{job.pk}/pause/" in listed(one)) == may, name


def test_several_teams_come_in_one_order(project: Project) -> None:
    owner = User.objects.get(memberships__team=project.team)
    other = project_of(owner)
    third = project_of(user("third"))
    made = [begun([project, other, third][number % 3], None, str(number)) for number in range(12)]
    by_hand = begun(project, owner, "by hand")
    Job.objects.filter(pk=by_hand.pk).update(group=None)
    theirs = [job for number, job in enumerate(made) if number % 3 != 2]
    assert paging.queue(jobs_of(owner), "gpu").jobs == [*theirs, by_hand]
    assert paging.newest(jobs_of(owner), State.QUEUED).jobs == [by_hand, *reversed(theirs)]


def test_pages_of_several_teams_leave_no_gap(project: Project, monkeypatch: Any) -> None:
    owner = User.objects.get(memberships__team=project.team)
    made = [begun(one, None) for _ in range(6) for one in (project, project_of(owner))]
    monkeypatch.setattr(paging, "PAGE", 5)
    found, after = [], ""
    while True:
        page = paging.queue(jobs_of(owner), "gpu", after, size=5)
        found += page.jobs
        if not page.next:
            break
        after = page.next.removeprefix("after=").replace("%7E", "~")
    assert found == sorted(made, key=lambda job: (job.rank, job.pk))


def test_a_list_of_many_teams_is_one_query(project: Project) -> None:
    owner = User.objects.get(memberships__team=project.team)
    for _ in range(12):
        begun(project_of(owner), None)
    lists = jobs_of(owner)
    with CaptureQueriesContext(connection) as queries:
        assert len(paging.newest(lists, State.QUEUED).jobs) == 12
    assert len(queries) == 1


def test_many_slots_at_work_are_one_query_and_say_nothing_of_other_teams(project: Project) -> None:
    owner = User.objects.get(memberships__team=project.team)
    costs = []
    for _ in range(2):
        for one in (project, project_of(user(f"other-{len(costs)}"))):
            claimed(begun(one, None, "Theirs" if one == project else "Not theirs"))
        with CaptureQueriesContext(connection) as queries:
            shown_slots = slots(owner)
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert [(busy, str(job) if job else "") for _, busy, job in shown_slots] == [(True, "Theirs"), (True, "")] * 2


def test_every_list_has_an_index(project: Project) -> None:
    """No list is sorted to show its first page, nor searched for it; asked of the database itself."""
    if connection.vendor != "sqlite":
        pytest.skip("the plan of Postgres depends on how full its tables are")
    owner = User.objects.get(memberships__team=project.team)
    own, team = jobs_of(owner)
    for some, wanted, order, index in (
        (team, {"state": "done"}, ("-created_at", "id"), "jobs_by_group"),
        (own, {"state": "done"}, ("-created_at", "id"), "jobs_by_owner"),
        (team, {"state": "queued", "slot_kind": "gpu"}, ("-priority", "rank", "id"), "jobs_next_of_group"),
    ):
        plan = some.filter(**wanted).order_by(*order).values("pk")[:51].explain()
        assert f"INDEX {index} " in plan, plan
        assert "TEMP B-TREE" not in plan, plan


def test_jobs_from_before_jobs_had_groups(project: Project) -> None:
    footage(project.people.get(side="a"))
    scored(converted(trained(project)))
    parent = Job.objects.get(kind="convert")
    config = parent.config
    part = transitions.submit("convert-segment", config, parent=parent, index=0, mandate=parent.mandate)
    assert part.group == project.team_id
    assert set(Job.objects.values_list("group", flat=True)) == {project.team_id}
    assert Job.objects.count() > 6
    Job.objects.update(group=None)
    say_whose = import_module("webapp.studio.migrations.0003_jobs_of_teams").say_whose
    say_whose(apps, None)
    assert set(Job.objects.values_list("group", flat=True)) == {project.team_id}
