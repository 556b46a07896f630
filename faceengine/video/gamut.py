"""From the colours of other standards to those of BT.709, as a table of colours that FFmpeg's ``lut3d`` reads.

Values are signals in [0, 1]; light is linear, 1.0 being the white of a plain (SDR) picture.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PQ, HLG = 16, 18
_WHITE = 203.0
"""Candelas per square metre of a plain picture's white in an HDR one (BT.2408)."""
_HLG_PEAK = 1000.0
_GAMMA = 2.4
_SIDE = 65
"""Colours of the table on a side. With half as many, saturated ones of PQ are off by a dozen levels."""
_KNEE = 0.8
"""Light that is kept as it is; what is brighter is pressed together below 1.0."""

_D65 = (0.3127, 0.3290)
_PRIMARIES: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), (0.310, 0.316)),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), (0.310, 0.316)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
"""Chromaticities of red, green, blue and white by the numbers of ITU-T H.273.

Those of standard definition (5, 6, 7, 22) are taken for BT.709's, as players do: most files that claim them don't mean
it, and the difference is hardly seen."""
ADOBE_RGB = 1000
_ADOBE_GAMMA = 563 / 256
_PRIMARIES[ADOBE_RGB] = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), _D65)
_PLAIN: dict[int, float] = {8: 1.0, 17: 2.6}
"""Exponents of other plain transfer characteristics than the usual ones."""


def is_plain(primaries: int, transfer: int) -> bool:
    """Whether colours with these numbers of H.273 are BT.709's already."""
    return primaries not in _PRIMARIES.keys() - {1} and transfer not in {PQ, HLG, *_PLAIN}


def to_bt709(signal: Array, primaries: int, transfer: int) -> Array:
    """``(…, 3)`` RGB signals of other colours → BT.709's."""
    light = _linear(signal, transfer) @ _matrix(primaries).T
    if transfer in (PQ, HLG):
        light = _pressed(light)
    return np.clip(light, 0, 1) ** (1 / _GAMMA)


def to_srgb(signal: Array, primaries: int) -> Array:
    """``(…, 3)`` RGB signals of a photo of other primaries → sRGB's. Photos have sRGB's curve, or Adobe RGB's."""
    light = signal**_ADOBE_GAMMA if primaries == ADOBE_RGB else _from_curve(signal)
    light = np.clip(light @ _matrix(primaries).T, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _from_curve(signal: Array) -> Array:
    """IEC 61966-2-1: linear light."""
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def _linear(signal: Array, transfer: int) -> Array:
    if transfer == PQ:
        return _pq(signal) / _WHITE
    if transfer == HLG:
        return _hlg(signal) / _WHITE
    return np.clip(signal, 0, None) ** _PLAIN.get(transfer, _GAMMA)


def _pq(signal: Array) -> Array:
    """SMPTE ST 2084: cd/m²."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.clip(signal, 0, 1) ** (1 / m2)
    return np.asarray(10_000 * (np.clip(power - c1, 0, None) / (c2 - c3 * power)) ** (1 / m1))


def _hlg(signal: Array) -> Array:
    """ARIB STD-B67 on a screen of 1000 cd/m² (BT.2100): cd/m²."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return np.asarray(_HLG_PEAK * scene * np.clip(luminance, 1e-9, None)[..., None] ** 0.2)


def _pressed(light: Array) -> Array:
    """Highlights brought below 1.0 without a change of hue."""
    most = np.clip(light.max(axis=-1, keepdims=True), 1e-9, None)
    over = np.clip(most - _KNEE, 0, None) / (1 - _KNEE)
    return light * np.where(most > _KNEE, (_KNEE + (1 - _KNEE) * over / (1 + over)) / most, 1.0)


def _matrix(primaries: int) -> Array:
    """``(3, 3)``: linear light of other primaries → of BT.709's."""
    return np.linalg.inv(_to_xyz(1)) @ _adaptation(primaries) @ _to_xyz(primaries)


def _to_xyz(primaries: int) -> Array:
    *rgb, white = (_xyz(*point) for point in _PRIMARIES.get(primaries, _PRIMARIES[1]))
    columns = np.column_stack(rgb)
    return np.asarray(columns * np.linalg.solve(columns, white))


def _adaptation(primaries: int) -> Array:
    """White becomes white (Bradford)."""
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    white = _PRIMARIES.get(primaries, _PRIMARIES[1])[3]
    gains = (cone @ _xyz(*_D65)) / (cone @ _xyz(*white))
    return np.asarray(np.linalg.inv(cone) @ np.diag(gains) @ cone)


def _xyz(x: float, y: float) -> Array:
    return np.array([x / y, 1.0, (1 - x - y) / y])


def table(primaries: int, transfer: int) -> Array:
    """``(N, N, N, 3)``: BT.709 signals by blue, green and red."""
    steps = np.linspace(0, 1, _SIDE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return to_bt709(np.stack([red, green, blue], axis=-1), primaries, transfer)


@cache
def table_file(primaries: int, transfer: int) -> Path:
    """The table as a ``.cube`` file that lasts as long as this process."""
    rows = table(primaries, transfer).reshape(-1, 3)
    # One long format is six times as fast as one for each row.
    text = f"LUT_3D_SIZE {_SIDE}\n" + "%.5f %.5f %.5f\n" * len(rows) % tuple(rows.ravel().tolist())
    number, name = tempfile.mkstemp(suffix=".cube", prefix="colours-")
    os.close(number)
    Path(name).write_text(text)
    atexit.register(Path(name).unlink, missing_ok=True)
    return Path(name)
