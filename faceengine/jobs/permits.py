"""Whether a job may be: asked of the app that owns its kind, when it is queued, when it begins, and while it runs."""

from __future__ import annotations

from faceengine.jobs.paths import hide_paths


class Refused(Exception):  # noqa: N818 - it is no error: somebody decided so
    """A job may not be, or not go on. ``code`` is stable; ``text`` says why in a sentence, without the machine's
    paths."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = hide_paths(text)
        super().__init__(self.text)
