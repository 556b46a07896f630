"""Two processes that train one run: equal weights, one batch shared, killed and stopped together. On gloo and CPUs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from faceengine.errors import ConfigError
from faceengine.training import checkpoints
from faceengine.training.config import TrainConfig
from faceengine.training.ranks import Ranks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(faces_a: Path, faces_b: Path, tmp_path: Path) -> Path:
    """Six iterations of the tiny preset."""
    config = TrainConfig(
        a=faces_a, b=faces_b, preset="tiny", iterations=6, checkpoint_every=2, preview_every=6, log_every=1, workers=0
    )
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_dict()))
    return path


def start(processes: int, settings: Path, run_dir: Path, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m"]
    if processes > 1:
        command += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    return subprocess.Popen(
        [*command, "tests.engine.rank", str(settings), str(run_dir)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def train(processes: int, settings: Path, run_dir: Path, **environment: str) -> int:
    return start(processes, settings, run_dir, **environment).wait(timeout=200)


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    return checkpoints.read_tensors(checkpoints.newest(run_dir), "")


def losses(run_dir: Path) -> list[dict[str, float]]:
    return [json.loads(line)["values"] for line in (run_dir / "losses.jsonl").read_text().splitlines()]


def ranks_of(run_dir: Path) -> list[int]:
    """Process ids of the run's ranks that are alive."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(run_dir).encode() in words and b"torch.distributed.run" not in words:
            found.append(int(entry.parent.name))
    return found


def test_a_killed_rank_ends_all_and_the_same_command_goes_on_to_the_bit(settings: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert train(2, settings, whole) == 0
    assert (tmp_path / "whole.0").read_text() == (tmp_path / "whole.1").read_text()
    assert len(losses(whole)) == 6
    assert train(2, settings, killed, DIE_AT="3") != 0
    assert ranks_of(killed) == []
    assert checkpoints.read_header(checkpoints.newest(killed)).iteration == 2
    assert train(2, settings, killed) == 0
    ours, theirs = weights(killed), weights(whole)
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []


def test_two_ranks_train_as_one_process_does_on_the_same_crops(settings: Path, tmp_path: Path) -> None:
    assert train(1, settings, tmp_path / "one", SAME_BATCH="1") == 0
    assert train(2, settings, tmp_path / "two", SAME_BATCH="1") == 0
    assert (tmp_path / "one.0").read_text() != (tmp_path / "two.0").read_text()
    pairs = list(zip(losses(tmp_path / "two"), losses(tmp_path / "one"), strict=True))
    # Sums are rounded in another order, and Adam's first steps make a whole step of the least gradient; the first
    # iteration's adversarial losses are those after the discriminators' step.
    for name, theirs in pairs[0][1].items():
        assert pairs[0][0][name] == pytest.approx(theirs, rel=2e-3 if "adversarial" in name else 1e-5)
    for ours, expected in pairs[1:]:
        assert ours == pytest.approx(expected, rel=0.1, abs=0.01)


def test_a_wish_that_one_rank_hears_stops_all_at_the_same_iteration(settings: Path, tmp_path: Path) -> None:
    assert train(2, settings, tmp_path / "run", STOP_AT="3") == 0
    assert checkpoints.read_header(checkpoints.newest(tmp_path / "run")).iteration == 3
    assert (tmp_path / "run.0").read_text() == (tmp_path / "run.1").read_text()


def test_no_rank_outlives_a_killed_torchrun(settings: Path, tmp_path: Path) -> None:
    endless = json.loads(settings.read_text()) | {"iterations": 100_000}
    settings.write_text(json.dumps(endless))
    agent = start(2, settings, tmp_path / "run")
    try:
        until = time.monotonic() + 150
        while not (tmp_path / "run" / "checkpoints").exists() and time.monotonic() < until:
            time.sleep(0.1)
        assert len(ranks_of(tmp_path / "run")) == 2
    finally:
        agent.kill()
        agent.wait()
    until = time.monotonic() + 10
    while ranks_of(tmp_path / "run") and time.monotonic() < until:
        time.sleep(0.05)
    assert ranks_of(tmp_path / "run") == []


def test_a_batch_that_can_not_be_shared_equally_is_refused() -> None:
    assert Ranks(1, 2).share(8) == 4
    with pytest.raises(ConfigError):
        Ranks(1, 3).share(8)


def test_alone_nothing_changes() -> None:
    values = {"a": torch.tensor(np.pi)}
    assert Ranks().mean(values) is values
    assert Ranks().any(True)
    assert not Ranks().any(False)
    assert Ranks().of_first(7) == 7
