"""A person's head: their neutral shape, and that shape in a scene. Plain numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.synthetic_faces import camera
from tools.synthetic_faces.accessories import Solid, eyeball, glasses
from tools.synthetic_faces.hair import Barber, Strands
from tools.synthetic_faces.landmarks import Landmarks
from tools.synthetic_faces.people import Person
from tools.synthetic_faces.scenes import SIDES, Scene
from tools.synthetic_faces.template import Part, Template
from tools.synthetic_faces.wheel import Floats, Ints

_SPHERE = eyeball()


@dataclass(frozen=True)
class Expression:
    """A scene's unit offsets (base, 3), summed once for all people; blinks apart, because they depend on the eye."""

    rest: Floats
    blinks: tuple[Floats, Floats]  # right eye (the picture's left) first

    @classmethod
    def of(cls, template: Template, scene: Scene) -> Expression:
        """Sum the units of ``scene``."""
        weights = np.array([scene.units.get(name, 0.0) for name in template.unit_names], np.float32)
        blinks = []
        for side in SIDES[::-1]:
            index = template.unit_names.index(f"eyeBlink{side}")
            blinks.append(template.units[index] * weights[index])
            weights[index] = 0
        active = np.nonzero(weights)[0]
        rest = np.tensordot(weights[active], template.units[active], 1)
        return cls(rest.astype(np.float32), (blinks[0], blinks[1]))


@dataclass(frozen=True)
class Posed:
    """World positions and normals, both (V, 3), by part, and what the renderer needs besides."""

    parts: dict[str, tuple[Floats, Floats]]
    landmarks: Floats  # (68, 3)
    eye_centres: Floats  # (2, 3)
    gaze: Floats  # (2, 3) axis and up


