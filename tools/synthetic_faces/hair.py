"""Procedural hair and beards: strands grown from the scalp and drawn as narrow textured ribbons."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tools.synthetic_faces.people import Person
from tools.synthetic_faces.skin import beard_region, person_hairline
from tools.synthetic_faces.template import Template
from tools.synthetic_faces.wheel import Floats, Ints

_DOWN = np.array([0.0, -1.0, 0.0], np.float32)


@dataclass(frozen=True)
class Style:
    """How a kind of hair grows; lengths in decimetres."""

    strands: int
    segments: int
    top: float
    sides: float
    front: float
    comb: str  # down, back, forward, side, out
    lift: float
    gravity: float
    curl: float = 0.0
    width: float = 0.055
    hug: float = 0.75  # how far strands keep to the head
    gap: float = 0.04


STYLES = {
    "crop": Style(1500, 3, 0.26, 0.12, 0.24, "forward", 0.55, 0.1, width=0.045, gap=0.02),
    "messy": Style(1400, 4, 0.5, 0.2, 0.5, "out", 0.9, 0.15, 0.35, width=0.04, hug=0.3),
    "side": Style(1300, 5, 0.75, 0.2, 0.8, "side", 0.45, 0.2, width=0.05),
    "back": Style(1200, 6, 1.0, 0.45, 1.0, "back", 0.35, 0.2, width=0.055),
    "fringe": Style(1100, 8, 1.5, 1.3, 0.62, "down", 0.3, 0.5, width=0.06),
    "bob": Style(1000, 9, 1.75, 1.35, 1.7, "down", 0.3, 0.6, width=0.07),
    "long": Style(1000, 11, 2.9, 2.5, 2.8, "down", 0.3, 0.6, 0.12, width=0.07),
    "curly": Style(1100, 9, 1.2, 1.0, 0.9, "out", 0.6, 0.35, 1.0, width=0.06, hug=0.0),
    "afro": Style(1700, 5, 0.6, 0.45, 0.5, "out", 1.0, 0.0, 1.0, width=0.07, gap=0.03, hug=0.0),
    "bun": Style(1200, 6, 1.1, 0.9, 1.1, "back", 0.08, 0.0, width=0.05, gap=0.025),
}
_BEARDS = {"short": (1500, 0.06), "full": (1700, 0.26), "goatee": (700, 0.15), "moustache": (450, 0.09)}


@dataclass(frozen=True)
class Strands:
    """A ribbon mesh: each vertex is ``offset`` (V, 3) from the base vertex that it follows."""

    follow: Ints
    offset: Floats
    uv: Floats
    triangles: Ints


def strand_texture() -> NDArray[np.uint8]:
    """Return brightness and cover ``(256, 512, 2)`` of eight bundles of hair side by side, roots at the first row."""
    rng = np.random.default_rng(0x4A1)
    height, width = 256, 64
    share = (np.arange(width) - width / 2 + 0.5) / (width / 2)
    down = np.linspace(0, 1, height)[:, None]
    bundles = []
    for _ in range(8):
        streak = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 0.9, sigmaY=30)
        streak = streak / streak.std()
        profile = np.clip(1.25 - np.abs(share) * 1.15, 0, 1)[None]
        thinning = 4.4 * np.clip(down - 0.8, 0, 1) * (1 + 0.6 * streak)
        cover = np.clip(profile * 1.7 + 0.5 * streak - 0.35 - thinning, 0, 1)
        bundles.append(np.dstack([np.clip(140 + 36 * streak, 0, 255), cover * 255]))
    return np.concatenate(bundles, axis=1).astype(np.uint8)


class Barber:
    """Grows hair on people's heads."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._quads = template.skin_quads
        middles = template.neutral[self._quads].mean(axis=1)
        ears = template.region("ears")
        uv = template.skin.uv
        column, row = np.clip(uv * ears.shape[0], 0, ears.shape[0] - 1).astype(int).T
        on_ear = np.zeros(len(template.skin_neutral), bool)
        on_ear[template.skin.follow] = (ears[row, column] > 0.08) & (template.skin_kind == 0)
        local = {int(base): k for k, base in enumerate(template.skin_base)}
        ear_vertex = {base: bool(on_ear[k]) for base, k in local.items()}
        ear_quads = np.array([any(ear_vertex[int(v)] for v in quad) for quad in self._quads])
        outside = np.zeros(len(template.skin_neutral), bool)
        outside[template.skin.follow[template.skin_kind == 0]] = True
        front = np.array([all(outside[local[int(v)]] for v in quad) for quad in self._quads])
        self._usable = front & ~ear_quads
        self._middles = middles

    def hair(self, person: Person, vertices: Floats) -> Strands | None:
        """Return the person's hair for their neutral ``vertices`` (base, 3), or None without any."""
        style = STYLES.get(person.style)
        if style is None:
            return None
        rng = np.random.default_rng([person.seed, 0x4A1])
        above = person_hairline(self._middles, person)
        roots, normals, follow, places = self._roots(rng, vertices, np.where(above > 0.0, 1.0, 0.0), style.strands)
        height = person_hairline(places, person)
        top = np.clip((places[:, 1] - 7.35) / 0.5, 0, 1)
        front = np.clip((places[:, 2] - 0.75) / 0.3, 0, 1) * np.clip((places[:, 1] - 7.5) / 0.2, 0, 1)
        length = style.sides + (style.top - style.sides) * top
        length = (length * (1 - front) + style.front * front) * person.hair_length
        if person.style == "fringe":
            length = length * (1 - front) + front * style.front * (0.85 + 0.25 * (person.hair_length - 0.6))
        length *= rng.uniform(0.75, 1.1, len(roots)) * np.clip(height / 0.12 + 0.45, 0.3, 1)
        direction = self._comb(rng, style, person, roots, normals, front)
        paths = self._grow(rng, vertices, roots, direction, length, style)
        kept = self._off_the_face(paths, vertices, person.style in ("fringe", "messy", "curly"))
        paths, follow = paths[kept], follow[kept]
        return _ribbons(rng, paths, follow, vertices, style.width)

    def beard(self, person: Person, vertices: Floats) -> Strands | None:
        """Return the hairs of a beard that is longer than stubble, or None."""
        if person.beard not in _BEARDS:
            return None
        count, length = _BEARDS[person.beard]
        rng = np.random.default_rng([person.seed, 0xBEA])
        region = beard_region(self._middles, person.beard)
        lips = (np.abs(self._middles[:, 0]) < 0.27) & (self._middles[:, 1] > 6.545) & (self._middles[:, 1] < 6.735)
        region = np.where((lips & (self._middles[:, 2] > 1.15)) | (region < 0.4), 0, region)
        roots, normals, follow, places = self._roots(rng, vertices, region, int(count * (0.6 + person.beard_density)))
        lip = places[:, 1] > 6.68
        side = np.sign(places[:, :1])
        direction = normals * 0.45 + _DOWN * 0.9 + np.where(lip[:, None], side * [[0.9, 0.1, 0.0]], 0.0)
        direction = direction + rng.normal(0, 0.25, direction.shape)
        sizes = np.where(lip, min(length, 0.1), length) * rng.uniform(0.6, 1.1, len(roots)) * person.hair_length
        style = Style(count, 3, 0, 0, 0, "down", 0, 0.25, 0.35, gap=0.006)
        paths = self._grow(rng, vertices, roots, direction, sizes, style)
        return _ribbons(rng, paths, follow, vertices, 0.012 if person.beard == "short" else 0.015)

    def _roots(
        self, rng: np.random.Generator, vertices: Floats, weight: Floats, count: int
    ) -> tuple[Floats, Floats, Ints, Floats]:
        """Return root positions, normals, followed base vertices and neutral places of ``count`` strands."""
        corners = vertices[self._quads]
        cross = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        area = np.linalg.norm(cross, axis=1)
        chance = area * weight * self._usable
        chosen = rng.choice(len(area), count, p=chance / chance.sum())
        share = rng.dirichlet([1.0] * 4, count).astype(np.float32)[..., None]
        roots = (corners[chosen] * share).sum(axis=1)
        places = (self._template.neutral[self._quads[chosen]] * share).sum(axis=1)
        normals = cross[chosen] / np.maximum(area[chosen, None], 1e-9)
        nearest = share[..., 0].argmax(axis=1)
        return roots, normals, self._quads[chosen, nearest].astype(np.int32), places

    @staticmethod
    def _comb(
        rng: np.random.Generator, style: Style, person: Person, roots: Floats, normals: Floats, front: Floats
    ) -> Floats:
        """Return the strands' first directions."""
        x, y, z = roots.T
        side = np.where(x > person.parting, 1.0, -1.0)
        zeros = np.zeros_like(x)
        flow = {
            "down": np.stack([side * 0.75, -0.1 + zeros, np.where(z < 0.7, -0.05, -0.12)], axis=-1),
            "back": np.stack([x * 0.35, 0.25 * (y > 7.4) + zeros, -1 + zeros], axis=-1),
            "forward": np.stack([0.2 * np.sign(person.parting) + zeros, -0.25 + zeros, 0.9 + zeros], axis=-1),
            "side": np.stack([np.sign(person.parting) + zeros, 0.15 + zeros, 0.35 - 0.6 * (z < 0.3)], axis=-1),
            "out": rng.normal(0, 0.55, roots.shape),
        }[style.comb]
        if person.style == "fringe":
            combed = np.stack([0.25 * side * rng.random(len(x)), -0.5 + zeros, 0.75 + zeros], axis=-1)
            flow = np.where(front[:, None] > 0.3, combed, flow)
        if person.style == "side":
            low = y < 7.55
            flow = np.where(low[:, None], np.stack([zeros, -0.8 + zeros, -0.35 + zeros], axis=-1), flow)
        direction = normals * style.lift + flow + rng.normal(0, 0.09, roots.shape)
        return np.asarray(direction, np.float32)

    def _grow(
        self, rng: np.random.Generator, vertices: Floats, roots: Floats, direction: Floats, length: Floats,
        style: Style,
    ) -> Floats:  # fmt: skip
        """Return the strands' points ``(strands, segments + 1, 3)``, kept outside the head and off the face."""
        head = vertices[self._template.skin_base]
        normals = _vertex_normals(vertices, self._quads)[self._template.skin_base]
        tree = cKDTree(head)
        step = (length / style.segments)[:, None]
        phase = rng.uniform(0, 2 * np.pi, (len(roots), 3))
        place = roots.copy()
        points = [place.copy()]
        for k in range(style.segments):
            direction = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
            curl = style.curl * np.sin(phase + (k + 1) * 2.4)
            direction = direction * (1 - 0.4 * style.gravity) + _DOWN * style.gravity + curl
            unit = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
            _, near = tree.query(place)
            away = np.clip((unit * normals[near]).sum(axis=1, keepdims=True), 0, None)
            unit = unit - style.hug * min(1.0, 0.4 + 0.3 * k) * away * normals[near]
            place = place + unit * step
            _, near = tree.query(place)
            inside = style.gap * min(1.0, (k + 1) / 2) - ((place - head[near]) * normals[near]).sum(axis=1)
            place = place + normals[near] * np.clip(inside, 0, 0.3)[:, None]
            direction = place - points[-1]
            points.append(place.astype(np.float32))
        return np.stack(points, axis=1)

    def _off_the_face(self, paths: Floats, vertices: Floats, fringe: bool) -> NDArray[np.bool_]:
        """Return which strands don't hang before the face; a fringe may reach the brows."""
        eyes = np.concatenate([vertices[eye] for eye in self._template.eyes])
        height, front = float(eyes[:, 1].mean()), float(eyes[:, 2].mean())
        x, y, z = np.moveaxis(paths, -1, 0)
        top = height + (0.13 if fringe else 0.42)
        before = (np.abs(x) < 0.62) & (z > front - 0.35) & (y < top)
        return np.asarray(~before.any(axis=1))


