"""Evidence at rest: nobody reads it without both keys, and a change is noticed."""

from __future__ import annotations

import base64
import io
import secrets
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.web.footage import project_of, user
from webapp.consent import keys, vault
from webapp.consent.models import PersonKey
from webapp.projects.models import Person

KEY = bytes(range(32))
SIZES = [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 7]


def box_of(plain: bytes, about: str = "it") -> bytes:
    box = io.BytesIO()
    vault.encrypt(io.BytesIO(plain), box, KEY, about)
    return box.getvalue()


def read(box: bytes, about: str = "it") -> bytes:
    return b"".join(vault.decrypted(io.BytesIO(box), KEY, about))


@pytest.fixture
def person(db: None) -> Person:
    return project_of(user("owner")).people.get(side="a")


@pytest.mark.parametrize("size", SIZES)
def test_what_was_kept_comes_back(size: int) -> None:
    plain = secrets.token_bytes(size)
    box = box_of(plain)
    assert read(box) == plain
    assert size < 16 or plain[:16] not in box


@pytest.mark.parametrize("place", [0, 9, 40, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    box = bytearray(box_of(b"somebody's face" * 1000))
    box[place] ^= 1
    with pytest.raises(vault.VaultError):
        read(bytes(box))


def test_pieces_are_not_cut_off_moved_or_taken_from_elsewhere() -> None:
    head, piece = 15, (1 << 20) + 16
    box = box_of(secrets.token_bytes(3 << 20))
    swapped = box[:head] + box[head + piece : head + 2 * piece] + box[head : head + piece] + box[head + 2 * piece :]
    for wrong in (box[: head + 2 * piece], box[:-1], box + b"x", swapped):
        with pytest.raises(vault.VaultError):
            read(wrong)
    with pytest.raises(vault.VaultError):
        read(box, about="another")


def test_a_person_has_one_key_and_it_can_be_destroyed(person: Person) -> None:
    key = vault.key_for(person)
    assert vault.key_for(person) == key
    assert key not in keys.read(PersonKey.objects.get().file)
    vault.destroy_key(person)
    with pytest.raises(vault.VaultError, match="destroyed"):
        vault.key_of(person)


def test_reading_makes_no_key(person: Person) -> None:
    with pytest.raises(vault.VaultError, match="no key"):
        vault.key_of(person)
    assert not PersonKey.objects.exists()


def test_who_agrees_anew_gets_another_key(person: Person) -> None:
    before = vault.key_for(person)
    vault.destroy_key(person)
    after = vault.key_for(person)
    assert after != before
    assert vault.key_of(person) == vault.key_for(person) == after
    assert PersonKey.objects.get().destroyed_at is None


def test_another_master_key_is_told(person: Person, settings: Any) -> None:
    vault.key_for(person)
    settings.CONSENT_MASTER_KEY = base64.b64encode(bytes(32)).decode()
    with pytest.raises(vault.VaultError, match="CONSENT_MASTER_KEY"):
        vault.key_for(person)


@pytest.mark.parametrize("wrong", ["not base64!", base64.b64encode(b"short").decode()])
def test_what_is_no_key_is_refused(settings: Any, wrong: str) -> None:
    settings.CONSENT_MASTER_KEY = wrong
    with pytest.raises(ImproperlyConfigured, match="32 bytes"):
        vault.master_key()


def test_development_makes_its_own_key_for_itself_only(settings: Any, tmp_path: Path) -> None:
    settings.CONSENT_MASTER_KEY = ""
    path = settings.CONSENT_MASTER_KEY_FILE = tmp_path / "keys" / "master"
    assert vault.master_key() == vault.master_key()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
