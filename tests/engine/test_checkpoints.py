"""Checkpoints: whole or not there, recognised, pruned."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from faceengine.errors import InputError
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import Generator
from faceengine.training import checkpoints

HEADER = checkpoints.Header(
    iteration=0, total=100, recipe={}, seed=0, exchanged=False, quality=1.0, people={}, perceptual=None
)


def save(run: Path, iteration: int, quality: float = 1.0) -> Path:
    header = dataclasses.replace(HEADER, iteration=iteration, quality=quality)
    return checkpoints.save(run, header, {"generator.w": torch.full((3,), float(iteration))})


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    path = save(tmp_path, 300)
    assert path == tmp_path / "checkpoints" / "000300.safetensors"
    assert checkpoints.read_header(path) == dataclasses.replace(HEADER, iteration=300)
    assert checkpoints.read_tensors(path, "generator.")["w"].tolist() == [300.0] * 3
    assert checkpoints.newest(tmp_path) == path
    assert checkpoints.newest(path) == path


def test_the_newest_the_best_and_every_nth_are_kept(tmp_path: Path) -> None:
    for iteration, quality in ((100, 0.9), (200, 0.3), (300, 0.5), (400, 0.6), (500, 0.7)):
        save(tmp_path, iteration, quality)
    torn = tmp_path / "checkpoints" / ".000600.part.safetensors"
    torn.write_bytes(b"half")
    checkpoints.prune(tmp_path, keep_every=400)
    assert [path.stem for path in checkpoints.all_in(tmp_path)] == ["000200", "000400", "000500"]
    assert not torn.exists()


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "foreign"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    path = save(tmp_path, 1)
    data = path.read_bytes()
    if damage == "foreign":
        from safetensors.torch import save_file

        save_file({"w": torch.zeros(2)}, path)
    else:
        path.write_bytes({"cut": data[: len(data) - 4], "garbage": b"\xff" * 200, "empty": b""}[damage])
    with pytest.raises(InputError) as refused:
        checkpoints.read_header(path)
    assert refused.value.code == "checkpoint.damaged"


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    wide, narrow = (ModelConfig(narrow=n, latent=64) for n in (4, 8))
    with pytest.raises(InputError) as refused:
        checkpoints.load_into(Generator(narrow), Generator(wide).state_dict(), tmp_path)
    assert refused.value.code == "checkpoint.version"
    header = dataclasses.replace(HEADER, recipe={"model": wide.to_dict()})
    checkpoints.require_model(header, tmp_path, dataclasses.replace(wide, coverage=1.0))
    with pytest.raises(InputError, match="narrow 4 instead of 8") as refused:
        checkpoints.require_model(header, tmp_path, narrow)
    assert refused.value.code == "checkpoint.preset"


def test_a_missing_run_is_said(tmp_path: Path) -> None:
    for model in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError) as refused:
            checkpoints.newest(model)
        assert refused.value.code == "run.missing"


def test_optimisers_come_back() -> None:
    def build() -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2)
        return layer, torch.optim.Adam(layer.parameters(), fused=True)

    def train(layer: torch.nn.Linear, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        layer(torch.ones(1, 3)).square().sum().backward()
        optimiser.step()

    (one, adam), (two, again) = build(), build()
    train(one, adam)
    two.load_state_dict(one.state_dict())
    state = {name: tensor.clone() for name, tensor in checkpoints.optimiser_tensors(adam).items()}
    checkpoints.restore_optimiser(again, state)
    for layer, optimiser in ((one, adam), (two, again)):
        train(layer, optimiser)
    assert torch.equal(one.weight, two.weight)
