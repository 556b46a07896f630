"""What is on this machine: versions, device, threads, ffmpeg, and the networks' weights."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from faceengine import __version__
from faceengine.weights import WEIGHTS, find

_PACKAGES = (
    "torch",
    "torchvision",
    "facenet-pytorch",
    "face-alignment",
    "dlib-bin",
    "opencv-python",
    "opencv-python-headless",
    "av",
    "imageio-ffmpeg",
    "numpy",
)


def machine() -> dict[str, Any]:
    """Plain JSON types: what a person would be asked for when something goes wrong."""
    import imageio_ffmpeg
    import torch

    cuda = torch.cuda.is_available()
    return {
        "faceengine": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else ["cpu"],
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "ffmpeg": _ffmpeg(imageio_ffmpeg.get_ffmpeg_exe()),
        "weights": weights_here(),
    }


def weights_here() -> list[dict[str, Any]]:
    """A row a network: ``name``, ``file``, ``path`` (``None`` if it is not here), ``size``, ``sha256``, ``licence``,
    ``source``."""
    return [
        {
            "name": weight.name,
            "file": weight.file,
            "path": str(path) if (path := find(weight.name)) else None,
            "size": weight.size,
            "sha256": weight.sha256,
            "licence": weight.licence,
            "source": weight.source,
        }
        for weight in WEIGHTS.values()
    ]


def weights_text(rows: list[dict[str, Any]]) -> str:
    """The rows for people: what is here, then how to get the rest."""
    width = max(len(row["name"]) for row in rows)
    lines = [f"{row['name']:{width}}  {_size(row['size']):>9}  {row['path'] or 'not here'}" for row in rows]
    if any(row["path"] is None for row in rows):
        lines.append("What is not here: python -m faceengine weights --fetch")
    return "\n".join(lines)


def machine_text(found: dict[str, Any]) -> str:
    lines = [f"{key}: {_joined(value)}" for key, value in found.items() if key != "weights"]
    return "\n".join([*lines, "weights:", *("  " + line for line in weights_text(found["weights"]).splitlines())])


def _joined(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _size(number: int | None) -> str:
    return "?" if number is None else f"{number / 1e6:.1f} MB"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _ffmpeg(path: str) -> str:
    """``ffmpeg``'s own first line, e.g. "ffmpeg version 7.0.2-static"."""
    told = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30, check=True).stdout
    return " ".join(told.split()[:3])
