"""What is taken in, and how much of it at most."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from faceengine.config import Config, option


@dataclasses.dataclass(frozen=True)
class IntakeConfig(Config):
    """One file, and the limits that it must keep to."""

    file: Path = option(help="a video or a photo as it came")
    name: str = option("asset", help="what is made is called so, with an ending")
    known: tuple[str, ...] = option((), help="SHA-256 of files that are there already")
    max_minutes: int = option(120, help="longest video", low=1)
    max_fps: int = option(240, help="highest rate of a video", low=1)
    max_tracks: int = option(8, help="most tracks of a video", low=1)
    keep_fps: int = option(60, help="a higher rate is lowered to this", low=1)
    max_side: int = option(3840, help="a video with a longer side is made smaller", low=64)
    min_side: int = option(48, help="shortest side of anything", low=1)
    patience: int = option(120, help="seconds without a new frame after which a video is given up", low=1)
