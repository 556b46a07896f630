"""Does somebody speak in a recording's sound? Told by how sound moves, not by what is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceengine.video.samples import RATE

Samples = NDArray[np.float32]

_WINDOW, _HOP = 512, 256
"""32 ms, every 16 ms."""
_PITCH_WINDOW = 1024
"""64 ms: four periods of a deep voice."""
_LOWEST, _HIGHEST, _BANDS = 150.0, 4000.0, 16
_PITCH = (70, 400)
"""Hz: from a deep man's voice to a child's."""
_ACTIVE_DB = 25.0
"""Below the loud moments: quieter ones are pauses."""
_STEP = 6
"""Windows, some 100 ms: as long as a sound of speech."""

_SILENCE_DB = -35.0
"""Level of the loud moments under which there is nothing to hear. A voice recorded 35 dB too quiet has -7."""
_MOVES_DB = 6.0
"""Between loud and quiet moments. A tone has 0.2, steady noise 1, speech in noise 5 dB under it 17, plain speech 40."""
_CHANGES_DB = 2.5
"""By how much the spectrum's shape changes from sound to sound. A tone has 0, noise 2, speech in noise 3, speech 8."""
_NARROW = 0.8
"""Share of the loudest of 16 bands. A tone or beep has 0.9 and more, speech 0.4."""
_PERIODIC = 0.5
"""Autocorrelation at the pitch's period from which a window is voiced."""
_VOICED_SECONDS = 0.8
"""Somebody who reads four words and a number is voiced for 1.5 s and more."""


@dataclass(frozen=True)
class Voice:
    """What was measured. Levels are in dB, relative to one another only."""

    level: float
    """Of the loud moments."""
    moves: float
    """How far the quiet moments are below the loud ones."""
    changes: float
    """Mean change of the spectrum's shape within a tenth of a second."""
    narrowness: float
    """Median share of the loudest band, in [0, 1]."""
    voiced_seconds: float
    """How long there is a pitch as voices have it."""

    @property
    def problem(self) -> str:
        """Return ``silent``, ``no_voice``, or nothing where somebody speaks."""
        if self.level < _SILENCE_DB:
            return "silent"
        speaks = self.moves >= _MOVES_DB and self.changes >= _CHANGES_DB and self.narrowness <= _NARROW
        return "" if speaks and self.voiced_seconds >= _VOICED_SECONDS else "no_voice"


NOTHING = Voice(-100.0, 0.0, 0.0, 0.0, 0.0)
"""Where there is no sound at all."""


def measure(samples: Samples) -> Voice:
    """Return what is to be told of ``(N,)`` mono samples at ``RATE``."""
    if len(samples) < 4 * _PITCH_WINDOW:
        return NOTHING
    bands = _smoothed(_bands(samples))
    total = 10 * np.log10(bands.sum(axis=1) + 1e-9)
    level = float(np.percentile(total, 95))
    active = total > level - _ACTIVE_DB
    return Voice(
        level=level,
        moves=level - float(np.percentile(total, 10)),
        changes=_changes(bands, active, level),
        narrowness=float(np.median((bands.max(axis=1) / (bands.sum(axis=1) + 1e-12))[active])),
        voiced_seconds=_voiced(samples, active) * _HOP / RATE,
    )


def _bands(samples: Samples) -> NDArray[np.float64]:
    """``(T, _BANDS)`` energies, the bands equally wide on a scale of octaves."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
    energy = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    places = np.searchsorted(np.fft.rfftfreq(_WINDOW, 1 / RATE), np.geomspace(_LOWEST, _HIGHEST, _BANDS + 1))
    return np.add.reduceat(energy, places, axis=1)[:, :_BANDS]


def _smoothed(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of three windows: a single one of noise varies as much as speech does."""
    padded = np.pad(bands, ((1, 1), (0, 0)), mode="edge")
    return np.asarray((padded[:-2] + padded[1:-1] + padded[2:]) / 3)


def _changes(bands: NDArray[np.float64], active: NDArray[np.bool_], level: float) -> float:
    shape = np.maximum(10 * np.log10(bands + 1e-9), level - 45.0)
    shape -= shape.mean(axis=1, keepdims=True)
    both = active[_STEP:] & active[:-_STEP]
    steps = np.abs(shape[_STEP:] - shape[:-_STEP]).mean(axis=1)
    return float(np.median(steps[both])) if both.any() else 0.0


def _voiced(samples: Samples, active: NDArray[np.bool_]) -> int:
    """How many of the active windows have a pitch."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _PITCH_WINDOW)[::_HOP].astype(np.float64)
    count = min(len(windows), len(active))
    windows = windows[:count][active[:count]]
    windows = windows - windows.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(windows, 2 * _PITCH_WINDOW, axis=1)) ** 2
    similar = np.fft.irfft(spectrum, axis=1)[:, :_PITCH_WINDOW]
    similar /= similar[:, [0]] * (1 - np.arange(_PITCH_WINDOW) / _PITCH_WINDOW) + 1e-9
    shortest, longest = RATE // _PITCH[1], RATE // _PITCH[0]
    return int((similar[:, shortest:longest].max(axis=1) > _PERIODIC).sum())
