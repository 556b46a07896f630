"""One rank of a training run that a test watches: ``torchrun … -m tests.engine.rank CONFIG.json RUN_DIR``.

Each rank leaves a hash of all its weights in ``RUN_DIR/../<run>.<rank>``. ``DIE_AT`` names an iteration at which the
second rank kills itself; with ``SAME_BATCH`` the ranks share the very batch that a single process would draw.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from faceengine.training import train
from faceengine.training.config import TrainConfig
from faceengine.training.data import Batch, Batches, Faces

RANK, WORLD = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


class SharedBatches(Batches):
    """Every rank draws the whole batch and takes its part."""

    def __getitem__(self, iteration: int) -> Batch:
        self.seed, self.size = self.seed[-1:], self.recipe.batch
        batch = super().__getitem__(iteration)
        return dataclasses.replace(batch, faces={person: _part(faces) for person, faces in batch.faces.items()})


def _part(faces: Faces) -> Faces:
    return faces._each(lambda part: part[RANK::WORLD])


def main() -> None:
    torch.set_num_threads(1)
    config = TrainConfig.from_dict(json.loads(Path(sys.argv[1]).read_text()))
    run_dir = Path(sys.argv[2])
    if "SAME_BATCH" in os.environ:
        train.Batches = SharedBatches  # type: ignore[attr-defined, misc]
    sessions: list[Any] = []
    opened = train._open

    def remember(*arguments: Any) -> Any:
        sessions.append(opened(*arguments))
        return sessions[0]

    def should_stop() -> bool:
        if RANK == 1 and sessions and sessions[0].iteration == int(os.environ.get("DIE_AT", "-1")):
            os.kill(os.getpid(), signal.SIGKILL)
        # Only the second rank is asked to stop.
        return RANK == 1 and sessions[0].iteration == int(os.environ.get("STOP_AT", "-1"))

    train._open = remember
    train.run(config, run_dir, should_stop=should_stop)
    digest = hashlib.sha256()
    for module in (sessions[0].trainer.generator, sessions[0].trainer.discriminators, sessions[0].average):
        for tensor in module.state_dict().values():
            digest.update(tensor.contiguous().numpy().tobytes())
    run_dir.with_name(f"{run_dir.name}.{RANK}").write_text(digest.hexdigest())


if __name__ == "__main__":
    main()
