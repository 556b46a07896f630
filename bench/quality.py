"""Swap quality after a quarter of an hour of training from scratch, on footage the model has not seen.

The yardstick of similarity is the middle between floor and ceiling; the yardstick of PSNR inside the face is the
footage as it was, "no swap at all", against the same paired truth.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from faceengine.conversion import convert
from faceengine.conversion.config import ConvertConfig
from faceengine.evaluation import score
from faceengine.evaluation.config import ScoreConfig
from faceengine.evaluation.metrics import paired_scores
from faceengine.extraction import extract
from faceengine.extraction.config import ExtractConfig
from faceengine.training import train
from faceengine.training.config import TrainConfig

DEMO = Path(__file__).resolve().parents[1] / "demo"
MINUTES = 15.0
EVERY = 2
PERSONS = {"a2b": ("a", "b"), "b2a": ("b", "a")}
"""Direction → (whose video, whose face it gets)."""


def rows(minutes: float = MINUTES, preset: str = "quick", folder: Path | None = None) -> list[dict[str, Any]]:
    """Train ``preset`` for ``minutes`` and judge both directions. ``folder`` keeps everything that is made."""
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return rows(minutes, preset, Path(temporary))
    for person in "ab":
        extract.run(ExtractConfig(inputs=(DEMO / f"person_{person}.mp4",), every=EVERY), folder / f"faces_{person}")
    config = TrainConfig(a=folder / "faces_a", b=folder / "faces_b", preset=preset, minutes=minutes)
    result = train.run(config, folder / "run")
    found = [row for direction in PERSONS for row in _judge(folder, direction)]
    for row in found:
        row["name"] += f", {preset}, {minutes:g} minutes, {result.iteration} iterations"
    return found


def _judge(folder: Path, direction: str) -> list[dict[str, Any]]:
    person, wanted = PERSONS[direction]
    video, truth = DEMO / f"held_out_{person}.mp4", DEMO / f"truth_{direction}.mp4"
    convert.run(ConvertConfig(video=video, model=folder / "run", direction=direction, name=f"{direction}.mp4"), folder)
    judge = ScoreConfig(
        result=folder / f"{direction}.mp4",
        wanted=folder / f"faces_{wanted}",
        original=video,
        truth=truth,
        name=f"{direction}.json",
    )
    score.run(judge, folder)
    report = json.loads((folder / f"{direction}.json").read_text())
    untouched = paired_scores(video, truth, original=video)
    middle = (report["floor"] + report["ceiling"]) / 2
    place = (report["similarity"] - report["floor"]) / (report["ceiling"] - report["floor"])
    return [
        {
            "name": f"similarity {direction} (floor {report['floor']:.3f}, ceiling {report['ceiling']:.3f})",
            "ours": float(report["similarity"]), "yardstick": middle, "ratio": f"{place:.0%} of the way",
            "unit": "cosine", "asked": "above the middle",
        },
        {
            "name": f"PSNR inside the face {direction}",
            "ours": float(report["psnr_face"]), "yardstick": untouched.psnr_face,
            "ratio": f"{report['psnr_face'] - untouched.psnr_face:+.2f} dB", "unit": "dB", "asked": "≥ +3 dB",
        },
    ]  # fmt: skip


if __name__ == "__main__":
    from bench.__main__ import table

    keep = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    print(table(rows(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES, folder=keep)))
