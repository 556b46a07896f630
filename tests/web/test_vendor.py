"""What others wrote and we serve: exactly the file that was published, with its licence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HASHES = {
    "static/vendor/tus-js-client-4.3.1/tus.min.js": "8cbb1b63fccc3bba0ae73ad1deb160ce046c3750851d0c3e94921ae3ef070eb8",
    "static/vendor/uplot-1.6.32/uPlot.esm.js": "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba",
    "static/vendor/uplot-1.6.32/uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "tests/e2e/vendor/axe-core-4.14.1/axe.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
}
"""SHA-256 as in the packages tus-js-client 4.3.1, uplot 1.6.32 and axe-core 4.14.1."""


@pytest.mark.parametrize("name", HASHES)
def test_it_is_what_was_published(name: str) -> None:
    path = ROOT / name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == HASHES[name]
    assert (path.parent / "LICENSE").is_file()


def test_there_is_nothing_else() -> None:
    found = [*ROOT.glob("static/vendor/**/*"), *ROOT.glob("tests/e2e/vendor/**/*")]
    names = {path.relative_to(ROOT).as_posix() for path in found if path.is_file() and path.name != "LICENSE"}
    assert names == set(HASHES)
