"""Why a file can't be verified."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, tuple[int, Promise]] = {
    "verify.no_file": (400, _("Choose a file first.")),
    "verify.empty": (422, _("The file is empty.")),
    "verify.unknown": (422, _("Files of this type can't carry provenance labels. Choose a video or an image.")),
    "verify.boxes": (422, _("The file has too many parts to be a real video.")),
    "verify.gave_up": (422, _("Reading the file took too much time or memory, so it can't be verified.")),
    "verify.too_large": (413, _("The file is too large to be verified here.")),
    "verify.offset": (409, _("Part of the file is missing. Send the file again.")),
    "verify.gone": (410, _("The part of the file that was sent is no longer there. Send the file again.")),
    "verify.often": (
        429,
        _("Several of your files are already being verified. Wait until one is finished, then try again."),
    ),
    "verify.busy": (503, _("Too many files are being verified right now. Try again in a moment.")),
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
