"""What a use that somebody left out stops, and what it does not; and how it is asked for afterwards."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.web.consents import consent_of, look_at
from tests.web.footage import client_of, member, project_of, user
from tests.web.pdfs import signed_pdf
from tests.web.ways import converted, scored, still_of, trained
from webapp.accounts.models import User
from webapp.accounts.proofs import vouch
from webapp.api.tokens import make_token
from webapp.consent.models import Consent
from webapp.projects.models import Project
from webapp.studio.models import Conversion, Still

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


class Shared:
    """A project with a result, one of whose people has left out some uses."""

    def __init__(self, *left_out: str) -> None:
        self.owner: User = user("owner")
        self.project: Project = project_of(self.owner)
        self.person = self.project.people.get(side="a")
        self.person.name = "Paula"
        self.person.save()
        run = trained(self.project)
        self.conversion: Conversion = converted(run)
        self.score = scored(self.conversion)
        self.still: Still = still_of(run)
        self.run = run
        _leave_out(self.person, left_out)
        self.client = client_of(self.owner)

    def status(self, job: Any, name: str, question: str = "") -> int:
        return int(self.client.get(f"/jobs/{job}/files/{name}{question}", headers=JSON).status_code)

    @property
    def page(self) -> str:
        return str(self.client.get(f"/conversions/{self.conversion.pk}/").content.decode())


def _leave_out(person: Any, left_out: tuple[str, ...]) -> None:
    """A newer consent that allows less takes the place of the one before."""
    earlier = Consent.objects.filter(person=person)
    earlier.update(expires_at=earlier.get().reviewed_at)
    consent_of(person, purposes=[use for use in ("train", "swap", "deliver") if use not in left_out])


@pytest.fixture
def shared() -> Shared:
    return Shared("deliver")


def shown_and_taken(shared: Shared) -> dict[str, tuple[int, int]]:
    """Of each sort of file: what is answered when a page shows it, and when it is downloaded."""
    files = {
        "result": (shared.conversion.job_id, "result.mp4"),
        "frame": (shared.still.job_id, "still.jpg"),
        "score": (shared.score.job_id, "frames/000031.jpg"),
        "numbers": (shared.score.job_id, "report.json"),
        "preview": (shared.run.job_id, "previews/000020.png"),
        "weights": (shared.run.job_id, "checkpoints/000020.safetensors"),
    }
    return {name: (shared.status(*file), shared.status(*file, "?download")) for name, file in files.items()}


def test_who_left_out_sharing_can_still_be_watched_in_the_studio(shared: Shared) -> None:
    assert shown_and_taken(shared) == {
        "result": (200, 409), "frame": (200, 409), "score": (200, 409), "numbers": (200, 200),
        "preview": (200, 409), "weights": (409, 409),
    }  # fmt: skip


def test_who_left_out_swapping_is_not_watched_either() -> None:
    answers = shown_and_taken(Shared("swap"))
    assert [answers[name][0] for name in ("result", "frame", "score")] == [409] * 3


def test_with_all_uses_everything_is_handed_out() -> None:
    assert set(shown_and_taken(Shared()).values()) == {(200, 200)}


def test_what_is_watched_is_not_offered_as_a_file(shared: Shared) -> None:
    address = f"/jobs/{shared.conversion.job_id}/files/result.mp4"
    assert shared.client.get(address)["Content-Disposition"].startswith("inline")
    answer = shared.client.get(f"{address}?download", headers=JSON)
    assert answer.json() == {
        "code": "consent.scope",
        "text": "Paula has not agreed to sharing results outside the studio.",
    }


@pytest.mark.parametrize("question", ["", "?download"])
def test_what_a_script_gets_has_left_the_studio(shared: Shared, question: str) -> None:
    token = make_token(shared.owner, "script")
    for job, name in ((shared.conversion.job_id, "result.mp4"), (shared.still.job_id, "still.jpg")):
        answer = Client().get(
            f"/jobs/{job}/files/{name}{question}", headers=JSON | {"Authorization": f"Bearer {token}"}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "consent.scope")


def test_the_pages_say_what_is_not_allowed(shared: Shared) -> None:
    words = "Paula has not agreed to sharing results outside the studio."
    assert words in shared.page
    assert "?download" not in shared.page.split('id="video"')[1].split("</section>")[0]
    assert "Ask Paula" in shared.page
    for address in (f"/projects/{shared.project.pk}/", "/", f"/projects/{shared.project.pk}/a/consent/"):
        assert words in shared.client.get(address).content.decode(), address
    viewer = client_of(member(shared.project, "viewer"))
    seen = viewer.get(f"/conversions/{shared.conversion.pk}/").content.decode()
    assert words in seen
    assert "Ask Paula" not in seen


def test_the_missing_use_is_asked_for_given_and_reviewed(shared: Shared) -> None:
    form = shared.page.split('class="lack"')[1]
    sent = dict(re.findall(r'name="(name|email|purposes)" value="([^"]*)"', form))
    assert sent["purposes"] == "deliver"
    link = _link(shared.client.post(f"/projects/{shared.project.pk}/a/consent/ask/", sent))
    assert "Consent requested from Paula" in shared.page
    person = Client()
    page = person.get(link).content.decode()
    ticks = page.split('class="ticks"')[1].split("</fieldset>")[0]
    assert ticks.count("checked disabled") == 2
    assert re.findall(r'name="purposes" value="(\w+)"( checked)?', ticks) == [("deliver", "")]
    answer = person.post(
        link,
        {
            **dict(re.findall(r'name="(statement|seen|phrase)" value="([^"]*)"', page)),
            **{"purposes": ["deliver"], "name": "Paula", "way": "pdf", "agreed": "on"},
            "file": SimpleUploadedFile("signed.pdf", signed_pdf()),
        },
    )
    assert answer.status_code == 200, answer.content.decode()
    assert shared.status(shared.conversion.job_id, "result.mp4", "?download") == 409  # not reviewed yet
    asked = Consent.objects.get(person=shared.person, accepted=None)
    assert asked.purposes == ["train", "swap", "deliver"]
    second = member(shared.project, "editor")
    vouch(second, None)
    look_at(asked, second)
    client_of(second).post(f"/consents/{asked.pk}/review/", {"accept": "yes"})
    assert shared.status(shared.conversion.job_id, "result.mp4", "?download") == 200
    assert "has not agreed" not in shared.page


def test_who_allows_everything_is_not_asked_again() -> None:
    shared = Shared()
    before = Consent.objects.count()
    shared.client.post(f"/projects/{shared.project.pk}/a/consent/ask/", {"name": "Paula", "purposes": "deliver"})
    assert Consent.objects.count() == before


def test_the_next_step_asks_for_the_use_that_it_needs() -> None:
    owner = user("owner")
    project = project_of(owner)
    _leave_out(project.people.get(side="b"), ("train",))
    for person in project.people.all():
        person.assets.create(name="a.mp4", kind="video", state="ready", size=1, stored=1)
    page = client_of(owner).get(f"/projects/{project.pk}/").content.decode()
    following = page.split('class="next"')[1].split("</div>")[0]
    assert "has not agreed to training" in following
    assert f"/projects/{project.pk}/b/consent/" in following


def _link(answer: Any) -> str:
    return str(re.search(r"http://testserver(/consent/[\w-]+/)", answer.content.decode())[1])  # type: ignore[index]
