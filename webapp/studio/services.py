"""What people begin in the studio: extracting faces, training, converting, scoring. Each is a job and a row."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max

from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from faceengine.jobs.names import key_of
from faceengine.jobs.states import OPEN, State
from webapp.accounts.models import User
from webapp.consent.gate import Act, require_consent
from webapp.consent.leftovers import forget_jobs
from webapp.curation.figures import counts
from webapp.curation.models import AT_EDGE, USABLE, Crop, CropState, FaceSet
from webapp.projects.models import Person, Project, Side
from webapp.projects.services import record
from webapp.studio import options
from webapp.studio.errors import StudioError
from webapp.studio.face_sets import is_same_person, write_verdicts
from webapp.studio.files import is_there
from webapp.studio.holding import hold
from webapp.studio.models import Conversion, Direction, Run, Score, Snapshot, Still
from webapp.uploads.models import Asset, AssetKind, AssetState

ENOUGH = 25
"""Crops of a person that training needs, as the engine asks for."""
PICTURES = 240
"""Frames of a conversion that are kept as pictures while it works: of a long one, one in half a minute or so."""
STILLS = 6
"""Stills of a run that are kept, to be compared."""
STILL_PRIORITY = 5
"""Somebody sits and waits for it."""


@transaction.atomic
def extract_faces(actor: User, person: Person, *, every: int = 6, size: int = 256) -> FaceSet:
    """Queue the extraction of all footage that is ready. Later it goes on in the same set, with that set's settings.

    Raises :class:`ConsentError`, :class:`ConfigError`, and :class:`StudioError`: ``faces.no_footage``, ``.busy``,
    ``.nothing_new``.
    """
    chosen = options.EXTRACT.checked({"every": every, "size": size})
    hold(person.project)
    mandate = require_consent(person.project, Act.EXTRACT, actor)
    Person.objects.select_for_update().get(pk=person.pk)  # of two who ask at once, the second is refused
    ready = Asset.objects.filter(person=person, state=AssetState.READY).order_by("created_at", "id")
    inputs = list(ready.values_list("file", flat=True))
    if not inputs:
        raise StudioError("faces.no_footage")
    face_set, _ = FaceSet.objects.select_related("job").get_or_create(person=person)
    if face_set.job is None:
        config = chosen | {"inputs": inputs}
        title = _title(person.project, str(person))
        face_set.job = transitions.submit("extract", config, owner=actor, title=title, mandate=mandate.pk)
        face_set.save(update_fields=["job"])
    else:
        _extract_more(face_set.job, inputs)
    record(actor, "faces.extracted", person.project.team, person.project, side=person.side, inputs=len(inputs))
    return face_set


def _extract_more(job: Job, inputs: list[str]) -> None:
    if job.state in OPEN:
        raise StudioError("faces.busy")
    if job.state == State.DONE and set(inputs) <= set(job.config["inputs"]):
        raise StudioError("faces.nothing_new")
    if not transitions.extend(job, job.config | {"inputs": inputs}):
        raise StudioError("faces.busy")
    job.refresh_from_db()


@transaction.atomic
def start_run(
    actor: User, project: Project, name: str, settings: dict[str, Any], *, parent: Snapshot | None = None
) -> Run:
    """Queue a training with what people decided on the crops until now; ``settings`` are of :data:`options.TRAIN`.

    Raises :class:`StudioError` ``run.no_faces``, ``run.few_faces``, ``run.other_person``, ``run.same_person``,
    ``faces.busy``, ``run.no_checkpoint``, :class:`ConsentError` and :class:`ConfigError`.
    """
    chosen = options.TRAIN.checked(settings)
    hold(project, *([] if parent is None else [parent]))
    mandate = require_consent(project, Act.TRAIN, actor)
    sets = {side: _usable_set(project, side) for side in Side.values}
    config = chosen | {side: face_set.folder for side, face_set in sets.items()}
    if parent is not None:
        config["start_from"] = _checkpoint(parent)
    for face_set in sets.values():
        write_verdicts(face_set)
    if is_same_person(*sets.values()):
        raise StudioError("run.same_person")
    job = transitions.submit("train", config, owner=actor, title=_title(project, name), mandate=mandate.pk)
    run = Run.objects.create(project=project, job=job, name=name, parent=parent, created_by=actor)
    record(actor, "run.started", project.team, project, name=name)
    return run


@transaction.atomic
def train_longer(actor: User, run: Run, *, minutes: float | None = None, iterations: int | None = None) -> None:
    """Let a run that has ended go on: for so many minutes more, or until it has had so many iterations in all.

    It learns from the faces as people have decided on them by now. Raises as :func:`start_run` does, and
    :class:`StudioError` ``run.busy`` and ``run.long_enough``.
    """
    if (minutes is None) == (iterations is None):
        raise ValueError("either minutes or iterations")
    length = {"minutes": minutes} if iterations is None else {"iterations": iterations}
    options.TRAIN.checked(length)
    hold(run.project, run)
    require_consent(run.project, Act.TRAIN, actor)
    if run.job.state in OPEN:
        raise StudioError("run.busy")
    had = run.snapshots.exclude(checkpoint="").aggregate(most=Max("iteration"))["most"] or 0
    if iterations is not None and iterations <= had:
        raise StudioError("run.long_enough")
    for side in Side.values:
        write_verdicts(_usable_set(run.project, side))
    if not transitions.extend(run.job, run.job.config | {"minutes": minutes, "iterations": iterations}):
        raise StudioError("run.busy")
    run.job.refresh_from_db()
    record(actor, "run.extended", run.project.team, run.project, name=run.name, **length)


def _usable_set(project: Project, side: str) -> FaceSet:
    face_set = FaceSet.objects.select_related("job").filter(person__project=project, person__side=side).first()
    if face_set is None or not face_set.folder:
        raise StudioError("run.no_faces")
    if face_set.job is not None and face_set.job.state in OPEN:
        raise StudioError("faces.busy")
    if face_set.to_compare:
        raise StudioError("faces.comparing")
    states = counts(face_set)
    if states[CropState.OTHER] * 2 > sum(states.values()):
        raise StudioError("run.other_person")
    if Crop.objects.filter(~AT_EDGE, face_set=face_set, state__in=USABLE).count() < ENOUGH:
        raise StudioError("run.few_faces")
    return face_set


def _checkpoint(snapshot: Snapshot) -> str:
    """The storage's name of a snapshot's checkpoint."""
    job = snapshot.run.job
    if not snapshot.checkpoint or not is_there(job, snapshot.checkpoint):
        raise StudioError("run.no_checkpoint")
    return key_of(job, snapshot.checkpoint)


@transaction.atomic
def start_conversion(
    actor: User, run: Run, asset: Asset, settings: dict[str, Any], *, snapshot: Snapshot | None = None
) -> Conversion:
    """Queue the conversion of a video of A to B's face, or of B to A's, by the run or one snapshot of it.

    ``settings`` are of :data:`options.CONVERT`. Raises :class:`StudioError` ``convert.no_video``,
    ``convert.no_model``, ``run.no_checkpoint``, :class:`ConsentError` and :class:`ConfigError`.
    """
    chosen = options.CONVERT.checked(settings)
    hold(run.project, run, asset)
    mandate = require_consent(run.project, Act.CONVERT, actor)
    config = chosen | _swap_of(run, asset, snapshot) | {"pictures": PICTURES}
    title = f"{asset.name} · {run.name}"[:200]
    job = transitions.submit("convert", config, owner=actor, title=title, mandate=mandate.pk)
    direction = config["direction"]
    conversion = Conversion.objects.create(
        run=run, job=job, asset=asset, snapshot=snapshot, direction=direction, created_by=actor
    )
    record(actor, "conversion.started", run.project.team, run.project, name=asset.name, run=run.name)
    return conversion


@transaction.atomic
def show_still(
    actor: User, run: Run, asset: Asset, settings: dict[str, Any], seconds: float, *, snapshot: Snapshot | None = None
) -> Still:
    """Queue one frame of what :func:`start_conversion` would make, before and after side by side; raises as that does.

    ``seconds``: when in the video; its last frame if that is after its end. Of a run's stills the newest few are kept.
    """
    chosen = options.CONVERT.checked(settings)
    hold(run.project, run, asset)
    mandate = require_consent(run.project, Act.CONVERT, actor)
    length = asset.frames / asset.fps if asset.fps else 0.0
    frame = max(0, min(round(min(seconds, length) * asset.fps), asset.frames - 1))
    own = {"layout": "pair", "start": frame, "end": frame + 1, "device": "cpu"}
    config = chosen | _swap_of(run, asset, snapshot) | own
    title = f"{asset.name} · {run.name}"[:200]
    job = transitions.submit(
        "convert-still", config, owner=actor, title=title, priority=STILL_PRIORITY, mandate=mandate.pk
    )
    still = Still.objects.create(run=run, job=job, asset=asset, snapshot=snapshot, created_by=actor)
    record(actor, "still.made", run.project.team, run.project, name=asset.name, run=run.name)
    _forget_stills(run)
    return still


def _forget_stills(run: Run) -> None:
    """Delete a run's stills but the newest :data:`STILLS`, and not those that are at work."""
    older = run.stills.order_by("-created_at", "-id").values_list("job", flat=True)[STILLS:]
    forget_jobs(Job.objects.filter(pk__in=list(older)).exclude(state__in=OPEN))


