"""The gate once more, in the database itself: what no path through the code may get around.

Triggers can't be part of migrations: SQLite makes a table anew when a column is added, which loses the table's triggers
and fails for those of others that name it. So ``manage.py migrate`` takes them away when it begins to change tables,
and puts them back at its end.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import connections, transaction

from faceengine.jobs import kinds

_LIVE = """EXISTS (
    SELECT 1 FROM consent_mandate m
    JOIN consent_consent a ON a.id = m.consent_a_id JOIN consent_consent b ON b.id = m.consent_b_id
    WHERE m.id = NEW.mandate
    AND a.accepted AND a.withdrawn_at IS NULL AND a.expires_at > {now}
    AND b.accepted AND b.withdrawn_at IS NULL AND b.expires_at > {now}{lock})"""
"""Whether the new row's mandate is of two live consents, by the database's clock."""
_GATED = "EXISTS (SELECT 1 FROM consent_gatedkind k WHERE k.name IN ({kinds}))"
_PROJECT = "(SELECT project_id FROM consent_mandate WHERE id = {row}.mandate)"
_DECIDED = (
    "way", "purposes", "project_number", "side", "statement_version", "statement_sha256", "asked_by_id", "given_at",
    "reviewed_by_id", "reviewed_at", "accepted",
)  # fmt: skip
"""Columns of a consent that nobody changes once it is decided on."""


def rules(vendor: str) -> dict[str, tuple[str, str, str, str]]:
    """By name: the table, the event, the condition under which a change is refused, and the sentence that says so."""
    now = "STATEMENT_TIMESTAMP()" if vendor == "postgresql" else "STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')"
    differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    # Whoever withdraws at this very moment is waited for. SQLite has one writer only.
    alive = _LIVE.format(now=now, lock=" FOR SHARE OF a, b" if vendor == "postgresql" else "")
    gated = _GATED.format(kinds="NEW.kind")
    renewed = f"{_PROJECT.format(row='OLD')} = {_PROJECT.format(row='NEW')} AND {alive}"
    changed = " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in _DECIDED)
    sides = " OR ".join(
        f"NOT EXISTS (SELECT 1 FROM consent_consent c WHERE c.id = NEW.consent_{side}_id AND c.side = '{side}'"
        " AND c.project_number = NEW.project_id)"
        for side in "ab"
    )
    return {
        "consent_job_begins": (
            "jobs_job", "INSERT", f"{gated} AND NOT {alive}", "a job names two live consents"),
        "consent_job_keeps_kind": (
            "jobs_job", "UPDATE OF kind",
            f"OLD.kind {differs} NEW.kind AND {_GATED.format(kinds='OLD.kind, NEW.kind')}",
            "a job stays of its kind"),
        "consent_job_keeps_mandate": (
            "jobs_job", "UPDATE OF mandate",
            f"OLD.mandate {differs} NEW.mandate AND {gated} AND NOT COALESCE({renewed}, {_FALSE[vendor]})",
            "a job keeps its mandate, or gets a live one of the same project"),
        "consent_job_runs": (
            "jobs_job", "UPDATE OF state",
            f"NEW.state = 'running' AND OLD.state <> 'running' AND {gated} AND NOT {alive}",
            "a job runs with two live consents"),
        "consent_stays_decided": (
            "consent_consent", "UPDATE",
            f"OLD.accepted IS NOT NULL AND ({changed} OR NEW.expires_at > OLD.expires_at"
            f" OR (OLD.person_id {differs} NEW.person_id AND NEW.person_id IS NOT NULL))",
            "a consent that was decided on is not changed"),
        "consent_stays_withdrawn": (
            "consent_consent", "UPDATE OF withdrawn_at",
            f"OLD.withdrawn_at IS NOT NULL AND OLD.withdrawn_at {differs} NEW.withdrawn_at",
            "what is withdrawn stays withdrawn"),
        "consent_mandate_fits": (
            "consent_mandate", "INSERT", sides, "a mandate is of the consents of person A and person B of one project"),
        "consent_mandate_stays": (
            "consent_mandate", "UPDATE", _TRUE[vendor], "a mandate is never changed"),
        "consent_kind_stays": (
            "consent_gatedkind", "DELETE", _TRUE[vendor], "a kind of job that asks for consent always asks"),
        "consent_kind_unchanged": (
            "consent_gatedkind", "UPDATE", _TRUE[vendor], "a kind of job that asks for consent always asks"),
    }  # fmt: skip


_TRUE = {"postgresql": "TRUE", "sqlite": "1"}
_FALSE = {"postgresql": "FALSE", "sqlite": "0"}


def put_in_place(using: str, **_: Any) -> None:
    """Make the triggers as they should be, and note which kinds of jobs ask for a mandate. After ``migrate``."""
    connection = connections[using]
    if connection.vendor not in _TRUE or "consent_gatedkind" not in connection.introspection.table_names():
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        known = _in_place(connection.vendor, cursor)
        for name, rule in rules(connection.vendor).items():
            made = _statements(connection.vendor, name, *rule)
            if known.get(name) != _digest(made):
                for statement in removed(connection.vendor, name, rule[0]) + made:
                    cursor.execute(statement)
        for name in kinds.names():
            if kinds.get(name).asks:
                sql = "INSERT INTO consent_gatedkind (name) VALUES (%s) ON CONFLICT DO NOTHING"
                cursor.execute(sql, [name])


def take_away(using: str, plan: Any = (), **_: Any) -> None:
    """Remove the triggers. Before ``migrate`` changes anything."""
    connection = connections[using]
    if not plan or connection.vendor not in _TRUE:
        return
    tables = connection.introspection.table_names()
    with transaction.atomic(using), connection.cursor() as cursor:
        for name, rule in rules(connection.vendor).items():
            if rule[0] in tables:
                for statement in removed(connection.vendor, name, rule[0]):
                    cursor.execute(statement)


def missing(using: str) -> list[str]:
    """Names of the triggers that are not in place."""
    vendor = connections[using].vendor
    with connections[using].cursor() as cursor:
        known = _in_place(vendor, cursor)
    return [
        name for name, rule in rules(vendor).items() if known.get(name) != _digest(_statements(vendor, name, *rule))
    ]


def ungated(using: str) -> list[str]:
    """Return the kinds of jobs that ask for consent and that the database lets in without."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT name FROM consent_gatedkind", [])
        known = {name for (name,) in cursor.fetchall()}
    return [name for name in kinds.names() if kinds.get(name).asks and name not in known]


