"""Verdicts: giving them, on one crop or thousands, taking them back, and what follows for the crops' states.

Every change is one transaction that begins by raising the set's revision. That row is the lock: two reviewers' changes
come one after the other, and each crop carries the revision of its last change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now

from webapp.curation.models import Batch, Crop, CropState, FaceSet, Identity, Rule, Verdict
from webapp.curation.models import Value as Says
from webapp.curation.selection import Selection
from webapp.projects.services import record

_CHUNK = 5_000
"""Ids in one statement; SQLite takes 32,766 values."""


class StalePageError(Exception):
    """The page decided on something that has changed since. ``changed``: numbers of the crops it should look at."""

    def __init__(self, changed: list[int], count: int) -> None:
        super().__init__(f"{count} crops match now")
        self.changed = changed
        self.count = count


class NothingToUndoError(Exception):
    """This person has no decision left that could be taken back."""


@transaction.atomic
def decide(face_set: FaceSet, user: Any, selection: Selection, value: str | None, seen: int | None = None) -> Batch:
    """Give the selected crops ``user``'s verdict ``keep`` or ``reject``, or clear it with ``None``.

    ``seen`` is the revision that the page has. Raises :class:`StalePageError` if the selection holds another number of
    crops than the person was told.
    """
    revision = _next_revision(face_set)
    ids = list(selection.crops(face_set).values_list("pk", flat=True))
    if selection.expected is not None and len(ids) != selection.expected:
        raise StalePageError(changed_numbers(face_set, seen or 0), len(ids))
    return _apply(face_set, user, revision, dict.fromkeys(ids, value))


@transaction.atomic
def decide_each(face_set: FaceSet, user: Any, wanted: Mapping[int, str | None]) -> Batch:
    """Give crops (by id) one verdict each, as one decision that is undone as one."""
    return _apply(face_set, user, _next_revision(face_set), wanted)


@transaction.atomic
def undo(face_set: FaceSet, user: Any) -> Batch:
    """Take back ``user``'s newest decision: each crop has the verdict again that this person had given it before.

    Raises :class:`NothingToUndoError`.
    """
    revision = _next_revision(face_set)
    batch = Batch.objects.filter(face_set=face_set, user=user, undone_at=None).order_by("-id").first()
    if batch is None:
        raise NothingToUndoError
    there = set(Crop.objects.filter(face_set=face_set).values_list("pk", flat=True))
    former = {int(pk): before or None for pk, before in batch.former.items()}
    _give(face_set, user, revision, {pk: before for pk, before in former.items() if pk in there})
    Batch.objects.filter(pk=batch.pk).update(undone_at=Now())
    return batch


@transaction.atomic
def settle(face_set: FaceSet, user: Any, crop_ids: Sequence[int], value: str | None) -> None:
    """End disputes by ``user``'s last word, or open them again with ``None``. Verdicts stay as they are."""
    revision = _next_revision(face_set)
    _record(face_set, user, "faces.settled", crops=len(crop_ids), value=value)
    _touch(face_set, crop_ids, revision, settled=value or "")
    _derive(face_set, Q(revision=revision))


@transaction.atomic
def change_rule(face_set: FaceSet, user: Any, rule: str, needed: int) -> None:
    """Take another rule; every crop's state is derived anew."""
    _record(face_set, user, "faces.rule_changed", rule=rule, needed=needed)
    FaceSet.objects.filter(pk=face_set.pk).update(rule=rule, needed=needed)
    face_set.rule, face_set.needed = rule, needed
    Crop.objects.filter(face_set=face_set).update(revision=_next_revision(face_set))
    _derive(face_set, Q())


@transaction.atomic
def derive_identities(face_set: FaceSet) -> None:
    """Crops have come in: bring the states of those in line that show, or showed, somebody else."""
    doubted = Q(identity__in=(Identity.UNSURE, Identity.DIFFERENT)) | Q(state__in=(CropState.UNSURE, CropState.OTHER))
    if Crop.objects.filter(doubted, face_set=face_set).update(revision=_next_revision(face_set)):
        _derive(face_set, doubted)


