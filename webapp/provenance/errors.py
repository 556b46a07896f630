"""Why a file can't be verified."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, tuple[int, Promise]] = {
    "verify.no_file": (400, _("Choose a file first.")),
    "verify.empty": (422, _("The file is empty.")),
    "verify.unknown": (422, _("This is no video or picture of a kind that can carry marks.")),
    "verify.boxes": (422, _("This file is built from too many parts to be a real video.")),
    "verify.gave_up": (422, _("Reading this file took too much time or memory; nothing can be said of it.")),
    "verify.too_large": (413, _("The file is larger than can be verified here.")),
    "verify.offset": (409, _("A part of the file is missing. Begin again.")),
    "verify.gone": (410, _("What was sent of this file is gone. Begin again.")),
    "verify.often": (429, _("You are having several files verified already. Wait for one to end, then try again.")),
    "verify.busy": (503, _("Too many files are being verified just now. Try again in a moment.")),
}
"""Status and sentence of each code."""


class VerifyError(Exception):
    """A file can't be verified. ``code`` is stable; ``retry_after``: seconds after which it may be tried again."""

    def __init__(self, code: str, retry_after: int = 30) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after
        self.status, self._reason = REASONS[code]

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return str(self._reason)
