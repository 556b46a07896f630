"""What a file's marks say: ours, or those of anybody who signs by C2PA. Reads strangers' files: see ``inspect.py``."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import c2pa

from faceengine.boxes import TooManyBoxesError, check_boxes
from faceengine.errors import InputError
from faceengine.provenance import aigc
from faceengine.provenance.kinds import kind_of_file
from faceengine.provenance.signing import ASSERTION, SETTINGS

_CREDENTIAL = "signingCredential."
_EXPIRED = ("signingCredential.expired", "claimSignature.outsideValidity")
MANY = 100
"""Ingredients, actions and findings that are told at most."""
LONGEST = 300
"""Characters of any text that a file says."""


@dataclass(frozen=True)
class Signature:
    """Who signed, and whether that holds."""

    trust: str
    """``ours``, ``known`` (on this installation's list of signers) or ``unknown``."""
    state: str
    """``intact``; ``altered``: the file is not as it was signed; ``invalid``: the certificate doesn't hold."""
    signer: str
    organisation: str
    generator: str
    title: str
    when: str
    """As the signer's own clock said; empty if it said nothing."""
    actions: tuple[tuple[str, str], ...]
    """Each action, and the kind of digital source it names, the last part of its address."""
    ingredients: tuple[tuple[str, str], ...]
    """Title and relationship."""
    origin: dict[str, Any]
    """Our own assertion, empty in others' files."""
    findings: tuple[str, ...]
    """Codes of C2PA for what is wrong."""


@dataclass(frozen=True)
class Reading:
    """All that a file says of itself."""

    kind: str
    """MIME type by its first bytes."""
    size: int
    signature: Signature | None
    problem: str = ""
    """``verify.damaged``: there is a manifest that can't be read; ``verify.remote``: it only names an address."""
    aigc: dict[str, Any] | None = field(default=None)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def read(path: Path, *, ours: str = "", known: str = "") -> Reading:
    """Read the marks of a file. ``ours`` and ``known`` are PEM certificates of the roots that are trusted.

    Raises :class:`InputError` ``verify.empty`` and ``verify.unknown`` for what is no video or picture, and
    ``verify.boxes`` for a video with more boxes than any real one.
    """
    kind = kind_of_file(path)
    try:
        check_boxes(path)
    except TooManyBoxesError as error:
        raise InputError("verify.boxes", "it has more boxes or tracks than any real video") from error
    found = aigc.read_picture(path) if kind.startswith("image/") else aigc.read_video(path)
    signature, problem = _signature(path, kind, ours, known)
    return Reading(kind, path.stat().st_size, signature, problem, _short(found) if found else None)


def _signature(path: Path, kind: str, ours: str, known: str) -> tuple[Signature | None, str]:
    trust: dict[str, Any] = {"verify_trust_list": True}
    trust |= {"user_anchors": ours} if ours else {}
    trust |= {"trust_anchors": known} if known else {}
    try:
        with closing(c2pa.Context.from_dict(SETTINGS | {"trust": trust})) as context, path.open("rb") as file:
            reader = c2pa.Reader(kind, file, context=context)
            with closing(reader):
                embedded = reader.is_embedded()
                store = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return None, ""
    except c2pa.C2paError.NotSupported:
        return None, ""
    except c2pa.C2paError as error:
        return None, "verify.remote" if "remote" in str(error).lower() else "verify.damaged"
    if not embedded:
        return None, "verify.remote"
    return _told(store), ""


def _told(store: dict[str, Any]) -> Signature:
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = [str(one.get("code", "")) for one in results.get("failure", [])]
    failures += [
        str(one.get("code", ""))
        for delta in store.get("validation_results", {}).get("ingredientDeltas", [])
        for one in delta.get("validationDeltas", {}).get("failure", [])
        if not str(one.get("code", "")).startswith(_CREDENTIAL)
    ]
    assertions = {one.get("label", "").split("__")[0]: one.get("data", {}) for one in manifest.get("assertions", [])}
    actions = _actions(assertions)
    signed = manifest.get("signature_info", {})
    generator = (manifest.get("claim_generator_info") or [{}])[0].get("name") or manifest.get("claim_generator", "")
    origin = assertions.get(ASSERTION)
    return Signature(
        trust=_trust(results),
        state=_state(failures),
        signer=_text(signed.get("common_name")),
        organisation=_text(signed.get("issuer")),
        generator=_text(generator),
        title=_text(manifest.get("title")),
        when=_text(signed.get("time") or next((one["when"] for one in actions if one.get("when")), "")),
        actions=tuple(
            (_text(one.get("action")), _text(str(one.get("digitalSourceType") or "").rsplit("/", 1)[-1]))
            for one in actions
        ),
        ingredients=tuple(
            (_text(one.get("title")), _text(one.get("relationship")))
            for one in (manifest.get("ingredients") or [])[:MANY]
        ),
        origin=_short(origin) if isinstance(origin, dict) else {},
        findings=tuple(code for code in failures if code != "signingCredential.untrusted")[:MANY],
    )


def _actions(assertions: dict[str, Any]) -> list[dict[str, Any]]:
    data = assertions.get("c2pa.actions.v2") or assertions.get("c2pa.actions") or {}
    found = data.get("actions", []) if isinstance(data, dict) else []
    return [one for one in found if isinstance(one, dict)][:MANY]


def _trust(results: dict[str, Any]) -> str:
    """The library says in words which of the two lists the signer's root is on."""
    for one in results.get("success", []):
        if one.get("code") == "signingCredential.trusted":
            return "ours" if "user_anchors" in str(one.get("explanation")) else "known"
    return "unknown"


def _state(failures: list[str]) -> str:
    wrong = [code for code in failures if code != "signingCredential.untrusted"]
    if not wrong:
        return "intact"
    return "invalid" if all(code.startswith(_CREDENTIAL) or code in _EXPIRED for code in wrong) else "altered"


def _short(value: dict[str, Any]) -> dict[str, Any]:
    """The plain values of a stranger's object, cut to a length that can be shown."""
    made: dict[str, Any] = {}
    for name, one in list(value.items())[:20]:
        made[_text(name)] = [_text(item) for item in one[:MANY]] if isinstance(one, list) else _text(one)
    return made


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:LONGEST]
