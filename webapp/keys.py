"""The form of the installation's keys. Needs no settings: they are checked with it."""

from __future__ import annotations

import base64

from django.core.exceptions import ImproperlyConfigured

_BYTES = 32


def decoded(text: str) -> bytes:
    """Return the 32 bytes of ``CONSENT_MASTER_KEY``. Raises ``ImproperlyConfigured`` for anything else."""
    hint = "`openssl rand -base64 32` makes one"
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ImproperlyConfigured(f"CONSENT_MASTER_KEY must be 32 bytes in base64; {hint}") from error
    if len(key) != _BYTES:
        raise ImproperlyConfigured(f"CONSENT_MASTER_KEY must be 32 bytes in base64, not {len(key)}; {hint}")
    return key
