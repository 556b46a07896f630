"""Whether a job may be: asked of the app that owns its kind, when it is queued, when it begins, and while it runs."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - it is no error: somebody decided so
    """A job may not be, or not go on. ``code`` is stable; ``text`` says why in a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
