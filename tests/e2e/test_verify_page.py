"""A file is dropped and read, without an account: in parts, in every colour and width, and by whoever uses no mouse."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from faceengine.provenance.origin import Origin
from faceengine.provenance.picture import mark_picture
from tests.e2e.studio import Server
from tests.e2e.test_pages_look import check
from tests.engine.marking import picture, signed_video
from tests.web.consents import consent_of
from tests.web.footage import project_of, user
from webapp.provenance import signing

SHOTS = os.environ.get("SHOTS")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_file_is_read(chromium: Browser, server: Server, tmp_path: Path, colours: str, width: int) -> None:
    project = project_of(user("owner"))
    a, b = project.people.all()
    consents = [consent_of(a), consent_of(b, "withdrawn")]
    origin = Origin("5a0d3a4e-0000-4000-8000-1c1b3a7f0000", tuple(str(one.pk) for one in consents if one), ("5" * 64,))
    (tmp_path / "still.png").write_bytes(mark_picture(picture(), origin, signing.credentials()))
    video = signed_video(tmp_path / "a rather long name of a video that somebody sent.mp4", signing.credentials(), 60)
    changed = bytearray(video.read_bytes())
    changed[-30] ^= 1
    (tmp_path / "changed.mp4").write_bytes(changed)
    (tmp_path / "text.mp4").write_bytes(b"no video")

    context = chromium.new_context(
        base_url=server.url, color_scheme=colours, viewport={"width": width, "height": 900}, locale="en-GB"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/verify/")
    check(page)
    said = {
        "still.png": "Made by this studio and unchanged since",
        video.name: "Made by this studio and unchanged since",
        "changed.mp4": "Changed after it was signed",
        "text.mp4": "Files of this type can",
    }
    for name, words in said.items():
        page.locator("input[type=file]").set_input_files(tmp_path / name)
        expect(page.locator("#reading")).to_contain_text(words)
        expect(page.locator("#reading")).to_be_focused()
        check(page)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{Path(name).stem[:7]}-{colours}-{width}.png", full_page=True)
        if name == "still.png":
            expect(page.locator(".consents li")).to_contain_text(["active", "withdrawn"])
    assert complaints == []
    context.close()
