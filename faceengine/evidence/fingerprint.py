"""Is this the same recording? Two small fingerprints that survive other encoders, sizes, cuts and speeds.

*Sound*: for each moment 16 bits, whether the difference of neighbouring bands grew (Haitsma and Kalker, "A Highly
Robust Audio Fingerprinting System", 2002). *Movement*: how head and mouth move, from moment to moment; neither place
nor size nor looks. Nobody's voice or face can be made of either. They are compared at every offset and at speeds from
0.96 to 1.04.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceengine.evidence.speaking import mouth_openings, scales
from faceengine.faceset import Crop
from faceengine.video.samples import RATE

Track = NDArray[np.float64]
"""``(T, C)`` in [-1, 1]; zeros where there is nothing to compare."""

_WINDOW, _HOP = 4096, 512
"""256 ms, every 32 ms."""
_BANDS = 17
_AUDIBLE_DB = 30.0
"""Below the loud moments; what is quieter is nothing but the encoder's noise."""
_SILENCE_DB = -35.0
_MOVEMENTS_A_SECOND = 10
_STEP = 3
"""Movements are differences over 0.3 s."""
_LIMIT = 2.0
_MIRRORED = np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0])
"""Yaw, roll and what goes sideways change their sign in a mirror."""
_SPEEDS = np.arange(0.96, 1.0401, 0.005)
_OVERLAP = 0.5
"""Of the shorter one, how much must lie beside the other."""
_LEAST_SOUND, _LEAST_MOVEMENT = 1.5, 2.5
"""Seconds."""

SAME_SOUND = 0.45
"""Measured: the same recording 0.53 and more (3 % faster with its pitch 0.57, noise louder than the voice 0.59), other
words or another person 0.28 at most. The same machine's voice with the same words is the same: 0.5 to 0.7."""
SAME_MOVEMENT = 0.7
"""Measured: the same recording 0.84 and more, others 0.48 at most."""


