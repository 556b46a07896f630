"""ffmpeg as a child that is given limits, watched, and ended when it doesn't come on."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import imageio_ffmpeg

from faceengine.awake import AwakeClock
from faceengine.confined.limits import Limits
from faceengine.confined.run import start
from faceengine.errors import InputError
from faceengine.events import ShouldStop

_LIMITS = Limits(memory_mb=6144, cpu_seconds=24 * 3600, file_mb=65_536, open_files=64)
"""Address space: what x264 and two decoders of 40 million pixels take, twice."""
_GRACE = 5.0
_ASK_SECONDS = 0.25


class Child:
    """One run of ffmpeg over a stranger's file."""

    def __init__(
        self, arguments: Sequence[str], *, reads: Path, writes: Path, patience: float, longest: float = 6 * 3600.0
    ) -> None:
        """Start ffmpeg, which may read the file ``reads`` and write below the folder ``writes``.

        ``patience``: seconds that it may take for one more frame; ``longest``: seconds for all of them.
        """
        said = ["-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-nostats", "-progress", "pipe:1"]
        self._patience = patience
        self._longest = longest
        self._process = start(
            [imageio_ffmpeg.get_ffmpeg_exe(), *said, *arguments],
            _LIMITS,
            reads=[reads],
            writes=[writes],
            own_group=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._heard: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=12)
        self._listeners = [threading.Thread(target=listen, daemon=True) for listen in (self._listen, self._hear_words)]
        for listener in self._listeners:
            listener.start()
        self.stopped = False

    def frames(self, should_stop: ShouldStop) -> Iterator[int]:
        """How many frames are written, as often as it says so, to its end.

        Sets :attr:`stopped` if ``should_stop`` ended it. Raises :class:`InputError` ``video.stuck`` if it wrote no new
        frame for ``patience`` seconds or is not done after ``longest``, ``disk.full`` and ``video.unreadable``.
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
        until = since + self._longest
        while True:
            if should_stop():
                self.stopped = True
                return
            if clock() - since > self._patience:
                raise InputError("video.stuck", f"no frame of it could be made in {self._patience:.0f} seconds")
            if clock() > until:
                raise InputError("video.stuck", f"it was not done in {self._longest:.0f} seconds")
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
