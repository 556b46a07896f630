"""Every link and token ends with whoever made it: all kinds of them, against everything that should end them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from faceengine.jobs.live.consumers import RefusedError, admit
from tests.web.consents import consent_of
from tests.web.footage import Tus, client_of, member, user
from tests.web.ways import footage
from webapp.accounts.invitations import accept, invite
from webapp.accounts.makers import DEMO_ADDRESS, is_backed
from webapp.accounts.models import Invitation, Membership, Role, User
from webapp.accounts.resets import make_reset_link
from webapp.accounts.services import TeamError, change_role, remove_member
from webapp.api.models import ApiToken
from webapp.api.tokens import make_token
from webapp.consent import links, own_links
from webapp.consent.models import Consent, ConsentLink, LinkKind
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db

Works = Callable[[], bool]
PASSWORD = "a long password"


# ---- kinds of links and tokens: each is made, and gives a way to ask whether it still opens anything -----------------


def invitation(maker: User, project: Project) -> Works:
    """A link into the team."""
    link = f"/invitations/{invite(project.team, 'guest@example.org', Role.OWNER, maker)[1]}/"
    return lambda: Client().get(link).status_code == 200


def to_agree(maker: User, project: Project) -> Works:
    """A link for a person who is asked."""
    token = links.make_link(asked(project), maker)
    return lambda: Client().get(f"/consent/{token}/").status_code == 200


def to_pass_on(maker: User, project: Project) -> Works:
    """A link by which a person gets their own, which the member was shown."""
    token = own_links.pass_on(given(project), maker)
    return lambda: Client().get(f"/consent/own/{token}/").status_code == 200


def own_of_person(maker: User, project: Project) -> Works:
    """A person's own link that was got by a link that the member had: they may have got it themselves."""
    token = own_links.pass_on(given(project), maker)
    own, code = own_links.take(own_links.open_passed_on(token))

    def works() -> bool:
        by_link = [Client().get(f"/consent/withdraw/{own}/{part}").status_code for part in ("", "data.zip")]
        return by_link == [200, 200] and bool(own_links.behind_code(code))

    return works


def api_token(maker: User, project: Project) -> Works:
    """A token that uploads."""
    return uploads(Tus(None, project.people.get(side="a")), make_token(maker, "test"))


def session(maker: User, project: Project) -> Works:
    """A browser that is signed in elsewhere."""
    return uploads(Tus(maker, project.people.get(side="a")))


def begun_upload(maker: User, project: Project) -> Works:
    """The address of an upload that was broken off."""
    tus = Tus(maker, project.people.get(side="a"))
    address = tus.create(100)["Location"]
    return lambda: bool(tus.head(address).status_code == 200)


def socket(maker: User, project: Project) -> Works:
    """A WebSocket, each time that it is asked again whether it may stay open."""
    job = footage(project.people.get(side="a")).job
    assert job is not None
    key = client_of(maker).session.session_key
    assert key is not None

    def works() -> bool:
        try:
            return bool(admit(key, job.pk))
        except RefusedError:
            return False

    return works


def uploads(tus: Tus, token: str = "") -> Works:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return lambda: bool(tus.create(100, **headers).status_code == 201)


def asked(project: Project) -> Consent:
    Consent.objects.filter(person__project=project, person__side="b").delete()
    consent = consent_of(project.people.get(side="b"), "asked")
    assert consent is not None
    return consent


def given(project: Project) -> Consent:
    return Consent.objects.get(person__project=project, person__side="b")


# ---- what should end them --------------------------------------------------------------------------------------------


def removed(maker: User, project: Project) -> None:
    remove_member(Membership.objects.get(user=maker, team=project.team))


def demoted(maker: User, project: Project) -> None:
    change_role(Membership.objects.get(user=maker, team=project.team), Role.VIEWER)


def other_password(maker: User, project: Project) -> None:
    said = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}
    assert client_of(maker).post("/account/password/", said).status_code == 302


def deactivated(maker: User, project: Project) -> None:
    User.objects.filter(pk=maker.pk).update(is_active=False)  # as a script does it, which no signal hears of


KINDS = [invitation, to_agree, to_pass_on, own_of_person, api_token, session, begun_upload, socket]
EVENTS = [removed, demoted, other_password, deactivated]
STAYS = {
    ("own_of_person", "other_password"): "it is the person's, and not by the member's password",
    ("socket", "demoted"): "viewers may watch jobs as well",
}


