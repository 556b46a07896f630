"""Events: what is written as a JSON line can be read back, and nothing else can."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceengine import events

_text = st.text(max_size=40)
_count = st.integers(0, 10**9)
_number = st.floats(allow_nan=False, allow_infinity=False)
_events = st.one_of(
    st.builds(events.Progress, _text, _count, st.none() | _count, _text, st.none() | _number),
    st.builds(events.Losses, _count, st.dictionaries(_text, _number, max_size=4), _number),
    st.builds(events.Preview, _count, _text),
    st.builds(events.Checkpoint, _count, _text),
    st.builds(events.Message, st.sampled_from(["info", "warning"]), _text, _text),
)


@given(_events)
def test_an_event_survives_its_json_line(event: events.Event) -> None:
    line = events.to_json(event)
    assert "\n" not in line
    assert events.from_json(line) == event


def test_the_line_names_the_kind_and_keeps_the_field_names() -> None:
    line = events.to_json(events.Progress("extract", 3, 10, "frames", 24.5))
    expected = {"event": "progress", "stage": "extract", "done": 3, "total": 10, "unit": "frames", "rate": 24.5}
    assert json.loads(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no json",
        "[]",
        "3",
        "{}",
        '{"event": "unheard of"}',
        '{"event": "progress", "stage": "extract"}',
        '{"event": "preview", "iteration": 1, "path": "p", "more": 2}',
    ],
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        events.from_json(line)


def test_the_default_listeners_do_nothing_and_never_stop() -> None:
    events.ignore(events.Preview(1, "previews/000001.png"))
    assert events.never() is False
