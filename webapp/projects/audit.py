"""The audit trail as a chain of hashes, one a team: what was changed, taken out, put in or moved afterwards shows.

An entry's hash is over its number, the hash before, its time, ids and verb, and over a *commitment*: the SHA-256 of a
random salt and of ``data``. So names and e-mail addresses can be erased with their salt (then nobody can find out by
guessing what they were), and the chain still holds. The database refuses every other change: ``triggers.py``.
``docs/audit.md`` says what this proves, and what it can't.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from webapp.accounts.models import Team
from webapp.projects.mentions import Mentions
from webapp.projects.models import AuditEntry, AuditHead, Person, Project

START = "0" * 64
"""What the first entry of a chain has as the hash before."""
ERASED = "audit.erased"
"""Verb of the entry that says whose ``data`` were erased."""
NAMELESS = frozenset({
    *("side", "consent", "evidence", "sha256", "code", "act", "role", "way", "rule", "value", "why", "entries"),
    *("inputs", "crops", "needed", "other", "unsure", "minutes", "iterations"),
})  # fmt: skip
"""Keys of ``data`` whose values never name somebody or their footage. All others may: also those that are new."""
_OF_TEAM = "project."
"""Verbs whose names are the team's own. They go only where they name the person."""
_CHUNK = 2_000


@dataclass(frozen=True)
class Finding:
    """What is wrong with a chain, and where. ``code`` is one of :data:`CODES`."""

    team: int
    number: int
    code: str

    def __str__(self) -> str:
        return f"team {self.team}, entry {self.number}: {CODES[self.code]}"


CODES = {
    "changed": "the entry was changed",
    "data": "the data of the entry was changed",
    "erased": "the data of the entry was erased, and no entry records this",
    "missing": "the entry before it is missing",
    "number": "the number is duplicated or out of order",
    "previous": "it does not link to the entry before it",
    "end": "the chain does not end at the recorded head",
    "head": "the chain does not contain the head recorded elsewhere",
}


@transaction.atomic
def append(
    actor: Any, verb: str, team: Team, project: Project | None = None, data: Mapping[str, Any] | None = None
) -> AuditEntry:
    """Add an entry to the end of the team's chain. Writers of one team come one after the other."""
    number, previous, now = _lock(team.pk)
    entry = AuditEntry(team=team, project=project, actor=actor, verb=verb, data=dict(data or {}), at=now, number=number)
    seal(entry, previous)
    entry.save(force_insert=True)
    AuditHead.objects.filter(pk=team.pk).update(hash=entry.hash)
    return entry


def _lock(team: int) -> tuple[int, str, datetime]:
    """The next number, the last hash and the time, once nobody else adds to the chain."""
    head = AuditHead.objects.filter(pk=team)
    if not head.update(number=F("number") + 1):
        AuditHead.objects.bulk_create([AuditHead(pk=team, hash=START)], ignore_conflicts=True)
        head.update(number=F("number") + 1)
    number, previous, now = head.values_list("number", "hash", Now()).get()
    return number, previous, now


def seal(entry: AuditEntry, previous: str) -> None:
    """Set the columns that make the entry part of a chain after the hash ``previous``."""
    entry.salt = secrets.token_hex(16)
    entry.commitment = committed(entry.salt, entry.data)
    entry.previous = previous
    entry.hash = hashed(entry)


def committed(salt: str, data: Any) -> str:
    """What the chain holds of an entry's ``data``."""
    return _sha256({"salt": salt, "data": data})


def hashed(entry: AuditEntry) -> str:
    """The hash that the entry should have, over all of it but ``data`` and ``salt``."""
    return _sha256(core(entry))


def core(entry: AuditEntry) -> dict[str, Any]:
    """What an entry's hash is over; an export has the same keys."""
    return {
        "number": entry.number,
        "previous": entry.previous,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "team": entry.team_id,
        "project": entry.project_id,
        "actor": entry.actor_id,
        "verb": entry.verb,
        "commitment": entry.commitment,
    }


