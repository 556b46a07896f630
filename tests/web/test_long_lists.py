"""All of a long list can be seen and deleted; two people of one name are told apart; pages after a form open again."""

from __future__ import annotations

import importlib
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from tests.web.consents import mandate_of
from tests.web.footage import client_of, project_of, user
from webapp.accounts.models import User
from webapp.accounts.services import found_team
from webapp.consent import services
from webapp.projects.models import Person, Project
from webapp.projects.services import create_project
from webapp.studio.models import Run
from webapp.uploads.models import Asset

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html,application/xhtml+xml"}


# ---- pages -----------------------------------------------------------------------------------------------------------


def files(person: Person, count: int, state: str = "ready") -> None:
    Asset.objects.bulk_create(
        Asset(
            person=person,
            name=f"{state}-{number}.png",
            kind="photo",
            size=1,
            stored=1,
            state=state,
            code="x",
            sha256=f"{state}{number}",
        )
        for number in range(count)
    )


def seen(client: Any, url: str) -> tuple[list[str], set[str]]:
    """All assets that the pages show, each as often as it is there; and what the pages say of themselves."""
    found, said = [], set()
    while url:
        page = client.get(url).content.decode()
        found += re.findall(r'<li id="asset-(\d+)"', page)
        said |= set(re.findall(r"\d+ to \d+ of \d+", page))
        following = re.search(r'href="(\?page=\d+)" rel="next"', page)
        url = f"{url.partition('?')[0]}{following[1]}" if following else ""
    return found, said


def test_every_file_of_a_person_can_be_seen_and_deleted(owner: User, project: Project) -> None:
    person = project.people.get(side="a")
    files(person, 540)
    client, url = client_of(owner), f"/projects/{project.pk}/a/footage/"
    found, said = seen(client, url)
    assert len(found) == len(set(found)) == 540
    assert "501 to 540 of 540" in said
    answer = client.post(f"/assets/{found[-1]}/delete/", {"where": "page=6"})
    assert answer["Location"] == f"{url}?page=6"
    assert len(seen(client, url)[0]) == 539
    assert client.post(f"/assets/{found[0]}/delete/", {"where": "page=//elsewhere"})["Location"] == url


def test_refused_files_have_pages_of_their_own(owner: User, project: Project) -> None:
    person = project.people.get(side="a")
    files(person, 130, "refused")
    files(person, 3)
    client, url = client_of(owner), f"/projects/{project.pk}/a/footage/"
    first = client.get(url).content.decode()
    second = client.get(f"{url}?refused=2").content.decode()
    assert "1 to 100 of 130" in first
    assert "101 to 130 of 130" in second
    assert first.count("ready-") > 0
    assert client.get(f"{url}?page=x&refused=999").status_code == 200


def test_every_run_of_a_project_can_be_seen(owner: User, project: Project) -> None:
    from faceengine.jobs.models import Job

    mandate = mandate_of(project).pk
    jobs = [Job(kind="train", slot_kind="gpu", state="done", mandate=mandate, config={}) for _ in range(60)]
    Job.objects.bulk_create(jobs)
    Run.objects.bulk_create(Run(project=project, job=job, name=f"run-{n}") for n, job in enumerate(jobs))
    pages = [client_of(owner).get(f"/projects/{project.pk}/?runs={n}").content.decode() for n in (1, 2)]
    assert [len(set(re.findall(r">(run-\d+)<", page))) for page in pages] == [50, 10]
    assert "51 to 60 of 60" in pages[1]


# ---- names -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def twins(owner: User) -> Project:
    return create_project(owner, found_team(owner, "Team"), "Twins", a="Anna", b="anna")


def test_two_people_of_one_name_are_told_apart(owner: User, twins: Project) -> None:
    assert [str(person) for person in twins.people.all()] == ["Anna (A)", "anna (B)"]
    client = client_of(owner)
    for address in ("/", f"/projects/{twins.pk}/", f"/projects/{twins.pk}/a/consent/"):
        page = client.get(address).content.decode()
        assert "Anna (A)" in page, address
        assert "anna (B)" in page, address
    asked = client.post(f"/projects/{twins.pk}/b/consent/ask/", {"name": "Anna", "purposes": ["train"]})
    assert "Send this link to anna (B)" in asked.content.decode()
    link = re.search(r"http://testserver(/consent/[\w-]+/)", asked.content.decode())[1]  # type: ignore[index]
    assert "This request is for anna (B)" in client.get(link).content.decode()


def test_others_keep_their_names(owner: User) -> None:
    team = found_team(owner, "Team")
    for a, b in (("Anna", "Bruno"), ("", ""), ("Anna", "")):
        people = create_project(owner, team, "One", a=a, b=b).people.all()
        assert not any(person.namesake for person in people)


def test_people_who_are_there_already_are_told_apart(twins: Project) -> None:
    Person.objects.update(namesake=False)
    migration = importlib.import_module("webapp.projects.migrations.0004_person_namesake")
    other = project_of(user("another"))
    migration.mark(apps, SimpleNamespace(connection=connection))
    assert all(person.namesake for person in twins.people.all())
    assert not any(person.namesake for person in other.people.all())


# ---- pages that a form has answered ----------------------------------------------------------------------------------


def test_what_a_form_has_answered_can_be_opened_again(owner: User, twins: Project) -> None:
    client = client_of(owner)
    consent = services.ask(twins.people.get(side="a"), owner)
    person = f"/projects/{twins.pk}/a/consent/"
    for address, above in (
        (f"{person}ask/", person),
        (f"/consents/{consent.pk}/link/", person),
        (f"/teams/{twins.team_id}/invite/", f"/teams/{twins.team_id}/"),
        (f"/projects/{twins.pk}/rename/", f"/projects/{twins.pk}/"),
        ("/theme/", "/"),
        ("/sign-out/", "/"),
    ):
        answer = client.get(address, headers=HTML)
        assert (answer.status_code, answer["Location"]) == (302, above), address
    assert client.get(f"{person}ask/", headers={"Accept": "application/json"}).status_code == 405
    assert client.post("/jobs/", headers=HTML).status_code == 405
