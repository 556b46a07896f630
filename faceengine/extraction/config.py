"""What an extraction can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceengine.config import Config, option
from faceengine.errors import ConfigError


@dataclass(frozen=True)
class ExtractConfig(Config):
    """Settings of one extraction."""

    inputs: tuple[Path, ...] = option((), help="videos, photos, and folders of photos")
    every: int = option(6, help="look at every Nth frame of a video", low=1, high=10_000)
    size: int = option(256, help="side of the aligned crops in pixels; 512 for 256-px models", low=64, high=1024)
    min_face: int = option(30, help="smallest face to find, in pixels of the frame", low=20, high=2000)
    landmarks: str = option("auto", help="network for the 68 landmarks", choices=("auto", "fan", "dlib"))
    embedding: str = option(
        "auto", help="network that tells people apart", choices=("auto", "facenet-vggface2", "dlib-resnet")
    )
    redo_every: int = option(25, help="search the whole frame at least every Nth time", low=1, high=1000)
    device: str = option("auto", help="where the networks run: auto, cpu, cuda, cuda:1 …")

    def check(self) -> None:
        if not self.inputs:
            raise ConfigError("extract.inputs", "inputs must name at least one video, photo or folder of photos")
