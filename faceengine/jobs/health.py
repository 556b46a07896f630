"""``/health``: whether this installation works, for load balancers and whoever watches it. Tells no secrets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from faceengine.jobs import metrics

log = logging.getLogger(__name__)


@require_safe
@never_cache
def health(_: HttpRequest) -> JsonResponse:
    """200 where pages can be served, else 503. ``degraded``: they can, but work waits for a slot that isn't there."""
    answer = state()
    return JsonResponse(answer, status=503 if answer["status"] == "failing" else 200)


def state() -> dict[str, Any]:
    """``status``, the ``checks``, and, if the database can be asked, what there is of slots and waiting jobs."""
    checks = {"database": _works("database", _ask_database), "storage": _works("storage", _ask_storage)}
    if not all(checks.values()):
        return {"status": "failing", "checks": checks}
    slots, waiting = metrics.live_slots(), metrics.queue()
    return {
        "status": "degraded" if set(waiting) - set(slots) else "ok",
        "checks": checks,
        "slots": slots,
        "queued": {kind: line.jobs for kind, line in waiting.items()},
        "oldest_queued_seconds": {kind: round(line.oldest_seconds) for kind, line in waiting.items()},
    }


def _works(what: str, ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception as error:  # whatever drivers and stores raise: the answer is no, and the log says why
        log.error("health: the %s does not work: %s", what, error)
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_storage() -> None:
    default_storage.exists("health")
