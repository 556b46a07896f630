"""``/metrics``: the ledger in Prometheus' format. Counted when asked for, so every web process tells the same."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Sum
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from faceengine.jobs import queries
from faceengine.jobs.models import Job
from faceengine.jobs.states import State


@dataclass(frozen=True)
class Line:
    """What is queued for one kind of slot."""

    jobs: int
    oldest_seconds: float


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For staff, and for whoever sends ``METRICS_TOKEN`` as the bearer token; 403 for all others."""
    if not (_has_token(request) or (request.user.is_active and request.user.is_staff)):
        raise PermissionDenied
    registry = CollectorRegistry()
    registry.register(_Ledger())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def live_slots() -> dict[str, int]:
    """How many slots of each kind are alive."""
    return dict(Counter(queries.live_slots().values_list("kind", flat=True)))


def queue() -> dict[str, Line]:
    """What waits for each kind of slot; a kind that nothing waits for is left out."""
    age = ExpressionWrapper(Now() - F("created_at"), output_field=DurationField())
    found = (
        Job.objects.filter(state=State.QUEUED)
        .values("slot_kind")
        .annotate(jobs=Count("pk"), age=Max(age))
        .values_list("slot_kind", "jobs", "age")
    )
    return {kind: Line(jobs, max(0.0, age.total_seconds())) for kind, jobs, age in found}


class _Ledger(Collector):
    """Reads the ledger once a scrape."""

    def collect(self) -> Iterator[Any]:
        jobs = GaugeMetricFamily("faceengine_jobs", "Jobs in the ledger.", labels=["kind", "state"])
        events = CounterMetricFamily("faceengine_job_events", "Events that jobs have written.", labels=["kind"])
        told: dict[str, int] = {}
        rows = Job.objects.values("kind", "state").annotate(jobs=Count("pk"), told=Sum("last_seq"))
        for row in rows:
            jobs.add_metric([row["kind"], row["state"]], row["jobs"])
            told[row["kind"]] = told.get(row["kind"], 0) + row["told"]
        for kind, count in told.items():
            events.add_metric([kind], count)
        slots = GaugeMetricFamily("faceengine_slots", "Slots that are alive.", labels=["kind"])
        for kind, count in live_slots().items():
            slots.add_metric([kind], count)
        oldest = GaugeMetricFamily(
            "faceengine_queue_oldest_seconds", "How long the oldest queued job exists.", labels=["slot_kind"]
        )
        for kind, line in queue().items():
            oldest.add_metric([kind], line.oldest_seconds)
        yield from (jobs, events, slots, oldest)


def _has_token(request: HttpRequest) -> bool:
    sent = request.headers.get("Authorization", "")
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    # As bytes: of texts, only those in ASCII can be compared.
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(sent.encode(), wanted.encode())
