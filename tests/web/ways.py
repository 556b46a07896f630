"""How far a project can be: with footage, faces, a run, a conversion, a score. Jobs are claimed and ended as by
runners; face sets are real ones of the engine with tiny pictures."""

from __future__ import annotations

import itertools
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from faceengine.events import Checkpoint, Event, Losses, Preview
from faceengine.faceset import MASKS, Crop
from faceengine.faceset import FaceSet as Files
from faceengine.jobs import transitions
from faceengine.jobs.models import Job, Slot
from tests.web.consents import mandate_of
from webapp.accounts.models import User
from webapp.curation.models import FaceSet
from webapp.projects.models import Person, Project
from webapp.studio import services
from webapp.studio.models import Conversion, Run, Score, Still
from webapp.uploads.models import Asset, AssetState

TINY = {"preset": "tiny", "iterations": 20}
_numbers = itertools.count(1)


def owner_of(project: Project) -> User:
    return User.objects.get(memberships__team=project.team, memberships__role="owner")


def footage(person: Person, name: str = "clip.mov", kind: str = "video", **changes: Any) -> Asset:
    """An asset as the intake leaves it, with its file in the storage."""
    mandate = mandate_of(person.project).pk
    job = transitions.submit("intake", {"file": "gone", "name": "asset"}, mandate=mandate)
    ending = "mp4" if kind == "video" else "png"
    default_storage.save(f"{job.folder}/asset.{ending}", ContentFile(b"frames"))
    Job.objects.filter(pk=job.pk).update(state="done")
    known = {"state": AssetState.READY, "size": 9, "stored": 9, "sha256": str(job.pk), "width": 640, "height": 480}
    return Asset.objects.create(
        person=person, name=name, job=job, kind=kind, file=f"{job.folder}/asset.{ending}", **known | changes
    )


def claimed(job: Job) -> Job:
    """The job, taken by a slot of its own whatever its place in the queue."""
    number = next(_numbers)
    slot = Slot.objects.create(host="here", name=f"gpu{number}", kind=job.slot_kind, pid=number, version="1")
    assert transitions.move(job, priority=100, to_front=True)
    taken = transitions.claim(slot)
    assert taken == job
    return taken


def ended(job: Job, *events: Event, result: dict[str, Any] | None = None, fails: str = "") -> None:
    """Claim the job, tell ``events`` of it, and end it."""
    taken = claimed(job)
    if events:
        assert transitions.record(taken.pk, taken.attempt, events)
    if fails:
        assert transitions.fail(taken.pk, taken.attempt, fails, "it could not be done")
    else:
        assert transitions.finish(taken.pk, taken.attempt, result or {"stopped": False}, 0)


def faces(person: Person, count: int = 30) -> FaceSet:
    """Extract the person's footage, of which there is some afterwards: ``count`` crops have come in."""
    if not person.assets.exists():
        footage(person)
    face_set = services.extract_faces(owner_of(person.project), person)
    assert face_set.job is not None
    write_set(face_set.job, count)
    ended(face_set.job)
    face_set.refresh_from_db()
    return face_set


def trained(project: Project, name: str = "First") -> Run:
    """A run that has ended: a snapshot with a preview at 10, with preview and checkpoint at 20."""
    for person in project.people.all():
        if not hasattr(person, "face_set"):
            faces(person)
    run = services.start_run(owner_of(project), project, name, TINY)
    for path in ("previews/000010.png", "previews/000020.png", "checkpoints/000020.safetensors"):
        default_storage.save(f"{run.job.folder}/{path}", ContentFile(b"made"))
    losses = {"a.reconstruction": 0.2, "b.reconstruction": 0.3}
    ended(
        run.job,
        Losses(10, losses, 5.0),
        Preview(10, "previews/000010.png"),
        Losses(20, {name: value / 2 for name, value in losses.items()}, 5.0),
        Preview(20, "previews/000020.png"),
        Checkpoint(20, "checkpoints/000020.safetensors"),
    )
    run.refresh_from_db()
    return run


