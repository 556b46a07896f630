"""ffmpeg as a child that is given limits, watched, and ended when it doesn't come on."""

from __future__ import annotations

import queue
import resource
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Sequence

import imageio_ffmpeg

from faceengine.awake import AwakeClock
from faceengine.errors import InputError
from faceengine.events import ShouldStop

_MEMORY = 6 << 30
"""Address space: what x264 and two decoders of 40 million pixels take, twice."""
_LARGEST = 64 << 30
"""Bytes of a file that it writes."""
_GRACE = 5.0
_ASK_SECONDS = 0.25


class Child:
    """One run of ffmpeg over a stranger's file."""

    def __init__(self, arguments: Sequence[str], *, patience: float) -> None:
        said = ["-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-nostats", "-progress", "pipe:1"]
        self._patience = patience
        self._process = subprocess.Popen(
            [imageio_ffmpeg.get_ffmpeg_exe(), *said, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for limit, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_FSIZE, _LARGEST)):
            resource.prlimit(self._process.pid, limit, (most, most))
        self._heard: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=12)
        self._listeners = [threading.Thread(target=listen, daemon=True) for listen in (self._listen, self._hear_words)]
        for listener in self._listeners:
            listener.start()
        self.stopped = False

    def frames(self, should_stop: ShouldStop) -> Iterator[int]:
        """How many frames are written, as often as it says so, to its end.

        Sets :attr:`stopped` if ``should_stop`` ended it. Raises :class:`InputError` ``video.stuck`` if it wrote no new
        frame for ``patience`` seconds, ``disk.full`` and ``video.unreadable``.
        """
        try:
            yield from self._until_end(should_stop)
        finally:
            self._end()
        if not self.stopped and self._process.returncode:
            raise self._failure()

    def _until_end(self, should_stop: ShouldStop) -> Iterator[int]:
        most, clock = -1, AwakeClock(longest_step=2 * _ASK_SECONDS)
        since = clock()
        while True:
            if should_stop():
                self.stopped = True
                return
            if clock() - since > self._patience:
                raise InputError("video.stuck", f"no frame of it could be made in {self._patience:.0f} seconds")
            try:
                done = self._heard.get(timeout=_ASK_SECONDS)
            except queue.Empty:
                continue
            if done is None:
                return
            if done > most:
                most, since = done, clock()
                yield done

    def _end(self) -> None:
        """SIGTERM, and SIGKILL for one that doesn't heed it."""
        if self.stopped or self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for listener in self._listeners:
            listener.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, value = line.strip().partition(b"=")
            if name == b"frame" and value.isdigit():
                self._heard.put(int(value))
        self._process.wait()
        self._heard.put(None)

    def _hear_words(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._words.append(line.decode(errors="replace").strip())

    def _failure(self) -> InputError:
        words = " | ".join(self._words)
        if "No space left on device" in words:
            return InputError("disk.full", "the disk is full: the video can't be written")
        return InputError("video.unreadable", f"it can't be decoded: {words or self._process.returncode}")
