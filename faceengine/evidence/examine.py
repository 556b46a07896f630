"""``python -m faceengine.evidence.examine VIDEO FOLDER`` prints as JSON what a recording of somebody who agrees shows.

``FOLDER`` is worked in.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from faceengine.errors import EngineError
from faceengine.evidence import fingerprint, speaking, voice
from faceengine.extraction.likeness import MOST_FRAMES, faces_of, likeness_of, of_the_person
from faceengine.faceset import Crop
from faceengine.video.reading import probe
from faceengine.video.samples import read_sound

_LOOKS_A_SECOND = 5
"""As often as syllables come."""


def examine(video: Path, folder: Path) -> dict[str, Any]:
    """Return ``{"likeness", "problem", "speaking", "voice", "fingerprint"}``.

    ``likeness`` is that of :mod:`faceengine.extraction.likeness`. ``problem`` is empty where one face speaks, else
    ``no_face``, ``short``, ``far``, ``still``, ``silent`` or ``no_voice``.
    """
    info = probe(video)
    rate = float(info.fps)
    every = max(1, round(rate / _LOOKS_A_SECOND), -(-info.frames // MOST_FRAMES))
    faces = _faces(video, folder, every)
    person = of_the_person(faces)
    seen = speaking.measure(person, -(-info.frames // every), every / rate)
    samples = read_sound(video)
    heard = voice.measure(samples)
    return {
        "likeness": likeness_of(faces),
        "problem": seen.problem or heard.problem,
        "speaking": _rounded(seen),
        "voice": _rounded(heard),
        "fingerprint": fingerprint.fingerprint(samples, person).as_json(),
    }


def _faces(video: Path, folder: Path, every: int) -> list[Crop]:
    """Those that can be told apart. A video in which nothing can be found has none."""
    try:
        return faces_of(video, folder, every)
    except EngineError:
        return []


def _rounded(measured: Any) -> dict[str, float]:
    return {name: round(value, 3) for name, value in dataclasses.asdict(measured).items()}


def main(video: str, folder: str) -> int:
    """Print what is found, as the last line of the output."""
    with redirect_stdout(sys.stderr):
        found = examine(Path(video), Path(folder))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
