"""Pictures: bombs, disguises, and honest ones of unusual kinds."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin

from tests.hostile.videos import Make, data

SIDE = (80, 60)
pillow_heif.register_heif_opener()
_GPS, _ORIENTATION, _CAMERA = 0x8825, 0x0112, 0x0110


def picture(mode: str = "RGB", size: tuple[int, int] = SIDE) -> Image.Image:
    """A gradient: red to the right, green downwards."""
    x, y = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], axis=-1).astype(np.uint8)).convert(mode)


def saved(name: str, kind: str, mode: str = "RGB", **options: Any) -> Make:
    """The gradient in some format."""

    def make(folder: Path, _address: str) -> Path:
        picture(mode).save(folder / name, kind, **options)
        return folder / name

    return make


def png(width: int, height: int, depth: int, colour: int, *, rows: bool, extra: bytes = b"") -> bytes:
    """A PNG of nothing but zeros, compressed as they compress; without ``rows``, hardly any of them."""
    channels = {0: 1, 2: 3}[colour]
    line = 1 + (width * channels * depth + 7) // 8
    squeeze = zlib.compressobj(9)
    body = b"".join(squeeze.compress(bytes(line)) for _ in range(height if rows else 1)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + extra + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def one_bit_bomb(folder: Path, _address: str) -> Path:
    """400 million pixels in 50 kilobytes."""
    return data("bomb.png", png(20000, 20000, 1, 0, rows=True))(folder, "")


def colour_bomb(folder: Path, _address: str) -> Path:
    return data("bomb.png", png(13300, 13300, 8, 2, rows=False))(folder, "")


def header_bomb(folder: Path, _address: str) -> Path:
    """As many pixels as a header can name."""
    header = struct.pack(">IIBBBBB", 0x7FFFFFFF, 0x7FFFFFFF, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(100))) + _chunk(b"IEND", b"")
    return data("bomb.png", b"\x89PNG\r\n\x1a\n" + body)(folder, "")


def text_bomb(folder: Path, _address: str) -> Path:
    """64 MB of text in a few kilobytes, before the pixels."""
    extra = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 << 20), 9))
    return data("text.png", png(80, 60, 8, 2, rows=True, extra=extra))(folder, "")


def profile_bomb(folder: Path, _address: str) -> Path:
    """64 MB of colour profile in a few kilobytes."""
    extra = _chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(64 << 20), 9))
    return data("profile.png", png(80, 60, 8, 2, rows=True, extra=extra))(folder, "")


def heic_bomb(folder: Path, _address: str) -> Path:
    """A small HEIC whose header claims 64 million pixels."""
    path = saved("bomb.heic", "HEIF")(folder, "")
    content = path.read_bytes()
    at = content.index(b"ispe") + 8
    path.write_bytes(content[:at] + struct.pack(">II", 8000, 8000) + content[at + 8 :])
    return path


def animated(folder: Path, _address: str) -> Path:
    """A PNG of very many frames: only the first is a photo."""
    frames = [Image.new("RGB", SIDE, (number % 256, 0, number // 256)) for number in range(10_000)]
    frames[0].save(folder / "many.png", save_all=True, append_images=frames[1:])
    return folder / "many.png"


def polyglot(folder: Path, _address: str) -> Path:
    """A JPEG that is a ZIP as well."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("../../outside.txt", "stolen")
    path = saved("polyglot.jpg", "JPEG")(folder, "")
    path.write_bytes(path.read_bytes() + archive.getvalue())
    return path


def zip_slip(folder: Path, _address: str) -> Path:
    with zipfile.ZipFile(folder / "slip.zip", "w") as made:
        made.writestr("../../outside.txt", "stolen")
    return folder / "slip.zip"


def giant_stride(folder: Path, _address: str) -> Path:
    """A file of weights that is small, and whose one tensor is not: it repeats a single number by a stride of 0."""
    import torch

    torch.save({"weight": torch.zeros(1).expand(1 << 40)}, folder / "giant.pt")
    assert (folder / "giant.pt").stat().st_size < 10_000
    return folder / "giant.pt"


def turned(folder: Path, _address: str) -> Path:
    """EXIF says that it is to be shown turned, where and with what it was taken."""
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    exif[_CAMERA] = "Spy 3000"
    exif[_GPS] = {1: "N", 2: (48.0, 8.0, 14.0)}
    picture().save(folder / "turned.jpg", "JPEG", exif=exif, quality=95)
    return folder / "turned.jpg"


def sixteen_bits(folder: Path, _address: str) -> Path:
    ramp = np.linspace(0, 65535, SIDE[0] * SIDE[1]).reshape(SIDE[::-1]).astype(np.uint16)
    Image.fromarray(ramp).save(folder / "deep.png")
    return folder / "deep.png"


def told(folder: Path, address: str) -> Path:
    """A picture whose text names an address to fetch more from."""
    words = PngImagePlugin.PngInfo()
    words.add_itxt("XML:com.adobe.xmp", f'<x:xmpmeta xmlns:dcterms="x" dcterms:provenance="{address}/manifest"/>')
    picture().save(folder / "told.png", pnginfo=words)
    return folder / "told.png"