@dataclass(frozen=True)
class Fingerprint:
    """Of one recording. Either may be empty."""

    sound: bytes
    """A byte of 0 or 1 for "audible", then two of bits, for each 32 ms."""
    movement: bytes
    """Six signed bytes for each tenth of a second."""

    def as_json(self) -> dict[str, str]:
        return {"sound": _text(self.sound), "movement": _text(self.movement)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Fingerprint:
        return cls(base64.b64decode(kept.get("sound", "")), base64.b64decode(kept.get("movement", "")))


def fingerprint(samples: NDArray[np.float32], faces: Sequence[Crop]) -> Fingerprint:
    """Return that of a recording with these mono samples at ``RATE`` and these faces of its one person."""
    return Fingerprint(_pack_sound(samples), _pack_movement(faces))


def same_sound(one: Fingerprint, other: Fingerprint) -> float:
    """Return how alike the two sound, in [-1, 1]; 0 for what has nothing to do with one another."""
    return _alike(_sound(one), _sound(other), _LEAST_SOUND * RATE / _HOP, normalised=False)


def same_movement(one: Fingerprint, other: Fingerprint) -> float:
    """Return how alike the two move, also in a mirror, in [-1, 1]."""
    moves, others = _movement(one), _movement(other)
    least = _LEAST_MOVEMENT * _MOVEMENTS_A_SECOND
    return max(_alike(moves * sign, others, least, normalised=True) for sign in (np.ones(6), _MIRRORED))


# ---- comparing -------------------------------------------------------------------------------------------------------


def _alike(one: Track, other: Track, least: float, *, normalised: bool) -> float:
    """The best agreement of two tracks that lie at least ``least`` moments, and half of the shorter, beside each other.

    With ``normalised`` it is the correlation, else the share of equal signs over that of different ones.
    """
    if not len(one) or not len(other):
        return 0.0
    found = 0.0
    heard = min(np.abs(one).max(axis=1).sum(), np.abs(other).max(axis=1).sum()) if not normalised else 0
    need = max(least, _OVERLAP * (min(len(one), len(other)) if normalised else heard))
    for stretched in _stretched(one):
        agree = _slid(stretched, other)
        if normalised:
            beside = _slid(np.ones((len(stretched), 1)), np.ones((len(other), 1)))
            energy = np.sum(stretched**2, axis=1, keepdims=True), np.sum(other**2, axis=1, keepdims=True)
            whole = _slid(energy[0], np.ones((len(other), 1))) * _slid(np.ones((len(stretched), 1)), energy[1])
            share = agree / np.sqrt(np.maximum(whole, 1e-6))
        else:
            beside = _slid(np.abs(stretched), np.abs(other)) / one.shape[1]
            share = agree / np.maximum(beside * one.shape[1], 1.0)
        fits = beside >= need - 0.5
        found = max(found, float(share[fits].max()) if fits.any() else 0.0)
    return found


def _stretched(track: Track) -> Iterator[Track]:
    for speed in _SPEEDS:
        places = np.rint(np.arange(int(len(track) / speed)) * speed).astype(int)
        yield track[np.minimum(places, len(track) - 1)]


def _slid(one: Track, other: Track) -> NDArray[np.float64]:
    """Sum over channels and moments of the product, for every offset of one to the other."""
    size = 1 << (len(one) + len(other)).bit_length()
    spectrum = np.fft.rfft(one, size, axis=0) * np.fft.rfft(other, size, axis=0).conj()
    return np.asarray(np.fft.irfft(spectrum.sum(axis=1), size))


# ---- packing ---------------------------------------------------------------------------------------------------------


def _pack_sound(samples: NDArray[np.float32]) -> bytes:
    if len(samples) < 4 * _WINDOW:
        return b""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    places = np.searchsorted(np.fft.rfftfreq(_WINDOW, 1 / RATE), np.geomspace(250.0, 3000.0, _BANDS + 1))
    rows = []
    for start in range(0, len(windows), 1000):  # five minutes at once would be 600 MB
        energy = np.abs(np.fft.rfft(windows[start : start + 1000] * np.hanning(_WINDOW), axis=1)) ** 2
        rows.append(np.add.reduceat(energy, places, axis=1)[:, :_BANDS])
    bands = np.concatenate(rows)
    total = 10 * np.log10(bands.sum(axis=1) + 1e-9)
    audible = total > max(float(np.percentile(total, 95)) - _AUDIBLE_DB, _SILENCE_DB)
    slopes = np.diff(np.log(bands + 1e-9), axis=1)
    bits = np.packbits(slopes[2:] > slopes[:-2], axis=1)
    both = (audible[2:] & audible[:-2])[:, None].astype(np.uint8)
    return bytes(np.hstack([both, bits]).tobytes())


def _sound(kept: Fingerprint) -> Track:
    rows = np.frombuffer(kept.sound, np.uint8).reshape(-1, 1 + (_BANDS - 1) // 8)
    signs = np.unpackbits(rows[:, 1:], axis=1) * 2.0 - 1.0
    return np.asarray(signs * rows[:, :1])


def _pack_movement(faces: Sequence[Crop]) -> bytes:
    times = np.array([face.time for face in faces])
    if len(faces) < 4 or times[-1] - times[0] < 1.0:
        return b""
    landmarks = np.stack([face.landmarks for face in faces])
    across = landmarks[:, 42:48].mean(axis=1) - landmarks[:, 36:42].mean(axis=1)
    centres = landmarks.mean(axis=1) / np.median(scales(faces))
    angles = [[face.yaw / 60, face.pitch / 60] for face in faces]
    roll = np.arctan2(across[:, 1], across[:, 0])
    known = np.column_stack([mouth_openings(faces), angles, roll, centres])
    grid = np.arange(times[0], times[-1], 1 / _MOVEMENTS_A_SECOND)
    moments = np.column_stack([np.interp(grid, times, channel) for channel in known.T])
    moves = moments[_STEP:] - moments[:-_STEP]
    moves /= np.percentile(np.abs(moves), 80, axis=0) + 1e-3
    return bytes(np.rint(np.clip(moves, -_LIMIT, _LIMIT) * (127 / _LIMIT)).astype(np.int8).tobytes())


def _movement(kept: Fingerprint) -> Track:
    return np.frombuffer(kept.movement, np.int8).reshape(-1, len(_MIRRORED)).astype(np.float64) / 127


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
