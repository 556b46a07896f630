"""Evidence at rest: encrypted with a key of its person's own, which a withdrawal destroys.

A file is a magic word, a random nonce of 7 bytes, and pieces of 1 MiB, each AES-256-GCM with the nonce, the piece's
number and whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015). So a piece
that is changed, moved, left out or cut off is noticed, and a file of any size takes little memory. The person's key is
wrapped (AES-256-GCM too) by the installation's master key, and lies in a folder of its own (``keys.py``), which is no
part of the backups that hold the database and the evidence.
"""

from __future__ import annotations

import base64
import io
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.db.models.signals import post_delete
from django.dispatch import receiver

from webapp.consent import keys
from webapp.consent.models import PersonKey
from webapp.keys import decoded
from webapp.projects.models import Person

log = logging.getLogger(__name__)

_MAGIC = b"consent1"
_NONCE = 7
_PIECE = 1 << 20
_TAG = 16
_WRAP_NONCE = 12


class VaultError(Exception):
    """What was kept can't be read: its key is gone or another one, or the file was changed."""


def master_key() -> bytes:
    """The installation's key of 32 bytes: the setting's, or in development a file that is made when first needed.

    Raises ``ImproperlyConfigured`` for one that is no key.
    """
    said: str = settings.CONSENT_MASTER_KEY
    if not said:
        said = _own_key(Path(settings.CONSENT_MASTER_KEY_FILE))
    return decoded(said)


def _own_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(32)).decode())
    try:
        os.link(whole, path)  # of two that make one at once, the first counts
    except FileExistsError:
        pass
    finally:
        whole.unlink()
    return path.read_text().strip()


def key_for(person: Person) -> bytes:
    """Return the person's own key to encrypt with, made when first needed, and another one after a withdrawal.

    Raises :class:`VaultError` if it is lost, or the master key is another one than it was made with.
    """
    row = PersonKey.objects.filter(person=person).first()
    if row is None or row.destroyed_at is not None:
        row = _fresh(person, row)
    return _unwrap(row)


def key_of(person: Person) -> bytes:
    """The person's key to read with. Raises :class:`VaultError` if it was destroyed, lost, or never made."""
    row = PersonKey.objects.filter(person=person).first()
    if row is None:
        raise VaultError("the person has no key")
    return _unwrap(row)


def destroy_key(person: Person) -> None:
    """From now on nothing reads what the person's key has locked; its file goes when the transaction is over."""
    PersonKey.objects.filter(person=person, destroyed_at=None).update(destroyed_at=Now())
    row = PersonKey.objects.filter(person=person).exclude(file="").first()
    if row is not None:
        transaction.on_commit(lambda: destroy_files([row.file]))


def destroy_files(names: list[str]) -> None:
    """Destroy files of keys. What fails now is tried again by :func:`finish_destroying`."""
    for name in names:
        try:
            if keys.destroy(name):
                PersonKey.objects.filter(file=name).update(file="")
        except OSError:
            log.exception("can't destroy a key yet: %s", name)


@receiver(post_delete, sender=PersonKey)
def _row_is_gone(instance: PersonKey, **_: Any) -> None:
    """With its row, as when a project is deleted, a key goes as well."""
    if instance.file:
        transaction.on_commit(lambda: destroy_files([instance.file]))


def finish_destroying() -> None:
    """Destroy the files of keys whose withdrawal was cut off before it came to that."""
    destroy_files(list(PersonKey.objects.exclude(destroyed_at=None).exclude(file="").values_list("file", flat=True)))


def _fresh(person: Person, gone: PersonKey | None) -> PersonKey:
    """Who agrees anew begins anew: what the destroyed key had locked stays locked. Of two made at once, one counts."""
    name = keys.write(_wrap(AESGCM.generate_key(256), person))
    if gone is None:
        row, _ = PersonKey.objects.get_or_create(person=person, defaults={"file": name})
    else:
        destroy_files([gone.file] if gone.file else [])
        dead = PersonKey.objects.filter(pk=gone.pk).exclude(destroyed_at=None)
        dead.update(file=name, destroyed_at=None)
        row = PersonKey.objects.get(pk=gone.pk)
    if row.file != name:
        keys.destroy(name)
    return row


def _wrap(key: bytes, person: Person) -> bytes:
    nonce = secrets.token_bytes(_WRAP_NONCE)
    return nonce + AESGCM(master_key()).encrypt(nonce, key, str(person.pk).encode())


def _unwrap(row: PersonKey) -> bytes:
    if row.destroyed_at is not None or not row.file:
        raise VaultError("the key was destroyed when the consent was withdrawn")
    try:
        wrapped = keys.read(row.file)
    except OSError as error:
        raise VaultError("the file of the person's key is not in CONSENT_KEYS_DIR") from error
    nonce, box = wrapped[:_WRAP_NONCE], wrapped[_WRAP_NONCE:]
    try:
        return AESGCM(master_key()).decrypt(nonce, box, str(row.person_id).encode())
    except (InvalidTag, ValueError) as error:
        raise VaultError("CONSENT_MASTER_KEY is not the key that this was kept with") from error


def seal(content: bytes, person: Person, about: str) -> bytes:
    """Return something small, encrypted under the person's key; ``about`` must be the same when it is read."""
    box = io.BytesIO()
    encrypt(io.BytesIO(content), box, key_for(person), about)
    return box.getvalue()


def unseal(sealed: bytes, person: Person, about: str) -> bytes:
    """Return what :func:`seal` was given. Raises :class:`VaultError`."""
    return b"".join(decrypted(io.BytesIO(sealed), key_of(person), about))


def encrypt(source: IO[bytes], target: IO[bytes], key: bytes, about: str) -> None:
    """Write all of ``source`` to ``target``, encrypted; ``about`` must be the same when it is read."""
    nonce = secrets.token_bytes(_NONCE)
    target.write(_MAGIC + nonce)
    box, number, piece = AESGCM(key), 0, source.read(_PIECE)
    while True:
        following = source.read(_PIECE)
        target.write(box.encrypt(_piece_nonce(nonce, number, not following), piece, about.encode()))
        if not following:
            return
        number, piece = number + 1, following


def decrypted(source: IO[bytes], key: bytes, about: str) -> Iterator[bytes]:
    """What was encrypted, piece by piece. Raises :class:`VaultError` at the first that is not as it was."""
    head = source.read(len(_MAGIC) + _NONCE)
    if head[: len(_MAGIC)] != _MAGIC:
        raise VaultError("this is no evidence that was kept here")
    nonce, box, number = head[len(_MAGIC) :], AESGCM(key), 0
    piece = source.read(_PIECE + _TAG)
    while True:
        following = source.read(_PIECE + _TAG)
        try:
            yield box.decrypt(_piece_nonce(nonce, number, not following), piece, about.encode())
        except InvalidTag as error:
            raise VaultError("the file was changed, or is not whole") from error
        if not following:
            return
        number, piece = number + 1, following


def _piece_nonce(nonce: bytes, number: int, last: bool) -> bytes:
    return nonce + number.to_bytes(4, "big") + bytes([last])
