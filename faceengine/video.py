"""Videos and photos in, videos out: the only place where the engine touches a codec.

Everything read here may come from a stranger. Only local files are opened, and only the containers and codecs named
below: a text file called ``.mp4`` can otherwise make a reader fetch its neighbour or an address. Size limits are
checked against the header, before anything is decoded.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import av.container
import av.error
import av.video.stream
import cv2
import ffmpeg
import imageio_ffmpeg
import numpy as np
from av.video.reformatter import Interpolation
from PIL import Image as Pillow
from PIL import ImageOps

from faceengine import files
from faceengine.errors import InputError
from faceengine.geometry import Image

FORMATS = "mov,matroska,avi,mpegts"
CODECS = (
    "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,mpeg4,mjpeg,prores,"
    "aac,mp3,mp3float,opus,libopus,vorbis,flac,pcm_s16le"
)
_READER = {"protocol_whitelist": "file", "format_whitelist": FORMATS, "codec_whitelist": CODECS}

PHOTO_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
MAX_PIXELS = 40_000_000
"""A larger photo or frame is refused: decoding one takes gigabytes."""

_MP4_SOUND = frozenset({"aac", "mp3", "mp3float", "opus", "libopus", "flac"})
_MAX_GAP = 30.0
_STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in [(24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1)]
)
_BT709, _UNTAGGED, _BT601 = 1, 2, 5
_LIKE_601 = (_UNTAGGED, _BT601, 6)
_FULL_RANGE = 2
_WRITE_FLAGS = "bilinear+accurate_rnd+full_chroma_int"
# Without the last two flags swscale is five times as fast and a grey level too dark: a shift that adds up.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video before reading it through."""

    width: int
    """As displayed: after rotation, with square pixels."""
    height: int
    fps: Fraction
    """The steady rate; for a video of variable rate the usual one, to which ``constant_rate`` resamples."""
    frames: int
    """What the header promises, else what its packets come to. A cut-off video yields fewer."""
    duration: float
    """Seconds."""
    has_audio: bool
    rotation: int
    """Degrees counter-clockwise by which the stored picture is turned for display: 0, 90, 180 or 270."""
    variable_rate: bool


@dataclass(frozen=True)
class Frame:
    """One picture of a video, ready to look at."""

    index: int
    """Its number from 0: of the stored frames, or of the resampled ones with ``constant_rate``."""
    time: float
    """Seconds from the start of the file, on the clock that its sound runs by."""
    image: Image
    """``(H, W, 3)`` uint8 RGB, upright."""


def probe(path: Path) -> VideoInfo:
    """Look at a video: its first picture is decoded, its packets are counted, nothing more.

    Raises :class:`InputError` ``video.missing``, ``video.empty``, ``video.unreadable``, ``video.no_frames`` or
    ``video.too_large``.
    """
    with _opened(path) as (container, stream):
        first = next(_decode(container, stream), None)
        if first is None:
            raise InputError("video.no_frames", f"{path} has no picture that can be decoded")
        width, height = _displayed_size(stream, first)
        rotation = _rotation(first)
        has_audio = bool(container.streams.audio)
    with _opened(path) as (container, stream):
        times = _packet_times(container, stream)
        fps, variable = _rate(stream, times)
        frames = stream.frames or len(times)
        duration = container.duration / 1e6 if container.duration else frames / float(fps)
    return VideoInfo(width, height, fps, frames, duration, has_audio, rotation, variable)


def read_frames(path: Path, *, start: int = 0, every: int = 1, constant_rate: bool = False) -> Iterator[Frame]:
    """Stream the frames ``start, start + every, …`` of a video, upright, one in memory at a time.

    With ``constant_rate`` a video of variable rate is resampled to ``probe(path).fps`` by repeating and dropping
    frames, so that frame ``i`` is what is seen at ``i / fps`` seconds: written at that rate it stays with its sound.

    A damaged picture in the middle is skipped. A video that is cut off gives the frames that are whole and ends; that
    it ended early shows as fewer frames than ``probe(path).frames``. Only when not one frame is whole is it an error:
    :class:`InputError` ``video.truncated``; besides, all those of :func:`probe`.
    """
    frames = _constant(path, probe(path).fps) if constant_rate else _stored(path)
    for index, time, picture in frames:
        if index >= start and (index - start) % every == 0:
            yield Frame(index, time, picture())


