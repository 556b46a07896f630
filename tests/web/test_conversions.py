"""A conversion's page and its score: what each kind of visitor gets, and what the numbers are said to mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from faceengine.events import Preview
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from tests.web.footage import client_of, people
from tests.web.test_projects import CHANGED, SEEN, answers
from tests.web.ways import REPORT, claimed, converted, ended, scored
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.studio import live, services
from webapp.studio.models import Conversion, Run, Score
from webapp.studio.scores import Shown
from webapp.studio.words import verdict
from webapp.uploads.models import Asset

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversion(run: Run) -> Conversion:
    return converted(run)


def page_of(owner: User, conversion: Conversion) -> str:
    return client_of(owner).get(f"/conversions/{conversion.pk}/").content.decode()


def test_who_sees_a_conversion_and_its_file(project: Project, conversion: Conversion) -> None:
    everybody = people(project)
    for url in (f"/conversions/{conversion.pk}/", f"/jobs/{conversion.job.pk}/files/result.mp4"):
        assert {name: client_of(one).get(url).status_code for name, one in everybody.items()} == SEEN


def test_before_and_after_are_compared(owner: User, conversion: Conversion) -> None:
    page = page_of(owner, conversion)
    assert "<video-compare" in page
    assert f"/assets/{conversion.asset_id}/file/" in page  # type: ignore[attr-defined]
    assert "Face replaced in 49 of 50 frames" in page


def test_what_stands_side_by_side_already_or_lost_its_video_is_shown_alone(owner: User, run: Run) -> None:
    wide, orphan = converted(run, layout="pair"), converted(run)
    Asset.objects.filter(pk=orphan.asset_id).delete()  # type: ignore[attr-defined]
    for one in (wide, orphan):
        page = page_of(owner, one)
        assert "<video-compare" not in page
        assert "/score/" not in page
        assert "result.mp4" in page


def test_a_conversion_that_is_not_done_shows_how_far_it_is(owner: User, run: Run) -> None:
    video = Asset.objects.filter(person__side="a").earliest("pk")
    queued = services.start_conversion(owner, run, video, {})
    assert "<video" not in page_of(owner, queued)
    ended(queued.job, fails="convert.no_person")
    assert "The person was not found in the video" in page_of(owner, queued)


def test_who_may_have_it_scored_once(owner: User, project: Project, conversion: Conversion) -> None:
    url = f"/conversions/{conversion.pk}/score/"
    assert client_of(owner).get(url).status_code == 405
    assert answers(project, "post", url) == CHANGED
    assert Score.objects.count() == 1


def test_the_score_is_told_in_numbers_and_words(owner: User, conversion: Conversion) -> None:
    scored(conversion)
    page = page_of(owner, conversion)
    for told in (
        "0.890",
        "0.970",
        "50 % of the way from person A to person B (similarity 0.930)",
        "98 %",
        "More faces would help.",
        "frame 31",
    ):
        assert told in page
    assert "The result is more like person B than like person A." in page
    assert "similarity 0.930" in client_of(owner).get(f"/runs/{conversion.run.pk}/").content.decode()


def test_a_report_that_is_gone_or_poor_is_no_error(owner: User, conversion: Conversion) -> None:
    score = scored(conversion)
    nothing = '{"position": null, "similarity": null, "best": [], "worst": [3], "per_frame": []}'
    path = Path(default_storage.path(f"{score.job.folder}/report.json"))
    path.write_text(nothing)
    assert "No face was found" in page_of(owner, conversion)
    path.unlink()
    assert client_of(owner).get(f"/conversions/{conversion.pk}/").status_code == 200
    Job.objects.filter(pk=score.job.pk).update(state="failed", error_code="score.no_face", result=None)
    assert "/score/" in page_of(owner, conversion)


def test_the_page_asks_the_database_little(owner: User, conversion: Conversion) -> None:
    scored(conversion)
    client = client_of(owner)
    with CaptureQueriesContext(connection) as asked:
        client.get(f"/conversions/{conversion.pk}/")
    assert len(asked) <= 10


def test_the_curve_lies_between_its_bounds() -> None:
    rows = [{"frame": frame, "similarity": 0.9 + 0.05 * (frame % 2)} for frame in range(1000)]
    curve = Shown(REPORT | {"per_frame": rows}).curve
    assert curve is not None
    points = [tuple(map(float, point.split(","))) for point in curve["points"].split()]
    assert 300 <= len(points) <= 400
    assert all(0 <= x <= 100 and 0 <= y <= 40 for x, y in points)
    assert (curve["floor"], curve["ceiling"]) == ("40.00", "0.00")
    assert Shown(REPORT | {"per_frame": rows[:1]}).curve is None


def test_frames_are_found_in_the_video_by_their_time() -> None:
    assert [(frame.number, frame.seconds) for frame in Shown(REPORT).worst] == [(31, 1.55)]


def test_better_positions_have_better_words() -> None:
    said = [verdict(position) for position in (-0.2, 0.2, 0.6, 0.9)]
    assert len(set(said)) == 4
    assert "still the original person" in said[0]
    assert "hardly" in said[-1]


def test_frames_are_seen_while_it_works_also_those_of_parts(owner: User, run: Run, project: Project) -> None:
    asset = Asset.objects.filter(person__project=project, kind="video").earliest("pk")
    made = services.start_conversion(owner, run, asset, {})
    assert made.job.config["pictures"] == services.PICTURES
    taken = claimed(made.job)
    assert "Frames so far" not in page_of(owner, made)
    parts = [{"start": 0, "end": 50, "marks": "label"}, {"start": 50, "end": 100, "marks": "label"}]
    assert transitions.split(taken.pk, taken.attempt, parts)
    for part, frame in zip(Job.objects.filter(parent=made.job).order_by("index"), (10, 60), strict=True):
        at_work = claimed(part)
        assert transitions.record(at_work.pk, at_work.attempt, [Preview(frame, f"frames/{frame:06d}.jpg")])
    page = page_of(owner, made)
    assert page.count("frames/000060.jpg") == 4  # the newest: large, and at the end of the film
    assert page.count("frames/000010.jpg") == 2


def test_of_many_pictures_some_are_shown_and_the_newest(owner: User, run: Run, project: Project) -> None:
    asset = Asset.objects.filter(person__project=project, kind="video").earliest("pk")
    made = services.start_conversion(owner, run, asset, {})
    at_work = claimed(made.job)
    told = [Preview(frame, f"frames/{frame:06d}.jpg") for frame in range(1, 2001, 10)]
    assert transitions.record(at_work.pk, at_work.attempt, told)
    shown = [picture.frame for picture in live.pictures(made.job)]
    assert len(shown) <= live.SHOWN
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (31, 1991)


def test_a_conversion_that_is_done_shows_its_video_instead(owner: User, conversion: Conversion) -> None:
    conversion.job.events.create(seq=99, attempt=1, kind="preview", data={"iteration": 1, "path": "frames/1.jpg"})
    assert "frames/1.jpg" not in page_of(owner, conversion)
