"""The OpenGL renderer: aligned crops and label maps. Runs on the CPU with Mesa's llvmpipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.geometry import Matrix, Points
from tools.synthetic_faces import camera, shaders
from tools.synthetic_faces.accessories import eyeball, teeth_texture
from tools.synthetic_faces.buffers import Buffers, Mesh, linear, write
from tools.synthetic_faces.hair import strand_texture
from tools.synthetic_faces.model import Expression, Head, Posed
from tools.synthetic_faces.scenes import Scene, background
from tools.synthetic_faces.skin import SkinPainter
from tools.synthetic_faces.template import Template
from tools.synthetic_faces.wheel import Floats

Bytes = NDArray[np.uint8]
_SHADOW = 512
_CASTS = ("skin", "hair", "frame", "hand")


@dataclass
class _Owned:
    """What belongs to one person on the GL side."""

    albedo: Any
    labels: Any
    meshes: dict[str, Mesh]


@dataclass(frozen=True)
class Crop:
    """An aligned crop: picture (S, S, 3) RGB, labels (S, S, 4) eye, mouth, brow, visible face, 0 to 255."""

    image: Bytes
    labels: Bytes
    landmarks: Points  # (68, 2) in the crop
    matrix: Matrix  # virtual picture → crop


class Renderer:
    """Renders heads of one template at ``size`` pixels, drawn at one and a half times that."""

    def __init__(self, template: Template, size: int = 256) -> None:
        self._template, self.size = template, size
        self._buffers = Buffers()
        self._gl = gl = self._buffers.gl
        self._programs = self._buffers.programs
        side = 3 * size // 2
        self._colour, self._label = gl.texture((side, side), 4), gl.texture((side, side), 4)
        self._frame = gl.framebuffer([self._colour, self._label], gl.depth_renderbuffer((side, side)))
        self._depth = gl.depth_texture((_SHADOW, _SHADOW))
        self._depth.compare_func, self._depth.repeat_x, self._depth.repeat_y = "<=", False, False
        self._shadow_frame = gl.framebuffer(depth_attachment=self._depth)
        self._background_program = gl.program(
            vertex_shader=shaders.BACKGROUND_VERTEX, fragment_shader=shaders.BACKGROUND
        )
        corners = gl.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], "f4").tobytes())
        self._background = gl.vertex_array(self._background_program, [(corners, "2f", "corner")])
        self._strands = self._buffers.texture(strand_texture())
        teeth = np.clip(teeth_texture() * 255, 0, 255).astype(np.uint8)
        self._teeth = self._buffers.texture(np.ascontiguousarray(teeth))
        self._painter = SkinPainter(template)
        self._shared: dict[str, Mesh] = {}
        self._shared_parts()
        self._picture: Any = None
        self._picture_seed = -1

    def _shared_parts(self) -> None:
        template, sphere = self._template, eyeball()
        skin = template.skin
        occlusion = self._occlusion()
        inner = template.skin_kind[template.skin_drawn[:, 0]] > 0
        self._shared["skin"] = self._buffers.mesh(
            "skin", template.skin_drawn[~inner], len(skin.follow), uv=skin.uv, kind=template.skin_kind,
            index=skin.follow, occlusion=occlusion[skin.follow] * self._mouth_depth(skin.follow),
            lining=template.skin_drawn[inner],
        )  # fmt: skip
        self._buffers.cast_apart(self._shared["skin"], template.coarse_triangles, len(template.skin_base))
        unit = sphere.positions
        # Lids shade the eye's upper part and its corners.
        shade = np.clip(1.05 - 0.55 * np.clip((unit[:, 1] - 0.10) / 0.5, 0, 1) - 0.5 * np.abs(unit[:, 0]) ** 2, 0.25, 1)
        for name in ("eye_0", "eye_1"):
            self._shared[name] = self._buffers.mesh("eye", sphere.triangles, len(unit), occlusion=shade)
        for name in ("upper_teeth", "lower_teeth", "tongue"):
            part = getattr(template, name)
            place = template.neutral[part.follow]
            depth = np.clip((place[:, 2] - 0.95) / 0.5, 0, 1)
            self._shared[name] = self._buffers.mesh(
                "mouth", part.triangles, len(part.follow), uv=_teeth_uv(place, name), occlusion=0.12 + 0.8 * depth**1.5
            )
        self._shared["hand"] = self._buffers.mesh("hand", template.hand_triangles, len(template.hand), casts=True)
        lashes = template.lashes
        upper = template.neutral[lashes.follow, 1] > np.mean([template.neutral[eye, 1].mean() for eye in template.eyes])
        self._shared["lashes"] = self._buffers.mesh(
            "lash", lashes.triangles, len(lashes.follow), uv=lashes.uv, kind=np.where(upper, 1.0, 0.2)
        )

    def _mouth_depth(self, follow: Any) -> Floats:
        """Return the extra darkness inside the mouth, per skin corner."""
        inside = self._template.skin_kind == 1
        z = self._template.skin_neutral[follow, 2]
        return np.where(inside, 0.15 + 0.85 * np.clip((z - 0.9) / 0.6, 0, 1) ** 2, 1).astype(np.float32)

    def _occlusion(self) -> Floats:
        """Return the neutral skin's ambient occlusion per refined vertex, seen from 60 directions."""
        template = self._template
        matrices = camera.bones(_NEUTRAL, _pivots(template), _middle(template))
        points = (template.skin_neutral @ matrices[4, :, :3].T + matrices[4, :, 3]).astype(np.float32)
        quads = template.fine_quads
        cross = np.cross(points[quads[:, 2]] - points[quads[:, 0]], points[quads[:, 3]] - points[quads[:, 1]])
        normals = template.gather @ cross
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        mesh = self._buffers.mesh("skin", template.skin.triangles, len(template.skin.follow), casts=True)
        follow = template.skin.follow
        mesh.vertices.write(np.hstack([points[follow], normals[follow]]).astype("f4").tobytes())
        open_, total = np.zeros(len(points)), np.zeros(len(points))
        for k in range(60):
            height = 1 - 2 * (k + 0.5) / 60
            turn, radius = k * 2.39996, np.sqrt(1 - height**2)
            direction = np.array([radius * np.cos(turn), height, radius * np.sin(turn)])
            matrix = camera.light_matrix(direction)
            self._cast({"skin": mesh}, matrix)
            depth = np.frombuffer(self._depth.read(), "f4").reshape(_SHADOW, _SHADOW)
            seen = (points + normals * 0.02) @ matrix[:3, :3].T + matrix[:3, 3]
            column, row = np.clip((seen[:, :2] * 0.5 + 0.5) * _SHADOW, 0, _SHADOW - 1).astype(int).T
            weight = np.clip(normals @ direction, 0, None) * (1.0 if height > -0.5 else 0.5)
            open_ += weight * (seen[:, 2] * 0.5 + 0.5 - 0.006 <= depth[row, column])
            total += weight
        return np.clip(1.12 * open_ / np.maximum(total, 1e-6), 0.06, 1).astype(np.float32)

    # -- people

    def prepare(self, head: Head) -> _Owned:
        """Paint a person's skin and build the buffers that only they need."""
        albedo, labels = self._painter.paint(head.person)
        meshes = {}
        for name, strands in (("hair", head.hair), ("beard", head.beard)):
            if strands is not None:
                meshes[name] = self._buffers.mesh(
                    "hair", strands.triangles, len(strands.follow), uv=strands.uv, casts=name == "hair"
                )
        if head.frame is not None and head.lenses is not None:
            meshes["frame"] = self._buffers.mesh("frame", head.frame.triangles, len(head.frame.positions), casts=True)
            meshes["lenses"] = self._buffers.mesh("lens", head.lenses.triangles, len(head.lenses.positions))
        # The skin is hardly ever drawn smaller than its texture, and mip maps cost a third of its time.
        return _Owned(
            self._buffers.texture(albedo, mipmaps=False), self._buffers.texture(labels, mipmaps=False), meshes
        )

    def release(self, owned: _Owned) -> None:
        """Free a person's textures and buffers."""
        owned.albedo.release()
        owned.labels.release()
        for mesh in owned.meshes.values():
            mesh.release()

    # -- pictures

    def render(self, head: Head, owned: _Owned, scene: Scene, expression: Expression) -> Crop:
        """Render one person in one scene."""
        posed = head.posed(scene, expression)
        landmarks = camera.project(posed.landmarks, camera.picture_projection(scene))
        matrix, in_crop = camera.aligned(landmarks, self.size)
        meshes = {**self._shared, **owned.meshes}
        for name, (points, normals) in posed.parts.items():
            mesh = meshes[name]
            rows = np.concatenate([points, normals], axis=1)
            mesh.vertices.write(rows[mesh.index] if mesh.index is not None else rows)
            if mesh.shadow is not None:
                mesh.shadow.write(points[: mesh.shadow.size // 12])
        light_view = camera.light_matrix(scene.light.directions[0])
        self._cast({name: meshes[name] for name in _CASTS if name in posed.parts}, light_view)
        self._set_scene(scene, camera.clip_matrix(scene, matrix, self.size), light_view)
        self._draw(head, owned, meshes, posed, scene, matrix)
        image, labels = (
            np.frombuffer(self._frame.read(components=n, attachment=k), np.uint8).reshape(3 * self.size // 2, -1, n)
            for k, n in ((0, 3), (1, 4))
        )
        small = [cv2.resize(a, (self.size, self.size), interpolation=cv2.INTER_AREA) for a in (image, labels)]
        return Crop(small[0], small[1], in_crop, matrix)  # type: ignore[arg-type]

    def _cast(self, meshes: dict[str, Mesh], matrix: Any) -> None:
        gl, program = self._gl, self._buffers.shadow_program
        self._shadow_frame.use()
        self._shadow_frame.clear(depth=1.0)
        gl.enable_only(gl.DEPTH_TEST)
        program["light_view"].write(matrix.T.astype("f4").tobytes())
        for mesh in meshes.values():
            mesh.cast.render()

    def _set_scene(self, scene: Scene, view: Any, light_view: Any) -> None:
        light = scene.light
        values = {
            "view": view.T, "light_view": light_view.T, "camera": camera.eye_of(scene),
            "ld": np.array(light.directions), "lc": np.array(light.colours), "above": light.above, "below": light.below,
            "exposure": light.exposure, "shadow_step": 1.3 / _SHADOW,
        }  # fmt: skip
        for program in self._programs.values():
            write(program, values)
            for name, unit in (("albedo", 0), ("strands", 0), ("teeth", 0), ("labels", 1), ("shadow_map", 3)):
                if name in program:
                    program[name].value = unit
        if self._picture_seed != scene.seed:
            if self._picture is not None:
                self._picture.release()
            self._picture = self._gl.texture((256, 256), 3, background(scene).tobytes())
            self._picture.repeat_x = self._picture.repeat_y = False
            self._picture_seed = scene.seed

    def _draw(
        self, head: Head, owned: _Owned, meshes: dict[str, Mesh], posed: Posed, scene: Scene, crop: Matrix
    ) -> None:
        gl, person, programs = self._gl, head.person, self._programs
        self._frame.use()
        self._frame.clear(depth=1.0)
        gl.enable_only(gl.NOTHING)
        self._picture.use(0)
        write(self._background_program, {"to_picture": camera.background_matrix(crop, self.size).T})
        self._background.render(gl.TRIANGLE_STRIP)
        gl.front_face = "cw"  # rows run downwards
        gl.enable_only(gl.DEPTH_TEST | gl.CULL_FACE)
        self._depth.use(3)
        owned.albedo.use(0)
        owned.labels.use(1)
        write(programs["lining"], {"shirt": linear(person.shirt)})
        write(programs["skin"], {"shine": person.gloss,
                                  "light_skin": min(1.0, sum(person.tone) / 540)})  # fmt: skip
        meshes["skin"].draw.render()
        meshes["skin"].lining.render()
        eye = {"gaze": posed.gaze[0], "gaze_up": posed.gaze[1], "iris": linear(person.iris), "pupil": scene.pupil,
               "iris_seed": person.seed % 97}  # fmt: skip
        for side in (0, 1):
            write(programs["eye"], {**eye, "centre": posed.eye_centres[side]})
            meshes[f"eye_{side}"].draw.render()
        gl.enable_only(gl.DEPTH_TEST)
        self._teeth.use(0)
        enamel = np.array([0.80, 0.74, 0.62]) * (1 - person.teeth) + np.array([0.86, 0.83, 0.77]) * person.teeth
        for name in ("upper_teeth", "lower_teeth", "tongue"):
            write(programs["mouth"], {"enamel": enamel, "tongue": float(name == "tongue")})
            meshes[name].draw.render()
        self._strands.use(0)
        for name in ("hair", "beard"):
            if name in meshes:
                write(programs["hair"], {"tint": linear(person.hair), "face": float(name == "beard"),
                                          "density": 1.0 if name == "hair" else 0.8})  # fmt: skip
                meshes[name].draw.render()
        if "hand" in posed.parts:
            write(programs["hand"], {"tint": linear(person.tone)})
            meshes["hand"].draw.render()
        if "frame" in meshes:
            metal = float(person.glasses in ("thin", "half"))
            write(programs["frame"], {"tint": linear(person.glasses_colour), "metal": metal})
            meshes["frame"].draw.render()
        self._blended(person, meshes, scene)

    def _blended(self, person: Any, meshes: dict[str, Mesh], scene: Scene) -> None:
        gl = self._gl
        gl.enable_only(gl.DEPTH_TEST | gl.BLEND)
        # The alpha channel of the labels is the visible face: what covers it lowers it.
        gl.blend_func = gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ZERO, gl.ONE_MINUS_SRC_ALPHA
        self._frame.depth_mask = False
        write(self._programs["lash"], {"strength": person.lash})
        meshes["lashes"].draw.render()
        if "lenses" in meshes:
            dark = {"sun": 0.82}.get(person.glasses, 0.03)
            write(self._programs["lens"], {"dark": dark, "mirror": float(scene.seed % 3 == 0),
                                            "tint": linear(person.glasses_colour)})  # fmt: skip
            meshes["lenses"].draw.render()
        self._frame.depth_mask = True


def _teeth_uv(place: Floats, name: str) -> Floats:
    """Return shares along the arch and from gum to edge for neutral tooth vertices ``(V, 3)``."""
    angle = np.arctan2(place[:, 0], np.maximum(place[:, 2] - 0.95, 1e-3) * 0.62)
    along = np.sin(angle / 2) * 0.95
    low, high = place[:, 1].min(), place[:, 1].max()
    down = (high - place[:, 1]) / (high - low) if name == "upper_teeth" else (place[:, 1] - low) / (high - low)
    return np.stack([along / 1.6 + 0.5, np.clip(down, 0.02, 0.98)], axis=-1).astype(np.float32)


def _pivots(template: Template) -> Floats:
    return np.stack([template.neutral[joint].mean(axis=0) for joint in template.joints])


def _middle(template: Template) -> Floats:
    return np.asarray(np.mean([template.neutral[eye].mean(axis=0) for eye in template.eyes], axis=0), np.float32)


class _Neutral:
    yaw = pitch = roll = 0.0


_NEUTRAL: Any = _Neutral()
