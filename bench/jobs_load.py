"""A mixed load of real jobs on short clips, and what is compared of their results."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg

from bench.jobs_studio import ROOT, wait_until

ITERATIONS, CHECKPOINT_EVERY = 60, 5
KINDS = ("extract", "train", "convert")


class Load:
    """Extracts, trains and converts, again and again the same, so that each result has one that it must equal."""

    def __init__(self, frames: int = 75) -> None:
        """Put clips of the demo's two people, ``frames`` long, into the storage."""
        for person in "ab":
            cut(ROOT / "demo" / f"person_{person}.mp4", stored(f"bench/{person}.mp4"), frames)
        self._sets: dict[str, str] = {}
        self.run = ""
        self.wanted: dict[str, str] = {}
        """Kind → the result of the undisturbed job."""

    def undisturbed(self, within: float = 600.0) -> None:
        """Run one job of each kind, which the others then must equal and whose results they work on."""
        extracts = {person: self._extract(person) for person in "ab"}
        for person, job in extracts.items():
            self._sets[person] = ended(job, within).folder
        train = ended(self.submit("train"), within)
        self.run = train.folder
        convert = ended(self.submit("convert"), within)
        self.wanted = {job.kind: outcome(job) for job in (extracts["a"], train, convert)}

    def submit(self, kind: str) -> Any:
        """Ask for one more job of the kind."""
        if kind == "extract":
            return self._extract("a")
        if kind == "train":
            people = {"a": self._sets["a"], "b": self._sets["b"]}
            numbers = {"iterations": ITERATIONS, "checkpoint_every": CHECKPOINT_EVERY, "log_every": 1, "batch": 2}
            return submit("train", {**people, **numbers, "preset": "quick", "preview_every": 20, "workers": 1})
        return submit("convert", {"video": "bench/a.mp4", "model": self.run, "direction": "a2b"})

    def _extract(self, person: str) -> Any:
        return submit("extract", {"inputs": [f"bench/{person}.mp4"], "every": 2})


def submit(kind: str, config: dict[str, Any]) -> Any:
    from bench.consents import mandate
    from faceengine.jobs import transitions

    return transitions.submit(kind, config, mandate=mandate())


def ended(job: Any, within: float) -> Any:
    """The job as it is when it has ended well. Raises ``RuntimeError`` with its reason if it has not."""
    from faceengine.jobs.states import ENDED, State

    def look() -> bool:
        job.refresh_from_db()
        return job.state in ENDED

    wait_until(look, within, f"{job.kind} has ended")
    if job.state != State.DONE:
        raise RuntimeError(f"{job.kind} is {job.state}: {job.error_code} {job.error_text}")
    return job


def outcome(job: Any) -> str:
    """What must be the same of two equal jobs, as a hash: faces and crops; weights; the video."""
    folder = stored(job.folder)
    if job.kind == "extract":
        return face_set(folder)
    if job.kind == "train":
        return weights(max((folder / "checkpoints").glob("*.safetensors")))
    return _pictures(folder / "result.mp4")


def face_set(folder: Path) -> str:
    """Every row of the index and every picture."""
    digest = hashlib.sha256()
    with closing(sqlite3.connect(folder / "faces.sqlite")) as index:
        for row in index.execute("SELECT * FROM crops ORDER BY id"):
            digest.update(repr(row).encode())
            for kind in ("crops", "masks"):
                digest.update((folder / kind / f"{row[0]:06d}.png").read_bytes())
    return digest.hexdigest()


def weights(checkpoint: Path) -> str:
    """All tensors of a safetensors file; its header also tells where the face sets were."""
    data = checkpoint.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__")
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode() + data[8 + length :]).hexdigest()


def stored(name: str) -> Path:
    """Where the local storage has ``name``."""
    from django.core.files.storage import default_storage

    return Path(default_storage.path(name))


def cut(clip: Path, target: Path, frames: int) -> None:
    """The first frames of a clip, with their sound."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", clip, "-frames:v", str(frames)]
    subprocess.run([*command, "-shortest", "-c:v", "libx264", "-crf", "12", target], check=True)


def _pictures(video: Path) -> str:
    """Of a video, without the marks of its own job."""
    digest = hashlib.sha256()
    with av.open(str(video)) as container:
        for packet in container.demux():
            digest.update(bytes(packet))
    return digest.hexdigest()
