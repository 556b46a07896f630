"""Versions of the consent statement: a consent to an older version stays live and is shown in its words."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.web.consents import consent_of, reviewed, reviewer
from tests.web.footage import client_of, user
from tests.web.pdfs import signed_pdf
from webapp.accounts.services import found_team
from webapp.consent import links, services, statements
from webapp.consent.answers import Answer, agree
from webapp.consent.gate import Act, require_consent
from webapp.consent.models import Purpose, Standing
from webapp.projects.models import Project
from webapp.projects.services import create_project

TEXTS = Path(statements.__file__).parent / "texts"
PUBLISHED = {
    "2026-11.en.txt": "7f7b80f2cfdeb758",
    "2026-11.zh-hans.txt": "75beedd4e7d69634",
    "2026-12.en.txt": "2b3b547e6ade0253",
    "2026-12.zh-hans.txt": "94d31e3d33a5ee3a",
}
"""The first digits of each file's SHA-256."""
OLD_USES = ("a model is trained with the face", "faces are swapped in videos of the project")


def test_a_published_text_never_changes() -> None:
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in TEXTS.glob("*.txt")} == PUBLISHED


def test_each_version_has_words_for_each_use_in_each_language() -> None:
    for version in {name.split(".")[0] for name in PUBLISHED}:
        for language in statements.LANGUAGES:
            assert set(statements.uses_in(version, language)) == set(Purpose.values)
    assert statements.uses_in("2026-11", "en")["train"] == OLD_USES[0]
    assert statements.uses_in("", "en") == statements.uses_in(statements.VERSION, "en")


def test_a_consent_to_an_older_version_is_live_and_shown_in_its_words(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = user("owner")
    project: Project = create_project(owner, found_team(owner, "Team"), "Film", a="Quinn", b="Paula")
    person = project.people.get(side="a")
    with monkeypatch.context() as earlier:
        earlier.setattr(statements, "VERSION", "2026-11")
        consent = services.ask(person, owner, name="Quinn")
        link = links.open_link(links.make_link(consent, owner))
        file = SimpleUploadedFile("signed.pdf", signed_pdf())
        own = agree(link, Answer("Quinn", ["train", "swap"], "en", "pdf", file))
        text = statements.statement(project, "en").text
    consent.refresh_from_db()
    second = reviewer()
    project.team.members.add(second, through_defaults={"role": "editor"})
    reviewed(consent, second)
    consent_of(project.people.get(side="b"))
    consent.refresh_from_db()
    assert (consent.statement_version, consent.standing) == ("2026-11", Standing.LIVE)
    grant = require_consent(project, Act.TRAIN)
    assert grant.consent_a == consent
    page = Client().get(f"/consent/withdraw/{own}/")
    assert page.context["agreed"]["text"] == text != statements.statement(project, "en").text
    assert page.context["agreed_uses"] == list(OLD_USES)
    shown = page.content.decode()
    assert "How I take it back." in shown
    assert all(words in shown for words in OLD_USES)
    assert "models and results leave the studio" in shown  # what they left out, in the words that they left out
    assert "Train a face model" not in shown


def test_a_new_request_has_the_words_of_the_current_version(db: None) -> None:
    owner = user("owner")
    project = create_project(owner, found_team(owner, "Team"), "Film", a="Quinn", b="Paula")
    consent = services.ask(project.people.get(side="a"), owner, name="Quinn")
    page = Client().get(f"/consent/{links.make_link(consent, owner)}/").content.decode()
    printed = client_of(owner).get(f"/projects/{project.pk}/statement/").content.decode()
    for shown in (page, printed):
        assert "Train a face model on my photos and videos" in shown
        assert "I am the person named below." in shown
        assert OLD_USES[0] not in shown
