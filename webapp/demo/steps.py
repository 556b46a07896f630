"""The demo's steps, from footage to scores: what each needs, how it begins, and where it stands.

Where the demo is follows from what is there, so a process that dies loses nothing. Each step begins once: what somebody
pauses is waited for, what somebody cancels, deletes or does before the demo gets to it ends the demo.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from faceengine.jobs.models import Job
from faceengine.jobs.states import State
from webapp.accounts.models import User
from webapp.accounts.services import found_team
from webapp.consent.errors import ConsentError
from webapp.consent.services import grant_synthetic
from webapp.curation.models import FaceSet
from webapp.demo import account
from webapp.demo.models import Demo
from webapp.projects.models import Person, Project, Side
from webapp.projects.services import create_project
from webapp.studio import services as studio
from webapp.studio.errors import StudioError
from webapp.studio.models import Conversion, Run, Score
from webapp.uploads import services as uploads
from webapp.uploads.arrivals import UploadError
from webapp.uploads.models import Asset, AssetState

_log = logging.getLogger(__name__)

CLIPS = settings.BASE_DIR / "demo"
TRAINING_CLIP, HELD_OUT_CLIP = "person_{side}.mp4", "held_out_{side}.mp4"

DONE, WORKING, FAILED, GONE = "done", "working", "failed", "gone"
"""Where a step is that has begun. ``FAILED`` can still be tried again by somebody."""


@dataclass(frozen=True)
class Step:
    """One step. ``model`` is the class of what it makes, which has a job."""

    name: str
    model: type[Any]
    begin: Callable[[Demo, User], Any]
    """Makes it, by the same service as a person's button."""
    needs: tuple[str, ...] = ()
    """The steps that must be done before."""
    taken: Callable[[Project], bool] | None = None
    """Whether somebody has done it already, in their own way."""


def ensure() -> Demo:
    """The demo; with its account, project and consents at first."""
    demo = Demo.objects.select_related("project").first()
    return demo or _make()


@transaction.atomic
def _make() -> Demo:
    user = account.get_or_make()
    team = user.teams.order_by("pk").first() or found_team(user, "Demo")
    project = create_project(user, team, "Demo: Anton and Berta", a="Anton", b="Berta")
    grant_synthetic(project, user)
    return Demo.objects.create(project=project)


def go_on(demo: Demo) -> None:
    """Begin what can begin now; the demo's state says afterwards whether there will be more."""
    places = {name: standing_of(demo, step) for name, step in STEPS.items()}
    if demo.project is None or GONE in places.values():
        _end(demo, Demo.State.LEFT)
    elif all(place == DONE for place in places.values()):
        _end(demo, Demo.State.DONE)
    else:
        due = (step for name, step in STEPS.items() if not places[name])
        for step in due:
            if all(places[needed] == DONE for needed in step.needs):
                _begin(demo, demo.project, step)


def _begin(demo: Demo, project: Project, step: Step) -> None:
    if step.taken is not None and step.taken(project):
        _end(demo, Demo.State.LEFT)
        return
    try:
        with transaction.atomic():
            made = step.begin(demo, account.get_or_make())
            demo.begun = demo.begun | {step.name: str(made.pk)}
            demo.save(update_fields=["begun"])
    except (StudioError, UploadError, ConsentError) as refusal:
        _log.warning("the demo stops before %s: %s", step.name, refusal)
        _end(demo, Demo.State.LEFT)


def _end(demo: Demo, state: Demo.State) -> None:
    demo.state = state
    demo.save(update_fields=["state"])


def standing_of(demo: Demo, step: Step) -> str:
    """Where the step is; empty if it has not begun."""
    if step.name not in demo.begun:
        return ""
    made = step.model.objects.select_related("job").filter(pk=demo.begun[step.name]).first()
    job: Job | None = made.job if made is not None else None
    if made is None or job is None or job.state == State.CANCELLED:
        return GONE
    if isinstance(made, Asset) and made.state != AssetState.CHECKING:
        return DONE if made.state == AssetState.READY else GONE
    return {State.DONE: DONE, State.FAILED: FAILED}.get(State(job.state), WORKING)


# ---- how each begins -------------------------------------------------------------------------------------------------


def _upload(name: str, side: str, demo: Demo, user: User) -> Asset:
    clip = CLIPS / name.format(side=side)
    upload = uploads.begin(user, _person(demo, side), clip.name, clip.stat().st_size)
    with clip.open("rb") as file:
        uploads.append(upload, 0, file)
    assert upload.asset is not None
    return upload.asset


def _extract(side: str, demo: Demo, user: User) -> FaceSet:
    return studio.extract_faces(user, _person(demo, side), every=settings.DEMO_EVERY)


def _train(demo: Demo, user: User) -> Run:
    assert demo.project is not None
    return studio.start_run(user, demo.project, "Demo", settings.DEMO_TRAINING)


def _convert(side: str, demo: Demo, user: User) -> Conversion:
    run = Run.objects.select_related("project__team", "job").get(pk=demo.begun["training"])
    asset = Asset.objects.select_related("person").get(pk=demo.begun[f"held-out-{side}"])
    return studio.start_conversion(user, run, asset, {})


def _score(side: str, demo: Demo, user: User) -> Score:
    beside = ("run__project__team", "run__job", "job", "asset")
    conversion = Conversion.objects.select_related(*beside).get(pk=demo.begun[f"conversion-{side}"])
    return studio.start_score(user, conversion)


def _person(demo: Demo, side: str) -> Person:
    return Person.objects.select_related("project__team").get(project=demo.project_id, side=side)


def _of_side(side: str) -> list[Step]:
    """What is done with the footage of one person."""
    footage, faces = f"footage-{side}", f"faces-{side}"
    held_out, conversion = f"held-out-{side}", f"conversion-{side}"
    scored = Score.objects.filter
    return [
        Step(footage, Asset, partial(_upload, TRAINING_CLIP, side)),
        Step(
            faces,
            FaceSet,
            partial(_extract, side),
            (footage,),
            lambda project: FaceSet.objects.filter(person__project=project, person__side=side).exists(),
        ),
        # Only now, so that none of it is learnt from: scores are of footage that the model has not seen.
        Step(held_out, Asset, partial(_upload, HELD_OUT_CLIP, side), (faces,)),
        Step(conversion, Conversion, partial(_convert, side), ("training", held_out)),
        Step(
            f"score-{side}",
            Score,
            partial(_score, side),
            (conversion,),
            lambda project: scored(conversion__run__project=project, conversion__direction__startswith=side).exists(),
        ),
    ]


_TRAINING = Step(
    "training",
    Run,
    _train,
    tuple(f"{what}-{side}" for what in ("faces", "held-out") for side in Side.values),
    lambda project: Run.objects.filter(project=project).exists(),
)
STEPS = {step.name: step for step in (*_of_side(Side.A), *_of_side(Side.B), _TRAINING)}
"""Every step by its name."""
