"""No answer to a member tells where on the machine something is: errors, events, logs, reports, files."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from faceengine.events import Message
from faceengine.jobs.models import Attempt, Job, JobEvent
from tests.web.footage import client_of
from tests.web.jobs.answers import body
from tests.web.ways import REPORT, converted, ended, scored
from webapp.api.tokens import make_token
from webapp.studio.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(run: Run) -> Job:
    """A job that failed and said where, in every way that a job can say something."""
    job = converted(run).job
    where = default_storage.path(job.folder)
    Job.objects.filter(pk=job.pk).update(state="queued", result=None)
    ended(job, Message("warning", "x", f"{where}/part.mp4 is slow"), fails="run.missing")
    job = Job.objects.get(pk=job.pk)
    attempt = job.attempts.latest("number")
    try:
        raise OSError(f"{where}/clip.mp4 can't be read: /etc/ssl/private/key.pem")
    except OSError:
        default_storage.save(attempt.log, ContentFile(traceback.format_exc().encode() * 400))
    return job


def seen(client: Client, job: Job, token: str) -> dict[str, bytes]:
    """What a member gets of the job, by address."""
    base, attempt = f"/jobs/{job.pk}/", Attempt.objects.filter(job=job).latest("number").number
    pages = [base, f"{base}logs/{attempt}/", f"{base}logs/{attempt}/whole/"]
    found = {address: body(client.get(address)) for address in pages}
    address = f"/api/jobs/{job.pk}"
    found[address] = client.get(address, headers={"Authorization": f"Bearer {token}"}).content
    found["events"] = json.dumps(list(JobEvent.objects.filter(job=job).values_list("data", flat=True))).encode()
    return found


def test_a_job_s_pages_log_and_events(failed: Job, run: Run, settings: Any) -> None:
    assert run.created_by is not None
    found = seen(client_of(run.created_by), failed, make_token(run.created_by, "test"))
    for address, content in found.items():
        for secret in (str(settings.MEDIA_ROOT), str(Path(__file__).parents[2]), "/etc/ssl", str(Path.home())):
            assert secret.encode() not in content, (address, secret)
    log = found[f"/jobs/{failed.pk}/logs/{failed.attempts.latest('number').number}/whole/"]
    assert f"{failed.folder}/clip.mp4".encode() in log
    assert b'File "tests/web/test_no_machine_paths.py"' in log or b"test_no_machine_paths.py" in log
    assert log.count(b"OSError: ") == 400
    assert b"part.mp4 is slow" in found["events"]


def test_error_texts_are_stored_without_paths(run: Run) -> None:
    from faceengine.jobs import transitions
    from tests.web.ways import claimed

    job = converted(run).job
    Job.objects.filter(pk=job.pk).update(state="queued")
    taken = claimed(job)
    where = default_storage.path(job.folder)
    assert transitions.fail(taken.pk, taken.attempt, "run.missing", f"{where}/checkpoints has no checkpoint")
    assert Job.objects.get(pk=job.pk).error_text == f"{job.folder}/checkpoints has no checkpoint"


def test_a_report_from_before_is_shown_and_handed_out_without_paths(run: Run) -> None:
    score = scored(converted(run))
    conversion = score.conversion
    name = f"{score.job.folder}/report.json"
    where = default_storage.path(conversion.job.folder)
    default_storage.delete(name)
    report = REPORT | {"result": f"{where}/result.mp4", "wanted": where, "original": "/srv/other/asset-7.mp4"}
    default_storage.save(name, ContentFile(json.dumps(report, indent=2).encode()))
    assert run.created_by is not None
    client = client_of(run.created_by)
    answer = client.get(f"/jobs/{score.job_id}/files/report.json?download")
    read = json.loads(body(answer))
    assert answer["Content-Disposition"].startswith("attachment")
    token = {"Authorization": f"Bearer {make_token(run.created_by, 'test')}"}
    by_api = client.get(f"/api/conversions/{conversion.pk}", headers=token).json()["report"]
    for one in (read, by_api):
        assert (one["result"], one["original"]) == (f"{conversion.job.folder}/result.mp4", "asset-7.mp4")
        assert one["wanted"] == conversion.job.folder
        assert one["similarity"] == REPORT["similarity"]


def test_a_face_set_s_index_stays_here(run: Run) -> None:
    face_set = run.project.people.get(side="a").face_set
    assert run.created_by is not None
    client = client_of(run.created_by)
    assert (Path(default_storage.path(face_set.job.folder)) / "faces.sqlite").exists()
    for name in ("faces.sqlite", "FACES.SQLITE", "faces.sqlite/"):
        assert client.get(f"/jobs/{face_set.job_id}/files/{name}").status_code == 404
    assert "faces.sqlite" not in client.get(f"/jobs/{face_set.job_id}/").content.decode()
    assert client.get(f"/jobs/{face_set.job_id}/files/faces.json").status_code == 200
