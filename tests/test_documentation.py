"""The documentation refers to things that exist: links, files, make targets, settings, and the version."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import faceengine

ROOT = Path(__file__).parents[1]
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
PAGES = [ROOT / name for name in TOP] + sorted(
    page for folder in ("docs", "demo", "tools", "tests/cases") for page in (ROOT / folder).rglob("*.md")
)

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
SOURCE = re.compile(r"(?:\.\./)?[\w.-]+(?:/[\w.-]+)*\.(?:py|js|css|html|md|txt|in|toml|yml|dot|jpg|mp4)")
"""Looks like a file of the repository."""
FOLDERS = ("faceengine", "webapp", "templates", "static", "tests", "bench", "tools", "docs", "demo")
OF_READERS = {"clip.mp4", "outlines.py", "plain.py"}
"""Names in examples, of files that readers have or create."""
READS_ENVIRONMENT = re.compile(r"""env\.(?:text|required|words|one_of|number|flag)\(\s*"([A-Z0-9_]+)\"""")


def prose(page: Path) -> str:
    """Return the page's text without blocks of code."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Return the anchors of the page's headings, as GitHub and GitLab name them."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    """Yield the page's relative links that lead nowhere."""
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@cache
def files() -> tuple[str, ...]:
    """Return the paths of all files in the repository, each with a leading slash."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
    return tuple(f"/{path.relative_to(ROOT)}" for path in [*found, *ROOT.iterdir(), *(ROOT / ".github").rglob("*")])


def missing(page: Path) -> Iterator[str]:
    """Yield the files that the page names and the repository doesn't have."""
    for name in sorted({text for text in QUOTED.findall(prose(page)) if SOURCE.fullmatch(text)}):
        elsewhere = Path(name).name in OF_READERS or name.startswith("anny/")
        if not elsewhere and not any(path.endswith(f"/{name.removeprefix('../')}") for path in files()):
            yield name


def test_links_lead_somewhere() -> None:
    assert [(page.name, link) for page in PAGES for link in broken(page)] == []


def test_named_files_exist() -> None:
    assert [(page.name, name) for page in PAGES for name in missing(page)] == []


def test_named_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert named <= targets
    assert {"run", "demo", "test"} <= named


def test_settings_are_documented_and_exist() -> None:
    sources = [*(ROOT / "webapp" / "settings").glob("*.py"), ROOT / "webapp" / "keys.py"]
    read = {name for path in sources for name in READS_ENVIRONMENT.findall(path.read_text())}
    assert len(read) > 50
    tables = "".join((ROOT / "docs" / name).read_text() for name in ("running.md", "storage.md"))
    assert {name for name in read if f"`{name}`" not in tables and f"{name}=" not in tables} == set()
    rows = [row.split("|")[1] for row in tables.splitlines() if row.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}
    assert listed - read <= {"FETCH_WEIGHTS", "FACEENGINE_WEIGHTS", "FACEENGINE_WEIGHTS_MIRROR"}


def test_the_newest_release_is_this_version() -> None:
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert releases[0] == faceengine.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "faceengine.__version__"}


@pytest.mark.parametrize("source", sorted((ROOT / "docs" / "diagrams").glob("*.dot")), ids=lambda path: path.stem)
def test_diagrams_are_rendered(source: Path) -> None:
    """Every label of the source is in the picture; ``make diagrams`` renders it again."""
    labels = re.sub(r"//.*", "", source.read_text())
    wanted = [text.strip(" :") for text in re.findall(r">([^<>\[\]]*\w[^<>\[\]]*)<", labels)]
    drawn = html.unescape(source.with_suffix(".svg").read_text())
    assert len(wanted) > 5
    assert [text for text in wanted if text and text not in drawn] == []
