"""Several processes that train one run together, each on a GPU of its own: ``torchrun --nproc-per-node N …``.

Every rank holds all networks, draws its own share of each batch, and averages its gradients with the others' right
before an optimiser steps; so all weights stay equal. It is not ``DistributedDataParallel``: that hooks itself into one
backward pass through one module, whereas an iteration here runs several partial ones, two at a time, with the
discriminators frozen in half of them.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from faceengine.device import choose_device
from faceengine.errors import ConfigError

BUCKET = 8_000_000
"""Numbers that are averaged at once: enough that the start of a transfer doesn't matter, few beside the weights."""

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Ranks:
    """This process among those that train the run. Of all methods that exchange something, every rank must call the
    same ones in the same order. Alone, none of them does anything."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes files and tells what happens."""
        return self.rank == 0

    def share(self, batch: int) -> int:
        """How many crops of each person's ``batch`` this rank draws. Raises :class:`ConfigError` for unequal shares."""
        if batch % self.world:
            raise ConfigError("train.ranks", f"a batch of {batch} can't be shared equally by {self.world} processes")
        return batch // self.world

    def device(self, name: str) -> torch.device:
        """As :func:`choose_device`, where ``auto`` and ``cuda`` give each rank its own GPU."""
        if self.world == 1 or name not in ("auto", "cuda") or not torch.cuda.is_available():
            return choose_device(name)
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
        return device

    def equalise(self, *modules: nn.Module) -> None:
        """Give every rank the first one's weights."""
        if self.world > 1:
            for module in modules:
                for tensor in module.state_dict().values():
                    # Exchanged as plain memory, which channels-last weights are not.
                    plain = tensor.contiguous()
                    dist.broadcast(plain, 0)
                    tensor.copy_(plain)

    def average_gradients(self, module: nn.Module) -> None:
        """Replace each gradient by its mean over all ranks."""
        if self.world > 1:
            for bucket in _buckets(parameter.grad for parameter in module.parameters() if parameter.grad is not None):
                _average(bucket)

    def mean(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """The mean over all ranks of each named number."""
        if self.world == 1:
            return values
        means = torch.stack([value.float() for value in values.values()])
        _average([means])
        return dict(zip(values, means, strict=True))

    def any(self, wish: bool) -> bool:
        """Whether any rank says so."""
        return bool(self._agreed(int(wish), dist.ReduceOp.MAX)) if self.world > 1 else wish

    def of_first(self, number: int) -> int:
        """The first rank's ``number``."""
        return self._agreed(number if self.first else 0, dist.ReduceOp.SUM) if self.world > 1 else number

    def wait(self) -> None:
        """Go on when all ranks have come here."""
        self.any(False)

    def _agreed(self, number: int, operation: dist.ReduceOp.RedOpType) -> int:
        # On the CPU: a number on the GPU could only be read once all that was queued before it is done.
        told = torch.tensor(number)
        dist.all_reduce(told, operation)
        return int(told)


ALONE = Ranks()


@contextmanager
def joined() -> Iterator[Ranks]:
    """The ranks that torchrun has started this process as one of, connected; :data:`ALONE` without torchrun."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield ALONE
        return
    # Killed, torchrun ends nobody: the ranks would wait for one another for half an hour.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Ranks(dist.get_rank(), world)
    finally:
        dist.destroy_process_group()


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """The tensors in their order, about :data:`BUCKET` numbers at a time."""
    bucket: list[Tensor] = []
    for tensor in tensors:
        bucket.append(tensor)
        if sum(one.numel() for one in bucket) >= BUCKET:
            yield bucket
            bucket = []
    if bucket:
        yield bucket


def _average(tensors: list[Tensor]) -> None:
    """Replace each tensor by its mean over all ranks, exchanging them as one."""
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    means = torch.split_with_sizes(flat, [tensor.numel() for tensor in tensors])
    for tensor, mean in zip(tensors, means, strict=True):
        tensor.copy_(mean.view(tensor.shape))
