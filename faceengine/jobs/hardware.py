"""What this machine computes with, found out without loading PyTorch."""

from __future__ import annotations

import os
import re
from pathlib import Path


def gpus() -> int:
    """Return how many CUDA devices processes of this machine may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1")])
    return sum(bool(re.fullmatch(r"nvidia\d+", path.name)) for path in Path("/dev").glob("nvidia*"))


def processor_of(slot: str) -> str:
    """Return ``gpu`` if the slot of that name has a GPU on this machine; ``cpu`` for one that computes without."""
    kind = slot.rstrip("0123456789")
    number = int(slot.removeprefix(kind) or 0)
    return "gpu" if kind == "gpu" and number < gpus() else "cpu"
