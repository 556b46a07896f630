"""The table of figures, and what the demo says of a score."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from bench.__main__ import BEGIN, END, between, table

ROOT = Path(__file__).resolve().parents[2]
ROW = {"name": "extraction", "ours": 71.234, "yardstick": 11.0, "ratio": 6.476, "unit": "frames/s", "asked": "6 ×"}


def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_run", ROOT / "demo" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_row_is_one_line_of_the_table() -> None:
    lines = table([ROW, ROW | {"yardstick": None, "ratio": None}]).splitlines()
    assert lines[2] == "| extraction | 71.2 | 11 | frames/s | 6.48 | 6 × |"
    assert lines[3] == "| extraction | 71.2 | – | frames/s | – | 6 × |"
    assert len({line.count("|") for line in lines}) == 1


def test_the_table_replaces_what_stood_between_the_marks() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert between(document, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert between(between(document, "new"), "newer") == between(document, "newer")


@pytest.mark.parametrize("document", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_document_without_both_marks_is_left_alone(document: str) -> None:
    with pytest.raises(ValueError):
        between(document, "new")


def test_the_performance_page_has_the_marks() -> None:
    assert "new" in between((ROOT / "docs" / "performance.md").read_text(), "new")


@pytest.mark.parametrize(
    ("similarity", "words"),
    [
        (0.55, "10% of the way from A"),
        (0.9, "80% of the way from A (floor 0.50) to B (ceiling 1.00), nearer to the wanted"),
    ],
)
def test_the_demo_says_where_the_similarity_lies(similarity: float, words: str) -> None:
    report = {"similarity": similarity, "floor": 0.5, "ceiling": 1.0, "network": "dlib-resnet"}
    assert words in demo().likeness(report, "A", "B")
