"""Who looks at what: each reviewer is given crops that nobody else has before them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from webapp.curation.models import Crop, CropState, FaceSet, Slice

LEASE = timedelta(minutes=10)
SIZE = 200


def present(face_set: FaceSet) -> QuerySet[Slice]:
    """Everybody who is looking at the set now."""
    return Slice.objects.filter(face_set=face_set, lease_until__gt=Now()).select_related("user").order_by("user__email")


def stay(face_set: FaceSet, user: Any) -> None:
    """Tell that ``user`` is still there; the page does so now and then."""
    own = Slice.objects.filter(face_set=face_set, user=user)
    if not own.update(lease_until=Now() + LEASE):
        new = Slice(face_set=face_set, user=user, numbers=[], lease_until=Now() + LEASE)
        Slice.objects.bulk_create([new], ignore_conflicts=True)


def leave(face_set: FaceSet, user: Any) -> None:
    """Give back what ``user`` had before them."""
    Slice.objects.filter(face_set=face_set, user=user).delete()


@transaction.atomic
def next_slice(face_set: FaceSet, user: Any, size: int = SIZE) -> list[int]:
    """Numbers of up to ``size`` crops that ``user`` has not judged and nobody else has before them.

    What is left unjudged of the person's present slice comes first.
    """
    # The set's row is the lock: two who ask at once get different crops.
    FaceSet.objects.select_for_update().get(pk=face_set.pk)
    taken = {number for other in present(face_set).exclude(user=user) for number in other.numbers}
    own = Slice.objects.filter(face_set=face_set, user=user, lease_until__gt=Now()).first()
    open_crops = (
        Crop.objects.filter(face_set=face_set, state__in=(CropState.NEW, CropState.UNSURE))
        .exclude(verdicts__user=user)
        .order_by("number")
    )
    free = [number for number in open_crops.values_list("number", flat=True) if number not in taken]
    before = set(own.numbers if own else ())
    numbers = sorted(free, key=lambda number: (number not in before, number))[:size]
    Slice.objects.update_or_create(
        face_set=face_set, user=user, defaults={"numbers": numbers, "lease_until": Now() + LEASE}
    )
    return numbers