def _vertex_normals(vertices: Floats, quads: Ints) -> Floats:
    corners = vertices[quads]
    cross = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    total = np.zeros_like(vertices)
    for k in range(4):
        np.add.at(total, quads[:, k], cross)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9), np.float32)


def _ribbons(rng: np.random.Generator, paths: Floats, follow: Ints, vertices: Floats, width: float) -> Strands:
    """Turn strand points ``(N, P, 3)`` into ribbons that face outwards."""
    count, points = paths.shape[:2]
    tangent = np.gradient(paths, axis=1)
    outward = paths - np.array([0.0, 7.2, 0.25], np.float32)
    across = np.cross(tangent, outward)
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-9)
    taper = np.linspace(1.0, 0.6, points)[None, :, None] * rng.uniform(0.6, 1.3, (count, 1, 1)) * width
    edges = np.stack([paths - across * taper, paths + across * taper], axis=2)  # (N, P, 2, 3)
    column = rng.integers(0, 8, (count, 1, 1)) / 8
    u = column + np.array([0.002, 0.123])[None, None]
    v = np.linspace(0.01, 0.99, points)[None, :, None]
    uv = np.stack(np.broadcast_arrays(u, v), axis=-1)
    bound = np.repeat(follow, points * 2).astype(np.int32)
    offset = edges.reshape(-1, 3) - vertices[bound]
    start = (np.arange(count)[:, None] * points + np.arange(points - 1)[None]).reshape(-1, 1) * 2
    triangles = np.concatenate([start + np.array(corners) for corners in ((0, 1, 3), (0, 3, 2))]).astype(np.int32)
    return Strands(bound, offset.astype(np.float32), uv.reshape(-1, 2).astype(np.float32), triangles)
