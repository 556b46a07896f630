"""``manage.py demo_project``: takes the demo from footage to scores, beside the workers that ``manage.py up`` runs."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from webapp.demo.models import Demo
from webapp.demo.steps import ensure, go_on

_EVERY_SECONDS = 2.0


class Command(BaseCommand):
    """Begins each step when the one before it is done; ends with the last, or when somebody takes over."""

    help = "Create the demo project and run its steps, up to the scores."

    def handle(self, *_: Any, **__: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo has an account with a public password. Set DEMO=1 to allow this.")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        ensure()
        while not stop.is_set():
            demo = ensure()
            if demo.state == Demo.State.RUNNING:
                go_on(demo)
            if demo.state != Demo.State.RUNNING:
                return
            close_old_connections()
            stop.wait(_EVERY_SECONDS)
