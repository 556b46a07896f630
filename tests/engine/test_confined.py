"""A confined process: what a stranger's file could do if it took one over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from faceengine.boxes import MOST_TRACKS, TooManyBoxesError, check_boxes
from faceengine.confined.limits import Limits
from faceengine.confined.run import run, start
from faceengine.errors import InputError
from faceengine.intake.config import IntakeConfig
from faceengine.intake.intake import run as take_in
from faceengine.provenance.inspect import inspect

SECRETS = ("SECRET_KEY", "CONSENT_MASTER_KEY", "DATABASE_URL", "METRICS_TOKEN", "S3_SECRET_KEY")
LOOK_AROUND = """
import json, os, resource, socket, subprocess, sys
status = open("/proc/self/status").read()
parent, given, secret, own, ffmpeg = sys.argv[1:]
found = {"variables": sorted(os.environ), "uid": os.geteuid(), "status": status}
def tried(name, what):
    try:
        found[name] = what() or True
    except (OSError, MemoryError, ValueError) as error:
        found[name] = False
tried("given", lambda: open(given).read())
tried("secret", lambda: open(secret).read())
tried("overwritten", lambda: open(given, "w"))
tried("own", lambda: open(own + "/made", "w").write("x"))
tried("elsewhere", lambda: open("/tmp/made-by-a-confined-process", "w"))
tried("large", lambda: open(own + "/large", "wb").write(b"x" * (2 << 20)))
tried("socket", socket.socket)
tried("unix", lambda: socket.socket(socket.AF_UNIX))
tried("pair", socket.socketpair)
tried("parent", lambda: open(f"/proc/{parent}/environ", "rb").read())
tried("killed", lambda: os.kill(int(parent), 0))
tried("memory", lambda: bytearray(600 << 20))
child = subprocess.run([sys.executable, "-c", "import socket; socket.socket()"], capture_output=True)
found["child's socket"] = child.returncode == 0
tried("files", lambda: [os.dup(0) for _ in range(100)] and None)
found["core"] = resource.getrlimit(resource.RLIMIT_CORE)[1]
print(json.dumps(found, default=str))
"""


@pytest.fixture
def looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a confined process sees, and can do."""
    for name in SECRETS:
        monkeypatch.setenv(name, "a secret")
    given, secret, own = tmp_path / "given", tmp_path / "secret", tmp_path / "own"
    given.write_text("given")
    given.chmod(0o600)
    secret.write_text("secret")
    secret.chmod(0o644)
    own.mkdir(0o700)
    tmp_path.chmod(0o700)
    words = [str(os.getpid()), str(given), str(secret), str(own), "-"]
    limits = Limits(memory_mb=512, cpu_seconds=20, file_mb=1, open_files=64)
    ended = run(
        [sys.executable, "-c", f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{LOOK_AROUND}", *words],
        limits,
        seconds=60,
        reads=[given],
        writes=[own],
        variables={"GIVEN": "1"},
    )
    assert ended.returncode == 0, ended.stderr.decode()
    assert (own / "made").read_text() == "x"
    assert given.read_text() == "given"
    return dict(json.loads(ended.stdout))


def test_it_has_no_secret_no_network_and_no_files_but_its_own(looked: dict[str, Any]) -> None:
    assert "GIVEN" in looked["variables"]
    assert not set(SECRETS) & set(looked["variables"])
    assert looked["given"] == "given"
    can = {name for name, value in looked.items() if value and name not in ("variables", "status", "uid", "core")}
    assert can == {"given", "own", "pair"}
    assert looked["uid"] != 0
    assert looked["core"] == 0
    status = dict(line.split(":", 1) for line in looked["status"].splitlines())
    assert status["NoNewPrivs"].strip() == "1"
    assert int(status["CapEff"], 16) == 0


@pytest.mark.parametrize(
    ("code", "number"),
    [("while True: pass", signal.SIGXCPU), ("import time; time.sleep(60)", signal.SIGKILL)],
    ids=["busy", "idle"],
)
def test_it_ends_in_time(code: str, number: int) -> None:
    begun = time.monotonic()
    process = None
    try:
        process = run([sys.executable, "-c", code], Limits(cpu_seconds=1), seconds=5)
    except subprocess.TimeoutExpired:
        assert number == signal.SIGKILL
    else:
        assert -process.returncode in (number, signal.SIGKILL)
    assert time.monotonic() - begun < 30


def test_a_fork_bomb_ends() -> None:
    code = (
        "import os, time\nn = 0\ntry:\n while True:\n"
        "  if os.fork() == 0: time.sleep(5); os._exit(0)\n  n += 1\nexcept OSError: print(n)"
    )
    ended = run([sys.executable, "-c", code], Limits(processes=20), seconds=60)
    assert 0 < int(ended.stdout) <= 20


def test_it_dies_with_whoever_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from faceengine.confined.run import start; from faceengine.confined.limits import Limits\n"
        "child = start([sys.executable, '-c', 'import time; time.sleep(60)'], Limits())\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(1)
    parent.kill()
    parent.wait()
    until = time.monotonic() + 10
    while _alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_one_in_another_has_no_more(tmp_path: Path) -> None:
    """Intake starts ffmpeg so: a confined process may start another, which gets nothing that it hasn't itself."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    inner = f"print(open({str(secret)!r}).read())"
    code = (
        "import importlib.util, sys\n"
        "from faceengine.confined.run import run\nfrom faceengine.confined.limits import Limits\n"
        f"ended = run([sys.executable, '-c', {inner!r}], Limits(), seconds=20, reads=[{str(secret)!r}])\n"
        "print(ended.returncode, ended.stderr.decode()[-200:])"
    )
    program = tmp_path / "inside.py"
    program.write_text(f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n{_LOADED}\n{code}")
    ended = run([sys.executable, str(program)], Limits(), seconds=60, reads=[program])
    assert ended.returncode == 0, ended.stderr.decode()
    assert ended.stdout.startswith(b"1 ")
    assert b"Error: [Errno" in ended.stdout


_LAUNCH = Path(__file__).parents[2] / "faceengine" / "confined" / "launch.py"
_LOADED = (
    "import importlib.util as u\n"
    f"s = u.spec_from_file_location('launch', {str(_LAUNCH)!r}); m = u.module_from_spec(s); s.loader.exec_module(m)\n"
    "m._load_engine()"
)


# ---- boxes -----------------------------------------------------------------------------------------------------------


def box(name: bytes, *inside: bytes) -> bytes:
    content = b"".join(inside)
    return (8 + len(content)).to_bytes(4, "big") + name + content


def many(name: bytes, count: int) -> bytes:
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", box(name) * count)


@pytest.mark.parametrize("name", [b"trak", b"free", b"udta"])
def test_a_file_of_a_hundred_thousand_boxes_is_refused_at_once(tmp_path: Path, name: bytes) -> None:
    file = tmp_path / "boxes.mp4"
    file.write_bytes(many(name, 100_000))
    begun = time.monotonic()
    with pytest.raises(InputError) as refused:
        inspect(file)
    assert refused.value.code == "verify.boxes"
    with pytest.raises(InputError) as refused:
        take_in(IntakeConfig(file=file), tmp_path / "run")
    assert refused.value.code == "video.boxes"
    assert time.monotonic() - begun < 15


def test_boxes_are_counted_at_any_depth_and_never_for_ever(tmp_path: Path) -> None:
    file = tmp_path / "boxes.mp4"
    for content in (b"", b"\0" * 64, b"\0\0\0\1moov" + b"\0" * 8, many(b"trak", MOST_TRACKS), b"\0\0\0\0moov" * 2000):
        file.write_bytes(content)
        check_boxes(file)
    deep = box(b"free") * 60_000
    for name in (b"moof", b"udta", b"moov"):
        deep = box(name, deep)
    file.write_bytes(deep)
    with pytest.raises(TooManyBoxesError):
        check_boxes(file)


def test_what_costs_too_much_time_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that gets past the count is ended by its limit of time."""
    from faceengine.provenance import inspect as module

    monkeypatch.setattr(module, "_CPU_SECONDS", 0)
    file = tmp_path / "file.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(InputError) as refused:
        inspect(file)
    assert refused.value.code == "verify.gave_up"


def test_start_gives_streams(tmp_path: Path) -> None:
    with start([sys.executable, "-c", "print(1)"], Limits(), stdout=subprocess.PIPE) as process:
        assert process.communicate()[0] == b"1\n"
