"""The demo: it goes its way by itself, once, and leaves it to whoever steps in. Its account opens nothing elsewhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from faceengine.events import Checkpoint
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from tests.web.footage import signs_in
from tests.web.ways import REPORT, ended, write_set
from webapp.consent.models import Consent, Way
from webapp.consent.services import withdraw
from webapp.demo.account import SHOWN
from webapp.demo.models import Demo
from webapp.demo.steps import STEPS, ensure, go_on
from webapp.projects.models import Project
from webapp.studio.models import Conversion, Run, Score
from webapp.uploads.models import Asset
from webapp.uploads.services import delete_asset

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def mode(settings: Any) -> Any:
    """The demo's mode, with its settings as ``development`` sets them."""
    settings.DEMO = True
    settings.DEMO_TRAINING = {"preset": "quick", "minutes": 8}
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "webapp.demo.account.DemoBackend"]
    return settings


@pytest.fixture
def demo() -> Demo:
    return ensure()


def work_on(demo: Demo) -> list[str]:
    """Do, as workers would, all that is queued; the kinds of jobs in their order."""
    jobs = list(Job.objects.filter(state="queued").order_by("created_at", "pk"))
    for job in jobs:
        _DO[job.kind](job)
    demo.refresh_from_db()
    return [job.kind for job in jobs]


def _intake(job: Job) -> None:
    content = Path(default_storage.path(job.config["file"])).read_bytes()
    default_storage.save(f"{job.folder}/asset.mp4", ContentFile(content))
    known = {"kind": "video", "width": 640, "height": 480, "frames": 250, "fps": 25.0, "duration": 10.0}
    files = {"file": "asset.mp4", "poster": "", "filmstrip": "", "size": len(content), "has_sound": True}
    ended(job, result=known | files | {"sha256": hashlib.sha256(content).hexdigest(), "stopped": False})


def _extract(job: Job) -> None:
    write_set(job, 30)
    ended(job)


def _train(job: Job) -> None:
    default_storage.save(f"{job.folder}/checkpoints/000020.safetensors", ContentFile(b"made"))
    ended(job, Checkpoint(20, "checkpoints/000020.safetensors"))


def _convert(job: Job) -> None:
    default_storage.save(f"{job.folder}/result.mp4", ContentFile(b"swapped"))
    ended(job, result={"path": "result.mp4", "frames": 50, "swapped": 49, "fps": 20.0, "stopped": False})


def _score(job: Job) -> None:
    ended(job, result={"stopped": False, "similarity": REPORT["similarity"]})


_DO = {"intake": _intake, "extract": _extract, "train": _train, "convert": _convert, "score": _score}


def until(demo: Demo, name: str) -> None:
    """Go on until the step has begun."""
    for _ in range(20):
        go_on(demo)
        if name in demo.begun:
            return
        work_on(demo)
    raise AssertionError(f"{name} never begins: {demo.begun}, {demo.state}")


def test_it_goes_from_footage_to_both_scores(demo: Demo) -> None:
    done = []
    for _ in range(20):
        go_on(demo)
        if demo.state != Demo.State.RUNNING:
            break
        done.append(sorted(work_on(demo)))
    assert done == [["intake"] * 2, ["extract"] * 2, ["intake"] * 2, ["train"], ["convert"] * 2, ["score"] * 2]
    assert demo.state == Demo.State.DONE
    assert set(demo.begun) == set(STEPS)
    assert set(Conversion.objects.values_list("direction", "asset__name")) == {
        ("a2b", "held_out_a.mp4"),
        ("b2a", "held_out_b.mp4"),
    }
    assert Score.objects.count() == 2


def test_it_learns_from_its_training_clips_only(demo: Demo) -> None:
    until(demo, "training")
    run = Run.objects.get()
    assert (run.job.config["preset"], run.job.config["minutes"]) == ("quick", 8)
    learnt_from = {path for job in Job.objects.filter(kind="extract") for path in job.config["inputs"]}
    assert learnt_from == set(Asset.objects.filter(name__startswith="person_").values_list("file", flat=True))


def test_its_consents_say_that_nobody_was_filmed(demo: Demo) -> None:
    assert [consent.way for consent in Consent.objects.all()] == [Way.SYNTHETIC] * 2
    assert [consent.name for consent in Consent.objects.order_by("side")] == ["Anton", "Berta"]


def test_started_again_anywhere_it_does_nothing_twice(demo: Demo) -> None:
    for _ in range(20):
        for _ in range(2):
            again = Demo.objects.get()
            go_on(again)
        if again.state != Demo.State.RUNNING:
            break
        work_on(again)
    made = (Asset, 4), (Run, 1), (Conversion, 2), (Score, 2), (Project, 1)
    assert [(model, model.objects.count()) for model, _ in made] == list(made)


def test_what_is_paused_is_waited_for(demo: Demo) -> None:
    until(demo, "training")
    job = Run.objects.get().job
    assert transitions.pause(job)
    go_on(demo)
    assert (demo.state, Conversion.objects.count()) == (Demo.State.RUNNING, 0)
    job.refresh_from_db()
    assert transitions.resume(job)
    until(demo, "conversion-a")


