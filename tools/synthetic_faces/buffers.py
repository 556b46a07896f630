"""The OpenGL context, and meshes as its buffers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.synthetic_faces import shaders
from tools.synthetic_faces.wheel import Floats


class NoOpenGLError(RuntimeError):
    """No OpenGL context can be made."""


def context() -> Any:
    """Return a new software context. Raises ``NoOpenGLError``."""
    # Processes share the work, so Mesa need not start threads of its own.
    os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")
    os.environ.setdefault("LP_NUM_THREADS", "0")
    try:
        import moderngl

        create: Any = moderngl.create_context
        return create(standalone=True, backend="egl")
    except Exception as error:
        raise NoOpenGLError(
            "No OpenGL context. Run: apt-get install libegl1 libgl1-mesa-dri and "
            "pip install --no-deps -r tools/synthetic_faces/requirements.txt"
        ) from error


@dataclass
class Mesh:
    """Buffers of one part."""

    vertices: Any  # position and normal of every corner, written anew for each picture
    draw: Any
    cast: Any = None
    index: Any = None  # corner → row of the posed arrays, or None when they are the same
    shadow: Any = None  # the positions that cast shadows; None where they are the drawn ones
    lining: Any = None  # what is drawn of the skin's buffers with another program
    owned: list[Any] = field(default_factory=list)

    def release(self) -> None:
        """Free everything on the GL side."""
        for resource in self.owned:
            resource.release()


class Buffers:
    """Makes programs, textures and meshes in one context."""

    def __init__(self) -> None:
        self.gl = gl = context()
        self.programs = {
            name: gl.program(vertex_shader=shaders.VERTEX, fragment_shader=source)
            for name, source in shaders.FRAGMENTS.items()
        }
        self.shadow_program = gl.program(vertex_shader=shaders.SHADOW_VERTEX, fragment_shader=shaders.SHADOW)

    def texture(self, pixels: NDArray[np.uint8], *, mipmaps: bool = True) -> Any:
        """Return a texture of ``(H, W, channels)``, first row at v = 0."""
        texture = self.gl.texture((pixels.shape[1], pixels.shape[0]), pixels.shape[2], pixels.tobytes())
        if mipmaps:
            texture.build_mipmaps()
            texture.filter = (self.gl.LINEAR_MIPMAP_NEAREST, self.gl.LINEAR)
        return texture

    def indices(self, triangles: Any) -> Any:
        """Return an index buffer."""
        return self.gl.buffer(np.ascontiguousarray(triangles, np.int32).tobytes())

    def mesh(
        self, program: str, triangles: Any, count: int, *, uv: Any = None, occlusion: Any = None, kind: Any = None,
        index: Any = None, casts: bool = False, lining: Any = None,
    ) -> Mesh:  # fmt: skip
        """Return a mesh of ``count`` corners; ``lining`` are triangles for the program of that name."""
        gl = self.gl
        static = np.zeros((count, 4), np.float32)
        static[:, :2] = 0 if uv is None else uv
        static[:, 2] = 1 if occlusion is None else occlusion
        static[:, 3] = 0 if kind is None else kind
        moving, fixed = gl.buffer(reserve=count * 24, dynamic=True), gl.buffer(static.tobytes())
        layout = [(moving, "3f 3f", "position", "normal"), (fixed, "2f 1f 1f", "uv", "occlusion", "kind")]
        order = self.indices(triangles)
        draw = gl.vertex_array(self.programs[program], layout, index_buffer=order, skip_errors=True)
        mesh = Mesh(moving, draw, index=index, owned=[draw, moving, fixed, order])
        if casts:
            # Every other triangle pair is enough for the shadows of hair, which needs no texture then.
            few = triangles.reshape(2, -1, 3)[:, ::2] if program == "hair" else triangles
            casters = self.indices(few)
            mesh.cast = gl.vertex_array(
                self.shadow_program, [(moving, "3f 3x4", "position")], index_buffer=casters, skip_errors=True
            )
            mesh.owned += [mesh.cast, casters]
        if lining is not None:
            mesh.lining = gl.vertex_array(
                self.programs["lining"], layout, index_buffer=self.indices(lining), skip_errors=True
            )
        return mesh

    def cast_apart(self, mesh: Mesh, triangles: Any, count: int) -> None:
        """Let ``mesh`` cast the shadows of ``triangles`` over its first ``count`` posed points."""
        mesh.shadow = self.gl.buffer(reserve=count * 12, dynamic=True)
        mesh.cast = self.gl.vertex_array(
            self.shadow_program, [(mesh.shadow, "3f", "position")], index_buffer=self.indices(triangles),
            skip_errors=True,
        )  # fmt: skip


def write(program: Any, values: dict[str, Any]) -> None:
    """Set those of ``values`` that are uniforms of ``program``."""
    for name, value in values.items():
        if name in program:
            # The compiler shortens arrays whose last elements the program doesn't read.
            data = np.asarray(value, "f4").reshape(-1)
            uniform = program[name]
            uniform.write(data[: uniform.array_length * uniform.dimension].tobytes())


def linear(colour: Any) -> Floats:
    """Return an sRGB colour (0 to 255) as the shaders linearise textures."""
    share = np.asarray(colour, np.float32) / 255
    return np.asarray(share * share * (0.72 + 0.28 * share), np.float32)
