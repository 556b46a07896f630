"""The signature, last of all marks: a C2PA manifest in the file (c2pa.org, specification 2)."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import c2pa

from faceengine import __version__, files
from faceengine.errors import InputError
from faceengine.files import disk_full, is_disk_full
from faceengine.provenance.credentials import Credentials
from faceengine.provenance.origin import Origin

GENERATOR = "Face-swap studio"
ASSERTION = "org.faceswap-studio.origin"
"""Label of our own assertion: the ids and hashes of :class:`Origin`."""
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
SETTINGS: dict[str, Any] = {
    "version": 1,
    # A file may name an address where its manifest is. Nobody is asked anything on a file's say-so.
    "core": {"allowed_network_hosts": []},
    "verify": {
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
        "verify_trust": True,
        "verify_after_sign": False,
    },
    # free and skip boxes are hashed like all others: what nobody reads is a place to hide a change.
    "builder": {"thumbnail": {"enabled": False}, "bmff_hash_exclude_free_and_skip_boxes": False},
}
_INGREDIENT_KINDS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".png": "image/png"}


def sign_video(unsigned: Path, path: Path, origin: Origin, credentials: Credentials, *, source: Path) -> None:
    """Sign the MP4 ``unsigned`` into ``path``, which appears when it is whole, and remove ``unsigned``.

    ``source`` is the video that it was made from. Raises :class:`InputError` ``sign.failed`` and ``disk.full``; then
    ``path`` is as it was.
    """
    part = files.partial(path)
    try:
        with unsigned.open("rb") as plain, part.open("w+b") as signed:
            _sign(plain, signed, "video/mp4", origin, credentials, source)
            signed.flush()
            os.fsync(signed.fileno())
        files.publish(part, path)
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(path) from error
        raise
    finally:
        part.unlink(missing_ok=True)
        unsigned.unlink(missing_ok=True)


def sign_bytes(picture: bytes, kind: str, origin: Origin, credentials: Credentials) -> bytes:
    """The picture, a file of MIME type ``kind``, signed. Raises :class:`InputError` ``sign.failed``."""
    signed = BytesIO()
    _sign(BytesIO(picture), signed, kind, origin, credentials, None)
    return signed.getvalue()


def _sign(
    plain: BinaryIO, signed: BinaryIO, kind: str, origin: Origin, credentials: Credentials, source: Path | None
) -> None:
    try:
        with (
            closing(c2pa.Context.from_dict(SETTINGS)) as context,
            closing(c2pa.Signer.from_info(_signer_info(credentials))) as signer,
            closing(c2pa.Builder(_manifest(origin, kind, made_of=source), context=context)) as builder,
        ):
            if source is not None:
                _add_source(builder, source)
            builder.sign(signer, kind, plain, signed)
    except c2pa.C2paError as error:
        words = str(error)
        if "No space left" in words or "File too large" in words or "quota" in words.lower():
            raise InputError("disk.full", f"the disk is full: the signed file can't be written ({words})") from error
        raise InputError("sign.failed", f"it can't be signed: {words}") from error


def _signer_info(credentials: Credentials) -> Any:
    return c2pa.C2paSignerInfo(credentials.algorithm, credentials.certificates, credentials.key, None)


def _manifest(origin: Origin, kind: str, made_of: Path | None) -> dict[str, Any]:
    # What has no parent that it could be an edit of was created; the standard refuses anything else as a beginning.
    edited = {
        "action": "c2pa.edited" if made_of else "c2pa.created",
        "digitalSourceType": SOURCE_TYPE,
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "softwareAgent": {"name": GENERATOR, "version": __version__},
    }
    return {
        "claim_generator_info": [{"name": GENERATOR, "version": __version__}],
        "title": "AI-modified video" if kind.startswith("video/") else "AI-modified picture",
        "format": kind,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [edited]}},
            {"label": ASSERTION, "data": origin.to_dict()},
        ],
    }


def _add_source(builder: Any, source: Path) -> None:
    """The video that the result was made from, with the history that it brings, if it brings any."""
    ingredient = {"title": "source video", "relationship": "parentOf", "label": "source"}
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}}
    kind = _INGREDIENT_KINDS.get(source.suffix.lower(), "")
    with source.open("rb") as file:
        builder.add_ingredient(ingredient, kind or "application/octet-stream", file if kind else BytesIO(b""))
    builder.add_action(opened)
