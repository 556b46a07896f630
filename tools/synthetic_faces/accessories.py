"""Procedural glasses, eyeballs and lashes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.synthetic_faces.people import Person
from tools.synthetic_faces.wheel import Floats, Ints


@dataclass(frozen=True)
class Solid:
    """A mesh that is rigid with the head: positions and normals (V, 3), triangles (T, 3)."""

    positions: Floats
    normals: Floats
    triangles: Ints


def eyeball(rings: int = 20, columns: int = 28) -> Solid:
    """Return the front of a unit sphere around +z."""
    polar = np.linspace(0, 0.62 * np.pi, rings)[:, None]
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    unit = np.stack(
        np.broadcast_arrays(np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)), axis=-1
    ).reshape(-1, 3)
    return Solid(unit.astype(np.float32), unit.astype(np.float32), _grid(rings, columns, closed=True))


def _grid(rows: int, columns: int, closed: bool) -> Ints:
    """Return the triangles of a grid of ``rows`` × ``columns`` points."""
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a, b = (r * columns + c).ravel(), (r * columns + (c + 1) % columns).ravel()
    return np.concatenate(
        [np.stack([a, a + columns, b], 1), np.stack([b, a + columns, b + columns], 1)]
    ).astype(np.int32)  # fmt: skip


def _tube(path: Floats, thickness: Floats, closed: bool, sides: int = 6) -> Solid:
    """Return a tube around ``path`` (P, 3)."""
    if closed:
        path = np.concatenate([path, path[:1]])
        thickness = np.concatenate([thickness, thickness[:1]])
    tangent = np.gradient(path, axis=0)
    if closed:
        tangent[0] = tangent[-1] = path[1] - path[-2]
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    reference = np.where(np.abs(tangent[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    one = np.cross(tangent, reference)
    one /= np.linalg.norm(one, axis=1, keepdims=True) + 1e-9
    other = np.cross(tangent, one)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    normal = one[:, None] * np.cos(turn)[None, :, None] + other[:, None] * np.sin(turn)[None, :, None]
    points = path[:, None] + normal * thickness[:, None, None]
    return Solid(
        points.reshape(-1, 3).astype(np.float32), normal.reshape(-1, 3).astype(np.float32),
        _grid(len(path), sides, closed=True),
    )  # fmt: skip


def _joined(solids: list[Solid]) -> Solid:
    starts = np.cumsum([0] + [len(s.positions) for s in solids[:-1]])
    return Solid(
        np.concatenate([s.positions for s in solids]), np.concatenate([s.normals for s in solids]),
        np.concatenate([s.triangles + k for s, k in zip(solids, starts, strict=True)]).astype(np.int32),
    )  # fmt: skip


def glasses(person: Person, eyes: Floats, nose: Floats, ears: Floats) -> tuple[Solid, Solid] | None:
    """Return frame and lenses, or None. ``eyes`` (2, 3) centres, ``nose`` (3,) bridge, ``ears`` (2, 3) tops."""
    if person.glasses == "none":
        return None
    rng = np.random.default_rng([person.seed, 0x61A])
    shape = person.glasses_shape
    half_width = 0.245 + 0.05 * rng.random()
    half_height = (0.15 + 0.1 * shape) * (1.12 if person.glasses == "sun" else 1.0)
    power = 2.0 + 2.6 * rng.random()
    middle = max(0.335, 0.5 * float(eyes[1, 0] - eyes[0, 0]) + 0.02)
    front = float(max(nose[2] + 0.03, eyes[:, 2].max() + 0.30))
    height = float(eyes[:, 1].mean()) - 0.035
    thick = {"thin": 0.010, "half": 0.011, "thick": 0.019, "sun": 0.018}[person.glasses]
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring_x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / power) * half_width
    ring_y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / power) * half_height
    frames, lenses = [], []
    for sign in (-1.0, 1.0):
        x = sign * middle + ring_x
        ring = np.stack([x, height + ring_y, front - 0.22 * x**2], axis=-1)
        if person.glasses == "half":
            upper = np.argsort(-ring_x[: len(turn) // 2 + 1])
            frames.append(_tube(ring[upper], np.full(len(upper), thick), closed=False))
        else:
            frames.append(_tube(ring, np.full(len(ring), thick), closed=True))
        lenses.append(_lens(ring, sign * middle, height))
        hinge = np.array([sign * (middle + half_width), height + 0.45 * half_height, 0.0])
        hinge[2] = front - 0.22 * hinge[0] ** 2
        ear = ears[0 if sign < 0 else 1] + np.array([sign * 0.03, 0.02, 0.0])
        bend = ear * 0.25 + hinge * 0.75
        bend[0] = sign * max(abs(ear[0]), abs(hinge[0])) + sign * 0.02
        temple = np.stack([hinge, bend, ear, ear + np.array([0.0, -0.14, -0.12])])
        frames.append(_tube(_resampled(temple, 10), np.full(10, thick * 0.9), closed=False))
    inner = middle - half_width
    bridge_x = np.linspace(-inner, inner, 7)
    bridge = np.stack(
        [bridge_x, height + 0.04 + 0.03 * np.cos(bridge_x / max(inner, 0.01) * 1.5), np.full(7, front)], axis=-1
    )
    frames.append(_tube(bridge, np.full(7, thick), closed=False))
    return _joined(frames), _joined(lenses)


def _resampled(path: Floats, count: int) -> Floats:
    place = np.linspace(0, len(path) - 1, count)
    return np.stack([np.interp(place, np.arange(len(path)), path[:, k]) for k in range(3)], axis=-1)


def _lens(ring: Floats, x: float, y: float) -> Solid:
    """Return a slightly domed fan that fills ``ring``."""
    centre = np.array([[x, y, ring[:, 2].mean() + 0.015]])
    points = np.concatenate([centre, ring])
    normal = np.stack(
        [(points[:, 0] - x) * 0.5 + points[:, 0] * 0.35, (points[:, 1] - y) * 0.5, np.ones(len(points))], axis=-1
    )
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    k = np.arange(len(ring))
    fan = np.stack([np.zeros_like(k), k + 1, (k + 1) % len(ring) + 1], axis=1)
    return Solid(points.astype(np.float32), normal.astype(np.float32), fan.astype(np.int32))


def teeth_texture() -> Floats:
    """Return brightness, gum and height ``(64, 512, 3)`` of half an arch and its mirror image, 0 to 1.

    Columns run along the arch from −0.8 to 0.8 decimetres, rows from the gum to the edge.
    """
    widths = np.array([0.086, 0.066, 0.076, 0.070, 0.070, 0.10, 0.10, 0.1, 0.14])
    borders = np.concatenate([[0.0], np.cumsum(widths)])
    along = np.abs(np.linspace(-0.8, 0.8, 512))[None]
    down = np.linspace(0, 1, 64)[:, None]
    tooth = np.clip(np.searchsorted(borders, along[0], side="right") - 1, 0, len(widths) - 1)
    inside = ((along[0] - borders[tooth]) / widths[tooth])[None]
    gap = np.exp(-((np.minimum(inside, 1 - inside) * widths[tooth][None] / 0.0055) ** 2))
    gum_line = 0.20 + 0.14 * (2 * inside - 1) ** 2
    gum = np.clip((gum_line - down) / 0.05, 0, 1)
    shade = 1 - 0.10 * np.clip(tooth - 1, 0, 4)[None] - 0.12 * np.clip(0.5 - down, 0, 1)
    bright = np.clip(shade * (1 - 0.5 * gap) * np.ones_like(down), 0, 1)
    rounded = 1 - (2 * inside - 1) ** 4 * np.ones_like(down)
    return np.stack([bright, gum * np.ones_like(bright), rounded * (1 - gum)], axis=-1).astype(np.float32)
