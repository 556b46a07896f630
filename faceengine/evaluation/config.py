"""What a score can be told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from faceengine.config import Config, option
from faceengine.errors import ConfigError

EMBEDDINGS = ("auto", "facenet-vggface2", "dlib-resnet")


@dataclasses.dataclass(frozen=True)
class ScoreConfig(Config):
    """All choices of one score."""

    result: Path = option(help="the converted video, in the layout `result`")
    wanted: Path = option(help="face set of the person whose face it should now be")
    original: Path = option(help="the footage before the swap: its video, or a face set of the person in it")
    truth: Path | None = option(None, help="video of a perfect swap, for PSNR and SSIM inside the face")
    strangers: Path | None = option(None, help="face set of other people, as a third yardstick")
    other: Path | None = option(None, help="report of the other direction, to be set beside this one")
    run: Path | None = option(None, help="the training run, or a checkpoint of it: is the score independent of it?")
    name: str = option("report.json", help="file name of the report")
    start: int = option(0, help="frame of the original video that the result's first frame shows", low=0)
    every: int = option(1, help="score every Nth frame (jitter needs every one)", low=1)
    pictures: bool = option(False, help="keep the best and worst frames as pictures in frames/, before and after")
    embedding: str = option("auto", help="network that tells people apart", choices=EMBEDDINGS)
    landmarks: str = option("auto", help="network for the 68 landmarks", choices=("auto", "fan", "dlib"))
    device: str = option("auto", help="auto, cpu, cuda or cuda:N")

    def check(self) -> None:
        if Path(self.name).name != self.name or not self.name.lower().endswith(".json"):
            raise ConfigError(
                "score.name", f"the report's name must be a plain file name that ends in .json: {self.name}"
            )
