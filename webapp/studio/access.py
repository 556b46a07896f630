"""Runs and conversions as somebody may have them; ``webapp.projects.access`` says who may do what.

What is fetched to be looked at or used is only had with both people's consent. ``act=None`` is for what takes away.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404

from webapp.consent.gate import Act, require_consent
from webapp.projects.access import Verb, require
from webapp.studio.models import Conversion, Run


def get_run(user: Any, run_id: int, verb: Verb = Verb.VIEW, act: Act | None = Act.PREVIEW) -> Run:
    """The run. Raises as :func:`webapp.projects.access.require`, and :class:`ConsentError`."""
    return get_run_and_role(user, run_id, verb, act)[0]


def get_run_and_role(user: Any, run_id: int, verb: Verb = Verb.VIEW, act: Act | None = Act.PREVIEW) -> tuple[Run, str]:
    """As :func:`get_run`, and the user's role in its team."""
    run = Run.objects.select_related("job", "project__team", "parent__run").filter(pk=run_id).first()
    if run is None:
        raise Http404
    role = require(user, verb, run.project.team_id)
    if act is not None:
        require_consent(run.project, act, user)
    return run, role


def get_conversion(user: Any, conversion_id: int, verb: Verb = Verb.VIEW, act: Act | None = Act.PREVIEW) -> Conversion:
    """The conversion. Raises as :func:`webapp.projects.access.require`, and :class:`ConsentError`."""
    beside = ("job", "run__job", "run__project__team", "asset", "snapshot", "score__job")
    conversion = Conversion.objects.select_related(*beside).filter(pk=conversion_id).first()
    if conversion is None:
        raise Http404
    require(user, verb, conversion.run.project.team_id)
    if act is not None:
        require_consent(conversion.run.project, act, user)
    return conversion