def read_photo(path: Path) -> Image:
    """A photo as ``(H, W, 3)`` uint8 RGB, turned upright by its EXIF orientation.

    Raises :class:`InputError` ``photo.unreadable``, or ``photo.too_large`` above :data:`MAX_PIXELS`, which the header
    tells before anything is decoded.
    """
    try:
        with warnings.catch_warnings(action="error", category=Pillow.DecompressionBombWarning):
            opened = Pillow.open(path, formats=PHOTO_FORMATS)
        with opened as photo:
            if photo.width * photo.height > MAX_PIXELS:
                raise InputError(
                    "photo.too_large",
                    f"{path} has {photo.width}×{photo.height} pixels, more than {MAX_PIXELS // 10**6} million",
                )
            upright = ImageOps.exif_transpose(photo)
            if upright.mode.startswith("I"):
                return np.repeat((np.asarray(upright) / 257).astype(np.uint8)[..., None], 3, axis=2)
            return np.array(upright.convert("RGB"))
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise InputError("photo.too_large", f"{path} has too many pixels: {error}") from error
    except (OSError, ValueError, SyntaxError, ArithmeticError) as error:
        raise InputError("photo.unreadable", f"{path} can't be read as a photo: {error}") from error


class VideoWriter:
    """Write an H.264 video as it comes, frame by frame; the file appears when it is whole.

    ``width`` and ``height`` are those of the pictures given to :meth:`write`; 4:2:0 video has even sides, so an odd
    one gains a column or row that repeats the last. Colours are stored and tagged as BT.709 from 720 lines up and as
    BT.601 below, which is what players assume. The first sound track of ``audio_from`` is copied bit by bit where MP4
    can hold it, else encoded as AAC at 192 kbit/s. Anything wrong removes the part and raises: :class:`InputError`
    ``disk.full`` or ``video.encode`` with the last words of ffmpeg.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: Fraction | float,
        *,
        audio_from: Path | None = None,
        crf: int = 18,
        preset: str = "veryfast",
    ) -> None:
        self.path = path
        self._part = files.partial(path)
        self._shape = (height, width, 3)
        # An error in the arguments must show before a process runs.
        command = _encoder(self._part, width, height, Fraction(fps).limit_denominator(100_000), audio_from, crf, preset)
        self._process: subprocess.Popen[bytes] = command.run_async(
            cmd=imageio_ffmpeg.get_ffmpeg_exe(), pipe_stdin=True, pipe_stderr=True, overwrite_output=True
        )
        self._tail: deque[str] = deque(maxlen=12)
        # Unread, a full pipe of complaints would stop ffmpeg, and with it us.
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def write(self, image: Image) -> None:
        """Append one ``(height, width, 3)`` uint8 RGB picture."""
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"expected {self._shape} uint8, got {image.shape} {image.dtype}")
        height, width, _ = self._shape
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        try:
            _pipe(self._process.stdin).write(np.ascontiguousarray(image).data)
        except OSError as error:
            raise self._failure() from error

    def close(self) -> None:
        """Finish the file and give it its name."""
        try:
            try:
                _pipe(self._process.stdin).close()
            except OSError as error:
                raise self._failure() from error
            if self._process.wait() != 0:
                raise self._failure()
            self._listener.join()
            with self._part.open("rb") as file:
                os.fsync(file.fileno())
            files.publish(self._part, self.path)
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Give up: nothing stays on disk."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stderr):
            try:
                _pipe(pipe).close()
            except OSError:
                continue  # what stdin still held can't be flushed to a dead process
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _listen(self) -> None:
        for line in _pipe(self._process.stderr):
            self._tail.append(line.decode(errors="replace").strip())

    def _failure(self) -> InputError:
        self._process.wait()
        self._listener.join()
        words = " | ".join(self._tail) or f"ffmpeg ended with {self._process.returncode}"
        # A limit on the size of files, as some hosts set it, kills ffmpeg before it can say a word.
        if "No space left on device" in words or self._process.returncode == -signal.SIGXFSZ:
            return disk_full(self.path)
        return InputError("video.encode", f"{self.path} can't be encoded: {words}")


def disk_full(path: Path) -> InputError:
    """The error for a disk that filled up while ``path`` was written."""
    return InputError("disk.full", f"the disk is full: {path} can't be written")


def is_disk_full(error: BaseException) -> bool:
    """Whether an ``OSError`` or a database error says that the disk or the quota is full."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "disk is full" in str(error)


