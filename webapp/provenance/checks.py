"""``manage.py check``: names why nothing could be signed, before a conversion finds out."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from faceengine.errors import InputError
from webapp.provenance import signing


@register
def credentials(**_: Any) -> list[CheckMessage]:
    """The chain and the key, read as a conversion reads them."""
    try:
        signing.credentials()
    except (InputError, OSError) as error:
        hint = "manage.py make_signing_chain FOLDER makes a private chain; see docs/running.md"
        return [Error(f"nothing can be signed: {error}", hint=hint, id="provenance.E001")]
    return []
