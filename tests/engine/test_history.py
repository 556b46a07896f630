"""The history of losses: means, warnings in words, and what a crash may have torn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from faceengine.errors import EngineError
from faceengine.training.history import History


def values(a: float, b: float, alpha: float = 0.5) -> dict[str, torch.Tensor]:
    named = {"a.reconstruction": a, "b.reconstruction": b, "a.alpha": alpha, "b.alpha": 0.5}
    return {name: torch.tensor(value) for name, value in named.items()}


def test_a_line_holds_the_means_since_the_last_one(tmp_path: Path) -> None:
    history = History(tmp_path, 8)
    history.add(values(0.1, 0.3))
    history.add(values(0.3, 0.5))
    assert history.write(2).values["a.reconstruction"] == pytest.approx(0.2)
    history.add(values(0.9, 0.9))
    assert history.write(3).values["a.reconstruction"] == pytest.approx(0.9)
    lines = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in lines] == [2, 3]
    assert history.quality() == pytest.approx(((0.2 + 0.4) + 1.8) / 2)


def test_a_run_that_leans_says_so_once(tmp_path: Path) -> None:
    history = History(tmp_path, 8)
    history.add(values(0.1, 0.2))
    history.write(1)
    (message,) = history.warnings()
    assert message.code == "train.leans"
    assert "person B" in message.text
    assert list(history.warnings()) == []


def test_even_sides_say_nothing(tmp_path: Path) -> None:
    history = History(tmp_path, 8)
    history.add(values(0.1, 0.12))
    history.write(1)
    assert list(history.warnings()) == []


def test_a_vanished_mask_is_said(tmp_path: Path) -> None:
    history = History(tmp_path, 8)
    history.add(values(0.1, 0.1, alpha=0.01))
    history.write(1)
    assert [message.code for message in history.warnings()] == ["train.mask_collapsed"]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_is_no_number_is_an_error_and_not_written(tmp_path: Path, broken: float) -> None:
    history = History(tmp_path, 8)
    history.add(values(0.1, broken))
    with pytest.raises(EngineError) as stopped:
        history.write(7)
    assert stopped.value.code == "train.nan"
    assert "b.reconstruction" in str(stopped.value)
    assert not (tmp_path / "losses.jsonl").exists()


def test_a_resume_forgets_what_it_will_do_again_and_torn_lines(tmp_path: Path) -> None:
    lines = [json.dumps({"iteration": number, "values": {}}) for number in (10, 20, 30)]
    (tmp_path / "losses.jsonl").write_text("\n".join(lines) + '\n{"iteration": 3')
    History(tmp_path, 8).rewind(20)
    assert (tmp_path / "losses.jsonl").read_text() == lines[0] + "\n" + lines[1] + "\n"
