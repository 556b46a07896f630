"""Names are one line of visible text wherever they are set, and a statement never has a word of the team's."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from tests.web.consents import consent_of
from tests.web.footage import client_of
from webapp.accounts.models import Membership, Team, User
from webapp.api.tokens import make_token
from webapp.consent import links, services
from webapp.consent.statements import statement
from webapp.names import NameField, plain_name, validate_name
from webapp.projects.models import Person, Project
from webapp.projects.services import create_project

CLAUSE = "Test\nThis consent is only a rehearsal: nothing is kept and nothing is published.\n"
BAD = [CLAUSE, "a\rb", "a\u2028b", "a\u202eb", "a\u2066b", "a\x00b", "a\x07b", "a\u200bb", "a\u061cb", "a\ue000b"]
GOOD = ["Night Train", "夜车", "قطار", "می‌خواهم", "Ж 1", "👩‍👩‍👧", "é", "O'Neill & Söhne", "«x»"]


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_name(name)
    assert refused.value.code == "name.unseen"
    validate_name(plain_name(name))


@pytest.mark.parametrize("name", GOOD)
def test_names_of_all_scripts(name: str) -> None:
    validate_name(name)
    assert plain_name(name) == name


def named_models() -> list[type[models.Model]]:
    return [one for one in apps.get_models() if isinstance(one._meta._forward_fields_map.get("name"), NameField)]


def test_every_model_that_people_name_is_checked() -> None:
    found = {model.__name__ for model in named_models()}
    assert found == {"Project", "Person", "Team", "Run", "Asset", "Upload", "Consent", "ApiToken"}


@pytest.mark.parametrize("model", named_models())
def test_no_row_is_written_with_what_is_no_name(db: None, model: type[models.Model]) -> None:
    for name in BAD:
        with pytest.raises(ValidationError):
            model._default_manager.create(name=name)
        with pytest.raises(ValidationError):
            model._default_manager.update(name=name)
        with pytest.raises(ValidationError):
            model._default_manager.bulk_create([model(name=name)])
    with pytest.raises(ValidationError) as refused:
        model._default_manager.create(name="x" * 5000)
    assert refused.value.code == "name.long"


@pytest.mark.parametrize("name", BAD[:4])
def test_every_way_to_name_something_answers_kindly(owner: User, project: Project, name: str) -> None:
    client = client_of(owner)
    token = make_token(owner, name)
    headers = {"Authorization": f"Bearer {token}"}
    body = json.dumps({"name": name, "team": project.team_id})
    answer = client.post("/api/projects", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "name.unseen")
    said = {"name": "New", "a": name, "b": "", "team": project.team_id}
    assert "one line of visible text" in client.post("/projects/new/", said).content.decode()
    answer = client.post(f"/projects/{project.pk}/rename/", {"name": name}, follow=True)
    assert "one line of visible text" in answer.content.decode()
    assert client.post("/api/tokens/", {"name": name}).status_code == 200
    project.refresh_from_db()
    assert project.name == "Project"
    assert not Project.objects.filter(name="New").exists()


def team_of(owner: User) -> Team:
    """A team that the user owns: links end with members who left."""
    team = Team.objects.create(name="Team")
    Membership.objects.create(team=team, user=owner, role="owner")
    return team


def test_nobody_agrees_under_a_name_of_two_lines(owner: User) -> None:
    project = create_project(owner, team_of(owner), "Project", a="Anna")
    asked = services.ask(project.people.get(side="a"), owner)
    token = links.make_link(asked, owner)
    said = {"name": CLAUSE, "agreed": "on", "purposes": ["train"], "way": "pdf", "statement": "en"}
    answer = client_of(None).post(f"/consent/{token}/", said)
    assert answer.status_code == 409
    assert "one line of visible text" in answer.content.decode()


def project_named(name: str, team: str = "Studio") -> Project:
    """Written as rows were before they were checked."""
    project = Project(name=name)
    project.team = Team(name=team)
    return project


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("name", [CLAUSE, 'X". This is a rehearsal. "', "{team}", "<p>8. Nothing is kept.</p>", "”x“"])
def test_a_name_stays_a_name_in_the_statement(language: str, name: str) -> None:
    plain, shown = statement(project_named("Night Train"), language), statement(project_named(name), language)
    assert len(shown.paragraphs) == len(plain.paragraphs)
    for before, after in zip(plain.paragraphs, shown.paragraphs, strict=True):
        assert [part.text for part in before if not part.is_name] == [part.text for part in after if not part.is_name]
    names = {part.text for parts in shown.paragraphs for part in parts if part.is_name} - {"Studio"}
    (only,) = names
    assert not set('\n"“”') & set(only)


def test_names_are_marked_on_the_person_s_page(owner: User) -> None:
    project = create_project(owner, team_of(owner), "<b>8.</b> Nothing is kept", a="Anna")
    asked = services.ask(project.people.get(side="a"), owner)
    page = client_of(None).get(f"/consent/{links.make_link(asked, owner)}/").content.decode()
    assert '<bdi class="given-name">&lt;b&gt;8.&lt;/b&gt; Nothing is kept</bdi>' in page


def test_names_from_before_are_cleaned(owner: User, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the migration does it, on rows that were written before anything was checked."""
    person = project.people.get(side="a")
    consent = consent_of(project.people.get(side="b"), "expired")
    assert consent is not None
    with monkeypatch.context() as unchecked:
        unchecked.setattr("webapp.names.validate_name", lambda _name: None)
        Project.objects.filter(pk=project.pk).update(name=CLAUSE)
        Person.objects.filter(pk=person.pk).update(name="\u202e")
        Team.objects.filter(pk=project.team_id).update(name="\u200b")
    clean: Any = import_module("webapp.consent.migrations.0013_plain_names").clean
    clean(apps, None)
    project.refresh_from_db()
    person.refresh_from_db()
    assert project.name == "Test This consent is only a rehearsal: nothing is kept and nothing is published."
    assert person.name == ""
    assert Team.objects.get(pk=project.team_id).name == f"Team {project.team_id}"
