"""Videos, and texts that pretend to be videos."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

Make = Callable[[Path, str], Path]
"""``make(folder, address)`` writes a file there; ``address`` is a server that nobody must ask."""

PICTURE = "testsrc2=size=96x64:rate=25:duration=1"
TONE = "sine=frequency=440:duration=1"


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg with these arguments."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)


def encoded(name: str, *output: str, picture: str = PICTURE, sound: bool = False) -> Make:
    """A video of a test picture, made with ffmpeg's ``output`` options."""

    def make(folder: Path, _address: str) -> Path:
        sounds = ["-f", "lavfi", "-i", TONE] if sound else []
        ffmpeg("-f", "lavfi", "-i", picture, *sounds, *output, str(folder / name))
        return folder / name

    return make


def text(name: str, words: str) -> Make:
    """A text file; ``{folder}`` and ``{address}`` in it are filled in."""

    def make(folder: Path, address: str) -> Path:
        (folder / name).write_text(words.format(folder=folder, address=address))
        return folder / name

    return make


def data(name: str, content: bytes) -> Make:
    """A file of these bytes."""

    def make(folder: Path, _address: str) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def plain(folder: Path, name: str = "plain.mp4", *output: str) -> Path:
    """A sound, ordinary video: what hostile ones are made from."""
    return encoded(name, "-pix_fmt", "yuv420p", *output, sound=True)(folder, "")


def without_index(folder: Path, _address: str) -> Path:
    """An MP4 cut before its moov, which stands at the end."""
    path = plain(folder)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"moov") - 4])
    return path


def truncated(folder: Path, _address: str) -> Path:
    """An MP4 whose index is whole and whose pictures are not."""
    path = plain(folder, "plain.mp4", "-movflags", "+faststart", "-g", "5")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


def no_frames(folder: Path, _address: str) -> Path:
    """An MP4 with a picture track of nothing."""
    path = folder / "none.mp4"
    source = plain(folder, "source.mp4")
    ffmpeg("-i", str(source), "-map", "0:v", "-frames:v", "0", "-c", "copy", str(path))
    source.unlink()
    return path


def cover_only(folder: Path, _address: str) -> Path:
    """Sound with a cover picture, as music is sold."""
    cover, path = folder / "cover.jpg", folder / "song.mp4"
    ffmpeg("-f", "lavfi", "-i", PICTURE, "-frames:v", "1", str(cover))
    arguments = ["-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    ffmpeg("-f", "lavfi", "-i", TONE, "-i", str(cover), *arguments, str(path))
    cover.unlink()
    return path


def stamped(name: str, times: list[float], *, width: int = 96, height: int = 64) -> Make:
    """A video whose frames are shown at ``times`` seconds."""

    def make(folder: Path, _address: str) -> Path:
        with av.open(str(folder / name), "w") as made:
            stream = made.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            for number, time in enumerate(times):
                frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), number * 9 % 256, np.uint8), "rgb24")
                frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
                made.mux(stream.encode(frame))
            made.mux(stream.encode(None))
        return folder / name

    return make


def joined(folder: Path, _address: str) -> Path:
    """Two MP4 files, one behind the other: readers see the first alone."""
    path = plain(folder)
    path.write_bytes(path.read_bytes() * 2)
    return path


def neighbour(folder: Path, words: str) -> Path:
    """A play list named .mp4 with a real video beside it that it names."""
    plain(folder, "neighbour.mp4")
    path = folder / "list.mp4"
    path.write_text(words)
    return path


def concat_neighbour(folder: Path, _address: str) -> Path:
    return neighbour(folder, "ffconcat version 1.0\nfile neighbour.mp4\n")


def concat_absolute(folder: Path, _address: str) -> Path:
    return neighbour(folder, f"ffconcat version 1.0\nfile '{folder / 'neighbour.mp4'}'\n")


def gab2(folder: Path, address: str) -> Path:
    """An AVI whose subtitle track is a play list that names an address."""
    path = folder / "gab2.avi"
    ffmpeg("-f", "lavfi", "-i", PICTURE, "-c:v", "mpeg4", str(path))
    playlist = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\n{address}/gab2\n#EXT-X-ENDLIST\n".encode()
    text_header = b"GAB2\x00\x02\x00" + struct.pack("<I", 0) + struct.pack("<HI", 4, len(playlist)) + playlist
    header = b"txts\x00\x00\x00\x00" + struct.pack("<10I", 0, 0, 0, 1, 1, 0, 1, 0, 0, 0) + bytes(8)
    track = _list(b"strl", _chunk(b"strh", header) + _chunk(b"strf", b""))
    content = path.read_bytes()
    grown = content.replace(b"00dc", _chunk(b"01tx", text_header) + b"00dc", 1)
    end = grown.index(b"movi") - 8
    path.write_bytes(grown[:end] + track + grown[end:])
    return path


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _list(name: bytes, content: bytes) -> bytes:
    return b"LIST" + struct.pack("<I", len(content) + 4) + name + content


