"""The database's own rules for the audit trail: entries are added, never changed or taken out; a head only goes on.

One change is let through: an entry's ``data`` may be emptied together with its salt. As with the rules of consent,
``manage.py migrate`` takes the triggers away when it begins to change tables, and puts them back at its end.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction

_ENTRY, _HEAD = "projects_auditentry", "projects_audithead"
_FIXED = ("id", "team_id", "number", "project_id", "actor_id", "at", "verb", "commitment", "previous", "hash")
_KNOWN = ("sqlite", "postgresql")


def rules(vendor: str) -> dict[str, tuple[str, str, str, str]]:
    """By name: the table, the event, the condition under which a change is refused, and the sentence that says so."""
    postgres = vendor == "postgresql"
    differs, empty = ("IS DISTINCT FROM", "'{}'::jsonb") if postgres else ("IS NOT", "'{}'")
    always = "TRUE" if postgres else "1"
    changed = " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in _FIXED)
    return {
        "audit_entry_stays": (_ENTRY, "DELETE", always, "entries are never taken out"),
        "audit_entry_unchanged": (
            _ENTRY, "UPDATE", f"{changed} OR NEW.salt <> '' OR NEW.data <> {empty}",
            "entries are not changed, but for the erasure of their data"),
        "audit_head_stays": (_HEAD, "DELETE", always, "the end of a chain is not forgotten"),
        "audit_head_goes_on": (
            _HEAD, "UPDATE OF team_number, number",
            "NEW.team_number <> OLD.team_number OR NEW.number NOT IN (OLD.number, OLD.number + 1)",
            "a chain grows by one entry at a time"),
    }  # fmt: skip


def put_in_place(using: str, **_: Any) -> None:
    """Make the triggers anew. After ``migrate``."""
    connection = connections[using]
    if connection.vendor not in _KNOWN or _HEAD not in connection.introspection.table_names():
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        for name, rule in rules(connection.vendor).items():
            for statement in [*removed(connection.vendor, name, rule[0]), *_made(connection.vendor, name, *rule)]:
                cursor.execute(statement)


def take_away(using: str, plan: Any = (), **_: Any) -> None:
    """Remove the triggers. Before ``migrate`` changes anything."""
    connection = connections[using]
    if not plan or connection.vendor not in _KNOWN:
        return
    tables = connection.introspection.table_names()
    with transaction.atomic(using), connection.cursor() as cursor:
        for name, rule in rules(connection.vendor).items():
            for statement in removed(connection.vendor, name, rule[0]) if rule[0] in tables else ():
                cursor.execute(statement)


def missing(using: str) -> list[str]:
    """Names of the triggers that are not in place."""
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
        there = {name for (name,) in cursor.fetchall()}
    return sorted(set(rules(connections[using].vendor)) - there)


def _made(vendor: str, name: str, table: str, event: str, condition: str, text: str) -> list[str]:
    if vendor == "sqlite":
        body = f"BEGIN SELECT RAISE(ABORT, 'audit: {text}'); END"
        return [f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} {body}"]
    row = "OLD" if event == "DELETE" else "NEW"
    body = f"IF {condition} THEN RAISE EXCEPTION 'audit: {text}' USING ERRCODE = 'check_violation'; END IF;"
    function = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN {row}; END $$"
    made = [function, f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"]
    if event == "DELETE":  # emptying a table is no deletion of rows there
        at_once = f"CREATE TRIGGER {name}_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {name}()"
        made.append(at_once)
    return made


def removed(vendor: str, name: str, table: str) -> list[str]:
    """Statements that take a trigger away."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}"]
    gone = [f"DROP TRIGGER IF EXISTS {one} ON {table}" for one in (name, f"{name}_all")]
    return [*gone, f"DROP FUNCTION IF EXISTS {name}()"]