# -- reading ---------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.video.stream.VideoStream]]:
    """The container and its first real picture track."""
    if not path.is_file():
        raise InputError("video.missing", f"{path} is not there, or no file")
    if path.stat().st_size == 0:
        raise InputError("video.empty", f"{path} is empty")
    try:
        container = av.open(f"file:{path}", options=dict(_READER))
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


def _decode(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> Iterator[av.video.frame.VideoFrame]:
    """Every picture that can be decoded, to the end or to where the file is cut off."""
    packets = container.demux(stream)
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


def _stored(path: Path) -> Iterator[tuple[int, float, Any]]:
    """(index, time, function that makes the picture) of every stored frame."""
    with _opened(path) as (container, stream):
        origin = (container.start_time or 0) / 1e6
        rate = float(stream.average_rate or 25)
        index = -1
        for index, frame in enumerate(_decode(container, stream)):
            time = index / rate if frame.pts is None else frame.time - origin
            yield index, time, _Picture(stream, frame)
        if index < 0:
            code = "video.truncated" if stream.frames else "video.no_frames"
            raise InputError(code, f"{path} is damaged or cut off: not one of its frames is whole")


def _constant(path: Path, fps: Fraction) -> Iterator[tuple[int, float, Any]]:
    """The stored frames on a steady grid: slot ``i`` shows the last frame whose time rounds to ``i`` or less."""
    slot, shown = 0, None
    for _, time, picture in _stored(path):
        target = round(time * fps)
        if target - slot > _MAX_GAP * fps:
            raise InputError("video.gap", f"{path} jumps from {float(slot / fps):.1f} s to {time:.1f} s")
        while slot < target:
            yield slot, float(slot / fps), shown or picture
            slot += 1
        shown = picture
    if shown is not None:
        yield slot, float(slot / fps), shown


class _Picture:
    """A decoded frame that becomes RGB when somebody asks, once."""

    def __init__(self, stream: av.video.stream.VideoStream, frame: av.video.frame.VideoFrame) -> None:
        self._stream, self._frame = stream, frame
        self._image: Image | None = None

    def __call__(self) -> Image:
        if self._image is None:
            self._image = _to_rgb(self._stream, self._frame)
        return self._image


def _to_rgb(stream: av.video.stream.VideoStream, frame: av.video.frame.VideoFrame) -> Image:
    width, height = _square_pixel_size(stream, frame)
    space = _BT709 if frame.colorspace == _BT709 else _BT601
    if frame.colorspace == _UNTAGGED:
        # swscale takes every untagged picture for BT.601; players go by the height.
        space = _BT709 if frame.height >= 720 else _BT601
    plain = frame.format.name == "yuv420p" and frame.color_range != _FULL_RANGE and not (frame.width | frame.height) % 2
    if plain and space == _BT601 and frame.colorspace in _LIKE_601 and width == frame.width:
        # The same colours to within rounding in a tenth of the time.
        image = np.asarray(cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2RGB_I420), np.uint8)
    else:
        source = space if frame.colorspace == _UNTAGGED else None
        image = np.asarray(
            frame.to_ndarray(
                format="rgb24", width=width, height=height, src_colorspace=source, interpolation=_EXACT, threads=1
            ),
            np.uint8,
        )
    turns = _rotation(frame) // 90
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _rotation(frame: av.video.frame.VideoFrame) -> int:
    return round(frame.rotation / 90) * 90 % 360


