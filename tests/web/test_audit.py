"""The audit trail's chain: what is changed afterwards is found, whoever changed it; names can go all the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.jobs.backends import _database, _migrated, server  # noqa: F401 - a fixture
from tests.web.consents import consent_of
from tests.web.footage import client_of, people, project_of, user
from webapp.accounts.models import Team, User
from webapp.accounts.services import found_team
from webapp.consent.services import withdraw
from webapp.projects import audit, checks, triggers
from webapp.projects.models import AuditEntry, AuditHead
from webapp.projects.services import record


@pytest.fixture
def owner(db: None) -> User:
    return user("owner")


@pytest.fixture
def team(owner: User) -> Team:
    """A team with ten entries."""
    team = found_team(owner, "Team")
    for number in range(10):
        record(owner, "test.done", team, None, name=f"no. {number}", of=number)
    return team


def by_hand(change: Callable[[], Any]) -> None:
    """Do what somebody may who may do anything to the database."""
    with connection.cursor() as cursor:
        for name, rule in triggers.rules(connection.vendor).items():
            for statement in triggers.removed(connection.vendor, name, rule[0]):
                cursor.execute(statement)
    change()
    triggers.put_in_place("default")


def entry(team: Team, number: int) -> Any:
    return AuditEntry.objects.filter(team=team, number=number)


def codes(team: Team, *known: tuple[int, str]) -> list[tuple[int, str]]:
    return [(found.number, found.code) for found in audit.check(team.pk, known)]


def test_a_chain_begins_at_one_and_holds(team: Team) -> None:
    entries = list(AuditEntry.objects.filter(team=team).order_by("id"))
    assert [one.number for one in entries] == list(range(1, 11))
    assert entries[0].previous == audit.START
    assert [one.previous for one in entries[1:]] == [one.hash for one in entries[:-1]]
    assert AuditHead.objects.get(pk=team.pk).hash == entries[-1].hash
    assert codes(team) == []


# ---- found -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"verb": "test.undone"}, "changed"),
        ({"at": datetime(2020, 1, 1, tzinfo=UTC)}, "changed"),
        ({"at": F("at") + timedelta(microseconds=1000)}, "changed"),
        ({"actor_id": None}, "changed"),
        ({"project_id": 7}, "changed"),
        ({"data": {"name": "another"}}, "data"),
        ({"salt": "0" * 32}, "data"),
        ({"salt": ""}, "data"),
        ({"salt": "", "data": {}}, "erased"),
        ({"commitment": "0" * 64}, "changed"),
        ({"hash": "0" * 64}, "changed"),
    ],
)
def test_a_changed_row_is_found(team: Team, changes: dict[str, Any], code: str) -> None:
    by_hand(lambda: entry(team, 4).update(**changes))
    assert codes(team)[0] == (4, code)


def test_a_row_that_fits_in_itself_does_not_fit_the_next(team: Team) -> None:
    def rewrite() -> None:
        one = entry(team, 4).get()
        one.data = {"name": "another"}
        audit.seal(one, one.previous)
        one.save()

    by_hand(rewrite)
    assert codes(team) == [(5, "previous")]


@pytest.mark.parametrize(("number", "wrong"), [(1, (2, "missing")), (4, (5, "missing")), (10, (9, "end"))])
def test_a_removed_row_is_found(team: Team, number: int, wrong: tuple[int, str]) -> None:
    by_hand(lambda: entry(team, number).delete())
    assert codes(team)[0] == wrong


def test_a_whole_chain_that_is_gone_is_found(team: Team) -> None:
    by_hand(AuditEntry.objects.filter(team=team).delete)
    assert codes(team) == [(0, "end")]


def test_an_inserted_row_is_found(team: Team) -> None:
    def insert(number: int) -> None:
        made = AuditEntry(team=team, verb="test.forged", at=timezone.now(), number=number)
        audit.seal(made, entry(team, number - 1).get().hash)
        made.save()

    insert(11)  # past the head; nothing refuses an entry more
    assert codes(team) == [(11, "end")]
    by_hand(entry(team, 11).delete)

    def squeeze_in() -> None:
        for number in range(10, 4, -1):
            entry(team, number).update(number=number + 1)
        insert(5)
        AuditHead.objects.filter(pk=team.pk).update(number=11)

    by_hand(squeeze_in)
    assert codes(team)[0] == (6, "missing")


def test_rows_that_changed_places_are_found(team: Team) -> None:
    def swap() -> None:
        entry(team, 4).update(number=99)
        entry(team, 5).update(number=4)
        entry(team, 99).update(number=5)

    by_hand(swap)
    assert codes(team)[0][0] in (4, 5)
    assert len(codes(team)) >= 2


def test_a_chain_written_anew_is_found_by_a_head_that_was_noted(team: Team) -> None:
    noted = entry(team, 8).get()

    def anew() -> None:
        previous = audit.START
        for one in AuditEntry.objects.filter(team=team).order_by("number"):
            one.data = {"name": "rewritten"}
            audit.seal(one, previous)
            one.save()
            previous = one.hash
        AuditHead.objects.filter(pk=team.pk).update(hash=previous)

    assert codes(team, (8, noted.hash)) == []
    by_hand(anew)
    assert codes(team) == []
    assert codes(team, (8, noted.hash)) == [(8, "head")]
    assert codes(team, (12, noted.hash)) == [(12, "head")]


def test_a_wrong_clock_is_told_apart_from_a_change(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    real = audit._lock

    def lock_with(hours: int) -> Callable[[int], Any]:
        def lock(team: int) -> Any:
            number, previous, now = real(team)
            return number, previous, now + timedelta(hours=hours)

        return lock

    for hours in (-5, 5):
        monkeypatch.setattr(audit, "_lock", lock_with(hours))
        record(None, "test.done", team)
    assert codes(team) == []
    assert audit.clock_went_back(team.pk) == [11, 12]


# ---- erased ----------------------------------------------------------------------------------------------------------


def test_names_go_and_the_chain_holds(team: Team, owner: User) -> None:
    record(owner, "member.invited", team, None, email="Gone@example.org", role="viewer")
    out = StringIO()
    call_command("audit_erase", "gone@example.org", stdout=out)
    assert out.getvalue() == "Entries erased: 1\n"
    assert "gone@example.org" not in "".join(audit.export(team.pk)).lower()
    assert entry(team, 12).get().data == {"entries": [11], "why": "address"}
    assert codes(team) == []
    assert "invited – as –" in client_of(owner).get(f"/teams/{team.pk}/trail/").content.decode()


def test_a_withdrawal_takes_the_person_s_names_out_of_the_trail(owner: User) -> None:
    project = project_of(owner)
    for side in "ab":
        record(owner, "asset.uploaded", project.team, project, name=f"clip of {side}.mp4", side=side)
    record(owner, "conversion.started", project.team, project, name="clip of a.mp4", run="First")
    consent = consent_of(project.people.get(side="a"))
    assert consent is not None
    withdraw(consent)
    told = "".join(audit.export(project.team.pk))
    assert "clip of a" not in told
    assert "clip of b" in told
    assert codes(project.team) == []


def test_entries_outlive_what_they_tell_of(owner: User) -> None:
    project = project_of(owner)
    team, number = project.team, project.pk
    record(owner, "asset.uploaded", team, project, name="clip.mp4", side="a")
    before = AuditEntry.objects.filter(team=team, project=number).count()
    project.mandates.all().delete()
    project.delete()
    assert AuditEntry.objects.filter(team=team, project_id=number).count() == before
    assert codes(team) == []
    page = client_of(owner).get(f"/teams/{team.pk}/trail/")
    assert "uploaded clip.mp4" in page.content.decode()
    gone = member_gone(team)
    record(gone, "test.done", team)
    gone.delete()
    assert codes(team) == []
    assert client_of(owner).get(f"/teams/{team.pk}/trail/").status_code == 200


def member_gone(team: Team) -> User:
    return User.objects.create_user("leaves@example.org", "a long password")


# ---- commands and page -----------------------------------------------------------------------------------------------


def test_the_command_ends_with_1_and_names_the_first_entry(
    team: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("audit_verify")
    assert "1 chains are unchanged" in capsys.readouterr().out
    call_command("audit_export", str(team.pk))
    kept = tmp_path / "trail.jsonl"
    kept.write_text(capsys.readouterr().out)
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [line["number"] for line in lines[:-1]] == list(range(1, 11))
    assert lines[-1]["head"]["hash"] == lines[-2]["hash"]
    call_command("audit_verify", export=[kept])

    by_hand(lambda: entry(team, 4).update(verb="test.undone"))
    by_hand(lambda: entry(team, 7).update(verb="test.undone"))
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", export=[kept])
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"team {team.pk}, entry 4: the entry was changed\n"

    kept.write_text(kept.read_text().splitlines()[0])
    for bad in ({"export": [kept]}, {"head": ["x"]}, {"export": [tmp_path / "none"]}):
        with pytest.raises(CommandError):
            call_command("audit_verify", **bad)


def test_who_may_check_and_export_a_trail(owner: User) -> None:
    project = project_of(owner)
    url = f"/teams/{project.team_id}/trail/"
    allowed = {"owner": 200, "editor": 403, "reviewer": 403, "viewer": 403, "stranger": 404, "anonymous": 302}
    for name, someone in people(project).items():
        client = client_of(someone)
        assert client.get(f"{url}export/").status_code == allowed[name], name
        assert client.post(f"{url}check/").status_code == (302 if name == "owner" else allowed[name]), name
        shown = client.get(url)
        assert (b"trail/export/" in shown.content) == (name == "owner"), name
    assert client_of(owner).get(f"{url}check/").status_code == 405
    exported = client_of(owner).get(f"{url}export/")
    assert json.loads(list(exported)[-1])["head"]["team"] == project.team_id


def test_the_page_says_when_it_was_checked_and_what_is_wrong(team: Team, owner: User) -> None:
    client, url = client_of(owner), f"/teams/{team.pk}/trail/"
    assert "Not verified yet" in client.get(url).content.decode()
    assert "all entries are unchanged" in client.post(f"{url}check/", follow=True).content.decode()
    assert "entries 1 to 10 are unchanged" in client.get(url).content.decode()
    by_hand(lambda: entry(team, 4).update(verb="test.undone"))
    page = client.get(url).content.decode()
    assert page.count("Entry 4 was changed.") == 1, "what is on the page is checked whenever it is shown"
    assert "Entry 4 or a neighbouring entry was changed" in client.post(f"{url}check/", follow=True).content.decode()


def test_the_page_asks_little_however_long_the_trail(team: Team, owner: User) -> None:
    for _ in range(200):
        record(owner, "test.done", team)
    client = client_of(owner)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(f"/teams/{team.pk}/trail/").status_code == 200
    assert len(asked) <= 10, [one["sql"] for one in asked]


# ---- the database itself ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, server: Any, tmp_path: Path, django_db_blocker: Any) -> Any:  # noqa: F811
    """A new database of each sort, as ``migrate`` leaves it."""
    url = _migrated(None if request.param == "sqlite" else server("postgres"), tmp_path, django_db_blocker)
    with django_db_blocker.unblock(), _database(url):
        yield request.param


def test_the_database_s_own_rules(database: str) -> None:
    """One database for all of it: to make one takes longer than to try it."""
    owner = user("owner")
    team = found_team(owner, "Team")
    for number in range(3):
        record(owner, "test.done", team, None, name=f"no. {number}")
    assert checks.trail_is_kept(databases=["default"]) == []
    for change in (
        lambda: entry(team, 2).delete(),
        lambda: AuditEntry.objects.all()._raw_delete("default"),
        lambda: entry(team, 2).update(verb="test.undone"),
        lambda: entry(team, 2).update(at=timezone.now()),
        lambda: entry(team, 2).update(actor=None),
        lambda: entry(team, 2).update(data={"name": "another"}),
        lambda: entry(team, 2).update(data={}),
        lambda: entry(team, 2).update(salt=""),
        lambda: AuditHead.objects.all().delete(),
        lambda: AuditHead.objects.update(number=1),
        lambda: AuditHead.objects.update(number=9),
    ):
        with pytest.raises(IntegrityError, match="audit:"), transaction.atomic():
            change()
    if database == "postgres":
        with pytest.raises(IntegrityError, match="audit:"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE projects_auditentry")
    assert audit.erase(entry(team, 2), "test") == 1
    assert codes(team) == []
    by_hand(lambda: entry(team, 3).update(data={"name": "another"}))
    assert codes(team) == [(3, "data")]
    _writers_side_by_side(owner)
    _earlier_trails_are_chained(team)


def _writers_side_by_side(owner: User) -> None:
    team, failed = found_team(owner, "Together"), []

    def write() -> None:
        try:
            for number in range(10):
                with transaction.atomic():
                    record(owner, "test.done", team, None, of=number)
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert failed == []
    assert AuditEntry.objects.filter(team=team).count() == 40
    assert codes(team) == []


def _earlier_trails_are_chained(team: Team) -> None:
    """Back to before the chain, and forward again, as an installation that is updated."""
    before = list(AuditEntry.objects.filter(team=team).order_by("id").values_list("verb", "at", "actor_id"))
    call_command("migrate", "projects", "0001", verbosity=0)
    call_command("migrate", verbosity=0)
    assert list(AuditEntry.objects.filter(team=team).order_by("id").values_list("verb", "at", "actor_id")) == before
    assert [number for number, _ in codes(team)] == []
    assert triggers.missing("default") == []