def _swap_of(run: Run, asset: Asset, snapshot: Snapshot | None) -> dict[str, Any]:
    """Which video, which model, in which direction."""
    ready = asset.state == AssetState.READY and asset.kind == AssetKind.VIDEO
    if not ready or asset.person.project_id != run.project_id:
        raise StudioError("convert.no_video")
    if run.job.checkpoint is None:
        raise StudioError("convert.no_model")
    direction = Direction.A2B if asset.person.side == Side.A else Direction.B2A
    model = run.job.folder if snapshot is None else _checkpoint(snapshot)
    return {"video": asset.file, "model": model, "direction": direction.value}


@transaction.atomic
def start_score(actor: User, conversion: Conversion) -> Score:
    """Queue a conversion's score, or try again one that failed.

    Raises :class:`ConsentError`, and :class:`StudioError` ``score.no_result``, ``.side_by_side``, ``.no_original``,
    ``.busy``.
    """
    hold(conversion.run.project, conversion)
    mandate = require_consent(conversion.run.project, Act.SCORE, actor)
    project = conversion.run.project
    score = Score.objects.select_related("job").filter(conversion=conversion).first()
    if score is not None:
        if not transitions.retry(score.job):
            raise StudioError("score.busy")
        return score
    config, title = _score_config(conversion), conversion.job.title
    job = transitions.submit("score", config, owner=actor, title=title, mandate=mandate.pk)
    record(actor, "score.started", project.team, project, name=title)
    return Score.objects.create(conversion=conversion, job=job)


def _score_config(conversion: Conversion) -> dict[str, Any]:
    if not conversion.result:
        raise StudioError("score.no_result")
    if conversion.job.config.get("layout", "result") != "result":
        raise StudioError("score.side_by_side")
    wanted = FaceSet.objects.filter(
        person__project=conversion.run.project_id, person__side=Direction(conversion.direction).wanted
    ).first()
    if conversion.asset is None or wanted is None or not wanted.folder:
        raise StudioError("score.no_original")
    return {
        "result": f"{conversion.job.folder}/{conversion.result}",
        "wanted": wanted.folder,
        "original": conversion.asset.file,
        "run": conversion.run.job.folder,
        "pictures": True,
    }


def _title(project: Project, what: str) -> str:
    return f"{project.name} · {what}"[:200]
