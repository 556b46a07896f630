"""Chains, videos and pictures for tests of marks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from faceengine.provenance.aigc import KEY, aigc
from faceengine.provenance.credentials import CHAIN_FILE, KEY_FILE, Credentials, make_chain
from faceengine.provenance.origin import Origin
from faceengine.provenance.signing import sign_video
from faceengine.video import VideoWriter

ORIGIN = Origin("a-job", ("consent-a", "consent-b"), ("0" * 64,), "1" * 64)


def chain(folder: Path, organisation: str = "A studio") -> Credentials:
    make_chain(folder, organisation)
    return Credentials.load(folder / CHAIN_FILE, folder / KEY_FILE)


def picture(height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def signed_video(path: Path, credentials: Credentials, frames: int = 5) -> Path:
    """A few frames of noise with all marks but the label."""
    plain = path.with_name("plain.mp4")
    with VideoWriter(plain, 160, 120, 25, tag=(KEY, aigc(ORIGIN, credentials.organisation))) as writer:
        for _ in range(frames):
            writer.write(picture())
    source = path.with_name("source.mp4")
    source.write_bytes(plain.read_bytes())
    sign_video(plain, path, ORIGIN, credentials, source=source)
    return path


def ffmpeg(*arguments: str | Path) -> int:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, timeout=60, stderr=subprocess.DEVNULL).returncode