def test_what_failed_is_waited_for_and_told(demo: Demo) -> None:
    until(demo, "training")
    job = Run.objects.get().job
    ended(job, fails="disk.full")
    go_on(demo)
    assert demo.state == Demo.State.RUNNING
    assert b"a step failed" in page_of(demo)
    job.refresh_from_db()
    assert transitions.retry(job)
    assert b"runs automatically" in page_of(demo)
    until(demo, "conversion-a")


def _cancel(demo: Demo) -> None:
    assert transitions.cancel(Run.objects.get().job)


def _delete_run(demo: Demo) -> None:
    Run.objects.all().delete()


def _delete_footage(demo: Demo) -> None:
    asset = Asset.objects.get(name="held_out_b.mp4")
    assert asset.uploaded_by is not None
    delete_asset(asset.uploaded_by, asset)


def _delete_project(demo: Demo) -> None:
    assert demo.project is not None
    Run.objects.all().delete()
    demo.project.delete()


@pytest.mark.parametrize("step_in", [_cancel, _delete_run, _delete_footage, _delete_project])
def test_whoever_takes_something_away_is_left_alone(demo: Demo, step_in: Any) -> None:
    until(demo, "training")
    step_in(demo)
    left = Demo.objects.get()
    go_on(left)
    assert left.state == Demo.State.LEFT
    assert ensure() == left
    assert Conversion.objects.count() == 0


def test_whoever_trains_first_is_left_alone(demo: Demo) -> None:
    until(demo, "held-out-a")
    work_on(demo)
    assert demo.project is not None
    Run.objects.create(project=demo.project, job=_other_job(demo), name="Mine")
    go_on(demo)
    assert (demo.state, Run.objects.get().name) == (Demo.State.LEFT, "Mine")


def _other_job(demo: Demo) -> Job:
    mandate = Job.objects.filter(kind="extract")[0].mandate
    return transitions.submit("train", {"a": "x", "b": "y"}, mandate=mandate)


def test_where_a_person_has_withdrawn_it_ends(demo: Demo) -> None:
    for consent in Consent.objects.all():
        withdraw(consent)
    go_on(demo)
    assert (demo.state, Asset.objects.count()) == (Demo.State.LEFT, 0)


# ---- what is seen ----------------------------------------------------------------------------------------------------


def page_of(demo: Demo) -> bytes:
    browser = Client()
    assert signs_in(browser, SHOWN.email, SHOWN.password)
    return bytes(browser.get(f"/projects/{demo.project_id}/").content)


def test_the_project_s_page_says_who_does_it(demo: Demo) -> None:
    go_on(demo)
    assert b"The demo runs automatically" in page_of(demo)
    Demo.objects.update(state=Demo.State.DONE)
    assert b"runs automatically" not in page_of(demo)


def test_the_sign_in_page_shows_the_account_which_opens_the_studio(demo: Demo, client: Client) -> None:
    page = client.get("/sign-in/").content.decode()
    assert SHOWN.email in page
    assert SHOWN.password in page
    assert "computer-generated" in page
    answer = client.post("/sign-in/", {"username": SHOWN.email, "password": SHOWN.password})
    assert answer.headers["Location"] == "/"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("email", "password"), [(SHOWN.email, "try-it-in"), (SHOWN.email, ""), ("a@b.org", SHOWN.password)]
)
def test_no_other_account_and_no_other_password(demo: Demo, client: Client, email: str, password: str) -> None:
    assert client.post("/sign-in/", {"username": email, "password": password}).status_code == 200
    assert client.get("/").status_code == 302


# ---- outside the demo's mode -----------------------------------------------------------------------------------------


def test_outside_its_mode_the_account_opens_nothing_and_its_sessions_end(demo: Demo, mode: Any) -> None:
    browser = Client()
    assert signs_in(browser, SHOWN.email, SHOWN.password)
    mode.DEMO, mode.AUTHENTICATION_BACKENDS = False, mode.AUTHENTICATION_BACKENDS[:-1]
    assert browser.get("/").status_code == 302
    assert not signs_in(Client(), SHOWN.email, SHOWN.password)
    assert SHOWN.password not in Client().get("/sign-in/").content.decode()
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("demo_project")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_it_listens_on_this_machine_only(host: str) -> None:
    from faceengine.jobs.machine import check_demo

    check_demo("127.0.0.1")
    with pytest.raises(CommandError, match="this machine only"):
        check_demo(host)


def test_production_refuses_it(tmp_path: Path) -> None:
    safe = {"SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "studio.example.org", "DATABASE_URL": "sqlite:///x", "DEMO": "1"}
    environment = os.environ | safe | {"DATA_DIR": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "webapp.settings.production"
    command = [sys.executable, "-c", "from django.conf import settings; settings.DEBUG"]
    ran = subprocess.run(command, cwd=configured.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "DEMO has an account that everybody knows" in ran.stderr
