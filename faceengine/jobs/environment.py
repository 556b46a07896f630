"""The variables of a job's body: those that say where programs are and how to compute, and none of the studio's own."""

from __future__ import annotations

import os

from faceengine.confined import limits
from faceengine.jobs.kinds import Kind
from faceengine.jobs.models import Slot

_KEPT = ("VIRTUAL_ENV", "XDG_DATA_HOME")
_COMPUTING = (
    "OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "KMP_", "CUDA_", "NVIDIA_", "NCCL_", "GLOO_", "TORCH_", "PYTORCH_",
)  # fmt: skip
"""How variables begin that tune or place computing."""


def environment_of(kind: Kind, slot: Slot) -> dict[str, str]:
    """Return the variables for a body of ``kind`` in ``slot``, which shows it its own GPU only.

    A confined one reads a stranger's file and computes nothing.
    """
    if kind.confined:
        return limits.environment()
    known = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_COMPUTING)}
    known = limits.environment(known)
    if slot.kind != "gpu" or kind.processes > 1:
        return known
    number = int(slot.name.removeprefix("gpu") or 0)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    device = visible[number] if number < len(visible) and visible[number] else str(number)
    return known | {"CUDA_VISIBLE_DEVICES": device, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
