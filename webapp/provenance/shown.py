"""A verified file as the page shows it. All of it is a stranger's text."""

from __future__ import annotations

from typing import Any

from webapp.provenance import words


def shown(found: dict[str, Any], name: str) -> dict[str, Any]:
    """What the template needs; ``name`` is what the sender called the file."""
    grave, headline, meaning = words.VERDICTS[found["verdict"]]
    return {
        "name": name[:200],
        "size": found["size"],
        "kind": found["kind"],
        "grave": grave,
        "headline": headline,
        "meaning": meaning,
        "signature": _signature(found["signature"]),
        "trust": found["verdict"] in ("ours", "known"),
        "consents": [(one["id"], one["standing"], words.STANDINGS[one["standing"]]) for one in found["consents"]],
        "aigc": list((found["aigc"] or {}).items()),
    }


def _signature(signature: dict[str, Any] | None) -> dict[str, Any] | None:
    if signature is None:
        return None
    told = signature | {
        "actions": [
            (words.ACTIONS.get(name, name), words.SOURCES.get(kind, kind)) for name, kind in signature["actions"]
        ],
        "ingredients": [(title, words.RELATIONSHIPS.get(how, how)) for title, how in signature["ingredients"]],
    }
    origin = signature["origin"]
    listed = {name: value if isinstance(value, list) else [value] for name, value in origin.items()}
    return told | {"origin": {name: listed[name] for name in ("job", "source_sha256", "models") if name in listed}}
