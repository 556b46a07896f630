"""Every view of the curation room, for the owner, an editor, a reviewer, a viewer, a stranger and anybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from curation_sets import face_set_of, member, owner_of, with_pictures
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from webapp.accounts.models import Role, User
from webapp.accounts.services import found_team
from webapp.curation.models import Batch, Crop, CropState, FaceSet, Rule, Slice, Verdict
from webapp.projects.models import AuditEntry

COUNT = 30
MOST_QUERIES = 10

VISITORS = ("owner", "editor", "reviewer", "viewer", "stranger", "anonymous")
SEE = dict(zip(VISITORS, (200, 200, 200, 200, 404, 302), strict=True))
JUDGE = SEE | {"viewer": 403}
DECIDE = JUDGE | {"reviewer": 403}


@pytest.fixture
def face_set(db: None) -> FaceSet:
    return face_set_of(COUNT)


@pytest.fixture
def users(face_set: FaceSet) -> dict[str, User]:
    stranger = User.objects.create_user("stranger@example.org", "a long password")
    found_team(stranger, "Elsewhere")
    members = {role: member(face_set, f"{role}@example.org", role) for role in Role.values if role != Role.OWNER}
    return members | {"owner": owner_of(face_set), "stranger": stranger}


class Visitor:
    """A browser of one of the visitors, in the room."""

    def __init__(self, face_set: FaceSet, user: User | None) -> None:
        self.room = f"/projects/{face_set.person.project_id}/a/faces/"
        self.client = Client()
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str = "", **query: Any) -> Any:
        return self.client.get(self.room + path, query)

    def post(self, path: str, content: Any) -> Any:
        return self.client.post(self.room + path, content, content_type="application/json")


@pytest.fixture(params=VISITORS)
def visitor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browser(face_set: FaceSet, users: dict[str, User], visitor: str) -> Visitor:
    return Visitor(face_set, users.get(visitor))


@pytest.fixture
def reviewer(face_set: FaceSet, users: dict[str, User]) -> Visitor:
    return Visitor(face_set, users["reviewer"])


@pytest.fixture
def editor(face_set: FaceSet, users: dict[str, User]) -> Visitor:
    return Visitor(face_set, users["editor"])


def these(*numbers: int) -> dict[str, Any]:
    return {"selection": {"numbers": list(numbers)}, "seen": 0}


def states() -> dict[int, str]:
    return dict(Crop.objects.exclude(state=CropState.NEW).values_list("number", "state"))


# ---- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["", "tiles", "changes?since=0", "measures", "crops/3", "crops/3/large", "small/96/{pk}"]
)
def test_everybody_of_the_team_sees_the_room(face_set: FaceSet, browser: Visitor, visitor: str, address: str) -> None:
    with_pictures(face_set)
    pk = Crop.objects.get(face_set=face_set, number=3).pk
    assert browser.get(address.format(pk=pk)).status_code == SEE[visitor]


def test_everybody_of_the_team_may_count(browser: Visitor, visitor: str) -> None:
    assert browser.post("count", {"view": {}, "all_but": [2]}).status_code == SEE[visitor]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("decide", these(4) | {"value": "keep"}),
        ("presence", {"here": True}),
        ("slice", {}),
    ],
)
def test_reviewers_judge(browser: Visitor, visitor: str, path: str, content: dict[str, Any]) -> None:
    assert browser.post(path, content).status_code == JUDGE[visitor]
    if JUDGE[visitor] != 200:
        assert not Verdict.objects.exists()
        assert not Slice.objects.exists()


def test_who_may_judge_may_undo_what_they_did(
    face_set: FaceSet, browser: Visitor, visitor: str, users: dict[str, User]
) -> None:
    browser.post("decide", these(4) | {"value": "keep"})
    assert browser.post("undo", {"seen": 0}).status_code == JUDGE[visitor]
    assert not Verdict.objects.exists()


def test_the_form_without_scripts_is_for_who_may_judge(browser: Visitor, visitor: str) -> None:
    expected = JUDGE | {"owner": 302, "editor": 302, "reviewer": 302}
    answer = browser.client.post(f"{browser.room}form", {"crop": ["2", "5"], "value": "reject"})
    assert answer.status_code == expected[visitor]
    judged = visitor in ("owner", "editor", "reviewer")
    assert states() == (dict.fromkeys((2, 5), CropState.REJECTED) if judged else {})


@pytest.mark.parametrize(
    ("path", "content"),
    [("settle", these(4) | {"value": "keep"}), ("best", {"count": 5, "seen": 0}), ("best", {"seen": 0})],
)
def test_editors_decide_for_the_team(browser: Visitor, visitor: str, path: str, content: dict[str, Any]) -> None:
    assert browser.post(path, content).status_code == DECIDE[visitor]
    if DECIDE[visitor] != 200:
        assert states() == {}


def test_editors_change_the_rule(face_set: FaceSet, browser: Visitor, visitor: str) -> None:
    answer = browser.client.post(f"{browser.room}rule", {"rule": Rule.ANY_REJECT, "needed": "2"})
    expected = DECIDE | {"owner": 302, "editor": 302}
    assert answer.status_code == expected[visitor]
    face_set.refresh_from_db()
    changed = visitor in ("owner", "editor")
    assert face_set.rule == (Rule.ANY_REJECT if changed else Rule.FIRST)
    assert AuditEntry.objects.filter(verb="faces.rule_changed").exists() == changed


# ---- what is shown ---------------------------------------------------------------------------------------------------


def test_a_person_without_faces_has_an_empty_room(reviewer: Visitor) -> None:
    answer = reviewer.client.get(reviewer.room.replace("/a/", "/b/"))
    assert "No faces yet" in answer.content.decode()
    assert reviewer.client.get(reviewer.room.replace("/a/", "/c/")).status_code == 404


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_buttons_are_there_for_who_may_press_them(face_set: FaceSet, users: dict[str, User], role: str) -> None:
    page = Visitor(face_set, users[role]).get().content.decode()
    assert ('data-do="reject"' in page) == (role == Role.EDITOR)
    assert ('id="best"' in page) == (role == Role.EDITOR)


def test_pages_of_tiles_follow_the_view(reviewer: Visitor) -> None:
    view = json.dumps({"sort": "yaw", "descending": True})
    first = reviewer.get("tiles", view=view).json()
    expected = list(Crop.objects.order_by("-yaw", "number").values_list("number", flat=True))
    assert [tile[0] for tile in first["tiles"]] == expected
    rest = reviewer.get("tiles", view=view, after=expected[9]).json()
    assert [tile[0] for tile in rest["tiles"]] == expected[10:]


def test_a_tile_tells_the_state_and_what_oneself_said(
    face_set: FaceSet, users: dict[str, User], reviewer: Visitor
) -> None:
    answer = reviewer.post("decide", these(7) | {"value": "reject"}).json()
    assert [tile[:1] + tile[2:4] for tile in answer["tiles"]] == [[7, "rejected", "reject"]]
    other = Visitor(face_set, users["editor"]).get("changes", since=0).json()
    assert [tile[:1] + tile[2:4] for tile in other["tiles"]] == [[7, "rejected", None]]
    assert other["counts"] == {"new": COUNT - 1, "kept": 0, "rejected": 1, "disputed": 0, "unsure": 0, "other": 0}


def test_a_page_that_knows_everything_is_told_nothing(reviewer: Visitor) -> None:
    revision = reviewer.post("decide", these(7) | {"value": "reject"}).json()["revision"]
    assert "tiles" not in reviewer.get("changes", since=revision).json()


def test_who_else_is_there_is_told(face_set: FaceSet, users: dict[str, User], reviewer: Visitor) -> None:
    editor = Visitor(face_set, users["editor"])
    assert editor.post("presence", {"here": True}).json()["present"] == []
    assert reviewer.post("presence", {"here": True}).json()["present"] == ["editor@example.org"]
    editor.post("presence", {"here": False})
    assert reviewer.get("changes", since=0).json()["present"] == []


def test_histograms_hold_every_crop_once(reviewer: Visitor) -> None:
    found = reviewer.get("measures").json()
    assert found["inputs"] == ["one.mp4", "two.mp4"]
    for histogram in found["histograms"].values():
        assert sum(histogram["counts"]) == COUNT
        assert histogram["low"] <= histogram["high"]


def test_a_crop_tells_its_measures_and_who_said_what(reviewer: Visitor) -> None:
    reviewer.post("decide", these(7) | {"value": "reject"})
    crop = reviewer.get("crops/7").json()
    assert crop["verdicts"] == [{"by": "reviewer@example.org", "value": "reject"}]
    assert crop["measures"]["yaw"] == Crop.objects.get(number=7).yaw


def test_a_selection_is_counted_where_tiles_are_not_loaded(reviewer: Visitor) -> None:
    view = {"sort": "yaw"}
    order = list(Crop.objects.order_by("yaw", "number").values_list("number", flat=True))
    answer = reviewer.post("count", {"view": view, "stretch": [order[3], order[-1]]}).json()
    assert answer == {"count": COUNT - 3, "last": order[-1]}
    assert reviewer.post("count", {"view": view, "all_but": order[:2]}).json()["count"] == COUNT - 2


@pytest.mark.parametrize("address", ["", "tiles", "changes?since=0", "measures", "crops/3"])
def test_a_page_asks_the_database_seldom(
    face_set: FaceSet,
    users: dict[str, User],
    django_assert_max_num_queries: DjangoAssertNumQueries,
    address: str,
) -> None:
    for name in ("owner", "editor"):
        visitor = Visitor(face_set, users[name])
        visitor.post("decide", these(*range(1, COUNT)) | {"value": "keep"})
        visitor.post("presence", {"here": True})
    with django_assert_max_num_queries(MOST_QUERIES):
        assert visitor.get(address).status_code == 200


# ---- decisions -------------------------------------------------------------------------------------------------------


def test_a_stale_page_is_refused_and_told_what_changed(
    face_set: FaceSet, users: dict[str, User], reviewer: Visitor
) -> None:
    Visitor(face_set, users["owner"]).post("decide", these(2, 9) | {"value": "keep"})
    everything_new = {"view": {"states": ["new"]}, "all_but": [], "expected": COUNT}
    answer = reviewer.post("decide", {"selection": everything_new, "seen": 0, "value": "reject"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "stale"
    assert answer.json()["count"] == COUNT - 2
    assert answer.json()["changed"] == [2, 9]
    assert sorted(tile[0] for tile in answer.json()["tiles"]) == [2, 9]
    assert set(states()) == {2, 9}


def test_undoing_nothing_is_refused(reviewer: Visitor) -> None:
    answer = reviewer.post("undo", {"seen": 0})
    assert (answer.status_code, answer.json()) == (409, {"code": "nothing"})


def test_undo_leaves_alone_what_is_no_crop_any_more(face_set: FaceSet, reviewer: Visitor) -> None:
    reviewer.post("decide", these(2, 9) | {"value": "keep"})
    Crop.objects.filter(number=9).delete()
    assert reviewer.post("undo", {"seen": 0}).status_code == 200
    assert states() == {}


def test_a_dispute_is_settled_for_all(face_set: FaceSet, users: dict[str, User], editor: Visitor) -> None:
    for name, value in (("owner", "keep"), ("reviewer", "reject")):
        Visitor(face_set, users[name]).post("decide", these(4) | {"value": value})
    assert states() == {4: CropState.DISPUTED}
    editor.post("settle", these(4) | {"value": "reject"})
    assert states() == {4: CropState.REJECTED}
    editor.post("settle", these(4) | {"value": None})
    assert states() == {4: CropState.DISPUTED}
    assert AuditEntry.objects.filter(verb="faces.settled", actor=users["editor"]).count() == 2


def test_the_best_of_each_group_is_the_least_suspicious(editor: Visitor) -> None:
    Crop.objects.filter(number=4).update(suspicion=0.0, near_duplicates=3)
    Crop.objects.filter(number__in=[3, 5]).update(suspicion=0.5, near_duplicates=3)
    assert editor.post("best", {"group": 3, "seen": 0}).json()["count"] == 3
    assert states() == {3: CropState.REJECTED, 4: CropState.KEPT, 5: CropState.REJECTED}


def test_a_slice_is_for_one(face_set: FaceSet, users: dict[str, User], reviewer: Visitor) -> None:
    mine = reviewer.post("slice", {}).json()["numbers"]
    assert mine == list(range(1, COUNT + 1))
    assert Visitor(face_set, users["editor"]).post("slice", {}).json()["numbers"] == []


def test_the_form_keeps_the_view_and_undoes(reviewer: Visitor) -> None:
    view = '{"states": ["new"]}'
    answer = reviewer.client.post(f"{reviewer.room}form", {"crop": ["2"], "value": "keep", "view": view}, follow=True)
    assert answer.context["start"]["view"] == view
    assert 2 not in [tile[0] for tile in answer.context["first"]["tiles"]]
    reviewer.client.post(f"{reviewer.room}form", {"value": "undo"})
    assert Batch.objects.filter(undone_at=None).count() == 0
    assert states() == {}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("decide", "[]"),
        ("decide", "{"),
        ("decide", these(4) | {"value": "maybe"}),
        ("decide", {"selection": {"numbers": [10**12]}, "seen": 0, "value": "keep"}),
        ("decide", {"selection": {"numbers": list(range(20_000))}, "seen": 0, "value": "keep"}),
        ("decide", {"selection": {"numbers": [1]}, "seen": -1, "value": "keep"}),
        ("decide", {"selection": {"view": {"ranges": {"yaw": [float("nan"), 1]}}, "all_but": []}, "seen": 0}),
        ("count", {"view": {"states": 5}}),
        ("count", {"view": {"ranges": [1]}}),
        ("count", {"stretch": 7}),
        ("best", {"count": "many", "seen": 0}),
        ("undo", {}),
    ],
)
def test_what_makes_no_sense_is_refused(editor: Visitor, path: str, content: Any) -> None:
    answer = editor.post(path, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad")
    assert states() == {}


@pytest.mark.parametrize("address", ["tiles?view=[", "tiles?after=x", "changes?since=", "changes?since=1e9"])
def test_an_address_that_makes_no_sense_is_refused(reviewer: Visitor, address: str) -> None:
    assert reviewer.get(address).status_code == 400


def test_a_change_needs_the_token_of_a_page(face_set: FaceSet, users: dict[str, User]) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(users["owner"])
    answer: HttpResponse = careful.post(
        f"/projects/{face_set.person.project_id}/a/faces/decide",
        these(4) | {"value": "keep"},
        content_type="application/json",
    )
    assert answer.status_code == 403
    assert states() == {}


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_small_pictures_are_made_once_and_kept_by_browsers(face_set: FaceSet, reviewer: Visitor) -> None:
    with_pictures(face_set)
    crop = Crop.objects.get(number=3)
    answer = reviewer.get(f"small/144/{crop.pk}")
    assert answer.content[8:12] == b"WEBP"
    assert "private" in answer["Cache-Control"]
    assert "immutable" in answer["Cache-Control"]
    Path(settings.MEDIA_ROOT, face_set.key("crops/000003.png")).unlink()
    assert reviewer.get(f"small/144/{crop.pk}").content == answer.content
    assert reviewer.get(f"small/192/{crop.pk}").status_code == 404
    assert reviewer.get(f"small/100/{crop.pk}").status_code == 404


def test_a_crop_of_another_team_is_not_found(face_set: FaceSet, users: dict[str, User]) -> None:
    with_pictures(face_set)
    other = FaceSet.objects.create(person=face_set.person.project.people.get(side="b"), folder="none")
    crop = Crop.objects.get(face_set=face_set, number=3)
    elsewhere = Visitor(face_set, users["owner"])
    assert elsewhere.client.get(f"/projects/{other.person.project_id}/b/faces/small/96/{crop.pk}").status_code == 404


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "gone.mp4", "crops"])
def test_a_frame_that_cannot_be_read_is_not_found(face_set: FaceSet, reviewer: Visitor, name: str) -> None:
    Crop.objects.filter(number=3).update(input=name)
    assert reviewer.get("crops/3/frame").status_code == 404


def test_without_an_index_nothing_is_alike(reviewer: Visitor) -> None:
    answer = reviewer.get("crops/3/alike")
    assert (answer.status_code, answer.json()["code"]) == (404, "unlike")


def test_clearing_is_a_decision_too(face_set: FaceSet, users: dict[str, User], reviewer: Visitor) -> None:
    reviewer.post("decide", these(1, 2) | {"value": "reject"})
    reviewer.post("decide", these(1) | {"value": None})
    assert states() == {2: CropState.REJECTED}
    reviewer.post("undo", {"seen": 0})
    assert states() == dict.fromkeys((1, 2), CropState.REJECTED)
