"""Eight processes that write to the ledger at once for a minute, on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.jobs import Figure, report
from bench.jobs_studio import open_studio

WRITERS = 8
SECONDS = 60.0


def main() -> None:
    open_studio()
    command = [sys.executable, "-m", "bench.jobs_writers"]
    writers = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) for number in range(WRITERS)
    ]
    counts = [[int(word) for word in writer.communicate()[0].split()] for writer in writers]
    assert all(writer.returncode == 0 for writer in writers)
    written, locked, slowest = sum(c[0] for c in counts), sum(c[1] for c in counts), max(c[2] for c in counts)
    text = f"{locked} in {written:,} writes, slowest {slowest} ms"
    report([Figure(f'"database is locked", {WRITERS} writers for {SECONDS:.0f} s on SQLite', text, "0", locked == 0)])


def write(number: int) -> None:
    """Do what runners do, as fast as it goes; print writes, refusals for a lock, and the slowest write in ms."""
    open_studio()
    from django.db import OperationalError

    from bench.consents import mandate
    from faceengine.events import Losses
    from faceengine.jobs import transitions
    from faceengine.jobs.models import Slot

    slot = Slot.objects.create(host="bench", name=f"gpu{number}", kind="gpu", pid=os.getpid())
    transitions.submit("train", {"a": "faces/a", "b": "faces/b"}, mandate=mandate())
    job = transitions.claim(slot)
    assert job is not None
    written = locked = 0
    slowest = 0.0
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        began = time.monotonic()
        try:
            assert transitions.record(job.id, job.attempt, [Losses(written, {"a.reconstruction": 0.1}, 1.0)])
            assert transitions.beat(job.id, job.attempt) is not None
            written += 2
        except OperationalError as error:
            if "locked" not in str(error):
                raise
            locked += 1
        slowest = max(slowest, time.monotonic() - began)
    print(written, locked, round(1000 * slowest))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(int(sys.argv[1]))
    else:
        main()
