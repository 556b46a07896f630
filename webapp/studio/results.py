"""What the studio keeps of what jobs tell. Hooks of the ledger: each is called inside the ledger's own transaction."""

from __future__ import annotations

from django.db import transaction

from faceengine.events import Checkpoint, Event, Preview
from faceengine.jobs.models import Job
from faceengine.jobs.states import State
from webapp.curation.models import FaceSet
from webapp.curation.pictures import prepare
from webapp.studio.face_sets import take_in
from webapp.studio.models import Run, Snapshot


def extraction_ended(job: Job) -> None:
    """The faces come in. Those of an extraction that failed or was cancelled come with the next that is done."""
    face_set = FaceSet.objects.select_related("job", "person").filter(job=job).first()
    if face_set is None or job.state != State.DONE:
        return
    face_set.folder = job.folder
    face_set.save(update_fields=["folder"])
    take_in(face_set)
    transaction.on_commit(lambda: prepare(face_set), robust=True)


def training_told(job: Job, event: Event) -> None:
    """A preview or a checkpoint is a point of the run's time line."""
    if not isinstance(event, Preview | Checkpoint):
        return
    run = Run.objects.filter(job=job).first()
    if run is None:
        return
    kept = {"preview": event.path} if isinstance(event, Preview) else {"checkpoint": event.path}
    Snapshot.objects.update_or_create(
        run=run, iteration=event.iteration, defaults=kept | {"losses": _losses(job, event.iteration)}
    )


def _losses(job: Job, iteration: int) -> dict[str, float]:
    """The newest means by then; a run that went back to its checkpoint tells some iterations twice."""
    told = job.events.filter(kind="losses", data__iteration__lte=iteration).order_by("-seq").first()
    return dict(told.data["values"]) if told is not None else {}