class Head:
    """One person's geometry."""

    def __init__(self, template: Template, landmarks: Landmarks, barber: Barber, person: Person) -> None:
        self._template, self._landmarks, self.person = template, landmarks, person
        shape = template.neutral.copy()
        for name, weight in person.targets.items():
            shape += weight * template.targets[name]
        self.vertices: Floats = shape
        self._pivots = np.stack([shape[joint].mean(axis=0) for joint in template.joints])
        fine = template.refine @ shape[template.skin_base]
        self._spheres(shape, fine)
        self.middle: Floats = self.eye_centres.mean(axis=0)
        self.hair: Strands | None = barber.hair(person, shape)
        self.beard: Strands | None = barber.beard(person, shape)
        bridge, ears = fine[landmarks.vertices[28]], self._ear_tops(fine)
        worn = glasses(person, self.eye_centres, bridge, ears)
        self.frame: Solid | None = worn[0] if worn else None
        self.lenses: Solid | None = worn[1] if worn else None

    def _spheres(self, shape: Floats, fine: Floats) -> None:
        """Fit the eyeballs, and find out how far the lids have to travel and which vertices must stay before them."""
        template = self._template
        boxes = [(shape[eye].min(axis=0), shape[eye].max(axis=0)) for eye in template.eyes]
        self.eye_centres: Floats = np.stack([(low + high) / 2 for low, high in boxes])
        # A little smaller than the socket, so that the refined lids always lie before it.
        self.eye_radii: Floats = np.array([0.482 * (high[0] - low[0]) for low, high in boxes], np.float32)
        self._blink_scale, self._lids = [], []
        for side, rim in enumerate(template.eye_rims):
            heights = [np.ptp(mesh[rim, 1]) for mesh in (shape, template.neutral)]
            self._blink_scale.append(float(np.clip(heights[0] / heights[1], 0.6, 1.6)))
            apart = fine - self.eye_centres[side]
            distance = np.linalg.norm(apart, axis=1)
            near = (distance < 1.8 * self.eye_radii[side]) & (apart[:, 2] > 0.1 * self.eye_radii[side])
            lids = np.nonzero(near)[0]
            least = np.clip(distance[lids], self.eye_radii[side] * 1.035, self.eye_radii[side] * 1.085)
            self._lids.append((lids, least))

    def _ear_tops(self, fine: Floats) -> Floats:
        """Return where the temples of glasses rest, ``(2, 3)``."""
        height, places = self.middle[1], []
        for sign in (-1, 1):
            beside = fine[(fine[:, 0] * sign > 0.3) & (np.abs(fine[:, 1] - height - 0.02) < 0.12) & (fine[:, 2] < 0.42)]
            beside = beside[beside[:, 2] > 0.12]
            places.append([float(beside[:, 0].mean()), height + 0.05, 0.22])
        return np.array(places, np.float32)

    def _expressed(self, expression: Expression) -> Floats:
        vertices = self.vertices + expression.rest
        for side in (0, 1):
            vertices += expression.blinks[side] * self._blink_scale[side]
        return vertices

    def _before_the_eyes(self, skin: Floats, centres: Floats) -> None:
        """Move lids that an expression pushed into an eyeball out of it."""
        for centre, (lids, least) in zip(centres, self._lids, strict=True):
            apart = skin[lids] - centre
            distance = np.linalg.norm(apart, axis=1)
            skin[lids] += apart * np.clip(least / np.maximum(distance, 1e-6) - 1, 0, 0.5)[:, None]

    def posed(self, scene: Scene, expression: Expression) -> Posed:
        """Return the head in ``scene``."""
        template = self._template
        vertices = self._expressed(expression)
        matrices = camera.bones(scene, self._pivots, self.middle)
        head = matrices[4]
        base = vertices[template.skin_base]
        blend = np.tensordot(template.bones[template.skin_base], matrices, 1)
        moved = np.einsum("nij,nj->ni", blend[:, :, :3], base) + blend[:, :, 3]
        skin = np.asarray(template.refine @ moved, np.float32)

        def rigid(points: Floats) -> Floats:
            return np.asarray(points @ head[:, :3].T + head[:, 3], np.float32)

        centres = rigid(self.eye_centres)
        self._before_the_eyes(skin, centres)
        parts = {"skin": (skin, self._skin_normals(skin))}

        def turned(normals: Floats) -> Floats:
            return np.asarray(normals @ head[:, :3].T, np.float32)

        for name, part in (("upper_teeth", template.upper_teeth), ("lower_teeth", template.lower_teeth),
                           ("tongue", template.tongue), ("lashes", template.lashes)):  # fmt: skip
            points = rigid(vertices[part.follow])
            parts[name] = points, _corner_normals(points, part)
        for name, strands in (("hair", self.hair), ("beard", self.beard)):
            if strands is not None:
                at_rest = vertices[strands.follow] + strands.offset
                outward = at_rest - np.array([0.0, self.middle[1] - 0.1, 0.3], np.float32)
                outward /= np.linalg.norm(outward, axis=1, keepdims=True)
                parts[name] = rigid(at_rest), turned(outward)
        for name, solid in (("frame", self.frame), ("lenses", self.lenses)):
            if solid is not None:
                parts[name] = rigid(solid.positions), turned(solid.normals)
        for side, name in enumerate(("eye_0", "eye_1")):
            points = self.eye_centres[side] + self.eye_radii[side] * _SPHERE.positions
            parts[name] = rigid(points), turned(_SPHERE.normals)
        if scene.hand:
            parts["hand"] = self._hand(scene)
        look = camera.rotation(scene.gaze[0], scene.gaze[1], 0)
        gaze = turned(np.stack([look[:, 2], look[:, 1]]).astype(np.float32))
        return Posed(parts, skin[self._landmarks.vertices], centres, gaze)

    def _hand(self, scene: Scene) -> tuple[Floats, Floats]:
        """Return a hand before the face; it doesn't turn with the head."""
        x, y, lean, side = scene.hand
        turn = camera.rotation(0.0, 0.0, -lean).astype(np.float32)
        points = self._template.hand * np.array([side, 1, 1], np.float32)
        points = points @ turn.T + np.array([x, y, 0.62], np.float32)
        part = Part(np.arange(len(points), dtype=np.int32), points[:, :2], self._template.hand_triangles)
        normals = _corner_normals(points, part)
        return points, normals * np.float32(side)

    def _skin_normals(self, skin: Floats) -> Floats:
        quads = self._template.fine_quads
        cross = np.cross(skin[quads[:, 2]] - skin[quads[:, 0]], skin[quads[:, 3]] - skin[quads[:, 1]])
        normals = self._template.gather @ cross
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), np.float32)


def _corner_normals(points: Floats, part: Part) -> Floats:
    triangles: Ints = part.triangles
    corners = points[triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, triangles[:, k], cross)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9), np.float32)
