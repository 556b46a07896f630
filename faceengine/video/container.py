"""Open a video that may come from a stranger, and decode its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import dropwhile
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.packet
import av.video.stream

from faceengine.errors import InputError

FORMATS = "mov,matroska,avi,mpegts"
CODECS = (
    "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,mpeg4,mjpeg,prores,"
    "aac,mp3,mp3float,opus,libopus,vorbis,flac,pcm_s16le"
)
READER = {"protocol_whitelist": "file", "format_whitelist": FORMATS, "codec_whitelist": CODECS}
MAX_PIXELS = 40_000_000
"""A larger photo or frame is refused: decoding one takes gigabytes."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.video.stream.VideoStream]]:
    """The container and its first real picture track."""
    if not path.is_file():
        raise InputError("video.missing", f"{path} is not there, or no file")
    if path.stat().st_size == 0:
        raise InputError("video.empty", f"{path} is empty")
    try:
        container = av.open(f"file:{path}", options=dict(READER))
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError("video.unreadable", f"{path} can't be read as a video: {_words(error)}") from error
    try:
        yield container, _picture_track(container, path)
    finally:
        container.close()


def _picture_track(container: av.container.InputContainer, path: Path) -> av.video.stream.VideoStream:
    cover = av.stream.Disposition.attached_pic
    stream = next((track for track in container.streams.video if not track.disposition & cover), None)
    if stream is None:
        raise InputError("video.no_frames", f"{path} has no picture track")
    codec = stream.codec_context.name if stream.codec_context else "an unknown one"
    if codec not in CODECS.split(","):
        raise InputError("video.unreadable", f"{path}: its codec ({codec}) is not among those accepted")
    if stream.width * stream.height > MAX_PIXELS:
        raise InputError("video.too_large", f"{path} has frames of {stream.width}×{stream.height} pixels")
    stream.thread_type = "AUTO"
    return stream


def decode(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, *, from_key: bool = False
) -> Iterator[av.video.frame.VideoFrame]:
    """Every picture that can be decoded, to the end or to where the file is cut off.

    ``from_key`` passes over what is stored before the next key frame: decoders make garbage of it after a seek.
    """
    packets: Iterator[av.packet.Packet[Any]] = container.demux(stream)
    if from_key:
        packets = dropwhile(lambda packet: not packet.is_keyframe, packets)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            continue


def _words(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)
