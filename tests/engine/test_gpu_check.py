"""The check of the GPU path: a part that fails or hangs costs its own rows only, and what was found is kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import gpu
from bench.gpu import BEGIN, END, FAILED, Row, row, run_part


@pytest.fixture
def rows() -> list[Row]:
    return []


def python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str) -> None:
    """Let every part run ``program`` instead."""
    stand_in = tmp_path / "python"
    stand_in.write_text(f"#!{sys.executable}\n{program}\n")
    stand_in.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stand_in))


def test_a_part_that_hangs_is_ended_with_its_children(
    rows: list[Row], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = "import subprocess; subprocess.Popen(['sleep', '60'])"
    python(monkeypatch, tmp_path, f'{child}; print(\'{{"name": "first", "ours": 1}}\', flush=True); input()')
    assert run_part("speeds", [], 2.0, rows.append) == 1
    assert [found["name"] for found in rows] == ["first", "speeds: stopped after 2 s"]


def test_a_part_that_breaks_says_why(rows: list[Row], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python(monkeypatch, tmp_path, "print('not a row'); raise RuntimeError('CUDA error: device-side assert')")
    assert run_part("speeds", [], 60.0, rows.append) == 1
    (found,) = rows
    assert found["ours"] == FAILED
    assert "device-side assert" in found["name"]


def test_the_table_is_written_row_by_row(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    report = gpu._Report(document, tmp_path / "kept" / "table.md")
    report.add(row("Measured on a card.", ""))
    report.add(row("quick | eager", 300.0, "images/s", 100.0))
    written = document.read_text()
    assert "Measured on a card." in written
    assert "| quick / eager | 300 | 100 | images/s | 3 |" in written
    assert "old" not in written
    assert written.endswith("after\n")
    assert (tmp_path / "kept" / "table.md").read_text().strip() in written
