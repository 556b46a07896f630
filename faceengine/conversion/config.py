"""What a conversion can be told, and what it tells of its end."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from faceengine.config import Config, option
from faceengine.errors import ConfigError
from faceengine.provenance.choices import AUTO, LABELS, MARKS, PLACES

DIRECTIONS = ("a2b", "b2a")
BLENDS = ("direct", "mask", "poisson")
COLOURS = ("none", "mean", "lab", "histogram")
LAYOUTS = ("result", "pair", "triple")
COVERS = ("both", "alpha", "face")


@dataclasses.dataclass(frozen=True)
class ConvertConfig(Config):
    """All choices of one conversion."""

    video: Path = option(help="the video whose face is to be replaced")
    model: Path = option(help="a training run's folder, or one checkpoint in it")
    direction: str = option(help="a2b: in a video of A, A's face becomes B's; b2a: the other way", choices=DIRECTIONS)
    name: str = option("result.mp4", help="file name of the result")
    blend: str = option("mask", help="how the new face is put into the frame", choices=BLENDS)
    cover: str = option(
        "both",
        help="which part mask and Poisson blending replace: the model's alpha, the outlined face, or where both agree",
        choices=COVERS,
    )
    erode: float = option(
        0.03, help="how far the mask draws back from its edge, as a share of the crop", low=0, high=0.2
    )
    feather: float = option(0.04, help="how soft the mask's edge is, as a share of the crop", low=0, high=0.2)
    color: str = option("mean", help="how the new face's colours are matched to the frame's", choices=COLOURS)
    sharpen: float = option(
        1.0, help="how much the new face may be sharpened to be as sharp as the footage; 0 = not", low=0, high=1
    )
    smoothing: float = option(0.5, help="how much the face's points are steadied over time", low=0, high=1)
    layout: str = option("result", help="result; video | result; or video | result | mask", choices=LAYOUTS)
    person: Path | None = option(
        None, help="face set of the person to be replaced (default: the one the model was trained on)"
    )
    landmarks: str = option("auto", help="network for the 68 landmarks", choices=("auto", "fan", "dlib"))
    start: int = option(0, help="first frame, from 0", low=0)
    end: int | None = option(None, help="frame to stop before (default: the video's end)", low=1)
    batch: int = option(4, help="crops that go through the model at once", low=1, high=256)
    device: str = option("auto", help="auto, cpu, cuda or cuda:N")
    precision: str = option("auto", help="arithmetic of the model", choices=("auto", "float32", "bfloat16"))
    crf: int = option(18, help="quality of the H.264 video: 0 (lossless) to 51 (worst)", low=0, high=51)

    label: str = option(
        "both", help="the words AI MODIFIED (en), AI换脸 (zh), or both, seen in every frame", choices=LABELS
    )
    label_place: str = option(
        AUTO, help="where in the frame they are; auto: in a corner away from the faces", choices=(AUTO, *PLACES)
    )
    marks: str = option("all", help="all; or label, for a part whose join adds metadata and signature", choices=MARKS)

    pictures: int = option(
        0, help="frames of the whole video that are kept as pictures while it is converted, about", low=0, high=1000
    )

    def check(self) -> None:
        if Path(self.name).name != self.name or not self.name.lower().endswith(".mp4"):
            raise ConfigError(
                "convert.name", f"the result's name must be a plain file name that ends in .mp4: {self.name}"
            )
        if self.end is not None and self.end <= self.start:
            raise ConfigError("convert.range", f"end ({self.end}) must be greater than start ({self.start})")

    @property
    def whole(self) -> bool:
        """Whether the video is converted from its first to its last frame."""
        return self.start == 0 and self.end is None

    def length(self, frames: int) -> int:
        """How many frames are converted of a video that has ``frames``."""
        return max(min(frames, self.end or frames) - self.start, 0)


@dataclasses.dataclass(frozen=True)
class ConvertResult(Config):
    """What became of a conversion. Stopped on request it leaves no file."""

    path: Path
    frames: int
    swapped: int
    """Frames in which the person was found and replaced."""
    fps: float
    """Frames converted a second, loading not counted."""
    stopped: bool
    model: str = ""
    """SHA-256 of the checkpoint that drew the faces."""
    signed_by: str = ""
    """Common name of the signer; empty for a part, whose join is signed."""
    checked: str = ""
    """By which recordings of who agreed the faces were compared (``References.digest``); empty where nobody asked."""
    refused: int = 0
    """Frames with a face that is like the person, but not like the one who agreed. It was left as it is."""
    nearest: float | None = None
    """Distance of the nearest face to the one who agreed, where somebody asked."""
