"""Who may do what, for every role and every verb, and for people outside."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from webapp.accounts.models import Membership, Role, User
from webapp.accounts.services import found_team
from webapp.projects.access import Verb, get_project, may, projects_of
from webapp.projects.models import Project
from webapp.projects.services import create_project

pytestmark = pytest.mark.django_db

MAY = {
    Role.VIEWER: {Verb.VIEW},
    Role.REVIEWER: {Verb.VIEW, Verb.REVIEW},
    Role.EDITOR: {Verb.VIEW, Verb.REVIEW, Verb.EDIT},
    Role.OWNER: {Verb.VIEW, Verb.REVIEW, Verb.EDIT, Verb.MANAGE},
}


@pytest.fixture
def project() -> Project:
    owner = User.objects.create_user("owner@example.org", "a long password")
    return create_project(owner, found_team(owner, "Team"), "Project")


@pytest.fixture
def stranger() -> User:
    user = User.objects.create_user("stranger@example.org", "a long password")
    found_team(user, "Elsewhere")
    return user


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("role", Role.values)
def test_each_role_reaches_its_verbs_and_no_further(project: Project, role: str, verb: Verb) -> None:
    member = User.objects.create_user("member@example.org", "a long password")
    Membership.objects.create(team=project.team, user=member, role=role)
    if verb in MAY[Role(role)]:
        assert get_project(member, project.pk, verb) == project
    else:
        with pytest.raises(PermissionDenied):
            get_project(member, project.pk, verb)


@pytest.mark.parametrize("verb", Verb)
def test_a_stranger_and_an_anonymous_visitor_find_nothing(project: Project, stranger: User, verb: Verb) -> None:
    for user in (stranger, AnonymousUser()):
        assert not may(user, verb, project.team_id)
        with pytest.raises(Http404):
            get_project(user, project.pk, verb)


def test_whoever_runs_the_installation_is_a_stranger_to_a_team_too(project: Project) -> None:
    staff = User.objects.create_superuser("staff@example.org", "a long password")
    with pytest.raises(Http404):
        get_project(staff, project.pk)


def test_a_deactivated_member_finds_nothing(project: Project) -> None:
    owner = project.team.members.get()
    owner.is_active = False
    owner.save()
    assert not may(owner, Verb.VIEW, project.team_id)


def test_a_project_that_is_not_there_is_not_found(stranger: User) -> None:
    with pytest.raises(Http404):
        get_project(stranger, 10**9)


def test_people_see_the_projects_of_their_teams_only(project: Project, stranger: User) -> None:
    owner = project.team.members.get()
    assert list(projects_of(owner)) == [project]
    assert not projects_of(stranger).exists()