def converted(run: Run, side: str = "a", **settings: Any) -> Conversion:
    """A conversion of the person's first video that has ended well."""
    asset = Asset.objects.filter(person__project=run.project, person__side=side, kind="video").earliest("pk")
    conversion = services.start_conversion(owner_of(run.project), run, asset, settings)
    default_storage.save(f"{conversion.job.folder}/result.mp4", ContentFile(b"swapped"))
    figures = {"frames": 50, "swapped": 49, "fps": 20.0, "model": "0" * 64, "signed_by": "A studio signer"}
    ended(conversion.job, result={"path": "result.mp4", "stopped": False} | figures)
    conversion.job.refresh_from_db()
    return conversion


def still_of(run: Run, side: str = "a") -> Still:
    """A frame of what a conversion would give, that has been drawn."""
    asset = Asset.objects.filter(person__project=run.project, person__side=side, kind="video").earliest("pk")
    still = services.show_still(owner_of(run.project), run, asset, {}, 0.0)
    default_storage.save(f"{still.job.folder}/still.jpg", ContentFile(_picture()))
    ended(still.job, Preview(0, "still.jpg"), result={"path": "still.jpg", "swapped": True, "stopped": False})
    still.job.refresh_from_db()
    return still


def _picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (640, 240), "green").save(file, "JPEG")
    return file.getvalue()


REPORT: dict[str, Any] = {
    "format": 1, "similarity": 0.93, "floor": 0.89, "ceiling": 0.97, "position": 0.5, "reading": "same",
    "frames": 50, "found_share": 1.0, "swapped_share": 0.98, "seam": 0.4, "pose_error": 2.0,
    "expression_error": 0.03, "jitter": 0.03, "network": "dlib-resnet",
    "best": [7], "worst": [31], "pictures": {"7": "frames/000007.jpg", "31": "frames/000031.jpg"},
    "sets": {"wanted": 40}, "reasons": [
        {"code": "wanted.few", "text": "40 crops"}, {"code": "wanted.poses", "text": "it lacks yaw 30"},
        {"code": "unheard.of", "text": "More faces would help."},
    ],
    "per_frame": [
        {"frame": 7, "time": 0.35, "similarity": 0.96}, {"frame": 31, "time": 1.55, "similarity": 0.71},
        {"frame": 40, "time": 2.0, "similarity": None},
    ],
}  # fmt: skip
"""What of the engine's report (docs/score.md) the pages show; ``best`` and ``worst`` are numbers of frames."""


def scored(conversion: Conversion) -> Score:
    """The conversion's score, half the way from floor to ceiling."""
    score = services.start_score(owner_of(conversion.run.project), conversion)
    default_storage.save(f"{score.job.folder}/report.json", ContentFile(json.dumps(REPORT).encode()))
    for name in REPORT["pictures"].values():
        default_storage.save(f"{score.job.folder}/{name}", ContentFile(_picture()))
    numbers = {"similarity": 0.93, "floor": 0.89, "ceiling": 0.97}
    ended(score.job, result={"stopped": False, "report": "report.json"} | numbers)
    score.job.refresh_from_db()
    return score


def write_set(job: Job, count: int) -> None:
    chance = np.random.default_rng(0)
    picture = chance.integers(0, 256, (8, 8, 3), np.uint8)
    folder = Path(default_storage.path(job.folder))
    folder.mkdir(parents=True, exist_ok=True)
    with Files.create(folder) as files, files.transaction():
        name = job.config["inputs"][0]
        files.set_input(name, sha256="0" * 64, next_frame=1, frames_read=1, frames_with_face=1, done=1)
        for frame in range(len(files), count):
            files.add(_crop(name, frame, chance), picture, dict.fromkeys(MASKS, picture[..., 0]))
        files.write_summary({"crops": count, "size": 256})


def _crop(name: str, frame: int, chance: np.random.Generator) -> Crop:
    return Crop(
        input=name, frame=frame, time=frame / 25, face=0, width=640, height=480, box=chance.normal(size=4),
        points=chance.normal(size=(5, 2)), score=0.99, matrix=chance.normal(size=(2, 3)),
        landmarks=chance.normal(size=(68, 2)), landmark_network="dlib68", embedding=chance.normal(size=128),
        embedding_network="dlib-resnet", sharpness=1.0, brightness=2.0, face_size=3.0, yaw=4.0, pitch=5.0, roll=6.0,
        landmark_gap=0.03, hash=frame,
    )  # fmt: skip