@pytest.fixture
def maker(project: Project) -> User:
    """An owner beside the first one."""
    return member(project, "owner")


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_ends(maker: User, project: Project, kind: Any, event: Any) -> None:
    works = kind(maker, project)
    assert works()
    event(maker, project)
    assert works() == ((kind.__name__, event.__name__) in STAYS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_ends_with_the_demo(project: Project, settings: Any, kind: Any) -> None:
    settings.DEMO = True
    demo = User.objects.create_user(DEMO_ADDRESS)
    Membership.objects.create(team=project.team, user=demo, role=Role.OWNER)
    works = kind(demo, project)
    assert works()
    settings.DEMO = False
    assert not works()


@pytest.mark.parametrize("kind", [invitation, to_agree, to_pass_on, own_of_person], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("event", [removed, demoted], ids=lambda event: event.__name__)
def test_what_has_ended_does_not_work_again_when_its_maker_is_back(
    maker: User, project: Project, kind: Any, event: Any
) -> None:
    works = kind(maker, project)
    event(maker, project)
    Membership.objects.update_or_create(team=project.team, user=maker, defaults={"role": Role.OWNER})
    assert not works()


def test_a_change_that_leaves_the_right_ends_nothing(maker: User, project: Project) -> None:
    ways = [to_pass_on(maker, project), api_token(maker, project), session(maker, project)]
    change_role(Membership.objects.get(user=maker), Role.EDITOR)
    assert all(works() for works in ways)


def test_a_removed_owner_does_not_come_back_by_their_own_invitation(maker: User, project: Project) -> None:
    token = invite(project.team, "guest@example.org", Role.OWNER, maker)[1]
    own = invite(project.team, maker.email, Role.OWNER, maker)[1]
    browser = client_of(maker)
    removed(maker, project)
    for link in (token, own):
        assert browser.post(f"/invitations/{link}/").status_code == 410
    assert browser.get(f"/teams/{project.team.pk}/").status_code == 404
    assert not Invitation.objects.exists()


def test_an_invitation_is_for_its_address_only(owner: User, project: Project) -> None:
    token = invite(project.team, "Guest@Example.org", Role.OWNER, owner)[1]
    stranger = client_of(user("stranger"))
    for method in (stranger.get, stranger.post):
        answer = method(f"/invitations/{token}/")
        assert answer.status_code == 403
        assert "another e-mail address" in answer.content.decode()
    with pytest.raises(TeamError, match=r"invitation\.other_address"):
        accept(token, User.objects.get(email="stranger@example.org"))
    assert accept(token, user("guest")).role == Role.OWNER


def test_owners_see_who_invited_and_what_still_works(owner: User, maker: User, project: Project) -> None:
    invite(project.team, "guest@example.org", Role.OWNER, maker)
    assert f"invited by {maker.email}" in client_of(owner).get(f"/teams/{project.team.pk}/").content.decode()
    User.objects.filter(pk=maker.pk).update(is_active=False)
    assert "guest@example.org" not in client_of(owner).get(f"/teams/{project.team.pk}/").content.decode()


def test_an_agreement_that_is_on_its_way_ends_with_the_member_who_asked(maker: User, project: Project) -> None:
    link = links.open_link(links.make_link(asked(project), maker))
    User.objects.filter(pk=maker.pk).update(is_active=False)
    with pytest.raises(Exception, match=r"consent\.link_ended"):
        links.use_up(link)


# ---- links by which somebody sets a password -------------------------------------------------------------------------


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("staff@example.org", PASSWORD)


def test_a_reset_link_ends_with_the_member_of_staff_who_made_it(staff: User, owner: User) -> None:
    endings: list[dict[str, Any]] = [{"is_active": False}, {"is_staff": False}, {"password": "!"}]
    for ending in endings:
        link = f"/password/link/{make_reset_link(owner, staff)}/"
        assert Client().get(link).status_code == 200
        before = User.objects.filter(pk=staff.pk).values(*ending).get()
        User.objects.filter(pk=staff.pk).update(**ending)
        assert Client().get(link).status_code == 410, ending
        User.objects.filter(pk=staff.pk).update(**before)


def test_a_reset_link_ends_with_use_with_the_next_one_and_with_a_change(owner: User, staff: User) -> None:
    first, second = (f"/password/link/{make_reset_link(owner, by)}/" for by in (staff, None))
    assert Client().get(first).status_code == 410
    said = {"new_password1": "one more long one", "new_password2": "one more long one"}
    assert Client().post(second, said).status_code == 302
    assert Client().post(second, said).status_code == 410
    third = f"/password/link/{make_reset_link(owner, None)}/"
    owner.refresh_from_db()
    change = {"old_password": "one more long one", "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client_of(owner).post("/account/password/", change).status_code == 302
    assert Client().get(third).status_code == 410


def test_links_are_of_one_kind(maker: User, project: Project) -> None:
    """A token of one kind of link opens no other."""
    token = links.make_link(given(project), maker, LinkKind.OWN)
    assert Client().get(f"/consent/{token}/").status_code == 404
    token = links.make_link(asked(project), maker)
    assert Client().get(f"/consent/own/{token}/").status_code == 404


def test_links_and_tokens_from_before_end_as_new_ones_do(maker: User, project: Project) -> None:
    """The migrations stamp them with the password of today, and tell which own links a member was shown."""
    make_token(maker, "old")
    invite(project.team, "guest@example.org", Role.OWNER, maker)
    answered = consent_of(project.people.get(side="a"), "waiting", asked_by=maker, withdraw_hash="1" * 64)
    handed_in = consent_of(project.people.get(side="b"), "waiting", asked_by=maker, withdraw_hash="2" * 64)
    assert answered is not None
    assert handed_in is not None
    links.make_link(answered, maker)
    for model in (ApiToken, Invitation, ConsentLink):
        model.objects.update(made_with="")
    steps = (
        ("api.migrations.0002_tokens_end", "stamp_all"),
        ("accounts.migrations.0004_links_end_with_their_maker", "stamp_all"),
        ("consent.migrations.0008_links_end_with_their_maker", "stamp_all"),
    )
    for module, name in steps:
        getattr(import_module(f"webapp.{module}"), name)(apps, None)
    for made in (ApiToken.objects.get(), Invitation.objects.get(), ConsentLink.objects.get()):
        assert is_backed(maker, made.made_with)
    ConsentLink.objects.update(used_at=timezone.now())
    Consent.objects.update(passed_on_by=None)
    import_module("webapp.consent.migrations.0008_links_end_with_their_maker").passed_on(apps, None)
    assert list(Consent.objects.exclude(passed_on_by=None).values_list("pk", "passed_on_by")) == [
        (handed_in.pk, maker.pk)
    ]
