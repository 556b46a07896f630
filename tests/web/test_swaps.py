"""Sentences about a swap name its two people, and shares are written as percentages."""

from __future__ import annotations

from django.utils import translation

from webapp.projects.models import Person
from webapp.studio.scores import Shown
from webapp.studio.swaps import swap_of
from webapp.studio.words import verdict

PEOPLE = [Person(side="a", name="Quinn"), Person(side="b", name="Paula")]
REPORT = {"position": 0.56, "reading": "unsure", "detail": 0.4}


def test_a_direction_names_both_people() -> None:
    with translation.override("en"):
        assert swap_of("a2b", PEOPLE).words == "Quinn gets the face of Paula"
        assert swap_of("b2a", PEOPLE).words == "Paula gets the face of Quinn"
        assert swap_of("a2b", [Person(side="a"), Person(side="b")]).words == "person A gets the face of person B"


def test_a_score_names_the_target_person() -> None:
    shown = Shown(REPORT, swap=swap_of("a2b", PEOPLE))
    with translation.override("en"):
        assert shown.percent == "56 %"
        assert shown.reading == "Face recognition would not confirm that this is Paula."
        assert "keeps 40 %" in shown.verdict
        assert shown.verdict.endswith("The result is more like Paula than like Quinn.")


def test_without_names_a_score_speaks_of_their_roles() -> None:
    with translation.override("en"):
        assert verdict(0.6) == "The result is more like the target person than like the original person."
        assert Shown(REPORT).reading.endswith("that this is the target person.")


def test_braces_in_a_name_stay() -> None:
    named = [Person(side="a", name="{wanted}"), Person(side="b", name="{0}")]
    with translation.override("en"):
        assert verdict(0.6, swap=swap_of("a2b", named)) == "The result is more like {0} than like {wanted}."
        assert swap_of("a2b", named).words == "{wanted} gets the face of {0}"
