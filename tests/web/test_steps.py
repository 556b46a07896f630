"""What a project's page says of its steps while work waits, runs, was stopped, or is done."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from faceengine.events import Checkpoint
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from tests.web.footage import client_of
from tests.web.ways import TINY, claimed, converted, faces, footage
from webapp.accounts.models import User
from webapp.consent import links
from webapp.consent import services as consents
from webapp.projects.models import Project
from webapp.studio import services
from webapp.studio.models import Run

pytestmark = pytest.mark.django_db


def steps(owner: User, project: Project) -> tuple[dict[str, str], str]:
    """The mark of each step, and the text of the next thing to do."""
    page = client_of(owner).get(f"/projects/{project.pk}/").content.decode()
    way = page.split('class="way"')[1].split("</ol>")[0]
    marks = {name: mark for mark, name in re.findall(r"<li(?: class=\"(\w+)\")?[^>]*>([^<]+)", way)}
    return marks, re.sub(r"\s+", " ", page.split('class="next"')[1].split("</div>")[0])


@pytest.fixture
def begun(owner: User, project: Project) -> Run:
    for person in project.people.all():
        faces(person)
    return services.start_run(owner, project, "First", TINY | {"iterations": 40_000})


def tell(job: Job, iteration: int) -> None:
    transitions.record(job.pk, job.attempt, [Checkpoint(iteration, "checkpoints/000020.safetensors")])


def test_training_is_done_when_it_has_ended(owner: User, project: Project, begun: Run) -> None:
    marks, following = steps(owner, project)
    assert marks["Training"] == "now"
    assert "is queued" in following
    job = claimed(begun.job)
    assert "after the first checkpoint" in steps(owner, project)[1]
    tell(job, 20)
    marks, following = steps(owner, project)
    assert (marks["Training"], marks["Conversion"]) == ("now", "")
    assert "You can already try it on a frame" in following
    transitions.finish(job.pk, job.attempt, {"stopped": False}, 0)
    marks, following = steps(owner, project)
    assert (marks["Training"], marks["Conversion"]) == ("done", "now")
    assert "Convert a video" in following


def test_a_training_that_was_stopped_is_not_done(owner: User, project: Project, begun: Run) -> None:
    job = claimed(begun.job)
    tell(job, 20)
    transitions.cancel(job)
    transitions.stopped(job.pk, job.attempt, 75)
    marks, following = steps(owner, project)
    assert marks["Training"] == "now"
    assert "ended early" in following
    assert f"/runs/{begun.pk}/" in following
    converted(Run.objects.get(pk=begun.pk))
    assert steps(owner, project)[0]["Training"] == "done"  # it has been good enough


def test_faces_that_nobody_has_judged_are_not_curated(owner: User, project: Project, begun: Run) -> None:
    assert steps(owner, project)[0]["Face review"] == "skipped"


def test_what_is_queued_is_not_being_extracted(owner: User, project: Project) -> None:
    for person in project.people.all():
        footage(person)
    services.extract_faces(owner, project.people.get(side="a"))
    page = client_of(owner).get(f"/projects/{project.pk}/").content.decode()
    assert "is queued" in page
    assert "are being extracted" not in page
    assert "No worker" in page or "slot" in page.split('id="person-a"')[1].split("</section>")[0]
    claimed(Job.objects.get(kind="extract"))
    assert "are being extracted" in steps(owner, project)[1]


def test_a_file_that_is_no_evidence_says_what_is_and_keeps_the_way(owner: User, project: Project) -> None:
    consent = consents.ask(project.people.get(side="a"), owner)
    link = f"/consent/{links.make_link(consent, owner)}/"
    person = Client()
    sent: dict[str, Any] = dict(re.findall(r'name="(statement|seen|phrase)" value="([^"]*)"', _page(person, link)))
    file = SimpleUploadedFile("evidence.txt", b"I agree.")
    sent |= {"purposes": ["train"], "name": "Paula", "way": "upload", "agreed": "on", "file": file}
    answer = person.post(link, sent).content.decode()
    assert "neither a video (MP4, MOV, MKV, WebM, AVI, TS) nor a PDF" in answer
    assert 'value="upload" checked' in answer
    assert 'value="webcam" checked' not in answer


def _page(person: Client, link: str) -> str:
    return str(person.get(link).content.decode())
