"""The score room: both directions side by side, the table and the report that can be taken away, and who gets them."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from faceengine.jobs.models import Job
from tests.web.footage import client_of, people, project_of, user
from tests.web.test_projects import SEEN
from tests.web.ways import REPORT, converted, scored, trained
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.studio.models import Conversion, Run
from webapp.studio.scores import COLUMNS, Shown, position
from webapp.studio.swaps import Swap
from webapp.studio.words import REASONS, difference

pytestmark = pytest.mark.django_db


def judged(run: Run, side: str = "a", **changes: Any) -> Conversion:
    """A conversion whose report has these numbers instead of the usual ones."""
    made = converted(run, side)
    score = scored(made)
    report = {**REPORT, **changes}
    Path(default_storage.path(f"{score.job.folder}/report.json")).write_text(json.dumps(report))
    result = score.job.result | {name: report[name] for name in ("similarity", "floor", "ceiling")}
    Job.objects.filter(pk=score.job.pk).update(result=result)
    return made


def room(owner: User, project: Project, query: str = "") -> str:
    return client_of(owner).get(f"/projects/{project.pk}/scores/{query}").content.decode()


def test_who_sees_scores(project: Project, run: Run) -> None:
    made, everybody = judged(run), people(project)
    for url in (
        f"/projects/{project.pk}/scores/",
        f"/projects/{project.pk}/scores/report/",
        f"/conversions/{made.pk}/score.csv",
        f"/jobs/{made.score.job_id}/files/frames/000031.jpg",
    ):
        assert {name: client_of(one).get(url).status_code for name, one in everybody.items()} == SEEN, url


def test_without_a_score_the_room_says_so(owner: User, project: Project, run: Run) -> None:
    converted(run)
    assert "No conversion has been scored yet" in room(owner, project)
    assert "/scores/" not in client_of(owner).get(f"/projects/{project.pk}/").content.decode()


def test_both_directions_stand_side_by_side(owner: User, project: Project, run: Run) -> None:
    judged(run, "a", position=0.8)
    judged(run, "b", position=0.5)
    page = room(owner, project)
    assert "“person A gets the face of person B” is better by 30 percentage points." in page
    assert page.count("<similarity-chart") == 2
    assert page.count("frames/000031.jpg") == page.count("frames/000007.jpg") == 4
    assert "/scores/" in client_of(owner).get(f"/projects/{project.pk}/").content.decode()


def test_scores_of_different_networks_are_not_compared(owner: User, project: Project, run: Run) -> None:
    judged(run, "a", position=0.8)
    judged(run, "b", position=0.5, network="facenet-vggface2")
    assert "is better by" not in room(owner, project)


def test_the_newest_is_shown_and_any_other_can_be_chosen(owner: User, project: Project, run: Run) -> None:
    older, newer = judged(run, swapped_share=0.11), judged(run, swapped_share=0.22)
    assert "22 %" in room(owner, project)
    assert "11 %" in room(owner, project, f"?a2b={older.pk}")
    elsewhere = judged(trained(project_of(user("other"))), swapped_share=0.33)
    for strange in (f"?a2b={elsewhere.pk}", "?a2b=x", f"?b2a={newer.pk}"):
        page = room(owner, project, strange)
        assert "22 %" in page
        assert "33 %" not in page


def test_all_are_listed_the_best_first_and_the_unknown_last(owner: User, project: Project, run: Run) -> None:
    worse, best, unknown = judged(run, similarity=0.9), judged(run, similarity=0.96), judged(run, floor=None)
    page = room(owner, project).split("all-heading")[-1]
    places = [page.index(f"/conversions/{one.pk}/") for one in (best, worse, unknown)]
    assert places == sorted(places)


def test_a_report_that_is_gone_leaves_the_rest(owner: User, project: Project, run: Run) -> None:
    gone = judged(run, "a")
    judged(run, "b")
    Path(default_storage.path(f"{gone.score.job.folder}/report.json")).unlink()
    page = room(owner, project)
    assert "report of this score is missing" in page
    assert page.count("<similarity-chart") == 1
    assert client_of(owner).get(f"/conversions/{gone.pk}/score.csv").status_code == 404


def test_the_room_asks_the_database_little(owner: User, project: Project, run: Run) -> None:
    client = client_of(owner)
    for _ in range(3):
        judged(run, "a")
        judged(run, "b")
    for page in ("", "report/"):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/projects/{project.pk}/scores/{page}")
        assert len(asked) <= 10


def test_every_frame_is_in_the_table(owner: User, run: Run) -> None:
    made = judged(run)
    answer = client_of(owner).get(f"/conversions/{made.pk}/score.csv")
    assert answer["content-type"].startswith("text/csv")
    assert f"score-{made.pk}.csv" in answer["content-disposition"]
    rows = list(csv.DictReader(StringIO(answer.getvalue().decode())))
    assert [(row["frame"], row["time"], row["similarity"]) for row in rows] == [
        ("7", "0.35", "0.96"), ("31", "1.55", "0.71"), ("40", "2.0", ""),
    ]  # fmt: skip
    assert tuple(rows[0]) == COLUMNS


def test_the_report_says_what_was_judged_and_by_whom(owner: User, project: Project, run: Run) -> None:
    judged(run, "a", threshold={"same": 0.48, "different": 0.6, "source": "measured"})
    page = client_of(owner).get(f"/projects/{project.pk}/scores/report/").content.decode()
    for told in ("clip.mov", "First", "A studio signer", "dlib-resnet", "0.48 / 0.6", "0000000000000000"):
        assert told in page, told


@pytest.mark.parametrize(("language", "told"), [("en", "only 40 usable crops of person B"), ("zh-hans", "40")])
def test_reasons_are_in_the_reader_s_language(
    owner: User, project: Project, run: Run, language: str, told: str
) -> None:
    judged(run)
    client = client_of(owner)
    page = client.get(f"/projects/{project.pk}/scores/", headers={"Accept-Language": language}).content.decode()
    assert told in page
    assert "More faces would help." in page
    assert ("usable crops of" in page) == (language == "en")
    assert "it lacks yaw 30" in page


def test_every_reason_of_the_engine_has_words() -> None:
    """Its sentences name nothing that a report does not have."""
    source = (Path(__file__).parents[2] / "faceengine" / "evaluation" / "reasons.py").read_text()
    for code in REASONS:
        assert f'"{code}"' in source
        report = REPORT | {"reasons": [{"code": code, "text": "in English"}]}
        (told,) = Shown(report).reasons
        assert "{" not in told.words + told.detail
    assert set(re.findall(r'"((?:wanted|result|network)\.[a-z_]+)"', source)) == set(REASONS)


def test_a_reason_is_told_once_with_all_its_details() -> None:
    twice = [{"code": "wanted.poses", "text": text} for text in ("none looks up", "none looks down")]
    (told,) = Shown(REPORT | {"reasons": twice}).reasons
    assert told.detail == "none looks up; none looks down"


def test_positions_and_their_difference(run: Run) -> None:
    assert position(judged(run, similarity=0.93).score) == pytest.approx(0.5)
    with translation.override("en"):
        one, other = Swap("Anna", "Bruno"), Swap("Bruno", "Anna")
        said = {difference(gap, one, other) for gap in (-0.5, 0.05, -0.05, 0.5)}
    assert len(said) == 3
    assert "“Bruno gets the face of Anna” is better by 50 percentage points." in said
