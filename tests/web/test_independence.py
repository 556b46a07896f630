"""Two accounts that one person may have made are not two pairs of eyes."""

from __future__ import annotations

import pytest

from tests.web.footage import user
from webapp.accounts.independence import independent
from webapp.accounts.models import Introduction, Team, User
from webapp.accounts.proofs import prove_by_mail, remember_inviter, unprove, vouch

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return Team.objects.create(name="Team")


def proven(name: str) -> User:
    made = user(name)
    prove_by_mail(made)
    return made


def code(reviewer: User, asker: User) -> str | None:
    refusal = independent(reviewer, asker)
    assert refusal is None or str(refusal.reason)
    return refusal.code if refusal else None


def test_two_proven_accounts_that_nobody_invited_are_two_people() -> None:
    assert code(proven("reviewer"), proven("asker")) is None


def test_nobody_is_their_own_second_person() -> None:
    asker = proven("asker")
    assert code(asker, asker) == "review.own"


def test_an_account_that_anybody_may_have_made_does_not_count() -> None:
    reviewer, asker = user("reviewer"), proven("asker")
    assert code(reviewer, asker) == "review.unproven"
    vouch(reviewer, None)
    assert code(reviewer, asker) is None
    unprove(reviewer)
    assert code(reviewer, asker) == "review.unproven"


def test_whoever_the_asker_invited_does_not_count_however_far_away(team: Team) -> None:
    asker, between, far = proven("asker"), proven("between"), proven("far")
    remember_inviter(between, asker, team)
    remember_inviter(far, between, team)
    assert code(between, asker) == "review.invited_by_asker"
    assert code(far, asker) == "review.invited_by_asker"
    assert code(asker, far) == "review.invited_asker", "the second account may just as well be the one that asks"


def test_two_accounts_of_one_inviter_do_not_count_as_two(team: Team) -> None:
    boss, one, two = proven("boss"), proven("one"), proven("two")
    for each in (one, two):
        remember_inviter(each, boss, team)
    assert code(one, two) == "review.same_inviter"
    vouch(one, None)
    assert code(one, two) is None
    assert code(one, boss) is None


def test_what_was_before_an_account_that_staff_know_does_not_matter(team: Team) -> None:
    boss, known, guest = proven("boss"), proven("known"), proven("guest")
    remember_inviter(known, boss, team)
    remember_inviter(guest, known, team)
    vouch(known, None)
    assert code(guest, boss) is None
    assert code(guest, known) == "review.invited_by_asker"


def test_staff_do_not_make_themselves_a_second_person(team: Team) -> None:
    staff, other = User.objects.create_superuser("staff@example.org"), User.objects.create_superuser("more@example.org")
    second, third = user("second"), proven("third")
    vouch(second, staff)
    remember_inviter(third, second, team)
    assert code(second, staff) == "review.invited_by_asker"
    assert code(third, staff) == "review.invited_by_asker"
    assert code(staff, second) == "review.invited_asker"
    assert code(second, other) is None
    vouch(second, other)
    assert code(second, staff) is None
    assert code(other, staff) is None


def test_the_line_holds_when_accounts_and_teams_are_gone(team: Team) -> None:
    asker, between, reviewer = proven("asker"), proven("between"), proven("reviewer")
    remember_inviter(between, asker, team)
    remember_inviter(reviewer, between, team)
    between.delete()
    team.delete()
    assert code(reviewer, asker) == "review.invited_by_asker"


def test_invitations_in_a_circle_come_to_an_end(team: Team) -> None:
    one, two, apart = proven("one"), proven("two"), proven("apart")
    remember_inviter(one, two, team)
    remember_inviter(two, one, team)
    remember_inviter(one, one, team)
    assert Introduction.objects.count() == 2
    assert code(one, apart) is None
    assert code(one, two) == "review.invited_by_asker"
