"""What most of these tests begin with. Files of each test are its own: keys of rows come again, and with them names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.web.footage import project_of, user
from tests.web.ways import trained
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.studio.models import Run


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.UPLOADS_DIR = tmp_path / "files", tmp_path / "uploads"
    settings.CONSENT_KEYS_DIR = tmp_path / "keys"
    settings.MEDIA_ROOT.mkdir()
    settings.UPLOADS_DIR.mkdir()


@pytest.fixture
def owner(db: None) -> User:
    return user("owner")


@pytest.fixture
def project(owner: User) -> Project:
    return project_of(owner)


@pytest.fixture
def run(project: Project) -> Run:
    """A training that has ended."""
    return trained(project)
