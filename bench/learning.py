"""``python -m bench.learning RUN --out FIGURE.png``: does a run learn? Its loss curves above its last preview sheet.

Prints how far each loss has fallen: the mean of the first and of the last twentieth of the run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.errors import InputError
from faceengine.files import replace_file
from faceengine.geometry import Image
from faceengine.training.history import FILE
from faceengine.training.preview import FOLDER

WIDTH, HEIGHT = 1600, 420
MARGIN = 60
SHOWN = ("reconstruction", "face", "dssim")
"""Losses that are drawn, those that the run has."""
COLOURS = {"a": (200, 90, 40), "b": (40, 110, 200)}
"""RGB of each person's curves."""
SMOOTHED = 100
"""Points that a curve has after it was averaged."""

Curve = NDArray[np.float64]


def main() -> int:
    parser = argparse.ArgumentParser("python -m bench.learning", description=__doc__)
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the figure, a PNG")
    arguments = parser.parse_args()
    curves = curves_of(arguments.run)
    print(summary(curves))
    _, data = cv2.imencode(".png", cv2.cvtColor(figure(curves, last_sheet(arguments.run)), cv2.COLOR_RGB2BGR))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(arguments.out, data.tobytes())
    return 0


def curves_of(run: Path) -> dict[str, Curve]:
    """Return each loss of a run as ``(N, 2)`` iterations and values, by name (``a.reconstruction`` …)."""
    lines = [json.loads(line) for line in (run / FILE).read_text().splitlines()]
    names = {name for line in lines for name in line["values"]}
    return {
        name: np.array([(line["iteration"], line["values"][name]) for line in lines if name in line["values"]])
        for name in sorted(names)
    }


def last_sheet(run: Path) -> Image:
    """Return the newest preview sheet of a run, ``(H, W, 3)`` RGB."""
    path = sorted((run / FOLDER).glob("*.png"))[-1]
    picture = cv2.imread(str(path))
    if picture is None:
        raise InputError("learning.preview", f"{path} can't be read")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def summary(curves: Mapping[str, Curve]) -> str:
    """Return a Markdown table of the losses at the beginning and at the end."""
    lines = ["| loss | first twentieth | last twentieth | change |", "| --- | --- | --- | --- |"]
    for name, curve in curves.items():
        part = max(1, len(curve) // 20)
        first, last = float(curve[:part, 1].mean()), float(curve[-part:, 1].mean())
        lines.append(f"| {name} | {first:.4f} | {last:.4f} | {last / first - 1:+.0%} |")
    return "\n".join(lines)


def figure(curves: Mapping[str, Curve], sheet: Image) -> Image:
    """Return panels of the shown losses side by side, the preview sheet below them, ``(H, W, 3)`` RGB."""
    shown = [loss for loss in SHOWN if f"a.{loss}" in curves and f"b.{loss}" in curves]
    width = WIDTH // len(shown)
    panels = [_panel(loss, {person: curves[f"{person}.{loss}"] for person in COLOURS}, width) for loss in shown]
    top = np.concatenate(panels, axis=1)
    height = round(sheet.shape[0] * top.shape[1] / sheet.shape[1])
    below = cv2.resize(sheet, (top.shape[1], height), interpolation=cv2.INTER_AREA)
    return np.concatenate([top, below])


def _panel(title: str, curves: Mapping[str, Curve], width: int) -> Image:
    """The curves of both people over the iterations, on a logarithmic scale."""
    panel = np.full((HEIGHT, width, 3), 255, np.uint8)
    smooth = {person: _smoothed(curve) for person, curve in curves.items()}
    every = np.concatenate(list(smooth.values()))
    low, high = np.log10(every[:, 1].min() * 0.9), np.log10(every[:, 1].max() * 1.1)
    last = every[:, 0].max()

    def place(iteration: float, value: float) -> tuple[int, int]:
        x = MARGIN + (width - 2 * MARGIN) * iteration / last
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (np.log10(value) - low) / (high - low)
        return round(x), round(float(y))

    for value in np.logspace(low, high, 5):
        cv2.line(panel, place(0, value), place(last, value), (220, 220, 220), 1)
        _write(panel, f"{value:.3g}", (6, place(0, value)[1] + 4))
    for iteration in np.linspace(0, last, 5):
        x, y = place(iteration, 10**low)
        _write(panel, f"{iteration:.0f}", (x - 14, y + 18))
    for number, (person, curve) in enumerate(smooth.items()):
        points = np.array([place(*point) for point in curve], np.int32)
        cv2.polylines(panel, [points], isClosed=False, color=COLOURS[person], thickness=2, lineType=cv2.LINE_AA)
        _write(panel, f"person {person.upper()}", (width - 2 * MARGIN, MARGIN + 18 * number), COLOURS[person])
    _write(panel, f"{title}, by iteration", (MARGIN, MARGIN // 2))
    return panel


def _smoothed(curve: Curve) -> Curve:
    """The means of at most :data:`SMOOTHED` equal parts of a curve."""
    parts = np.array_split(curve, min(SMOOTHED, len(curve)))
    return np.array([part.mean(axis=0) for part in parts])


def _write(panel: Image, text: str, at: Sequence[int], colour: tuple[int, int, int] = (60, 60, 60)) -> None:
    cv2.putText(panel, text, (at[0], at[1]), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)


if __name__ == "__main__":
    sys.exit(main())
