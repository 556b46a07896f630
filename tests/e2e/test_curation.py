"""The curation room in a real browser: keys, ranges over what is not loaded, undo, two people at once, every look."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.studio import PASSWORD, Server, sign_in
from tests.web.consents import consented
from webapp.accounts.models import Membership, Role, User
from webapp.accounts.services import found_team
from webapp.curation.models import Crop, CropState, FaceSet, Verdict
from webapp.curation.selection import Selection, View
from webapp.curation.verdicts import decide
from webapp.projects.services import create_project

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
COUNT = 450
"""More than two pages of tiles."""


@pytest.fixture
def face_set(owner: User) -> FaceSet:
    project = consented(create_project(owner, found_team(owner, "Team"), "Film"))
    face_set = FaceSet.objects.create(person=project.people.get(side="a"), folder="faces")
    chance = random.Random(1)
    Crop.objects.bulk_create([crop_of(face_set, number, chance) for number in range(1, COUNT + 1)])
    folder = Path(settings.MEDIA_ROOT, "faces", "crops")
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, COUNT + 1):
        Image.new("RGB", (256, 256), (number % 256, 90, 160)).save(folder / f"{number:06d}.png")
    return face_set


def crop_of(face_set: FaceSet, number: int, chance: random.Random) -> Crop:
    measures = {name: chance.uniform(0, 1) for name in ("sharpness", "brightness", "score", "distance", "suspicion")}
    angles = {name: chance.uniform(-60, 60) for name in ("yaw", "pitch", "roll")}
    place = {"input": "clip.mp4", "frame": number, "time": number / 25, "face": 0, "face_size": 80.0}
    frame = {"box": [200, 100, 280, 180], "width": 640, "height": 480, "near_duplicates": number}
    return Crop(face_set=face_set, number=number, **place, **frame, **measures, **angles)


@pytest.fixture
def address(face_set: FaceSet) -> str:
    return f"/projects/{face_set.person.project_id}/a/faces/"


@pytest.fixture
def room(page: Page, address: str) -> Page:
    """The room, open, the first tile having the focus."""
    page.goto(address)
    page.locator("#crop-1").focus()
    return page


def state(page: Page, number: int, expected: str) -> None:
    expect(page.locator(f"#crop-{number}")).to_have_attribute("data-state", expected)


def saved(page: Page) -> None:
    expect(page.locator("[data-pending]")).to_have_count(0)


def states() -> dict[int, str]:
    return dict(Crop.objects.exclude(state=CropState.NEW).values_list("number", "state"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_verdict_goes_on_to_the_next_and_is_taken_back(room: Page) -> None:
    press(room, "p", "x", "ArrowRight", "x", "ArrowLeft", "u")
    saved(room)
    assert states() == {1: CropState.KEPT, 2: CropState.REJECTED}
    expect(room.locator("#crop-5")).to_be_focused()
    press(room, "Control+z", "Control+z", "Control+z")
    expect(room.locator("#said")).to_contain_text("Undone")
    state(room, 2, "new")
    assert states() == {1: CropState.KEPT}
    press(room, "Control+z", "Control+z")
    expect(room.locator("#said")).to_have_text("There is nothing to undo.")
    assert states() == {}


def test_a_verdict_is_set_and_not_toggled(room: Page) -> None:
    press(room, "x", "ArrowLeft", "x")
    saved(room)
    assert states() == {1: CropState.REJECTED}


def test_verdicts_given_quickly_all_arrive_in_their_order(room: Page) -> None:
    for _ in range(20):
        press(room, "x", "ArrowLeft", "p")
    saved(room)
    assert states() == dict.fromkeys(range(1, 21), CropState.KEPT)


def test_a_range_reaches_over_tiles_that_are_not_loaded(room: Page) -> None:
    press(room, *["ArrowRight"] * 9, "Shift+End")
    expect(room.locator("#selected")).to_have_text(f"{COUNT - 9} selected")
    press(room, "x")
    expect(room.locator("#said")).to_have_text(f"{COUNT - 9} rejected")
    assert states() == dict.fromkeys(range(10, COUNT + 1), CropState.REJECTED)
    press(room, "Control+z")
    expect(room.locator("#said")).to_contain_text("Undone")
    assert states() == {}


def test_a_range_follows_the_order_that_is_shown(room: Page) -> None:
    room.get_by_label("Sort by").select_option("yaw")
    order = list(Crop.objects.order_by("yaw", "number").values_list("number", flat=True))
    first = room.locator(".tile").first
    expect(first).to_have_id(f"crop-{order[0]}")
    first.focus()
    press(room, "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowLeft", "Shift+ArrowRight", "p")
    saved(room)
    expect(room.locator("#said")).to_have_text("3 kept")
    assert set(states()) == set(order[1:4])


def test_all_that_match_but_some(room: Page) -> None:
    press(room, "Control+a", "ArrowRight", " ")
    expect(room.locator("#selected")).to_have_text(f"{COUNT - 1} selected")
    press(room, "x")
    expect(room.locator("#said")).to_have_text(f"{COUNT - 1} rejected")
    assert set(states()) == set(range(1, COUNT + 1)) - {2}


def test_what_another_one_did_meanwhile_stops_a_bulk_decision(room: Page, face_set: FaceSet, owner: User) -> None:
    room.get_by_role("button", name="Not reviewed").click()
    expect(room.locator("crop-grid")).to_have_attribute("aria-busy", "false")
    room.locator("#crop-1").focus()
    press(room, "Control+a")
    expect(room.locator("#selected")).to_have_text(f"{COUNT} selected")
    judge(colleague(face_set), face_set, [3, 4], "keep")
    press(room, "x")
    expect(room.get_by_role("alert")).to_contain_text("448 crops match now")
    expect(room.locator("#selected")).to_have_text("448 selected")
    state(room, 3, "kept")
    assert set(states()) == {3, 4}


def test_the_grid_follows_others_and_stays_where_it_is(room: Page, face_set: FaceSet) -> None:
    press(room, *["ArrowRight"] * 3)
    before = room.locator("#crop-4").bounding_box()
    judge(colleague(face_set), face_set, [2, 5], "reject")
    state(room, 2, "rejected")
    state(room, 5, "rejected")
    expect(room.locator("#crop-4")).to_be_focused()
    assert room.locator("#crop-4").bounding_box() == before
    expect(room.get_by_role("button", name="Rejected")).to_contain_text("2")


def test_two_who_differ_dispute_and_an_editor_settles(room: Page, face_set: FaceSet) -> None:
    judge(colleague(face_set), face_set, [1], "keep")
    press(room, "x")
    state(room, 1, "disputed")
    room.get_by_role("button", name="Disputed").click()
    expect(room.locator(".tile")).to_have_count(1)
    room.locator("#crop-1").focus()
    room.get_by_text("Decide for the team").click()
    room.get_by_role("button", name="Final: reject").click()
    state(room, 1, "rejected")
    assert states() == {1: CropState.REJECTED}


def test_the_loupe_shows_judges_and_goes_on(room: Page) -> None:
    press(room, "Enter")
    loupe = room.locator("#loupe")
    expect(loupe.get_by_role("heading")).to_contain_text("Crop 1, not reviewed")
    expect(loupe).to_contain_text("The frame is no longer available")
    press(room, "ArrowRight")
    expect(loupe.get_by_role("heading")).to_contain_text("Crop 2")
    press(room, "x")
    expect(loupe.get_by_role("heading")).to_contain_text("Crop 3")
    press(room, "Escape")
    expect(loupe).to_be_hidden()
    expect(room.locator("#crop-3")).to_be_focused()
    saved(room)
    assert states() == {2: CropState.REJECTED}


def test_the_next_unreviewed_is_found_beyond_what_is_loaded(room: Page, face_set: FaceSet) -> None:
    judge(colleague(face_set), face_set, list(range(2, 401)), "keep")
    state(room, 2, "kept")
    press(room, "n")
    expect(room.locator("#crop-401")).to_be_focused()


def test_filters_by_measure_are_kept_in_the_address(room: Page) -> None:
    room.get_by_text("Filters").click()
    slider = room.get_by_label("outlier score, minimum")
    slider.evaluate("(slider) => { slider.value = 0.9; slider.dispatchEvent(new Event('input')); }")
    expected = Crop.objects.filter(suspicion__gte=float(slider.input_value())).count()
    expect(room.locator(".tile")).to_have_count(expected)
    room.reload()
    expect(room.locator(".tile")).to_have_count(expected)
    room.get_by_role("button", name="Show all crops").click()
    expect(room.locator("#crop-1")).to_be_visible()


def test_keys_are_those_of_the_buttons(room: Page) -> None:
    press(room, "?")
    expect(room.get_by_role("dialog")).to_contain_text("Next unreviewed")
    press(room, "Escape")
    room.get_by_label("Sort by").focus()
    press(room, "x")
    room.wait_for_timeout(300)
    assert states() == {}


def test_a_verdict_that_cannot_be_saved_is_saved_when_the_server_is_back(room: Page, server: Server) -> None:
    server.stop()
    press(room, "x")
    room.wait_for_timeout(1_000)
    assert states() == {}
    server.start()
    for _ in range(60):
        if states() == {1: CropState.REJECTED}:
            break
        room.wait_for_timeout(500)
    assert states() == {1: CropState.REJECTED}


def test_it_works_without_scripts(context: BrowserContext, server: Server, owner: User, address: str) -> None:
    browser = context.browser
    assert browser is not None
    plain = browser.new_context(base_url=server.url, java_script_enabled=False)
    page = sign_in(plain.new_page(), owner)
    page.goto(address)
    page.get_by_label("Crop 3", exact=True).check()
    page.get_by_label("Crop 5", exact=True).check()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_text("Saved your verdict on 2 crops.")).to_be_visible()
    assert states() == dict.fromkeys((3, 5), CropState.REJECTED)
    page.get_by_role("link", name="Show more").click()
    expect(page.get_by_label("Crop 201", exact=True)).to_be_visible()
    plain.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_the_room_is_usable_by_all(
    chromium: Browser, server: Server, owner: User, address: str, language: str, colours: str, width: int
) -> None:
    context = chromium.new_context(
        base_url=server.url, locale=language, color_scheme=colours, viewport={"width": width, "height": 800}
    )
    page = sign_in(context.new_page(), owner)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)
    page.goto(address)
    page.locator("#crop-1").focus()
    press(page, "p", "x", "Shift+ArrowRight")
    saved(page)
    check(page)
    for place in ("#filters", "#editing"):
        page.locator(f"{place} summary").click()
    page.wait_for_selector("fieldset")
    check(page)
    page.locator("#crop-3").focus()
    press(page, "Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page)
    assert complaints == []
    context.close()


def check(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "too wide"
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))")
    assert found == []


def colleague(face_set: FaceSet) -> User:
    hasher = Argon2PasswordHasher()
    password = hasher.encode(PASSWORD, hasher.salt())
    user, _ = User.objects.get_or_create(email="ann@example.org", defaults={"password": password})
    team = face_set.person.project.team
    Membership.objects.get_or_create(team=team, user=user, defaults={"role": Role.REVIEWER})
    return user


def judge(user: User, face_set: FaceSet, numbers: list[int], value: str) -> None:
    decide(face_set, user, Selection(View(), tuple(numbers)), value)
    assert Verdict.objects.filter(user=user).count() == len(numbers)
