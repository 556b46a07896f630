"""How near the base's swaps of held-out people come to the true ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from faceengine.training.preview import central
from tools.base_model.pairs import People
from tools.base_model.people import ManyPeople
from tools.base_model.pretrain import draw, held_out

SCENES = 8
"""Crops of each held-out person that are judged."""


def judge(generator: ManyPeople, people: People) -> dict[str, Any]:
    """Return ``psnr`` (dB inside the face, median) of held-out people drawn as others against the true swap; ``none``:
    the same of the source itself; ``carried``: the share of the difference between two sources of the same scene that
    is still there when both are drawn as the same person. 0: who is shown leaves no trace."""
    drawn_psnr, none_psnr, carried = [], [], []
    size, coverage = generator.config.size, generator.config.coverage
    for group, p in held_out(people):
        scenes = np.linspace(0, people.groups[group].crops - 1, SCENES).astype(int)
        for scene in scenes:
            (source, _), (truth, masks), (third, _) = (people.crop(group, one, int(scene)) for one in (p, 0, 1))
            q = int(people.first[group])
            from_p, from_third = draw(generator, [source], [q]) + draw(generator, [third], [q])
            inside = central(masks[..., 3], size, coverage) > 127
            views = {name: central(image, size, coverage).astype(float)[inside] for name, image in
                     (("source", source), ("truth", truth), ("third", third))}  # fmt: skip
            one, other = from_p.astype(float)[inside], from_third.astype(float)[inside]
            drawn_psnr.append(_psnr(one, views["truth"]))
            none_psnr.append(_psnr(views["source"], views["truth"]))
            carried.append(np.abs(one - other).mean() / max(np.abs(views["source"] - views["third"]).mean(), 1e-6))
    figures = {"psnr": drawn_psnr, "none": none_psnr, "carried": carried}
    return {name: round(float(np.median(values)), 3) for name, values in figures.items()}


def _psnr(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return float(10 * np.log10(255**2 / max(((one - other) ** 2).mean(), 1e-6)))
