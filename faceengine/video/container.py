"""Open a video that may come from a stranger, and decode its pictures."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, dropwhile
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.audio.stream
import av.container
import av.error
import av.packet
import av.stream
import av.video.frame
import av.video.stream

from faceengine.errors import InputError

Packet: TypeAlias = "av.packet.Packet[Any]"

FORMATS = "mov,matroska,avi,mpegts"
PICTURE_CODECS = "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,mpeg4,mjpeg,prores"
_PCM = (
    *("s8", "u8", "alaw", "mulaw", "bluray", "dvd"),
    *(
        f"{kind}{ending}"
        for kind in ("s16", "s24", "s32", "u16", "u24", "u32", "f32", "f64")
        for ending in ("le", "be")
    ),
)
SOUND_CODECS = ",".join(
    (
        *(f"pcm_{kind}" for kind in _PCM),
        *("pcm_s16le_planar", "pcm_s16be_planar", "pcm_s24le_planar", "pcm_s32le_planar", "s302m"),
        *("aac", "aac_latm", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "opus", "libopus", "vorbis"),
        *("flac", "alac", "ac3", "eac3", "dca", "truehd", "mlp", "wavpack", "tta", "wmav1", "wmav2", "wmapro"),
        *("amrnb", "amrwb", "gsm", "gsm_ms", "speex", "libspeex", "qcelp", "qdm2", "mace3", "mace6"),
        *("adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "adpcm_swf", "adpcm_yamaha", "adpcm_g726"),
    )
)
"""What cameras, phones, recorders and editing programs write. Other sound is left out; its video is still read."""
CODECS = f"{PICTURE_CODECS},{SOUND_CODECS}"
READER = {"protocol_whitelist": "file", "format_whitelist": FORMATS, "codec_whitelist": CODECS}
MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""What a MOV or MP4 file may begin with."""
MAX_PIXELS = 40_000_000
"""A larger photo or frame is refused: decoding one takes gigabytes."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.video.stream.VideoStream]]:
    """The container and its first real picture track."""
    if not path.is_file():
        raise InputError("video.missing", f"{path} is not there, or no file")
    if path.stat().st_size == 0:
        raise InputError("video.empty", f"{path} is empty")
    with _address(path) as address:
        try:
            container = av.open(address, options=dict(READER))
        except (av.error.FFmpegError, ValueError) as error:
            raise InputError("video.unreadable", f"{path} can't be read as a video: {_words(error)}") from error
        try:
            yield container, _picture_track(container, path)
        finally:
            container.close()


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """The name that FFmpeg opens ``path`` by. PyAV takes UTF-8 only, so other names are opened by number."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        number = os.open(path, os.O_RDONLY)
        try:
            yield f"file:/dev/fd/{number}"
        finally:
            os.close(number)
    else:
        yield f"file:{path}"


def _picture_track(container: av.container.InputContainer, path: Path) -> av.video.stream.VideoStream:
    stream = next(iter(picture_tracks(container)), None)
    if stream is None:
        raise InputError("video.no_frames", f"{path} has no picture track")
    codec = codec_of(stream) or "an unknown one"
    if codec not in PICTURE_CODECS.split(","):
        raise InputError("video.unreadable", f"{path}: its codec ({codec}) is not among those accepted")
    if stream.width * stream.height > MAX_PIXELS:
        raise InputError("video.too_large", f"{path} has frames of {stream.width}×{stream.height} pixels")
    stream.thread_type = "AUTO"
    return stream


def refuse_joined(path: Path) -> None:
    """Raise :class:`InputError` ``video.joined`` for an MP4 with another one behind it, of which no reader would see.

    MPEG-TS and Matroska can be joined in this way; MP4 has one index at one place.
    """
    size, at, indexes = path.stat().st_size, 0, 0
    with path.open("rb") as file:
        while at + 8 <= size and indexes < 2:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = int.from_bytes(file.read(8))
            if at == 0 and kind not in MOV_BOXES:
                return
            indexes += kind == b"moov"
            if length < 8:
                return
            at += length
    if indexes > 1:
        raise InputError("video.joined", f"{path} is several MP4 files in one: send them one by one")


def picture_tracks(container: av.container.InputContainer) -> list[av.video.stream.VideoStream]:
    """The tracks of moving pictures: without covers and thumbnails."""
    still = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return [track for track in container.streams.video if not track.disposition & still]


def sound_track(container: av.container.InputContainer) -> av.audio.stream.AudioStream | None:
    """The sound track to take, of those that can be decoded: the one marked as default, else the first."""
    known = [track for track in container.streams.audio if codec_of(track) in SOUND_CODECS.split(",")]
    known.sort(key=lambda track: not track.disposition & av.stream.Disposition.default)
    return next(iter(known), None)


def codec_of(track: av.stream.Stream) -> str:
    """The name of a track's decoder; empty if FFmpeg knows none."""
    context = track.codec_context
    return context.name if context else ""


def decoder_of(track: av.video.stream.VideoStream) -> str:
    """The decoder to ask for by name; empty for the usual one.

    FFmpeg's own decoders of VP8 and VP9 pass over alpha, and would show what it erases.
    """
    translucent = track.metadata.get("alpha_mode", track.metadata.get("ALPHA_MODE")) == "1"
    return {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(codec_of(track), "") if translucent else ""


def demux(container: av.container.InputContainer, *tracks: Any) -> Iterator[Packet]:
    """The packets of ``tracks`` to the end or to where the file is cut off, and at the end an empty one of each."""
    packets = container.demux(*tracks)
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.error.FFmpegError):
            return


def decode(
    packets: Iterator[Packet], stream: av.video.stream.VideoStream, *, from_key: bool = False
) -> Iterator[av.video.frame.VideoFrame]:
    """Every picture that can be decoded of the packets of ``stream``, which are taken as they are needed.

    ``from_key`` passes over what is stored before the next key frame: decoders make garbage of it after a seek.
    """
    if from_key:
        packets = dropwhile(lambda packet: not packet.is_keyframe, packets)
    decoder = _decoder(stream)
    # An empty packet within an AVI repeats the last picture; to a decoder it would be the end.
    for packet in chain((packet for packet in packets if packet.size), (None,)):
        try:
            for frame in decoder.decode(packet):
                frame.time_base = stream.time_base
                yield frame
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            continue


def _decoder(stream: av.video.stream.VideoStream) -> Any:
    name = decoder_of(stream)
    if not name:
        return stream.codec_context
    decoder = av.CodecContext.create(name, "r")
    decoder.extradata = stream.codec_context.extradata
    return decoder


def _words(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)
