"""Where to compute, and in which arithmetic."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from faceengine.errors import ConfigError


def choose_device(name: str = "auto") -> torch.device:
    """``auto`` is the first CUDA device, else the CPU. Raises :class:`ConfigError` for one that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError("device", f"the device {name!r} is not there") from error
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """``float32``, ``bfloat16``, or with ``auto`` bfloat16 where the hardware multiplies it natively."""
    if name == "auto":
        if device.type == "cuda":
            native = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            # Without AVX512-BF16 or AMX the CPU emulates it, slower than float32.
            native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return torch.bfloat16 if native else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


@contextmanager
def sharing_processors() -> Iterator[None]:
    """Let torch use half the processors in each thread, for two threads that both run networks.

    Every thread brings its own pool, and pools that together outnumber the processors spin against each other:
    measured on two, that made the small nets of face finding fifteen times slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) // 2)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
