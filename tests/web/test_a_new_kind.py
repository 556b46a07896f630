"""A kind of job that the studio has never heard of works on every page that shows jobs: all is said where it is
registered, as docs/jobs.md has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now
from django.test import Client
from PIL import Image

from faceengine.config import Config, option
from faceengine.events import Losses, Message, OnEvent, Preview, Progress, ShouldStop, ignore, never
from faceengine.jobs import kinds, transitions
from faceengine.jobs.checks import kinds_are_described
from faceengine.jobs.kinds import Kind, Makes, Shows
from faceengine.jobs.models import Job
from faceengine.jobs.permits import Refused
from faceengine.jobs.presentation import Caption, Presentation, Storage
from faceengine.jobs.rows import models_of_jobs, rows_within
from tests.web.consents import consent_of, mandate_of
from tests.web.footage import client_of, user
from tests.web.jobs.answers import body
from tests.web.ways import claimed, converted, ended, scored, still_of
from webapp.accounts.models import User
from webapp.consent import services as consents
from webapp.consent import triggers
from webapp.consent.gate import Act
from webapp.consent.models import Consent, Tombstone
from webapp.operations import survey
from webapp.projects.models import Project
from webapp.projects.services import record
from webapp.studio.kinds.common import studio_kind
from webapp.studio.models import Run

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class OutlineConfig(Config):
    footage: str = option(help="the video whose outlines are drawn")
    label: str = option("both", help="as conversions have it")


def draw(
    config: OutlineConfig, run_dir: Path, *, on_event: OnEvent = ignore, should_stop: ShouldStop = never
) -> dict[str, Any]:
    """The stage, which no test here runs."""
    raise NotImplementedError


PRESENTATION = Presentation(
    label="Draw outlines",
    stages={"outline": "drawing the outlines"},
    units={"outlines": "closed outlines"},
    caption=Caption("outline {iteration}", "Outline of frame {iteration}"),
    losses=True,
    messages={"outline.thin": "The outlines are thin", "outline.none": "There is nothing to outline"},
    advice={"outline.none": "Use footage that shows something."},
    audit={"outline.started": "had the outlines of {name} drawn"},
    storage=Storage("outlines", "Outlines of things"),
)


@pytest.fixture(autouse=True)
def outline() -> Kind:
    """The kind, as its app would register it; the fixtures of all tests remove it."""
    path = f"{__name__}.draw", f"{__name__}.OutlineConfig"
    kind = studio_kind("outline", *path, Act.CONVERT, presentation=PRESENTATION, shows=Shows.SWAPPED, slot_kind="cpu")
    kinds.register(kind)
    return kind


@pytest.fixture
def owner_client(owner: User) -> Client:
    return client_of(owner)


def submit(project: Project, **fields: Any) -> Job:
    config = {"footage": "projects/none"}
    return transitions.submit("outline", config, mandate=mandate_of(project).pk, **fields)


def picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (320, 240), "green").save(file, "PNG")
    return file.getvalue()


def made(project: Project) -> Job:
    """A job that has ended, with a picture and a text."""
    job = submit(project)
    default_storage.save(f"{job.folder}/outlines/000003.png", ContentFile(picture()))
    default_storage.save(f"{job.folder}/numbers.json", ContentFile(b"{}"))
    said = Message("warning", "outline.thin", "they have one pixel")
    shown = Losses(3, {"outline": 0.5}, 1.0), Preview(3, "outlines/000003.png")
    ended(job, Progress("outline", 3, 9, "outlines"), said, *shown)
    job.refresh_from_db()
    return job


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_lists_name_it(project: Project, owner_client: Client) -> None:
    ended(submit(project), fails="outline.none")
    claimed(submit(project))
    submit(project)
    assert page(owner_client, "/jobs/").count("Draw outlines") >= 3
    failed = page(owner_client, "/jobs/ended/failed/")
    assert "Draw outlines" in failed
    assert "There is nothing to outline" in failed
    assert "Draw outlines" in page(owner_client, "/jobs/queued/cpu/")


def test_its_page_has_its_words(project: Project, owner_client: Client) -> None:
    job = made(project)
    found = page(owner_client, f"/jobs/{job.pk}/")
    for text in ("Draw outlines", "drawing the outlines", "closed outlines", "The outlines are thin"):
        assert text in found
    assert 'data-at="outline {iteration}" data-alt="Outline of frame {iteration}"' in found
    assert "<loss-chart" in found
    assert f'href="/projects/{project.pk}/"' in found
    failed = submit(project)
    ended(failed, fails="outline.none")
    found = page(owner_client, f"/jobs/{failed.pk}/")
    assert "There is nothing to outline" in found
    assert "Use footage that shows something." in found


def test_a_stage_of_the_same_name_keeps_the_words_of_its_own_kind(project: Project, owner_client: Client) -> None:
    other = studio_kind(
        "count", f"{__name__}.draw", f"{__name__}.OutlineConfig", Act.TRAIN,
        presentation=Presentation("Count", {"outline": "counting the outlines"}),
    )  # fmt: skip
    kinds.register(other)
    job = claimed(submit(project))
    assert transitions.record(job.pk, job.attempt, [Progress("outline", 1, 9)])
    assert "drawing the outlines" in page(owner_client, f"/jobs/{job.pk}/")
    assert "counting" not in page(owner_client, f"/jobs/{job.pk}/")


def test_the_audit_log_has_its_sentence(project: Project, owner: User, owner_client: Client) -> None:
    record(owner, "outline.started", project.team, project, name="clip.mov")
    found = page(owner_client, f"/teams/{project.team.pk}/trail/?project={project.pk}")
    assert "had the outlines of clip.mov drawn" in found


def test_operations_name_it_and_count_its_files(project: Project) -> None:
    job = made(project)
    claimed(submit(project))
    staff = user("staff")
    User.objects.filter(pk=staff.pk).update(is_staff=True)
    found = page(client_of(User.objects.get(pk=staff.pk)), "/operations/")
    assert "Draw outlines" in found
    assert "Outlines of things" in found
    space = survey.survey().space["outlines"]
    assert (space.files, space.size > 0) == (2, True)
    assert job.folder.startswith("jobs/")


def only(project: Project, *purposes: str) -> None:
    """The two people agree anew, to these uses alone."""
    mandate_of(project)
    Consent.objects.filter(person__project=project).update(expires_at=Now())
    for person in project.people.all():
        consent_of(person, purposes=list(purposes))


def answers(client: Client, job: Job) -> dict[str, int]:
    """The status of the picture shown, of the picture downloaded, and of the text."""
    names = {"shown": "outlines/000003.png", "downloaded": "outlines/000003.png?download", "text": "numbers.json"}
    as_script = {"Accept": "application/json"}
    return {
        what: client.get(f"/jobs/{job.pk}/files/{name}", headers=as_script).status_code for what, name in names.items()
    }


@pytest.mark.parametrize(
    ("shows", "makes", "purposes", "expected"),
    [
        (Shows.REAL, Makes.NOTHING, (), (200, 200, 200)),
        (Shows.SWAPPED, Makes.NOTHING, (), (200, 409, 200)),
        (Shows.RESULT, Makes.NOTHING, (), (409, 409, 200)),
        (Shows.RESULT, Makes.NOTHING, ("swap",), (200, 409, 200)),
        (Shows.RESULT, Makes.VIDEO, ("swap",), (200, 409, 409)),
        (Shows.RESULT, Makes.VIDEO, ("swap", "deliver"), (200, 200, 200)),
    ],
)
def test_the_gate_asks_by_what_it_shows(
    project: Project, owner_client: Client, outline: Kind, shows: Shows, makes: Makes, purposes: tuple[str, ...],
    expected: tuple[int, ...],
) -> None:  # fmt: skip
    job = made(project)
    kinds.register(replace(outline, shows=shows, makes=makes))
    only(project, *purposes)
    assert tuple(answers(owner_client, job).values()) == expected


@pytest.mark.parametrize(("shows", "signed"), [(Shows.REAL, False), (Shows.SWAPPED, True)])
def test_pictures_of_swapped_faces_leave_with_marks(
    project: Project, owner_client: Client, outline: Kind, shows: Shows, signed: bool
) -> None:
    job = made(project)
    kinds.register(replace(outline, shows=shows))
    answer = owner_client.get(f"/jobs/{job.pk}/files/outlines/000003.png?download")
    content = body(answer)
    assert (content != picture()) == signed


def test_what_makes_a_video_begins_and_leaves_with_all_marks(
    project: Project, owner_client: Client, outline: Kind
) -> None:
    kinds.register(replace(outline, makes=Makes.VIDEO))
    with pytest.raises(Refused) as refused:
        transitions.submit("outline", {"footage": "f", "label": "none"}, mandate=mandate_of(project).pk)
    assert refused.value.code == "marks.missing"
    job = submit(project)
    default_storage.save(f"{job.folder}/result.mp4", ContentFile(b"swapped"))
    video = f"/jobs/{job.pk}/files/result.mp4"
    ended(job, result={"path": "result.mp4", "stopped": False})
    assert owner_client.get(video).status_code == 409
    Job.objects.filter(pk=job.pk).update(result={"path": "result.mp4", "signed_by": "A studio signer"})
    assert owner_client.get(video).status_code == 200
    kinds.register(replace(outline, makes=Makes.PART))
    assert owner_client.get(video).status_code == 404


def delete_project(project: Project, client: Client) -> None:
    answer = client.post(f"/projects/{project.pk}/delete/", {"name": project.name})
    assert answer.status_code == 302
    assert not Project.objects.filter(pk=project.pk).exists()


def withdraw(project: Project, client: Client) -> None:
    consents.withdraw(Consent.objects.get(person=project.people.get(side="a")))
    stone = Tombstone.objects.get(kind="outline")
    assert stone.folder.startswith("jobs/")


@pytest.mark.parametrize("remove", [delete_project, withdraw])
def test_it_goes_with_its_project_and_with_a_consent(
    project: Project, owner_client: Client, remove: Callable[[Project, Client], None],
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    job = made(project)
    with django_capture_on_commit_callbacks(execute=True):
        remove(project, owner_client)
    # The row of a job whose process may still be dying stays for a while, and is shown to nobody.
    assert owner_client.get(f"/jobs/{job.pk}/").status_code == 404
    assert not Job.objects.filter(pk=job.pk).exclude(config={}).exists()
    assert not default_storage.exists(f"{job.folder}/outlines/000003.png")


def test_every_row_of_a_job_leads_to_its_project(run: Run) -> None:
    """A model without such a way would outlive the project and the consents."""
    scored(converted(run))
    still_of(run)
    for model, key in models_of_jobs():
        rows = set(model._default_manager.all())
        assert rows == set(rows_within(model, run.project)) != set(), (model, key)


def test_two_kinds_do_not_share_a_code(outline: Kind) -> None:
    before = kinds_are_described()
    assert not [found for found in before if "outline" in found.msg]
    other = replace(PRESENTATION, label="", messages={"outline.thin": "Something else"})
    kinds.register(replace(outline, name="other", presentation=other))
    told = [found.id for found in kinds_are_described() if found not in before]
    assert told == ["jobs.W002", "jobs.E004"]


def test_the_database_lets_none_in_without_consents(project: Project) -> None:
    assert triggers.ungated("default") == ["outline"]
    triggers.put_in_place("default")  # as ``migrate`` does
    assert triggers.ungated("default") == []
    assert submit(project).mandate == mandate_of(project).pk


NAMES = "|".join(("intake", "extract", "train", "convert", "convert-segment", "convert-still", "score"))
COMPARED = re.compile(rf"kind\b[^\n]*(==|!=|\bin\b|startswith)[^\n]*[\"']({NAMES})[\"']")
AREAS = ("webapp/studio/", "webapp/uploads/")


def test_no_name_of_a_kind_is_compared_outside_its_area() -> None:
    sources = [*ROOT.glob("webapp/**/*.py"), *ROOT.glob("faceengine/jobs/**/*.py"), *ROOT.glob("templates/**/*.html")]
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sources
        if not str(path.relative_to(ROOT)).startswith(AREAS) and "migrations" not in path.parts
        for line in path.read_text().splitlines()
        if COMPARED.search(line)
    ]
    assert found == []