def changed_numbers(face_set: FaceSet, since: int) -> list[int]:
    """Numbers of the crops that changed after revision ``since``."""
    changed = Crop.objects.filter(face_set=face_set, revision__gt=since)
    return list(changed.order_by("number").values_list("number", flat=True))


def _record(face_set: FaceSet, user: Any, verb: str, **data: Any) -> None:
    project = face_set.person.project
    record(user, verb, project.team, project, side=face_set.person.side, **data)


def _next_revision(face_set: FaceSet) -> int:
    FaceSet.objects.filter(pk=face_set.pk).update(revision=F("revision") + 1)
    face_set.refresh_from_db(fields=["revision", "rule", "needed"])
    return face_set.revision


def _apply(face_set: FaceSet, user: Any, revision: int, wanted: Mapping[int, str | None]) -> Batch:
    former = _give(face_set, user, revision, wanted)
    values = set(wanted.values())
    value = next(iter(values)) if len(values) == 1 else None
    return Batch.objects.create(face_set=face_set, user=user, value=value or "", former=former)


def _give(face_set: FaceSet, user: Any, revision: int, wanted: Mapping[int, str | None]) -> dict[str, str]:
    """Set ``user``'s verdicts; what they were before, by crop id."""
    former = dict.fromkeys(map(str, wanted), "")
    for ids in _chunks(wanted):
        mine = Verdict.objects.filter(user=user, crop__in=ids)
        former |= {str(pk): value for pk, value in mine.values_list("crop_id", "value")}
    _write(user, wanted)
    _touch(face_set, list(wanted), revision)
    _derive(face_set, Q(revision=revision))
    return former


def _write(user: Any, wanted: Mapping[int, str | None]) -> None:
    for ids in _chunks([pk for pk, value in wanted.items() if value is None]):
        Verdict.objects.filter(user=user, crop__in=ids).delete()
    Verdict.objects.bulk_create(
        [Verdict(crop_id=pk, user=user, value=value, at=Now()) for pk, value in wanted.items() if value is not None],
        update_conflicts=True,
        unique_fields=["crop", "user"],
        update_fields=["value", "at"],
    )


def _touch(face_set: FaceSet, crop_ids: Sequence[int], revision: int, **columns: str) -> None:
    for ids in _chunks(crop_ids):
        Crop.objects.filter(face_set=face_set, pk__in=ids).update(revision=revision, **columns)


def _derive(face_set: FaceSet, which: Q) -> None:
    """Bring the states of some crops in line with their verdicts and the set's rule: the only place that sets them."""
    crops = Crop.objects.filter(which, face_set=face_set).annotate(keeps=_count(Says.KEEP), rejects=_count(Says.REJECT))
    crops.update(state=Case(*_states(face_set), default=Value(CropState.NEW)))


def _count(value: str) -> Coalesce:
    given = Verdict.objects.filter(crop=OuterRef("pk"), value=value).order_by().values("crop")
    return Coalesce(Subquery(given.annotate(number=Count("pk")).values("number")), 0)


def _states(face_set: FaceSet) -> Iterator[When]:
    """Condition → state, the first that holds. Nobody's verdict brings back somebody else."""
    yield When(identity=Identity.DIFFERENT, then=Value(CropState.OTHER))
    yield from _rule(face_set)
    yield When(identity=Identity.UNSURE, then=Value(CropState.UNSURE))


def _rule(face_set: FaceSet) -> Iterator[When]:
    kept, rejected, disputed = (Value(state) for state in (CropState.KEPT, CropState.REJECTED, CropState.DISPUTED))
    yield When(settled=Says.KEEP, then=kept)
    yield When(settled=Says.REJECT, then=rejected)
    if face_set.rule == Rule.MAJORITY:
        yield When(keeps__gt=face_set.needed / 2, then=kept)
        yield When(rejects__gt=face_set.needed / 2, then=rejected)
        yield When(keeps__gte=face_set.needed - F("rejects"), then=disputed)
        return
    if face_set.rule == Rule.FIRST:
        yield When(keeps__gt=0, rejects__gt=0, then=disputed)
    yield When(rejects__gt=0, then=rejected)
    yield When(keeps__gt=0, then=kept)


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    known = list(ids)
    for start in range(0, len(known), _CHUNK):
        yield known[start : start + _CHUNK]
