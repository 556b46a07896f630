"""Which device is chosen, and what is said when one is not there or has no memory left. No GPU is needed: what CUDA
says of itself is made up here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from faceengine.cli.failures import one_line
from faceengine.device import choose_device
from faceengine.errors import ConfigError
from faceengine.training.ranks import Ranks

Cuda = Callable[[list[int | None]], None]


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> tuple[Cuda, list[torch.device]]:
    """Pretend that there are GPUs with that much free memory each (``None``: so full that it can't even be asked), and
    list those that were made the current one."""
    current: list[torch.device] = []

    def pretend(free: list[int | None]) -> None:
        def asked(index: int) -> tuple[int, int]:
            found = free[index]
            if found is None:
                raise RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later")
            return found, 80 << 30

        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
        monkeypatch.setattr(torch.cuda, "mem_get_info", asked)
        monkeypatch.setattr(torch.cuda, "set_device", current.append)

    return pretend, current


@pytest.mark.parametrize("name", ["auto", "cuda"])
@pytest.mark.parametrize(
    ("free", "chosen"),
    [([1 << 20, 70 << 30], 1), ([70 << 30, 1 << 20], 0), ([None, 5 << 30], 1), ([9, 8, 10], 2), ([3], 0), ([4, 4], 0)],
)
def test_of_several_gpus_the_emptiest_is_taken(
    name: str, free: list[int | None], chosen: int, cuda: tuple[Cuda, list[torch.device]]
) -> None:
    pretend, current = cuda
    pretend(free)
    assert choose_device(name) == torch.device("cuda", chosen)
    assert current == [torch.device("cuda", chosen)]


def test_gpus_that_are_all_full_are_said_to_be(cuda: tuple[Cuda, list[torch.device]]) -> None:
    cuda[0]([None, None])
    with pytest.raises(ConfigError, match="all 2 GPUs is full") as refused:
        choose_device("auto")
    assert refused.value.code == "device.full"


def test_each_rank_keeps_its_own_gpu(cuda: tuple[Cuda, list[torch.device]], monkeypatch: pytest.MonkeyPatch) -> None:
    cuda[0]([70 << 30, 1 << 30])
    for rank in (0, 1):
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        assert Ranks(rank, 2).device("auto") == torch.device("cuda", rank)


def test_a_gpu_that_is_not_there_is_no_full_one() -> None:
    with pytest.raises(ConfigError) as refused:
        choose_device("cuda:7")
    assert refused.value.code == "device"


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation'",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried",
    ],
)
def test_memory_that_runs_out_is_told_in_one_line(words: str) -> None:
    line = one_line(RuntimeError(words))
    assert line is not None
    assert (line.code, line.exit_code) == ("memory.full", 3)
    assert one_line(RuntimeError("an index is out of range")) is None
