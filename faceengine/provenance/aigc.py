"""The metadata of GB 45438-2025: a JSON object called AIGC, in videos a key of ``moov/udta/meta``, in pictures XMP."""

from __future__ import annotations

import json
import struct
import zlib
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import av.error

from faceengine.provenance.origin import Origin
from faceengine.video.container import READER

KEY = "AIGC"
NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
LONGEST = 64 << 10
"""Bytes of metadata that are read of a stranger's file."""


def aigc(origin: Origin, producer: str) -> str:
    """The JSON for something that ``producer`` made: ``Label`` "1" says that it is made or changed by AI."""
    values = {
        "Label": "1",
        "ContentProducer": producer,
        "ProduceID": origin.job,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def xmp(text: str) -> bytes:
    """An XMP packet with the JSON ``text`` as ``TC260:AIGC``."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
        f'<rdf:Description rdf:about="" xmlns:TC260="{NAMESPACE}" TC260:AIGC="{escape(text)}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def with_xmp(picture: bytes, packet: bytes) -> bytes:
    """The PNG or JPEG file ``picture`` with an XMP packet, its pixels as they are stored."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        data = _XMP_KEYWORD + b"\0\0\0\0\0" + packet
        chunk = struct.pack(">I", len(data)) + b"iTXt" + data + struct.pack(">I", zlib.crc32(b"iTXt" + data))
        return picture[:33] + chunk + picture[33:]  # after the signature and IHDR
    if picture.startswith(b"\xff\xd8"):
        body = _XMP_HEADER + packet
        segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
        start = 2
        if picture[2:4] == b"\xff\xe0":  # JFIF's own segment must stay the first
            start += 2 + struct.unpack(">H", picture[4:6])[0]
        return picture[:start] + segment + picture[start:]
    raise ValueError("only PNG and JPEG files are given metadata without being encoded again")


# ---- reading ---------------------------------------------------------------------------------------------------------


def read_video(path: Path) -> dict[str, Any] | None:
    """The AIGC object of a video, ``None`` without one that can be read. For any container that ffmpeg reads."""
    try:
        with av.open(f"file:{path}", options=dict(READER)) as container:
            tags = {name.upper(): value for name, value in container.metadata.items()}
    except (av.error.FFmpegError, ValueError, OSError):
        return None
    return _object(tags.get(KEY, ""))


def read_picture(path: Path) -> dict[str, Any] | None:
    """The AIGC object of a PNG, JPEG or WebP file, ``None`` without one that can be read. Decodes no pixel."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
            packet = picture.info.get("xmp") or picture.info.get(_XMP_KEYWORD.decode()) or b""
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
        return None
    return from_xmp(packet.encode() if isinstance(packet, str) else packet)


def from_xmp(packet: bytes) -> dict[str, Any] | None:
    """The AIGC object of an XMP packet, as an attribute or an element of a description."""
    if not packet or len(packet) > LONGEST or b"<!" in packet:  # a packet has no doctype, and so no entities
        return None
    try:
        tree = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except ElementTree.ParseError:
        return None
    name = f"{{{NAMESPACE}}}{KEY}"
    for node in tree.iter():
        found = node.get(name) or (node.text if node.tag == name else None)
        if found:
            return _object(found)
    return None


def _object(text: str) -> dict[str, Any] | None:
    if not text or len(text) > LONGEST:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
