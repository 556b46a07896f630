"""A studio as somebody installs it: a folder of its own, and ``manage.py up`` with all its processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.jobs import servers
from tests.jobs.backends import ROOT, kill_tree, tree
from tests.jobs.servers import free_port, wait_for


class Installation:
    """A new installation in ``folder``, migrated; ``environment`` is what differs from the development settings."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        own = {"DJANGO_SETTINGS_MODULE": "webapp.settings.development", "DATA_DIR": str(folder), "FETCH_WEIGHTS": "0"}
        self.environment |= own | environment
        self.process: subprocess.Popen[bytes] | None = None
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *words: str) -> str:
        """What ``manage.py`` with ``words`` says."""
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def up(self) -> subprocess.Popen[bytes]:
        """Start it; returns once it says that it is ready."""
        command = [sys.executable, "manage.py", "up", "--port", str(self.port), "--slots", "gpu0,cpu"]
        options: dict[str, Any] = {"start_new_session": True, "preexec_fn": servers.end_with_parent}
        with (self.folder / "output.txt").open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output, **options
            )
        wait_for(lambda: "ready:" in self.output(), 60, f"it is ready: {self.output()}")
        return self.process

    def pid_of(self, word: str) -> int:
        """The process below ``up`` with that word in its command line; 0 if there is none."""
        assert self.process is not None
        for pid in tree(self.process.pid):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if word in words:
                return pid
        return 0

    def output(self) -> str:
        """What all its processes said."""
        return (self.folder / "output.txt").read_text()

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of its database."""
        with closing(sqlite3.connect(self.folder / "studio.sqlite3", timeout=30)) as database:
            return database.execute(query).fetchall()

    def close(self) -> None:
        """End all of it."""
        if self.process is not None:
            kill_tree(self.process.pid)
            self.process.wait(10)
