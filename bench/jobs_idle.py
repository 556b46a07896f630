"""What the whole stack costs while nothing is to do, and how soon it is ready."""

from __future__ import annotations

import time
import urllib.request

from bench.jobs import Figure, report
from bench.jobs_studio import descendants, free_port, memory, open_studio, processor_seconds, running, wait_until

SETTLE, LOOK = 15.0, 60.0


def main() -> None:
    open_studio()
    port = free_port()
    began = time.monotonic()
    with running("up", "--port", str(port)) as up:
        wait_until(lambda: _healthy(port), 120, "/health says that all is well")
        ready = time.monotonic() - began
        time.sleep(SETTLE)
        processes = [up.pid, *descendants(up.pid)]
        before, since = processor_seconds(processes), time.monotonic()
        time.sleep(LOOK)
        share = 100 * (processor_seconds(processes) - before) / (time.monotonic() - since)
        used = memory(processes)
    report(
        [
            Figure("ready after `manage.py up`", f"{ready:.1f} s", "≤ 8 s", ready <= 8),
            Figure(f"idle: memory of all {len(processes)} processes (PSS)", f"{used:.0f} MB", "≤ 350 MB", used <= 350),
            Figure("idle: processor", f"{share:.1f} % of one core", "≤ 2 %", share <= 2),
        ]
    )


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    main()
