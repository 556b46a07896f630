"""The sound of a video as samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from faceengine.video.container import CODECS, opened

RATE = 16_000
"""Samples per second that :func:`read_sound` gives."""


def read_sound(path: Path, *, seconds: float = 600.0) -> NDArray[np.float32]:
    """Return ``(N,)`` mono samples in [-1, 1] of the first sound track at :data:`RATE`, at most ``seconds`` of it.

    Without a track that can be decoded there are none. Raises :class:`InputError` as :func:`probe` does.
    """
    pieces: list[NDArray[np.float32]] = []
    missing = int(seconds * RATE)
    for piece in _pieces(path):
        pieces.append(piece[:missing])
        missing -= len(pieces[-1])
        if missing <= 0:
            break
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _pieces(path: Path) -> Iterator[NDArray[np.float32]]:
    with opened(path) as (container, _):
        track = next(iter(container.streams.audio), None)
        if track is None or track.codec_context is None or track.codec_context.name not in CODECS.split(","):
            return
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        try:
            for frame in container.decode(track):
                for piece in resampler.resample(frame):
                    yield piece.to_ndarray()[0].astype(np.float32)
        except av.error.FFmpegError:
            return  # damaged or cut off: what came before counts