def _square_pixel_size(stream: av.video.stream.VideoStream, frame: av.video.frame.VideoFrame) -> tuple[int, int]:
    ratio = stream.sample_aspect_ratio or Fraction(1)
    return max(1, round(frame.width * (ratio if Fraction(1, 10) < ratio < 10 else 1))), frame.height


def _displayed_size(stream: av.video.stream.VideoStream, frame: av.video.frame.VideoFrame) -> tuple[int, int]:
    width, height = _square_pixel_size(stream, frame)
    return (height, width) if _rotation(frame) % 180 else (width, height)


def _packet_times(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> list[float]:
    """Presentation times of the video's packets, in order, in seconds."""
    times: list[float] = []
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return sorted(times)
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None and packet.size:
            times.append(float(stamp * packet.time_base))


def _rate(stream: av.video.stream.VideoStream, times: list[float]) -> tuple[Fraction, bool]:
    """(frames a second, whether it varies).

    A rate varies when a frame is shown for a quarter longer or shorter than the median one, and that is more than the
    rounding of the file's clock.
    """
    average = stream.average_rate or Fraction(25)
    gaps = np.diff(np.array(times))
    if len(gaps) < 3:
        return average, False
    usual = float(np.median(gaps))
    slack = 0.25 * usual + float(stream.time_base or 0)
    if usual <= 0 or np.abs(gaps - usual).max() <= slack:
        return average, False
    rate = min(max(1 / usual, 1.0), 120.0)
    nearest = min(_STANDARD_RATES, key=lambda standard: abs(float(standard) - rate))
    close = abs(float(nearest) / rate - 1) < 0.02
    return nearest if close else Fraction(rate).limit_denominator(1001), True


# -- writing ---------------------------------------------------------------------------------------------------------


def _encoder(part: Path, width: int, height: int, fps: Fraction, audio_from: Path | None, crf: int, preset: str) -> Any:
    """The ffmpeg command as an ffmpeg-python node."""
    even = (width + width % 2, height + height % 2)
    matrix = "bt709" if height >= 720 else "smpte170m"
    pictures = ffmpeg.input("pipe:0", format="rawvideo", pix_fmt="rgb24", video_size=even, framerate=str(fps))
    video = pictures.video.filter("scale", out_color_matrix=matrix, out_range="tv", flags=_WRITE_FLAGS)
    # Tags given as options of the encoder lose against what the filters say of the frames.
    video = video.filter("setparams", colorspace=matrix, color_primaries=matrix, color_trc=matrix, range="tv")
    options: dict[str, Any] = {
        "c:v": "libx264",
        "pix_fmt": "yuv420p",
        "crf": crf,
        "preset": preset,
        "movflags": "+faststart",
    }
    streams = [video]
    codec = _sound_codec(audio_from) if audio_from else None
    if codec is not None:
        sound = ffmpeg.input(f"file:{audio_from}", **_READER)
        streams.append(sound["a:0"])
        options |= {"c:a": "copy"} if codec in _MP4_SOUND else {"c:a": "aac", "b:a": "192k"}
    node = ffmpeg.output(*streams, f"file:{part}", **options)
    return node.global_args("-hide_banner", "-nostats", "-loglevel", "error")


def _sound_codec(path: Path) -> str | None:
    """The codec of the first sound track, ``None`` without one. Raises :class:`InputError` for one not accepted."""
    with _opened(path) as (container, _):
        track = next(iter(container.streams.audio), None)
        if track is None:
            return None
        name = track.codec_context.name if track.codec_context else "unknown"
        if name not in CODECS.split(","):
            raise InputError("video.sound", f"{path}: its sound ({name}) is of a kind that is not accepted")
        return name


def _pipe(pipe: Any) -> Any:
    assert pipe is not None  # both were asked for when the process was started
    return pipe


def _words(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)
