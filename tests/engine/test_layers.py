"""The contracts of imports hold, each one breaks when a forbidden import is planted, and none forgets a new module."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ENGINE, WEB = "Data goes one way in the engine", "Each app of the web application knows only those below it"
NO_DJANGO = "The engine knows nothing of Django"
LEDGER = "The ledger knows nothing of the studio, and needs no torch"
FORBIDDEN = [
    (ENGINE, "faceengine.extraction.extract", "faceengine.training.train"),
    (ENGINE, "faceengine.geometry", "faceengine.video.reading"),
    (ENGINE, "faceengine.weights", "faceengine.faceset"),
    (ENGINE, "faceengine.cli.commands", "faceengine.jobs.models"),
    (WEB, "webapp.accounts.access", "webapp.projects.models"),
    (WEB, "webapp.projects.views", "webapp.consent.models"),
    (WEB, "webapp.consent.services", "webapp.uploads.models"),
    (WEB, "webapp.uploads.services", "webapp.provenance.signing"),
    (WEB, "webapp.provenance.delivery", "webapp.curation.models"),
    (WEB, "webapp.curation.views", "webapp.studio.models"),
    (WEB, "webapp.studio.services", "webapp.removal.deletion"),
    (WEB, "webapp.removal.erasure", "webapp.demo.models"),
    (WEB, "webapp.names", "webapp.accounts.models"),
    (NO_DJANGO, "faceengine.png", "django"),
    (NO_DJANGO, "faceengine.confined.run", "celery"),
    (NO_DJANGO, "faceengine.intake.video", "channels"),
    (NO_DJANGO, "faceengine.device", "webapp.env"),
    (LEDGER, "faceengine.jobs.kinds", "webapp.projects.models"),
    (LEDGER, "faceengine.jobs.runner", "torch"),
]
"""Contract, who imports, what."""
ADDED = [(ENGINE, "faceengine.newcomer"), (WEB, "webapp.newcomer")]
"""Contract, and a module that is not there yet."""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    asked = json.dumps({"planted": FORBIDDEN, "added": ADDED})
    command = [sys.executable, ROOT / "tests" / "engine" / "planted.py", ROOT / "pyproject.toml", asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_all_contracts_hold(found: dict[str, Any]) -> None:
    broken = [name for name, holds in found["as it is"].items() if not holds]
    assert broken == [], "run lint-imports to see why"


@pytest.mark.parametrize("number", range(len(FORBIDDEN)), ids=[f"{one[1]}-{one[2]}" for one in FORBIDDEN])
def test_a_planted_import_breaks_its_contract(found: dict[str, Any], number: int) -> None:
    assert not found["planted"][number]


def test_every_contract_has_been_tried(found: dict[str, Any]) -> None:
    assert {name for name, *_ in FORBIDDEN} == set(found["as it is"])


@pytest.mark.parametrize("number", range(len(ADDED)), ids=[one[1] for one in ADDED])
def test_a_module_that_no_contract_names_breaks_one(found: dict[str, Any], number: int) -> None:
    assert not found["added"][number]
