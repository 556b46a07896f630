"""What a file's marks say, with what only this studio knows: whether the consents that it names still stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from faceengine.errors import InputError
from faceengine.provenance.inspect import inspect
from webapp import clients
from webapp.consent.models import Consent, Standing
from webapp.fair.limits import VERIFY
from webapp.fair.turns import BusyError
from webapp.provenance import signing
from webapp.provenance.errors import VerifyError


def verify(path: Path) -> dict[str, Any]:
    """The file's marks as :class:`faceengine.provenance.reading.Reading` has them, ``verdict``, and ``consents``.

    Raises :class:`VerifyError` ``verify.empty``, ``.unknown``, ``.boxes``, ``.gave_up``, ``.often`` and
    ``.busy``.
    """
    known = Path(settings.VERIFY_KNOWN) if settings.VERIFY_KNOWN else None
    try:
        with VERIFY.turn(clients.current()):
            reading = inspect(path, ours=signing.root(), known=known)
    except InputError as error:
        raise VerifyError(error.code) from error
    except BusyError as error:
        raise VerifyError(error.code, error.retry_after) from error
    return reading | {"verdict": verdict(reading), "consents": _consents(reading)}


def verdict(reading: dict[str, Any]) -> str:
    """In one word: ``ours``, ``known``, ``unknown`` (signed so, and not changed since), ``altered``, ``invalid``,
    ``damaged``, ``remote``, ``unsigned`` (it says itself that AI made it) or ``nothing``."""
    signature = reading["signature"]
    if signature is not None:
        return str(signature["trust"] if signature["state"] == "intact" else signature["state"])
    if reading["problem"]:
        return str(reading["problem"]).removeprefix("verify.")
    return "unsigned" if reading["aigc"] else "nothing"


def _consents(reading: dict[str, Any]) -> list[dict[str, str]]:
    """Where the consents stand that a file of ours names. No names: whoever asks may be anybody."""
    if verdict(reading) != "ours":
        return []
    named = [text for text in reading["signature"]["origin"].get("consents", []) if _is_id(text)]
    known = {str(consent.pk): _standing(consent) for consent in Consent.objects.filter(pk__in=named)}
    return [{"id": text, "standing": known.get(text, "gone")} for text in named]


def _standing(consent: Consent) -> str:
    """Where it stands; one whose project was deleted allows nothing any more, and is gone."""
    over = consent.person_id is None and consent.standing in (Standing.ASKED, Standing.WAITING, Standing.LIVE)
    return "gone" if over else str(consent.standing.value)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
