"""Runs and checkpoints of other versions: they go on, or are refused with one clear line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faceengine.config import Config, option
from faceengine.errors import InputError
from faceengine.training import checkpoints
from faceengine.training.config import Recipe, TrainConfig
from faceengine.training.swapper import load_swapper
from faceengine.training.train import run

Rewrite = Callable[..., Path]


@pytest.fixture(scope="module")
def trained(faces_a: Path, faces_b: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run(TrainConfig(a=faces_a, b=faces_b, preset="tiny", iterations=2, workers=0, checkpoint_every=1), folder)
    return folder


@pytest.fixture
def rewritten(trained: Path, tmp_path: Path) -> Rewrite:
    """The run with its newest checkpoint's recipe changed, as another version would have written it."""

    def make(change: Callable[[dict[str, Any]], None]) -> Path:
        path = checkpoints.newest(trained)
        header = checkpoints.read_header(path)
        recipe = {**header.recipe, "model": dict(header.recipe["model"])}
        change(recipe)
        folder = tmp_path / "run"
        checkpoints.save(folder, dataclasses.replace(header, recipe=recipe), checkpoints.read_tensors(path, ""))
        return folder

    return make


def more(folder: Path, faces_a: Path, faces_b: Path) -> int:
    config = TrainConfig(a=faces_a, b=faces_b, preset="tiny", iterations=3, workers=0)
    return run(config, folder).iteration


def test_a_run_from_before_an_option_existed_goes_on(rewritten: Rewrite, faces_a: Path, faces_b: Path) -> None:
    def older(recipe: dict[str, Any]) -> None:
        for name in ("relight", "degrade", "mouth", "warp_until"):
            del recipe[name]
        del recipe["model"]["architecture"]

    assert more(rewritten(older), faces_a, faces_b) == 3


def test_an_option_added_at_its_default_changes_no_recipe() -> None:
    @dataclasses.dataclass(frozen=True)
    class Later(Recipe):
        added: float = option(0.0, help="a loss that does not exist yet", low=0)

    assert Later.from_dict(Recipe().to_dict()).to_dict() == Recipe().to_dict() | {"added": 0.0}
    assert isinstance(Later(), Config)


def test_an_option_that_is_no_more_stops_training_but_not_converting(
    rewritten: Rewrite, faces_a: Path, faces_b: Path
) -> None:
    folder = rewritten(lambda recipe: recipe.update(ssim=1.0))
    with pytest.raises(InputError, match="ssim") as refused:
        more(folder, faces_a, faces_b)
    assert refused.value.code == "checkpoint.version"
    assert load_swapper(folder, "a2b").size == 64


def test_another_value_is_still_another_recipe(rewritten: Rewrite, faces_a: Path, faces_b: Path) -> None:
    folder = rewritten(lambda recipe: recipe.update(mouth=5.0))
    with pytest.raises(InputError, match="mouth") as refused:
        more(folder, faces_a, faces_b)
    assert refused.value.code == "run.other_settings"


def test_an_architecture_that_is_not_installed(rewritten: Rewrite, faces_a: Path, faces_b: Path) -> None:
    folder = rewritten(lambda recipe: recipe["model"].update(architecture="diffusion"))
    for work in (lambda: load_swapper(folder, "a2b"), lambda: more(folder, faces_a, faces_b)):
        with pytest.raises(InputError, match="diffusion") as refused:
            work()
        assert refused.value.code == "checkpoint.version"
