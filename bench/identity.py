"""``python -m bench.identity``: whose faces are they? Crops of the demo's clips against a recording of each person.

Each line says how many crops are taken for the person, for nobody surely, and for somebody else: the person's own, and
those of the other person, also with the first one's hair and clothes (the perfect swaps).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.jobs import Figure, table
from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.extraction.likeness import likeness
from faceengine.faceset import Crop, FaceSet
from faceengine.identity import readings
from faceengine.thresholds import THRESHOLDS, Reading

DEMO = Path(__file__).parents[1] / "demo"
NETWORK = "dlib-resnet"
STRANGERS = {
    "a": ("person_b.mp4", "held_out_b.mp4", "truth_a2b.mp4"),
    "b": ("person_a.mp4", "held_out_a.mp4", "truth_b2a.mp4"),
}


def main() -> int:
    figures = [figure for side in "ab" for figure in _person(side)]
    print(table(figures))
    return 0


def _person(side: str) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        known = np.array(likeness(DEMO / f"held_out_{side}.mp4", Path(folder) / "recording")["embeddings"])
        own = _crops(f"person_{side}.mp4", 6, Path(folder) / "own")
        strangers = [crop for clip in STRANGERS[side] for crop in _crops(clip, 12, Path(folder) / clip)]
    name = side.upper()
    found = []
    for how, faces in (("one face of the recording", known[:1]), (f"{len(known)} faces of it", known)):
        said = readings([*own, *strangers], faces, NETWORK)
        left, let = _counts(said[: len(own)]), _counts(said[len(own) :])
        found.append(Figure(f"{name}'s own crops, by {how}", left))
        found.append(Figure(f"other people's crops in {name}'s place, by {how}", let))
    alone = [THRESHOLDS[NETWORK].reading(float(np.linalg.norm(crop.embedding - known[0]))) for crop in own]
    return [Figure(f"{name}'s own crops, by one face and the threshold alone", _counts(alone)), *found]


def _crops(clip: str, every: int, folder: Path) -> list[Crop]:
    run(ExtractConfig(inputs=(DEMO / clip,), every=every, embedding=NETWORK), folder)
    with FaceSet.open(folder) as faces:
        return faces.crops()


def _counts(said: Sequence[Reading | None]) -> str:
    shares = [f"{list(said).count(reading)} {reading}" for reading in ("same", "unsure", "different")]
    return f"of {len(said)}: {', '.join(shares)}"


if __name__ == "__main__":
    sys.exit(main())