def _statements(vendor: str, name: str, table: str, event: str, condition: str, text: str) -> list[str]:
    if vendor == "sqlite":
        body = f"BEGIN SELECT RAISE(ABORT, 'consent: {text}'); END"
        return [f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} {body}"]
    # A condition of a Postgres trigger can't have subqueries; its function can.
    body = f"IF {condition} THEN RAISE EXCEPTION 'consent: {text}' USING ERRCODE = 'check_violation'; END IF;"
    function = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$"
    return [function, f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"]


def removed(vendor: str, name: str, table: str) -> list[str]:
    """Return the statements that remove a rule."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}"]
    return [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]


def _in_place(vendor: str, cursor: Any) -> dict[str, str]:
    """By name: a digest of what was made, for the triggers that there are."""
    if vendor == "sqlite":
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'consent_%%'", [])
        return {name: _digest([sql]) for name, sql in cursor.fetchall()}
    cursor.execute(
        "SELECT t.tgname, p.prosrc, t.oid FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE t.tgname LIKE 'consent_%%' AND NOT t.tgisinternal AND t.tgenabled <> 'D'",
        [],
    )
    made = {name: _statements(vendor, name, *rule) for name, rule in rules(vendor).items()}
    found = {name: source for name, source, _ in cursor.fetchall()}
    return {name: _digest(made[name]) for name, source in found.items() if name in made and source in made[name][0]}


def _digest(statements: list[str]) -> str:
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()
