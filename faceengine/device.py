"""Where to compute, and in which arithmetic."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from faceengine.errors import ConfigError, out_of_memory


def choose_device(name: str = "auto") -> torch.device:
    """Return the device ``name``; ``auto`` is the GPU with the most free memory, else the CPU, and ``cuda`` that GPU.

    A GPU becomes the current one as well, so that nothing is put on another. Raises :class:`ConfigError` ``device`` for
    a device that is not there, ``device.full`` for one without any free memory.
    """
    if name == "auto" and not torch.cuda.is_available():
        return torch.device("cpu")
    device = _emptiest_gpu() if name in ("auto", "cuda") and torch.cuda.is_available() else _named(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def _named(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        if out_of_memory(error):
            text = f"the memory of the device {name!r} is full: end what uses it, or choose another device"
            raise ConfigError("device.full", text) from error
        raise ConfigError("device", f"the device {name!r} is not there") from error
    return device


def _emptiest_gpu() -> torch.device:
    count = torch.cuda.device_count()
    if count == 1:
        return torch.device("cuda", 0)
    free = [_free_memory(index) for index in range(count)]
    if not any(free):
        text = f"the memory of all {count} GPUs is full: end what uses it, or choose the device cpu"
        raise ConfigError("device.full", text)
    return torch.device("cuda", free.index(max(free)))


def _free_memory(index: int) -> int:
    """Return the free bytes of a GPU; 0 if it has no room left even to be asked."""
    try:
        return torch.cuda.mem_get_info(index)[0]
    except RuntimeError as error:
        if out_of_memory(error):
            return 0
        raise


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """``float32``, ``bfloat16``, or with ``auto`` bfloat16 where the hardware multiplies it natively."""
    if name == "auto":
        if device.type == "cuda":
            with torch.cuda.device(device):
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
