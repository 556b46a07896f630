"""Production's settings refuse to start without what keeps it safe; other settings name what is wrong with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from faceengine.provenance.credentials import CHAIN_FILE, KEY_FILE, make_chain

ROOT = Path(__file__).resolve().parents[2]
WHOLE = {
    "SECRET_KEY": "k" * 25 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "ALLOWED_HOSTS": "studio.example",
    "DATABASE_URL": "sqlite:///:memory:",
    "SIGNING_CERTIFICATES": "certificates.pem",
    "SIGNING_KEY": "key.pem",
    "PROXIES": "1",
    "CONSENT_MASTER_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}


def check(folder: Path, settings: str = "production", *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """``manage.py check`` with these settings and no other variables of the studio."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": f"webapp.settings.{settings}"} | kept | env
    env = {name: value for name, value in env.items() if value}
    command = [sys.executable, "manage.py", "check", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_production_starts_with_all_it_needs(tmp_path: Path) -> None:
    make_chain(tmp_path, "A studio")
    chain = {"SIGNING_CERTIFICATES": str(tmp_path / CHAIN_FILE), "SIGNING_KEY": str(tmp_path / KEY_FILE)}
    checked = check(tmp_path, "production", "--deploy", "--fail-level", "WARNING", **WHOLE | chain)
    assert checked.returncode == 0, checked.stderr


def test_no_proxy_is_declared_and_said(tmp_path: Path) -> None:
    checked = check(tmp_path, "production", "--deploy", **WHOLE | {"PROXIES": "0"})
    assert "operations.W003" in checked.stderr
    assert "operations.I001" in checked.stderr  # each web process counts by itself
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_check_says_when_nothing_could_be_signed(tmp_path: Path) -> None:
    checked = check(tmp_path, **WHOLE)
    assert checked.returncode == 1
    assert "provenance.E001" in checked.stderr


@pytest.mark.parametrize("missing", [*WHOLE, "DATA_DIR"])
def test_production_names_what_is_missing(tmp_path: Path, missing: str) -> None:
    checked = check(tmp_path, **WHOLE | {missing: ""})
    assert checked.returncode == 1
    assert f"ImproperlyConfigured: {missing} is not set" in checked.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY is too short"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS must name the hosts"),
        ("PROXIES", "one", "PROXIES must be the number of proxies"),
        ("CONSENT_MASTER_KEY", "c2hvcnQ=", "CONSENT_MASTER_KEY must be 32 bytes in base64, not 5"),
        ("TASKS_ENGINE", "huey", "TASKS_ENGINE must be one of database, celery, not 'huey'"),
        ("TASKS_ENGINE", "celery", "CELERY_BROKER_URL is not set"),
        ("JOBS_LEASE_SECONDS", "soon", "JOBS_LEASE_SECONDS must be a whole number, not 'soon'"),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, name: str, value: str, said: str) -> None:
    checked = check(tmp_path, **WHOLE | {name: value})
    assert checked.returncode == 1
    assert said in checked.stderr


def test_development_needs_nothing(tmp_path: Path) -> None:
    assert check(tmp_path, "development").returncode == 0
