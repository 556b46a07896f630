"""Runs, conversions and people as somebody may have them; ``webapp.projects.access`` says who may do what."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from webapp.projects.access import Verb, require
from webapp.studio.models import Conversion, Run


def get_run(user: Any, run_id: int, verb: Verb = Verb.VIEW) -> Run:
    """The run. Raises as :func:`webapp.projects.access.require`."""
    run = Run.objects.select_related("job", "project__team", "parent__run").filter(pk=run_id).first()
    if run is None:
        raise Http404
    require(user, verb, run.project.team_id)
    return run


def get_conversion(user: Any, conversion_id: int, verb: Verb = Verb.VIEW) -> Conversion:
    """The conversion. Raises as :func:`webapp.projects.access.require`."""
    beside = ("job", "run__job", "run__project__team", "asset", "snapshot", "score__job")
    conversion = Conversion.objects.select_related(*beside).filter(pk=conversion_id).first()
    if conversion is None:
        raise Http404
    require(user, verb, conversion.run.project.team_id)
    return conversion
