"""``manage.py up``: the whole studio on one machine, web and workers."""

from __future__ import annotations

import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from faceengine.jobs import machine, supervisor
from faceengine.jobs.supervisor import Child


class Command(BaseCommand):
    """Keeps Daphne and the slots of this machine running."""

    help = "Start the studio: the web server and a worker for each slot of this machine. Ctrl-C stops them all."

    def add_arguments(self, parser: CommandParser) -> None:
        machine.add_slots(parser)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")

    def handle(self, *_: Any, slots: list[str], host: str, port: int, **__: Any) -> None:
        machine.check_migrated()
        machine.check_free(host, port)
        machine.check_demo(host)
        self.stderr.write(f"starting on {machine.name()}: web, {', '.join(slots)}")
        children = [_web(host, port), *(machine.slot_child(slot) for slot in slots), *machine.beside()]
        said = False

        def look() -> None:
            nonlocal said
            if not said and _answers(host, port) and machine.serves(slots):
                said = True
                self.stderr.write(f"ready: http://{host}:{port}/")

        supervisor.keep_running(children, grace=machine.stop_seconds(), say=self.stderr.write, look=look)
        self.stderr.write("stopped")


def _web(host: str, port: int) -> Child:
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", host, "-p", str(port), "webapp.asgi:application"]
    return Child("web", command, settings.BASE_DIR)


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