def size_changes(folder: Path, _address: str) -> Path:
    """A transport stream whose pictures become larger half-way."""
    path = folder / "changes.ts"
    with path.open("wb") as whole:
        for number, size in enumerate(("96x64", "160x120")):
            part = folder / f"{number}.ts"
            offset = ["-output_ts_offset", str(number)]
            ffmpeg(
                "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=1", "-c:v", "libx264", *offset, str(part)
            )
            whole.write(part.read_bytes())
            part.unlink()
    return path


def two_pictures(folder: Path, _address: str) -> Path:
    """Two picture tracks of different sizes."""
    path = folder / "two.mp4"
    second = "testsrc2=size=160x120:rate=25:duration=1"
    maps = ["-map", "0", "-map", "1", "-pix_fmt", "yuv420p"]
    ffmpeg("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", second, *maps, str(path))
    return path


def many_tracks(folder: Path, _address: str) -> Path:
    """One picture track and nineteen of sound."""
    path = folder / "many.mp4"
    maps = ["-map", "0", *(["-map", "1"] * 19)]
    ffmpeg("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", TONE, *maps, "-pix_fmt", "yuv420p", str(path))
    return path


def edit_list(folder: Path, _address: str) -> Path:
    """Cut without encoding: an edit list hides what is before the cut, and the sound begins elsewhere."""
    source, path = plain(folder, "source.mp4", "-g", "25"), folder / "edited.mp4"
    ffmpeg("-ss", "0.3", "-i", str(source), "-c", "copy", str(path))
    source.unlink()
    return path


def rotated(folder: Path, _address: str) -> Path:
    """Stored lying, to be shown upright, as telephones do."""
    source, path = plain(folder, "source.mp4"), folder / "rotated.mp4"
    ffmpeg("-display_rotation", "90", "-i", str(source), "-c", "copy", str(path))
    source.unlink()
    return path


def lying_header(folder: Path, _address: str) -> Path:
    """A small video that claims frames of 16000×16000 in its track's header."""
    path = plain(folder)
    content = path.read_bytes()
    at = content.index(b"avc1", content.index(b"stsd")) + 4 + 24
    path.write_bytes(content[:at] + struct.pack(">HH", 16000, 16000) + content[at + 4 :])
    return path


def huge(folder: Path, _address: str) -> Path:
    """One frame that really has 16000×16000 pixels, in less than a megabyte."""
    path = folder / "huge.mp4"
    path.write_bytes(_huge())
    return path


@cache
def _huge() -> bytes:
    """Made once: x264 takes seconds and 1.5 GB for it."""
    thrifty = "sliced-threads=0:lookahead-threads=1:rc-lookahead=0:sync-lookahead=0:bframes=0"
    output = ("-frames:v", "1", "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-x264-params", thrifty)
    with tempfile.TemporaryDirectory() as folder:
        make = encoded("huge.mp4", *output, "-pix_fmt", "yuv420p", picture="color=size=16000x16000:rate=1")
        return make(Path(folder), "").read_bytes()


def claims_huge(folder: Path, _address: str) -> Path:
    """A small video whose every header claims 16000×16000, that of its codec too: what a decoder goes by."""
    small, stream, path = plain(folder), folder / "small.h264", folder / "claims.mp4"
    ffmpeg("-i", str(small), "-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", str(stream))
    units = stream.read_bytes().split(b"\0\0\1")
    forged = [_huge_sps() if unit and unit[0] & 31 == 7 else unit for unit in units]
    stream.write_bytes(b"\0\0\1".join(forged))
    ffmpeg("-r", "25", "-i", str(stream), "-c", "copy", str(path))
    small.unlink()
    stream.unlink()
    return path


def _huge_sps() -> bytes:
    """A sequence parameter set of H.264 (7.3.2.1.1) for 1000×1000 macroblocks, baseline, level 6.2."""

    def golomb(number: int) -> str:
        return f"{number + 1:b}".rjust(2 * (number + 1).bit_length() - 1, "0")

    numbers = [0, 0, 2, 1]  # its id, the frame number's bits, the order of pictures, the frames referred to
    bits = "".join(map(golomb, numbers)) + "0" + golomb(999) + golomb(999) + "11" + "0" + "0" + "1"
    bits = bits.ljust(-len(bits) // 8 * -8, "0")
    return bytes([0x67, 66, 0xC0, 62]) + int(bits, 2).to_bytes(len(bits) // 8, "big")


def random_bytes(name: str, head: bytes = b"") -> Make:
    """Noise, the same every time."""
    return data(name, head + np.random.default_rng(7).bytes(200_000))
