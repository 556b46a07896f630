"""Files are whole or not there, and a folder belongs to one process at a time."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from faceengine import files
from faceengine.errors import InputError


def test_a_replaced_file_holds_the_new_bytes_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "faces.json"
    files.replace_file(path, b"old")
    files.replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "faces.json"
    files.replace_file(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError):
            files.replace_file(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_killed_at_any_moment_the_old_or_the_new_file_is_there_whole(tmp_path: Path) -> None:
    path = tmp_path / "faces.json"
    files.replace_file(path, b"0" * 300_000)
    program = (
        "import sys, itertools; from pathlib import Path; from faceengine.files import replace_file\n"
        "path = Path(sys.argv[1]); print('ready', flush=True)\n"
        "for i in itertools.count(): replace_file(path, str(i % 10).encode() * 300_000)"
    )
    for delay in (0.0, 0.003, 0.007, 0.013, 0.021):
        process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        with process.stdout:
            try:
                process.wait(timeout=delay)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        data = path.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1


def test_the_partial_name_is_hidden_beside_it_and_keeps_the_ending(tmp_path: Path) -> None:
    part = files.partial(tmp_path / "result.mp4")
    assert part.parent == tmp_path
    assert part.name.startswith(".")
    assert part.suffix == ".mp4"
    assert part.name != "result.mp4"


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert files.sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_another_process_can_not_enter_a_held_folder(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from faceengine.files import only_process\n"
        "with only_process(Path(sys.argv[1])): pass"
    )
    enter = [sys.executable, "-c", program, str(tmp_path)]
    with files.only_process(tmp_path):
        refused = subprocess.run(enter, capture_output=True, text=True, timeout=60)
    assert "folder.busy" not in refused.stdout
    assert "InputError: another process is at work in" in refused.stderr
    assert subprocess.run(enter, timeout=60).returncode == 0


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from faceengine.files import only_process\n"
        "with only_process(Path(sys.argv[1])): print('in', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder.stdout:
        holder.stdout.readline()
        with pytest.raises(InputError) as caught, files.only_process(tmp_path):
            pass
        assert caught.value.code == "folder.busy"
        os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with files.only_process(tmp_path):
        pass
