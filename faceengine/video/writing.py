"""Videos out, by ffmpeg."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import ffmpeg
import imageio_ffmpeg
import numpy as np

from faceengine import files
from faceengine.errors import InputError
from faceengine.files import disk_full
from faceengine.geometry import Image
from faceengine.video.container import opened
from faceengine.video.sound import sound_of

_WRITE_FLAGS = "bilinear+accurate_rnd+full_chroma_int"
_PIPE_BYTES = 1 << 20
"""What anybody may have of a pipe on Linux."""


class VideoWriter:
    """Write an H.264 video as it comes, frame by frame; the file appears when it is whole.

    ``width`` and ``height`` are those of the pictures given to :meth:`write`; 4:2:0 video has even sides, so an odd
    one gains a column or row that repeats the last. Colours are stored and tagged as BT.709 from 720 lines up and as
    BT.601 below, which is what players assume; their primaries are BT.709's always. The sound of ``audio_from`` is
    what :func:`faceengine.video.sound.sound_of` makes of it. Anything wrong removes the part and raises:
    :class:`InputError` ``disk.full``, ``video.frames`` if frames are lost, or ``video.encode`` with the last words of
    ffmpeg. ``tag``: a key of ``moov/udta/meta`` and its text.
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
        tag: tuple[str, str] | None = None,
    ) -> None:
        self.path = path
        self._part = files.partial(path)
        self._shape = (height, width, 3)
        # An error in the arguments must show before a process runs.
        rate = Fraction(fps).limit_denominator(100_000)
        self._spare, self._written = spare_sound(path), 0
        sound = sound_of(audio_from, self._spare) if audio_from is not None else None
        command = _encoder(self._part, width, height, rate, sound, crf, preset, tag)
        self._process: subprocess.Popen[bytes] = command.run_async(
            cmd=imageio_ffmpeg.get_ffmpeg_exe(), pipe_stdin=True, pipe_stderr=True, overwrite_output=True
        )
        _widen(self._process.stdin)
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
        self._written += 1

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
            self._check_count()
            self._spare.unlink(missing_ok=True)
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
        self._spare.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _check_count(self) -> None:
        with opened(self._part) as (_, stream):
            found = stream.frames
        if found != self._written:
            raise InputError("video.frames", f"{self.path} has {found} frames, not the {self._written} written")

    def _listen(self) -> None:
        for line in _pipe(self._process.stderr):
            self._tail.append(line.decode(errors="replace").strip())

    def _failure(self) -> InputError:
        self._process.wait()
        self._listener.join()
        return failure(self.path, " | ".join(self._tail), self._process.returncode)


def failure(path: Path, words: str, code: int) -> InputError:
    """The error for an ffmpeg that was to make ``path`` and ended with ``code`` and these last words."""
    # A limit on the size of files, as some hosts set it, kills ffmpeg before it can say a word.
    if "No space left on device" in words or code == -signal.SIGXFSZ:
        return disk_full(path)
    return InputError("video.encode", f"{path} can't be encoded: {words or f'ffmpeg ended with {code}'}")


def _encoder(
    part: Path,
    width: int,
    height: int,
    fps: Fraction,
    sound: tuple[Any, dict[str, Any]] | None,
    crf: int,
    preset: str,
    tag: tuple[str, str] | None,
) -> Any:
    """The ffmpeg command as an ffmpeg-python node."""
    even = (width + width % 2, height + height % 2)
    matrix = "bt709" if height >= 720 else "smpte170m"
    pictures = ffmpeg.input("pipe:0", format="rawvideo", pix_fmt="rgb24", video_size=even, framerate=str(fps))
    video = pictures.video.filter("scale", out_color_matrix=matrix, out_range="tv", flags=_WRITE_FLAGS)
    # Tags given as options of the encoder lose against what the filters say of the frames.
    video = video.filter("setparams", colorspace=matrix, color_primaries="bt709", color_trc="bt709", range="tv")
    options: dict[str, Any] = {
        "c:v": "libx264",
        "pix_fmt": "yuv420p",
        "crf": crf,
        "preset": preset,
        "movflags": movflags(tag),
    }
    if tag is not None:
        options["metadata"] = "=".join(tag)
    streams = [video]
    if sound is not None:
        streams.append(sound[0])
        options |= sound[1]
    return quiet(ffmpeg.output(*streams, f"file:{part}", **options))


def movflags(tag: tuple[str, str] | None) -> str:
    """How an MP4 is laid out: its index first; without the second flag it takes no tags but those it knows."""
    return "+faststart+use_metadata_tags" if tag else "+faststart"


def quiet(node: Any) -> Any:
    """The ffmpeg command ``node`` that only speaks of errors."""
    # Time stamps stay as they are: who puts tracks together says where each begins.
    return node.global_args("-hide_banner", "-nostats", "-loglevel", "error", "-copyts")


def spare_sound(path: Path) -> Path:
    """The temporary name beside ``path`` of a file with its sound."""
    return path.with_name(f".{path.stem}.sound.nut")


def _widen(pipe: Any) -> None:
    """Let a pipe hold a good part of a frame, where the system can: it holds 64 KiB otherwise, and both ends wait."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # as much as all pipes of this user may hold is in use
            fcntl.fcntl(_pipe(pipe), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _pipe(pipe: Any) -> Any:
    assert pipe is not None  # both were asked for when the process was started
    return pipe
