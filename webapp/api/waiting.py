"""``?wait=``: an answer that comes as soon as a job has ended."""

from __future__ import annotations

import time
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja.errors import AuthenticationError

from faceengine.jobs.access import get_job
from faceengine.jobs.models import Job
from faceengine.jobs.states import ENDED
from webapp.api.tokens import user_of
from webapp.clients import client_key
from webapp.fair.limits import WAITS
from webapp.fair.turns import BusyError

LONGEST = 25.0
"""Seconds that a request waits at most."""
_LOOK = 0.5
_COME_AGAIN = 5
"""Seconds that a client should let pass where too many requests wait already."""


def job_at_end(request: HttpRequest, response: HttpResponse, job_id: UUID, seconds: float) -> Job:
    """Return the job once it has ended, or after ``seconds``; at once, with ``Retry-After``, if too many wait.

    Whether the user may see it, and the token still holds, is asked each time. Raises :class:`Http404` and
    ``AuthenticationError``.
    """
    job = get_job(request.user, job_id)
    if not seconds > 0 or job.state in ENDED:
        return job
    until = time.monotonic() + min(seconds, LONGEST)
    try:
        with WAITS.turn(client_key(request)):
            while job.state not in ENDED and time.monotonic() < until:
                time.sleep(_LOOK)
                job = get_job(_user_now(request), job_id)
    except BusyError:
        response["Retry-After"] = str(_COME_AGAIN)
    return job


def _user_now(request: HttpRequest) -> object:
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    user = user_of(token)
    if user is None:
        raise AuthenticationError
    return user
