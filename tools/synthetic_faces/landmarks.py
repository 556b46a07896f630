"""The 68 landmarks of the iBUG scheme as fixed vertices of the refined skin."""

from __future__ import annotations

import numpy as np

from tools.synthetic_faces.template import Template
from tools.synthetic_faces.wheel import Floats, Ints

# Front view of the neutral base head, person's right side (the picture's left), in decimetres.
_JAW = [(-0.715, 7.28), (-0.705, 7.10), (-0.680, 6.94), (-0.645, 6.78), (-0.585, 6.62), (-0.490, 6.47), (-0.365, 6.33),
        (-0.205, 6.22), (0.0, 6.165)]  # fmt: skip
_NOSE_BASE = [(-0.119, 6.848), (-0.053, 6.808), (0.0, 6.815)]


def brow_line(along: Floats) -> Floats:
    """Return (|x|, y) of the brow's middle line at shares ``along`` of its length, 0 at the nose; ``(..., 2)``."""
    arch = 0.065 * np.sin(np.clip(along, 0, 1) * np.pi * 0.72) - 0.13 * np.clip(along - 0.62, 0, 1)
    return np.stack([0.115 + 0.44 * along, 7.445 + arch], axis=-1).astype(np.float32)


class Landmarks:
    """Chooses the vertices once; ``vertices`` ``(68,)`` index the refined skin."""

    def __init__(self, template: Template) -> None:
        self._position = template.skin_neutral
        self._local = {int(base): k for k, base in enumerate(template.skin_base)}
        front = np.zeros(len(self._position), bool)
        front[template.skin.follow[template.skin_kind == 0]] = True
        for kind in (1, 2):
            hidden = template.skin.follow[template.skin_kind == kind]
            front[hidden] = False
        self._front = front
        self._lips = self._on_vertices(template, template.region("lips")) > 0.5
        self._ears = self._on_vertices(template, template.region("ears")) > 0.3
        jaw_unit = template.units[template.unit_names.index("jawOpen")][template.skin_base]
        self._drop = -(template.refine @ jaw_unit)[:, 1]
        points = [*self._jaw(), *self._brows(), *self._nose()]
        for rim in template.eye_rims:
            points += self._eye(np.array([self._local[int(v)] for v in rim]))
        points += self._outer_lips() + self._inner_lips()
        self.vertices: Ints = np.array(points, np.int32)

    @staticmethod
    def _on_vertices(template: Template, mask: Floats) -> Floats:
        size = mask.shape[0]
        column, row = (np.clip(template.skin.uv * size, 0, size - 1)).astype(int).T
        values = np.zeros(len(template.skin_neutral), np.float32)
        outer = template.skin_kind == 0
        values[template.skin.follow[outer]] = mask[row[outer], column[outer]]
        return values

    def _nearest(self, x: float, y: float, lowest_z: float) -> int:
        place = self._position
        apart = np.hypot(place[:, 0] - x, place[:, 1] - y)
        apart[~self._front | self._ears | (place[:, 2] < lowest_z)] = 9
        return int(apart.argmin())

    def _jaw(self) -> list[int]:
        right = [self._nearest(x, y, 0.25) for x, y in _JAW]
        return right + [self._nearest(-x, y, 0.25) for x, y in _JAW[-2::-1]]

    def _brows(self) -> list[int]:
        places = brow_line(np.array([0.97, 0.76, 0.54, 0.31, 0.08], np.float32))
        right = [self._nearest(-float(x), float(y), 0.7) for x, y in places]
        return right + [self._nearest(float(x), float(y), 0.7) for x, y in places[::-1]]

    def _nose(self) -> list[int]:
        middle = self._front & (np.abs(self._position[:, 0]) < 0.004) & (self._position[:, 2] > 1.0)
        column = np.nonzero(middle & (self._position[:, 1] > 6.8) & (self._position[:, 1] < 7.4))[0]
        foremost = int(column[self._position[column, 2].argmax()])
        # Detectors put the tip a little above the foremost point: by 5 pixels of a 256-pixel crop.
        tip = self._nearest(0.0, float(self._position[foremost, 1]) + 0.03, 1.1)
        top, bottom = 7.315, float(self._position[tip, 1])
        bridge = [self._nearest(0.0, top + (bottom - top) * k / 3, 1.0) for k in range(3)]
        right = [self._nearest(x, y, 1.1) for x, y in _NOSE_BASE]
        return [*bridge, tip, *right, *(self._nearest(-x, y, 1.1) for x, y in _NOSE_BASE[1::-1])]

    def _eye(self, rim: Ints) -> list[int]:
        """Return corner, two upper, corner, two lower, as seen from the picture's left."""
        x, y = self._position[rim, 0], self._position[rim, 1]
        left, right = int(x.argmin()), int(x.argmax())
        share = (x - x[left]) / (x[right] - x[left])
        above = y > y[left] + (y[right] - y[left]) * share

        def at(place: float, upper: bool) -> int:
            return int(rim[np.where(above == upper, np.abs(share - place), 9).argmin()])

        return [int(rim[left]), at(0.33, True), at(0.67, True), int(rim[right]), at(0.67, False), at(0.33, False)]

    def _lip(self, x: float, lower: bool, inner: bool) -> int:
        """Return the lip vertex nearest to ``x`` at the outer border or at the line between the lips."""
        place, moves = self._position, self._drop > 0.5 * self._drop[self._lips].max()
        chosen = self._lips & self._front & (moves == lower)
        column = chosen & (np.abs(place[:, 0] - x) < 0.022)
        column &= place[:, 2] > place[column, 2].max() - (0.06 if inner else 0.30)
        wants_low = lower != inner
        score = np.where(wants_low, place[:, 1], -place[:, 1]) + 0.5 * np.abs(place[:, 0] - x)
        score[~column] = 99
        return int(score.argmin())

    def _outer_lips(self) -> list[int]:
        lips = np.nonzero(self._lips & self._front)[0]
        left, right = (int(lips[f(self._position[lips, 0])]) for f in (np.argmin, np.argmax))
        upper = [self._lip(x, False, False) for x in (-0.16, -0.075, 0.0, 0.075, 0.16)]
        lower = [self._lip(x, True, False) for x in (0.155, 0.08, 0.0, -0.08, -0.155)]
        return [left, *upper, right, *lower]

    def _inner_lips(self) -> list[int]:
        lips = np.nonzero(self._lips & self._front & (np.abs(self._position[:, 0]) < 0.225))[0]
        left, right = (int(lips[f(self._position[lips, 0])]) for f in (np.argmin, np.argmax))
        upper = [self._lip(x, False, True) for x in (-0.10, 0.0, 0.10)]
        lower = [self._lip(x, True, True) for x in (0.10, 0.0, -0.10)]
        return [left, *upper, right, *lower]
