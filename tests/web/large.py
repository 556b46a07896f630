"""A studio in which a lot has been done, and an address for every page of it: to count queries, and for the bench."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from faceengine.events import Losses, Message, Progress
from faceengine.jobs import transitions
from tests.web.consents import consented
from tests.web.curation_sets import crop_of, with_pictures
from tests.web.pdfs import pdf
from tests.web.ways import converted, ended, footage, scored, still_of, trained
from webapp.accounts.account_views import proof_tokens
from webapp.accounts.invitations import invite
from webapp.accounts.models import Role, User
from webapp.accounts.resets import make_reset_link
from webapp.accounts.services import found_team
from webapp.consent import links, services
from webapp.consent.evidence import keep
from webapp.consent.models import Consent
from webapp.consent.own_links import mail_token
from webapp.curation.models import Crop, CropState, Verdict
from webapp.projects.models import Project
from webapp.projects.services import create_project


@dataclass(frozen=True)
class Large:
    """What there is, as the addresses of pages name it."""

    owner: User
    project: Project
    arguments: dict[str, Any]
    """By name of the argument."""


def build(*, projects: int, crops: int, runs: int) -> Large:
    """A team with so many projects, one of which has so many crops and runs, each with a conversion and its score."""
    owner = User.objects.create_user("owner@example.org", "a long password")
    team = found_team(owner, "Team")
    for number in range(projects - 1):
        consented(create_project(owner, team, f"Project {number}"))
    project = consented(create_project(owner, team, "The full one"))
    for person in project.people.all():
        for number in range(6):
            footage(person, f"clip-{number}.mov")
    made = [_run(project, number) for number in range(runs)]
    face_set = project.people.get(side="a").face_set
    _crops(face_set, crops)
    crop = face_set.crops.earliest("number")
    asset = project.people.get(side="a").assets.get(file=crop.input.strip("/"))
    shutil.copy(settings.BASE_DIR / "demo" / "held_out_a.mp4", default_storage.path(asset.file))
    for number in range(30):
        transitions.submit("train", {"a": "a", "b": "b"}, owner=owner, title=f"{number}", mandate=made[0].job.mandate)
    arguments = {
        "project_id": project.pk, "side": "a", "team_id": team.pk, "run_id": made[0].pk, "asset_id": asset.pk,
        "still_id": made[0].stills.latest("pk").pk,
        "conversion_id": made[0].conversions.get().pk, "job_id": made[0].job_id, "attempt": 1, "part": "file",
        "name": "checkpoints/000020.safetensors", "state": "done", "slot_kind": "gpu", "number": crop.number,
        "crop_id": crop.pk, "size": 96, "token": invite(team, owner.email, Role.VIEWER, owner)[1],
        "proof_token": proof_tokens.make_token(owner), "reset_token": make_reset_link(owner, None),
    }  # fmt: skip
    return Large(owner, project, arguments | _consents(project, owner))


def _consents(project: Project, owner: User) -> dict[str, Any]:
    """Evidence of one that is live, a link to agree to another by, and the person's own link."""
    consent = Consent.objects.filter(person__project=project).latest("asked_at")
    assert consent.person is not None
    own, consent.withdraw_hash = links.withdrawal_token()
    consent.email = "person@example.org"
    consent.save(update_fields=["withdraw_hash", "email"])
    kept = keep(consent, SimpleUploadedFile("scan.pdf", pdf()), "upload")
    elsewhere = create_project(owner, project.team, "Another").people.get(side="a")
    asked = links.make_link(services.ask(elsewhere, owner), owner)
    return {"evidence_id": kept.pk, "own_token": own, "link_token": asked, "mail_token": mail_token(consent)}


def _run(project: Project, number: int) -> Any:
    run = trained(project, f"Run {number}")
    default_storage.save(f"{run.job.folder}/logs/1.log", ContentFile(b"line\n" * 2000))
    told = [Losses(at, {"a.reconstruction": 1 / (at + 1), "b.reconstruction": 0.2}, 5.0) for at in range(1, 200)]
    again = transitions.submit("train", run.job.config, owner=run.created_by, mandate=run.job.mandate)
    ended(again, Progress("train", 1, 200, "iterations", 5.0), Message("warning", "train.few", "Few crops"), *told)
    scored(converted(run, "a" if number % 2 else "b"))
    for _ in range(3 if number == 0 else 0):
        still_of(run)
    return run


def _crops(face_set: Any, count: int) -> None:
    """So many crops instead of the few that are there, all with pictures and a good part judged."""
    chance = random.Random(0)
    there = face_set.crops.count()
    Crop.objects.bulk_create([crop_of(face_set, number, chance) for number in range(there + 1, count + 1)])
    folder = face_set.folder
    with_pictures(face_set)
    type(face_set).objects.filter(pk=face_set.pk).update(folder=folder)
    owner = face_set.person.project.created_by
    judged = list(face_set.crops.order_by("number")[: count // 3])
    Verdict.objects.bulk_create([Verdict(crop=crop, user=owner, value="keep") for crop in judged])
    Crop.objects.filter(pk__in=[crop.pk for crop in judged[:900]]).update(state=CropState.KEPT)


# ---- every address ---------------------------------------------------------------------------------------------------


QUERIES = {"curation:changes": "?since=0"}
"""What an address can't do without."""
CHANGES = {
    *("change-member", "withdraw", "remove-member", "uploads:give-up", "uploads:upload", "jobs:steer"),
    *("revoke-token", "api-1:steer_job", "set-password-by-mail"),
    *("operations:vouch", "operations:unprove", "operations:reset-link"),
    *("consent:link", "consent:hand-in", "consent:review", "consent:end", "consent:take-back"),
    *("consent:pass-on", "consent:take"),
}
"""Names of addresses that only change something, and have arguments of their own."""


def names() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every named address of the studio with its arguments."""
    yield from _below(get_resolver().url_patterns, "", ())


def _below(patterns: Any, space: str, outer: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in patterns:
        arguments = (*outer, *one.pattern.converters)
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from _below(one.url_patterns, inner, arguments)
        elif isinstance(one, URLPattern) and one.name:
            yield f"{space}{one.name}", arguments


def addresses(large: Large) -> tuple[dict[str, str], set[str]]:
    """By name: each address with what is there; and the names of those with arguments that are not known here."""
    found, unknown = {}, set()
    for name, arguments in names():
        if set(arguments) <= set(large.arguments):
            query = QUERIES.get(name, "")
            found[name] = reverse(name, kwargs={argument: large.arguments[argument] for argument in arguments}) + query
        else:
            unknown.add(name)
    return found, unknown
