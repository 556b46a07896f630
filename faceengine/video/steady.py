"""The steady rate of a video, and the place on it of each of its pictures.

Every picture gets a place of its own: none is lost, and none is shown twice unless the next one is late.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in [
        *((10, 1), (12, 1), (25, 2), (15, 1), (20, 1)),
        *((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1)),
        *((72, 1), (90, 1), (100, 1), (120000, 1001), (120, 1), (144, 1), (200, 1), (240, 1)),
    ]
)
_NEAR = 0.55
"""Places by which a picture may lie beside its time: half of one is rounding."""
_NEAR_UNEVEN = 1.1
"""The same where pictures come unevenly: those that come close together are spread a little."""
_USUAL = 0.3
"""By how much of itself the usual time between two pictures may differ from a steady one."""
_AS_GOOD = 0.1
"""Places by which a likelier rate may fit worse than another."""
_HIGHEST = 240.0
_HIGHEST_UNEVEN = 60
"""Rates above this would only repeat pictures."""


@dataclass(frozen=True)
class Grid:
    """Where the pictures lie on a steady rate."""

    fps: Fraction
    origin: float
    """Seconds on the file's clock of place 0."""
    times: NDArray[np.float64]
    """``(N,)`` seconds on the file's clock, in order."""
    places: NDArray[np.int64]
    """``(N,)``, each greater than the one before it."""

    @property
    def is_steady(self) -> bool:
        """Whether there is a picture at each place."""
        return bool(len(self.places) == self.length)

    @property
    def length(self) -> int:
        """How many places there are."""
        return int(self.places[-1]) + 1 if len(self.places) else 0

    def time(self, index: int) -> float:
        """Seconds on the file's clock of the picture with this number, for files that don't say it with each."""
        return float(self.times[index]) if index < len(self.times) else self.origin + index / float(self.fps)

    def at(self, fps: Fraction) -> Grid:
        """The same pictures at another rate, at which some may have to share a place."""
        places = np.rint((self.times - self.origin) * float(fps)).astype(np.int64)
        return Grid(fps, self.origin, self.times, places)

    def place(self, time: float) -> int:
        """The place of the picture that is shown at ``time`` on the file's clock."""
        if not len(self.times):
            return round((time - self.origin) * float(self.fps))
        at = int(np.searchsorted(self.times, time))
        near = min((one for one in (at - 1, at) if 0 <= one < len(self.times)), key=lambda i: abs(self.times[i] - time))
        if abs(self.times[near] - time) * self.fps < 0.5:
            return int(self.places[near])
        return round((time - self.origin) * float(self.fps))


def make_grid(times: NDArray[np.float64], average: Fraction | None, first: float | None = None) -> Grid:
    """The grid for pictures that are shown at ``times``, seconds in order, ``(N,)``.

    ``average`` is the rate that the file claims; ``first`` is the time of the first picture that can be decoded: what
    is before it doesn't count.
    """
    if first is not None:
        kept = times[times > first - 1e-4]
        times = kept if len(kept) else times
    claimed = average if average and 0 < average <= 1000 else Fraction(25)
    if len(times) < 2:
        return Grid(claimed, float(times[0]) if len(times) else first or 0.0, times, np.zeros(len(times), np.int64))
    steady = [(rate, times * float(rate) - np.arange(len(times))) for rate in _steady_rates(times, claimed)]
    best = min((np.ptp(beside) for _, beside in steady), default=np.inf)
    if best <= 2 * _NEAR:
        rate, beside = next(one for one in steady if np.ptp(one[1]) <= best + _AS_GOOD)
        return Grid(rate, float(beside.max() + beside.min()) / 2 / float(rate), times, np.arange(len(times)))
    grids = [_uneven(times, rate) for rate in _uneven_rates(times)]
    lowest = next((grid for grid in grids if _beside(grid) <= _NEAR_UNEVEN), min(grids, key=_beside))
    # 60 and 60000/1001 differ too little for the lower one to be the likelier.
    alike = [grid for grid in grids if 1 <= grid.fps / lowest.fps < 1.002]
    return min(alike, key=_beside)


def _steady_rates(times: NDArray[np.float64], claimed: Fraction) -> list[Fraction]:
    """Rates at which each picture may follow right after the one before it, the likeliest first."""
    span = float(times[-1] - times[0])
    measured = (len(times) - 1) / span if span > 0 else float(claimed)
    near = [rate for rate in STANDARD_RATES if abs(float(rate) / measured - 1) < 0.02]
    near.sort(key=lambda rate: abs(float(rate) - measured))
    exact = Fraction(min(measured, _HIGHEST)).limit_denominator(1001)
    usual = float(np.median(np.diff(times)))
    return [rate for rate in (claimed, *near, exact) if abs(usual * float(rate) - 1) < _USUAL]


def _uneven_rates(times: NDArray[np.float64]) -> list[Fraction]:
    """Rates for pictures that come unevenly: the usual one, then higher ones."""
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    usual = min(max(1 / float(np.median(gaps)), 1.0), _HIGHEST) if len(gaps) else 25.0
    nearest = min(STANDARD_RATES, key=lambda standard: abs(float(standard) - usual))
    if abs(float(nearest) / usual - 1) > 0.02:
        nearest = next((rate for rate in STANDARD_RATES if rate > usual), nearest)
    return [nearest, *(rate for rate in STANDARD_RATES if nearest < rate <= _HIGHEST_UNEVEN)]


def _uneven(times: NDArray[np.float64], rate: Fraction) -> Grid:
    """Each picture at the place nearest to its time that comes after the one before it."""
    since = (times - times[0]) * float(rate)
    turn = np.angle(np.exp(2j * np.pi * since).mean()) / (2 * np.pi)
    places, order = np.rint(since - turn).astype(np.int64), np.arange(len(times))
    places = np.maximum.accumulate(places - order) + order
    return Grid(rate, float(times[0] + turn / float(rate)), times, places - places[0])


def _beside(grid: Grid) -> float:
    """By how many places a picture lies beside its time, at most."""
    return float(np.abs((grid.times - grid.origin) * float(grid.fps) - grid.places).max())
