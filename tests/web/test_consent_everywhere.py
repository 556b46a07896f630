"""No way around the gate: every address × every role × every standing of a consent, and every kind of job.

The addresses are read from the URLconf, so a new one is tried without anybody telling this test. If it has a new sort
of part, ``Studio.choices`` must say what to put there; if it may answer without consents, ``SHOWS_NO_MATERIAL`` must.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from faceengine.jobs import kinds, transitions
from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.names import log_of
from tests.web.consents import STANDINGS, consent_of, mandate_of
from tests.web.footage import PART, client_of, people, project_of, user
from tests.web.pdfs import pdf
from tests.web.ways import TINY, converted, scored, still_of, trained
from webapp.accounts.invitations import invite
from webapp.consent.errors import ConsentError
from webapp.consent.evidence import keep
from webapp.consent.models import Consent, Evidence, Mandate
from webapp.curation.models import Crop, FaceSet
from webapp.projects.models import Project
from webapp.studio.models import Conversion, Run, Score, Snapshot, Still
from webapp.uploads import services as uploads
from webapp.uploads.models import Asset, AssetState, Upload

MATERIAL = b"MATERIAL-OF-SOMEBODY"
"""In every file that the project has."""

SHOWS_NO_MATERIAL = re.compile(
    r"account|password|send-proof|prove-address|password-reset|set-password|set-password-by-mail|"
    r"health|metrics|home|sign-in|sign-out|teams|team|new-team|invite|trail|set_language|language|invitation|join|"
    r"check-trail|export-trail|api|tokens|revoke-token|api-1:.*|"
    r"project|new-project|rename-project|studio:(weights|weights-fetch)|jobs:(list|ended|queued|detail|steer)|uploads:(delete|give-up|upload)|"
    r"(consent|removal|provenance|operations|weights|verify|accounts)[:-].*|.*(openapi|docs|swagger).*"
)
"""Names of addresses that may answer without consents: they say that something is there, and show nothing of it. The
last ones of ``uploads`` take away; asked how far an upload is, ``uploads:upload`` tells a number."""

HEADERS = {
    "Accept": "application/json",  # a page is no other refusal, and takes longer to write
    "Tus-Resumable": "1.0.0",
    "Upload-Length": "9",
    "Upload-Offset": "0",
    "Upload-Metadata": "filename Y2xpcC5tcDQ=",
}
BEGINS = (Job, Upload, Asset, Run, Conversion, Score, Still, FaceSet)


class Studio:
    """A project with all that a project can have, and visitors of every role."""

    def __init__(self) -> None:
        owner = user("owner")
        self.project: Project = project_of(owner)
        self.run = trained(self.project)
        self.conversion = converted(self.run)
        self.score = scored(self.conversion)
        self.still = still_of(self.run)
        self.upload = uploads.begin(owner, self.person, "later.mov", 9)
        mandate = mandate_of(self.project).pk
        config = {"a": "faces/a", "b": "faces/b"}
        self.failed, self.paused = (transitions.submit("train", config, owner=owner, mandate=mandate) for _ in "12")
        assert transitions.cancel(self.failed)
        assert transitions.pause(self.paused)
        self.refused = Asset.objects.create(
            person=self.person, name="again.mov", job=_intake(mandate), arrival="x", size=9, stored=9,
            state=AssetState.REFUSED, code="disk.full",
        )  # fmt: skip
        by_kind = {job.kind: job for job in Job.objects.order_by("created_at")}
        self.jobs = [*{**by_kind, "train": self.run.job}.values(), self.failed, self.paused]
        for asset in Asset.objects.filter(state=AssetState.READY):
            for part in ("poster", "filmstrip"):
                default_storage.save(f"{asset.job.folder}/{part}.webp", ContentFile(b"picture"))  # type: ignore[union-attr]
                setattr(asset, part, f"{asset.job.folder}/{part}.webp")  # type: ignore[union-attr]
            asset.save()
        for job in self.jobs:
            Attempt.objects.get_or_create(job=job, number=1, defaults={"slot": "here/gpu0"})
            default_storage.save(f"{job.folder}/logs/1.log", ContentFile(b"said"))
        for path in Path(default_storage.path("")).rglob("*"):
            if path.is_file() and path.suffix not in (".sqlite", ".json"):
                path.write_bytes(path.read_bytes() + MATERIAL)
        self.team = self.project.team
        self.invitation, self.token = invite(self.team, "new@example.org", "viewer", owner)
        consent = Consent.objects.filter(person=self.person).latest("asked_at")
        self.evidence = keep(consent, SimpleUploadedFile("scan.pdf", pdf()), "upload")
        self.visitors = {name: (one, client_of(one)) for name, one in people(self.project).items()}

    @property
    def person(self) -> Any:
        return self.project.people.get(side="a")

    def choices(self) -> dict[str, list[Any]]:
        """What each named part of an address may be."""
        crop = Crop.objects.filter(face_set__person=self.person).earliest("pk")
        return {
            "project_id": [self.project.pk], "side": ["a"], "run_id": [self.run.pk], "team_id": [self.team.pk],
            "conversion_id": [self.conversion.pk], "score_id": [self.score.pk], "upload_id": [self.upload.pk],
            "asset_id": [Asset.objects.filter(person=self.person, state="ready")[0].pk, self.refused.pk],
            "part": ["file", "poster", "filmstrip"], "number": [crop.number], "size": [96], "crop_id": [crop.pk],
            "attempt": [1], "state": ["done"], "slot_kind": ["gpu"], "token": [self.token],
            "user_id": [self.team.memberships.get(role="editor").user_id], "job_id": [job.pk for job in self.jobs],
            "membership_id": [self.team.memberships.get(role="editor").pk], "invitation_id": [self.invitation.pk],
            "change": ["retry", "resume", "front"], "snapshot_id": [Snapshot.objects.earliest("pk").pk],
            "frame": [0], "consent_id": [Consent.objects.filter(person=self.person).latest("asked_at").pk],
            "still_id": [self.still.pk], "evidence_id": [self.evidence.pk], "link_token": ["x"], "own_token": ["x"],
            "passed_token": ["x"], "mail_token": ["x"], "proof_token": ["x"], "reset_token": ["x"], "uidb64": ["x"],
            "token_id": [1],
        }  # fmt: skip

    def addresses(self) -> list[tuple[str, str]]:
        """Name and path of every address there is."""
        known, found, unknown = self.choices(), [], set()
        for route, name in routes(get_resolver()):
            parts = re.findall(r"<(?:[^:>]+:)?([^>]+)>", route)
            if name == "jobs:file":
                found += [(name, f"/jobs/{job.pk}/files/{file}") for job in self.jobs for file in _files(job)]
            elif lacking := set(parts) - set(known):
                unknown |= {(route, part) for part in lacking}
            else:
                for values in itertools.product(*(known[part] for part in parts)):
                    named = dict(zip(parts, values, strict=True))
                    path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", lambda match, of=named: str(of[match[1]]), route)
                    found.append((name, f"/{path}"))
        assert not unknown, f"choices() does not say what these parts of addresses may be: {sorted(unknown)}"
        return found


def _intake(mandate: Any) -> Job:
    job = transitions.submit("intake", {"file": "x", "name": "y"}, mandate=mandate)
    transitions.cancel(job)
    return job


def _files(job: Job) -> list[str]:
    """One file of every folder of the job."""
    folder = Path(default_storage.path(job.folder))
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    by_folder = {path.parent / path.suffix: str(path) for path in paths if "logs" not in path.parts}
    return list(by_folder.values())


def routes(resolver: Any, prefix: str = "", spaces: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The route and the name of every pattern."""
    for one in resolver.url_patterns:
        route = prefix + str(one.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(one, URLResolver):
            yield from routes(one, route, (*spaces, one.namespace) if one.namespace else spaces)
        else:
            assert isinstance(one, URLPattern)
            yield route, ":".join((*spaces, one.name or route))


def posted(studio: Studio) -> dict[str, Any]:
    """What the forms of the studio want, all in one."""
    return TINY | {
        "name": "Another", "every": 6, "size": 256, "asset": studio.conversion.asset_id, "blend": "poisson",
        "color": "lab", "layout": "result", "value": "keep",
        "iterations": 40, "at": 1,
    }  # fmt: skip


def ask(client: Client, method: str, path: str, data: dict[str, Any]) -> tuple[int, bytes]:
    """Status and body of an answer; what it changed is undone. ``-1`` if something was begun."""
    session = client.cookies.get("sessionid")
    with transaction.atomic():
        if method == "patch":
            answer = client.patch(path, MATERIAL[:9], content_type=PART, headers=HEADERS)
        else:
            answer = getattr(client, method)(path, data if method == "post" else None, headers=HEADERS)
        body = b"".join(answer.streaming_content) if answer.streaming and not answer.is_async else b""  # type: ignore[attr-defined]
        content = body if answer.streaming else answer.content
        begun = [] if method == "get" or answer.status_code in (401, 403, 404, 405) else _begun()
        transaction.set_rollback(True)
    if session is not None:  # whoever was signed out is there again
        client.cookies["sessionid"] = session.value
    return (-1 if begun else answer.status_code), content + b" ".join(one.encode() for one in begun)


def _begun() -> list[str]:
    """What there is now that was not there before."""
    more = [model.__name__ for model in BEGINS if model.objects.count() > COUNTS[model]]
    return more + list(Job.objects.filter(state="queued").values_list("kind", flat=True))


COUNTS: dict[Any, int] = {}


@pytest.fixture
def studio(db: None, settings: Any, tmp_path: Path) -> Studio:
    made = Studio()
    COUNTS.update({model: model.objects.count() for model in BEGINS})
    assert not Job.objects.filter(state="queued").exists()
    return made


def stand(project: Project, standing: str) -> None:
    """Let person A's consent stand there; B's is live."""
    if standing == "live":
        return
    of_a = Consent.objects.filter(person__project=project, side="a")
    if standing == "none":
        Mandate.objects.all().delete()
        Evidence.objects.all().delete()
        of_a.delete()
    elif standing == "withdrawn":
        of_a.update(withdrawn_at=Now())
    else:
        of_a.update(expires_at=Now())
        consent_of(project.people.get(side="a"), standing)


def test_with_live_consents_there_is_much_to_be_had(studio: Studio) -> None:
    """Otherwise the next test would say nothing."""
    _, client = studio.visitors["owner"]
    shown, begun = set(), set()
    for name, path in studio.addresses():
        status, _ = ask(client, "get", path, {})
        shown |= {name} if status == 200 and not SHOWS_NO_MATERIAL.fullmatch(name) else set()
        status, _ = ask(client, "post", path, posted(studio))
        begun |= {name} if status == -1 else set()
    wanted = {"uploads:room", "uploads:file", "jobs:file", "jobs:log", "jobs:whole-log", "studio:run"}
    wanted |= {"studio:conversion", "curation:room", "curation:tiles", "curation:large", "curation:small"}
    assert wanted <= shown
    assert {"studio:new-run", "studio:convert", "studio:still", "studio:longer"} <= begun
    assert {"uploads:create", "jobs:steer"} <= begun


def test_without_two_live_consents_nothing_is_begun_and_nothing_is_shown(studio: Studio) -> None:
    addresses, data = studio.addresses(), posted(studio)
    ways_around = []
    for standing in STANDINGS:
        if standing == "live":
            continue
        with transaction.atomic():
            stand(studio.project, standing)
            for role, (_, client) in studio.visitors.items():
                for (name, path), method in itertools.product(addresses, ("get", "post", "patch")):
                    known = SHOWS_NO_MATERIAL.fullmatch(name)
                    if (method == "patch" and "upload" not in name) or (known and role != "owner" and method == "get"):
                        continue
                    status, body = ask(client, method, path, data)
                    if status == -1 or MATERIAL in body or (status < 300 and not known):
                        ways_around.append((standing, role, method, name, path, status, body[-60:]))
            transaction.set_rollback(True)
    assert not ways_around, "\n".join(map(str, ways_around))


def test_no_kind_of_job_goes_around_the_gate(studio: Studio) -> None:
    mandate = mandate_of(studio.project)
    for standing in STANDINGS:
        with transaction.atomic():
            stand(studio.project, standing)
            for name in kinds.names():
                kind, job = kinds.get(name), Job(kind=name, mandate=mandate.pk)
                for question in (lambda: kind.permit(job), lambda: kind.may_deliver(job, log_of(1), True)):  # noqa: B023
                    if standing == "live":
                        question()
                    else:
                        with pytest.raises(ConsentError):
                            question()
                with pytest.raises(ConsentError):
                    kind.permit(Job(kind=name))
            transaction.set_rollback(True)
