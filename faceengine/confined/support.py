"""What this machine can't do of all that confines a process."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

from faceengine.confined.limits import Limits
from faceengine.confined.run import run

_PROBE = """
import json, os, socket
found = []
try:
    socket.socket(); found.append("network")
except OSError: pass
try:
    os.listdir("/var"); found.append("files")
except OSError: pass
status = dict(line.partition(":")[::2] for line in open("/proc/self/status"))
if status["NoNewPrivs"].strip() != "1": found.append("privileges")
if os.geteuid() == 0: found.append("root")
print(json.dumps(found))
"""
WORDS = {
    "start": "no confined process can be started",
    "network": "processes that read strangers' files can open network connections (no seccomp)",
    "files": "processes that read strangers' files can open other files of this user (no Landlock; Linux 5.13 has it)",
    "privileges": "processes that read strangers' files can start programs with more rights than they have",
    "root": "processes that read strangers' files run as root; start the studio as a user of its own",
}


@cache
def missing() -> tuple[str, ...]:
    """Return keys of :data:`WORDS`, as a confined process found out; empty where everything works."""
    try:
        ended = run([sys.executable, "-c", _PROBE], Limits(), seconds=20)
        return tuple(json.loads(ended.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ("start",)
