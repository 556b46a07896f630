"""The command line: arguments, exit codes, what it prints where, and how it stops."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from faceengine import events
from faceengine.cli import main
from faceengine.cli.failures import one_line
from faceengine.cli.show import Bars, JsonLines, Lines, shown
from faceengine.cli.stopping import Stop
from faceengine.errors import ConfigError, InputError
from faceengine.provenance.credentials import CERTIFICATES, CHAIN_FILE, KEY, KEY_FILE, make_chain
from faceengine.provenance.reading import read

COMMANDS = ("extract", "train", "convert", "score", "weights", "info")


def engine(*words: object, **keywords: object) -> subprocess.Popen[str]:
    """The real program, with pipes for stdout and stderr."""
    command = [sys.executable, "-m", "faceengine", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keywords)  # type: ignore[call-overload, no-any-return]


# -- arguments ---------------------------------------------------------------------------------------------------------


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown_help = capsys.readouterr().out
    assert all(name in shown_help for name in COMMANDS)
    assert "75" in shown_help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_help_imports_neither_torch_nor_opencv() -> None:
    program = (
        "import sys; from faceengine.cli import main\n"
        f"for name in {COMMANDS}: main([name, '--help'])\n"
        "print([name for name in ('torch', 'cv2', 'numpy', 'av') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["unheard-of"],
        ["extract"],
        ["extract", "clip.mp4"],
        ["extract", "clip.mp4", "--out", "faces", "--every", "0"],
        ["extract", "clip.mp4", "--out", "faces", "--every", "six"],
        ["train", "--a", "a", "--run", "run"],
        ["train", "--a", "a", "--b", "b", "--run", "run", "--preset", "huge"],
        ["train", "--a", "a", "--b", "b", "--run", "run", "--octave", "0.3"],
        ["convert", "clip.mp4", "--run", "run", "--out", "out.mp4"],
        ["convert", "clip.mp4", "--run", "run", "--direction", "a2c", "--out", "out.mp4"],
        ["convert", "clip.mp4", "--run", "run", "--direction", "a2b", "--out", "out.avi"],
        ["convert", "clip.mp4", "--run", "run", "--direction", "a2b", "--out", "out.mp4", "--sharpen", "2"],
        ["score", "result.mp4", "--out", "report.json"],
        ["weights", "--fetch", "unheard-of"],
    ],
    ids=" ".join,
)
def test_bad_arguments_exit_with_2_and_change_nothing(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.strip()
    assert "Traceback" not in told.err
    assert list(tmp_path.iterdir()) == []


# -- info and weights --------------------------------------------------------------------------------------------------


def test_info_tells_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["packages"]["torch"]
    assert told["ffmpeg"].startswith("ffmpeg version")
    assert {"mtcnn-p", "dlib-68", "fan-2d"} <= {row["name"] for row in told["weights"]}


def test_weights_lists_where_each_file_lies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "pnet.pt" in lines["mtcnn-p"]
    assert "shape_predictor_68" in lines["dlib-68"]


# -- what is shown -----------------------------------------------------------------------------------------------------


def test_json_lines_are_events_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    said: list[events.Event] = [
        events.Progress("extract", 1, 2),
        events.Message("warning", "landmarks.dlib", "dlib it is"),
    ]
    with shown(as_json=True, on_gone=pytest.fail) as on_event:
        for event in said:
            on_event(event)
    told = capsys.readouterr()
    assert [events.from_json(line) for line in told.out.splitlines()] == said
    assert told.err == ""


def test_a_reader_that_went_away_stops_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    gone: list[bool] = []
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        on_event = JsonLines(lambda: gone.append(True))
        on_event(events.Progress("extract", 1, 2))
        monkeypatch.undo()
        assert gone == [True]
        with pytest.raises(BrokenPipeError):
            pipe.close()


def test_a_log_gets_the_first_and_last_progress_and_each_message(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    for done in range(101):
        lines(events.Progress("extract", done, 100, "frames", 50.0))
    lines(events.Message("warning", "set.small", "few crops"))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "extract: 0 of 100 frames   50/s",
        "extract: 100 of 100 frames   50/s",
        "warning: few crops",
    ]


def test_bars_show_stage_count_and_losses_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    bars = Bars()
    bars(events.Progress("train", 1, 4, "iterations"))
    bars(events.Losses(3, {"a.reconstruction": 0.25, "b.reconstruction": 0.5}, 16.0))
    bars(events.Message("info", "train.begin", "begins"))
    bars(events.Progress("train", 4, 4, "iterations"))
    bars.close()
    assert "train: 100%" in screen.getvalue()
    assert "4/4" in screen.getvalue()
    assert "A 0.250 B 0.500 16.0 images/s" in screen.getvalue()
    assert "begins\n" in screen.getvalue()


# -- failures ----------------------------------------------------------------------------------------------------------


def chained(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "exit_code", "told"),
    [
        (InputError("video.missing", "clip.mp4 is not\nthere"), 3, "clip.mp4 is not there [video.missing]"),
        (ConfigError("config.range", "share must be at most 1"), 2, "[config.range]"),
        (OSError(errno.ENOSPC, "No space left on device", "crops/1.png"), 3, "(at crops/1.png) [disk.full]"),
        (OSError(errno.EFBIG, "File too large"), 3, "[disk.full]"),
        (sqlite_error(sqlite3.SQLITE_FULL), 3, "[disk.full]"),
        (sqlite_error(sqlite3.SQLITE_IOERR | 3 << 8), 3, "[disk.full]"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), 3, "[disk.full]"),
        (chained(RuntimeError("worker died"), OSError(errno.ENOSPC, "No space left")), 3, "[disk.full]"),
        (PermissionError(errno.EACCES, "Permission denied", "/locked/x"), 3, "(at /locked/x): Permission denied"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), 3, "[disk.path]"),
        (MemoryError(), 3, "[memory.full]"),
    ],
    ids=str,
)
def test_a_failure_from_outside_is_one_line_with_its_exit_code(error: Exception, exit_code: int, told: str) -> None:
    line = one_line(error)
    assert line is not None
    assert line.exit_code == exit_code
    assert told in line.text
    assert "\n" not in line.text


@pytest.mark.parametrize("error", [ValueError("boom"), OSError(errno.EIO, "I/O error"), KeyError("x")], ids=repr)
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    assert one_line(error) is None


# -- stopping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_to_stop_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Stop() as stop:
        assert not stop.wanted()
        os.kill(os.getpid(), number)
        assert stop.wanted()
    assert signal.getsignal(number) == before


def test_a_second_interrupt_kills() -> None:
    program = (
        "import time; from faceengine.cli.stopping import Stop\n"
        "with Stop() as stop:\n"
        "    print('ready', flush=True)\n"
        "    while not stop.wanted(): time.sleep(0.01)\n"
        "    print('stopping', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        for expected in ("ready\n", "stopping\n"):
            assert process.stdout.readline() == expected
            process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == -signal.SIGINT


def test_a_forked_worker_ignores_ctrl_c_and_dies_of_sigterm() -> None:
    program = (
        "import os, signal, time; from faceengine.cli.stopping import Stop\n"
        "with Stop() as stop:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        time.sleep(0.2); os.kill(os.getpid(), signal.SIGINT); time.sleep(60)\n"
        "    time.sleep(0.5); print(os.waitpid(child, os.WNOHANG)[0], flush=True)\n"
        "    os.kill(child, signal.SIGTERM); print(os.waitpid(child, 0)[1], stop.wanted())"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert told.stdout.split() == ["0", str(int(signal.SIGTERM)), "False"]
    assert told.stderr == ""


def test_outside_the_main_thread_stopping_is_left_to_the_caller() -> None:
    seen: list[bool] = []

    def work() -> None:
        with Stop() as stop:
            stop.ask()
            seen.append(stop.wanted())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]


# -- the stages, for real ----------------------------------------------------------------------------------------------


def test_extract_prints_events_on_stdout_and_writes_its_summary(short_a: Path, tmp_path: Path) -> None:
    process = engine("extract", short_a, "--out", tmp_path / "faces", "--every", "10", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    kinds = {type(events.from_json(line)) for line in out.splitlines()}
    assert events.Progress in kinds
    summary = json.loads((tmp_path / "faces" / "faces.json").read_text())
    assert summary["frames_read"] == 5
    assert summary["crops"] == 5


def test_stopped_extraction_exits_with_75_and_goes_on(demo_a: Path, tmp_path: Path) -> None:
    words = ("extract", demo_a, "--out", tmp_path / "faces", "--every", "1", "--json")
    process = engine(*words)
    assert process.stdout is not None
    for line in process.stdout:
        event = events.from_json(line)
        if isinstance(event, events.Progress) and event.done >= 5:
            process.send_signal(signal.SIGTERM)
            break
    _, err = process.communicate(timeout=120)
    assert process.returncode == 75, err
    assert not (tmp_path / "faces" / "faces.json").exists()

    process = engine(*words)
    assert process.stdout is not None
    first = next(e for line in process.stdout if isinstance(e := events.from_json(line), events.Progress))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert first.done >= 5


def test_training_stopped_by_sigterm_leaves_a_checkpoint_and_75(faces_a: Path, faces_b: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ("train", "--a", faces_a, "--b", faces_b, "--run", run, "--preset", "quick", "--batch", "2", "--json")
    process = engine(*words, "--iterations", "100000", "--log-every", "1")
    assert process.stdout is not None
    for line in process.stdout:
        if isinstance(events.from_json(line), events.Losses):
            process.send_signal(signal.SIGTERM)
            break
    asked = time.monotonic()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 75, err
    assert time.monotonic() - asked < 60
    assert list((run / "checkpoints").iterdir())


def test_convert_and_score_make_a_video_and_a_report(
    tiny_run: Path,
    faces_a: Path,
    faces_b: Path,
    short_a: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    video, report = tmp_path / "swap.mp4", tmp_path / "report.json"
    words = ["convert", short_a, "--run", tiny_run, "--direction", "a2b", "--out", video, "--json"]
    assert main([str(word) for word in words]) == 0
    words = ["score", video, "--wanted", faces_b, "--original", faces_a, "--out", report, "--json"]
    assert main([str(word) for word in words]) == 0
    for line in capsys.readouterr().out.splitlines():
        events.from_json(line)
    scored = json.loads(report.read_text())
    asked_for = "similarity floor ceiling network frames swapped_share pose_error expression_error jitter"
    assert set(asked_for.split()) <= set(scored)
    assert scored["frames"] == 50
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "swap.mp4"]


def test_the_signer_of_a_conversion_can_be_named(
    tiny_run: Path, short_a: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (CERTIFICATES, KEY):
        monkeypatch.setenv(name, "")  # so that what the command sets is undone
    make_chain(tmp_path / "chain", "A house")
    chain = ["--signing-certificates", tmp_path / "chain" / CHAIN_FILE, "--signing-key", tmp_path / "chain" / KEY_FILE]
    words = ["convert", short_a, "--run", tiny_run, "--direction", "a2b", "--out", tmp_path / "swap.mp4", "--end", "5"]
    assert main([str(word) for word in [*words, *chain[:2]]]) == 2
    assert "sign.options" in capsys.readouterr().err
    (tmp_path / "chain" / KEY_FILE).rename(tmp_path / "chain" / "away.pem")
    assert main([str(word) for word in [*words, *chain]]) == 3
    assert "sign.missing" in capsys.readouterr().err
    (tmp_path / "chain" / "away.pem").rename(tmp_path / "chain" / KEY_FILE)
    assert main([str(word) for word in [*words, *chain]]) == 0
    assert "signed by: A house signer" in capsys.readouterr().out
    reading = read(tmp_path / "swap.mp4")
    assert reading.signature is not None
    assert reading.signature.organisation == "A house"
