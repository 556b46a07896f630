"""The schedule: the original's phases at their exact iterations, and that it depends on nothing else."""

from __future__ import annotations

import pytest

from faceengine.training.config import PRESETS, Recipe
from faceengine.training.schedule import Phase, phase

TOTAL = 40_000


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        (0, Phase(1.0)),
        (8_000, Phase(1.0, perceptual=True)),
        (12_000, Phase(1.0, perceptual=True, hinge=0.5)),
        (16_000, Phase(1.0, perceptual=True, hinge=0.2)),
        (20_000, Phase(1.0, perceptual=True, hinge=0.4)),
        (26_667, Phase(0.3, perceptual=True)),
        (32_000, Phase(0.3, perceptual=True, hinge=0.1, exchanged=True)),
        (36_000, Phase(0.1, perceptual=True, exchanged=True)),
    ],
)
def test_the_originals_phases(begin: int, expected: Phase) -> None:
    assert phase(begin, TOTAL, Recipe()) == expected
    if begin:
        assert phase(begin - 1, TOTAL, Recipe()) != expected


def test_it_scales_with_the_length() -> None:
    assert [phase(i, 10, Recipe()) for i in range(10)] == [phase(i * 4_000, TOTAL, Recipe()) for i in range(10)]


def test_the_warm_up_rises_to_the_full_rate() -> None:
    recipe = Recipe(warm_up=4)
    assert [phase(i, TOTAL, recipe).learning_rate for i in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_the_cosine_falls_to_a_hundredth() -> None:
    recipe = Recipe(original_phases=False)
    rates = [phase(i, 100, recipe).learning_rate for i in range(101)]
    assert rates[0] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0.01)
    assert rates == sorted(rates, reverse=True)


def test_a_recipe_without_adversarial_loss_never_has_it() -> None:
    assert not any(phase(i, 100, Recipe(adversarial=0.0)).adversarial for i in range(100))
    late = Recipe(adversarial_from=0.5)
    assert [phase(i, 4, late).adversarial for i in range(4)] == [False, False, True, True]


def test_every_preset_builds() -> None:
    original = {"lite-64", "standard-64", "standard-128", "standard-256"}
    assert set(PRESETS) == original | {"quick", "standard", "fine", "tiny"}
