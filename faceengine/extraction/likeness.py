"""How somebody looks to the network that tells people apart: a few faces of one video, the most typical first.

``python -m faceengine.extraction.likeness VIDEO FOLDER`` prints it as JSON; ``FOLDER`` is worked in.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from faceengine.errors import EngineError
from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.faceset import FaceSet
from faceengine.identity import looks
from faceengine.thresholds import THRESHOLDS
from faceengine.video.reading import probe

EVERY = 5
MOST_FRAMES = 150
"""Somebody waits for the answer, so a long video is looked at in larger steps."""


def likeness(video: Path, folder: Path) -> dict[str, Any]:
    """``{"network", "faces", "others", "embeddings"}`` of the person whom most faces in ``video`` show.

    ``faces`` is how many there are; without any there is nothing else. ``others`` is how many of them are somebody
    else's, or no face at all. The first embedding is of the face that all others are nearest to, the rest are of that
    person's other looks (:func:`faceengine.identity.looks`). Raises as extraction does.
    """
    every = max(EVERY, -(-probe(video).frames // MOST_FRAMES))
    run(ExtractConfig(inputs=(video,), every=every), folder)
    with FaceSet.open(folder) as faces:
        crops = [crop for crop in faces.crops() if crop.medoid_distance is not None]
    if not crops:
        return {"faces": 0}
    distances = [crop.medoid_distance or 0.0 for crop in crops]
    typical = distances.index(min(distances))
    network = crops[typical].embedding_network
    others = sum(distance > THRESHOLDS[network].different for distance in distances)
    embeddings = [crops[place].embedding.tolist() for place in looks(crops, typical)]
    return {"network": network, "faces": len(crops), "others": others, "embeddings": embeddings}


def main(video: str, folder: str) -> int:
    """Print the likeness. A video in which nothing can be found has none."""
    with redirect_stdout(sys.stderr):
        try:
            found = likeness(Path(video), Path(folder))
        except EngineError:
            found = {"faces": 0}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
