"""Rows as the API gives them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from faceengine.jobs.models import Job
from webapp.consent.models import Consent
from webapp.curation.models import Crop, FaceSet
from webapp.studio.files import read_json
from webapp.studio.models import Conversion, Run, Still
from webapp.studio.standing import PersonStanding, Standing
from webapp.uploads.models import Asset


def job(found: Job) -> dict[str, Any]:
    """How far it is."""
    names = ("id", "kind", "state", "progress", "error_code", "error_text", "last_seq", "created_at", "finished_at")
    return {name: getattr(found, name) for name in names}


def project(standing: Standing) -> dict[str, Any]:
    """Where it stands."""
    found = standing.project
    return {
        "id": found.pk,
        "name": found.name,
        "team": found.team_id,
        "step": standing.step or "",
        "next": str(standing.next.text),
        "people": [_person(one) for one in standing.people],
    }


def _person(one: PersonStanding) -> dict[str, Any]:
    consent: Consent | None = one.consent
    return {
        "side": one.person.side,
        "name": str(one.person),
        "consent": consent.standing.value if consent else "none",
        "assets_ready": one.ready,
        "assets_checking": one.checking,
        "faces": one.faces,
        "faces_usable": one.usable,
        "extraction": one.job.pk if one.job else None,
    }


def asset(found: Asset) -> dict[str, Any]:
    """A video or photo, and where it can be had."""
    names = ("name", "state", "code", "kind", "sha256", "width", "height", "duration")
    known = {name: getattr(found, name) for name in names}
    return known | {"id": found.pk, "side": found.person.side, "file": reverse("uploads:file", args=[found.pk, "file"])}


def crop(found: Crop, face_set: FaceSet) -> dict[str, Any]:
    """A face."""
    person = face_set.person
    names = ("number", "state", "sharpness", "yaw", "pitch", "score")
    picture = reverse("curation:large", args=[person.project_id, person.side, found.number])
    return {name: getattr(found, name) for name in names} | {"picture": picture}


def run(found: Run) -> dict[str, Any]:
    """A training with its time line."""
    snapshots = [
        {
            "id": one.pk,
            "iteration": one.iteration,
            "losses": one.losses,
            "preview": _file(found.job, one.preview),
            "checkpoint": _file(found.job, one.checkpoint),
        }
        for one in found.snapshots.all()
    ]
    return {"id": found.pk, "name": found.name, "job": job(found.job), "snapshots": snapshots}


def still(found: Still) -> dict[str, Any]:
    """One frame of what a conversion would give."""
    return {"id": found.pk, "run": found.run_id, "job": job(found.job), "picture": _file(found.job, found.picture)}


def conversion(found: Conversion) -> dict[str, Any]:
    """A converted video, and its score if it has one."""
    score = getattr(found, "score", None)
    report = (score.job.result or {}).get("report") if score else None
    return {
        "id": found.pk,
        "run": found.run_id,
        "direction": found.direction,
        "job": job(found.job),
        "result": _file(found.job, found.result),
        "score": job(score.job) if score else None,
        "report": read_json(score.job, report) if score and report else None,
    }


def _file(found: Job, name: str) -> str | None:
    return reverse("jobs:file", args=[found.pk, name]) if name else None
