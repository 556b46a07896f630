"""How somebody looks to the network that tells people apart: the most typical face of one video.

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

EVERY = 5


def likeness(video: Path, folder: Path) -> dict[str, Any]:
    """``{"network", "faces", "embedding"}`` of the face that all others in ``video`` are nearest to.

    ``faces`` is how many there are; without any there is nothing else. Raises as extraction does.
    """
    run(ExtractConfig(inputs=(video,), every=EVERY), folder)
    with FaceSet.open(folder) as faces:
        crops = [crop for crop in faces.crops() if crop.medoid_distance is not None]
    if not crops:
        return {"faces": 0}
    typical = min(crops, key=lambda crop: crop.medoid_distance or 0.0)
    embedding = [float(value) for value in typical.embedding]
    return {"network": typical.embedding_network, "faces": len(crops), "embedding": embedding}


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