def _sha256(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


# ---- checking --------------------------------------------------------------------------------------------------------


def check(team: int, known: Iterable[tuple[int, str]] = ()) -> list[Finding]:
    """Read the team's whole chain; what is wrong with it, the first first. The result is kept for the trail's page.

    ``known``: numbers and hashes that were noted elsewhere, as an export's last line has them. Only they show that
    somebody who may do anything to the database has written the chain anew.
    """
    head = AuditHead.objects.filter(pk=team).first()
    found = list(_wrong(team, head, dict(known)))
    first = found[0] if found else None
    AuditHead.objects.filter(pk=team).update(
        checked_at=Now(),
        checked_number=head.number if head else 0,
        broken=first.code if first else "",
        broken_number=first.number if first else None,
    )
    return found


def _wrong(team: int, head: AuditHead | None, known: dict[int, str]) -> Iterator[Finding]:
    number, previous, last = 0, START, head.number if head else 0
    for entry in AuditEntry.objects.filter(team=team).order_by("id").iterator(chunk_size=_CHUNK):
        if entry.number > last and AuditHead.objects.filter(pk=team, number__gte=entry.number).exists():
            break  # it has come in meanwhile
        if entry.number != number + 1:
            yield Finding(team, entry.number, "missing" if entry.number > number + 1 else "number")
        elif entry.previous != previous:
            yield Finding(team, entry.number, "previous")
        if code := wrong_in_itself(entry) or ("" if entry.salt or _is_said_to_be_erased(entry) else "erased"):
            yield Finding(team, entry.number, code)
        if known.pop(entry.number, entry.hash) != entry.hash:
            yield Finding(team, entry.number, "head")
        number, previous = entry.number, entry.hash
    if (number, previous) != ((head.number, head.hash) if head else (0, START)):
        yield Finding(team, number, "end")
    for lost in sorted(known):
        yield Finding(team, lost, "head")


def _is_said_to_be_erased(entry: AuditEntry) -> bool:
    said = AuditEntry.objects.filter(team=entry.team_id, verb=ERASED, number__gt=entry.number).exclude(salt="")
    return any(entry.number in data.get("entries", []) for data in said.values_list("data", flat=True))


def wrong_in_itself(entry: AuditEntry) -> str:
    """Code of what is wrong with the entry, as far as it shows without its neighbours; empty if nothing is."""
    if entry.hash != hashed(entry):
        return "changed"
    kept = entry.commitment == committed(entry.salt, entry.data) if entry.salt else not entry.data
    return "" if kept else "data"


def clock_went_back(team: int) -> list[int]:
    """Numbers of the entries that are older than the one before, or younger than now: the clock was wrong then.

    No sign of a change: times are in the hashes as the clock told them.
    """
    found, before = [], datetime.min.replace(tzinfo=UTC)
    times = AuditEntry.objects.filter(team=team).order_by("number").values_list("number", "at", Now())
    for number, at, now in times.iterator(chunk_size=_CHUNK):
        if at < before or at > now:
            found.append(number)
        before = max(before, at) if at <= now else before
    return found


# ---- erasing and handing out -----------------------------------------------------------------------------------------


@transaction.atomic
def erase(entries: Iterable[AuditEntry], why: str) -> int:
    """Erase the ``data`` of entries, for names in them; the chains hold, and each says which. How many there were."""
    by_team: dict[int, list[AuditEntry]] = {}
    for entry in entries:
        if entry.salt and entry.verb != ERASED:
            by_team.setdefault(entry.team_id, []).append(entry)
    for team, of_team in by_team.items():
        AuditEntry.objects.filter(pk__in=[entry.pk for entry in of_team]).update(data={}, salt="")
        append(None, ERASED, Team(pk=team), None, {"entries": [entry.number for entry in of_team], "why": why})
    return sum(map(len, by_team.values()))


def erase_names(person: Person, mentions: Mentions) -> int:
    """Erase what names the person or their footage in the trail of their project; how many entries there were.

    What the other person's footage is called stays, unless it names this one.
    """
    entries = AuditEntry.objects.filter(project=person.project_id).exclude(salt="").exclude(verb=ERASED)
    found = [entry for entry in entries.iterator(chunk_size=_CHUNK) if _names(entry, person.side, mentions)]
    return erase(found, "withdrawn")


def _names(entry: AuditEntry, side: str, mentions: Mentions) -> bool:
    names = [str(value) for key, value in entry.data.items() if key not in NAMELESS and value not in ("", None)]
    of_them = not entry.verb.startswith(_OF_TEAM) and entry.data.get("side", side) == side
    return bool(names) and (of_them or any(map(mentions.within, names)))


def erase_address(email: str) -> int:
    """Erase an e-mail address that is in the data of entries, in any team; how many entries there were."""
    entries = AuditEntry.objects.filter(data__email__iexact=email).exclude(salt="")
    return erase(list(entries), "address")


def export(team: int) -> Iterator[str]:
    """The team's chain as JSON lines, the oldest entry first; the last line is the head, to be kept elsewhere."""
    number, previous = 0, START
    for entry in AuditEntry.objects.filter(team=team).order_by("number").iterator(chunk_size=_CHUNK):
        line = core(entry) | {"data": entry.data, "salt": entry.salt, "hash": entry.hash}
        yield json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n"
        number, previous = entry.number, entry.hash
    yield json.dumps({"head": {"team": team, "number": number, "hash": previous}}) + "\n"


def teams() -> list[int]:
    """Keys of all teams that have a chain, also of those that are gone."""
    with_entries = AuditEntry.objects.order_by().values_list("team_id", flat=True).distinct()
    return sorted(set(with_entries) | set(AuditHead.objects.values_list("pk", flat=True)))
