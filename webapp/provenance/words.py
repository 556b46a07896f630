"""What the page says of a file."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VERDICTS: dict[str, tuple[str, Promise, Promise]] = {
    "ours": (
        "good",
        _("Made by this studio and unchanged since"),
        _("The signature is from this studio, and all signed bytes are unchanged."),
    ),
    "known": (
        "good",
        _("Signed by a known signer and unchanged since"),
        _("The signer is on this studio's list, and all signed bytes are unchanged."),
    ),
    "unknown": (
        "warn",
        _("Unchanged since it was signed, but the signer is unknown"),
        _("Anyone can make such a signature in any name. It only shows that nothing was changed afterwards."),
    ),
    "altered": (
        "bad",
        _("Changed after it was signed"),
        _("The file differs from what was signed. Don't rely on anything it claims."),
    ),
    "invalid": (
        "warn",
        _("The signer's certificate is not valid"),
        _("It has expired, or was never valid for signing. The file was not changed."),
    ),
    "damaged": (
        "bad",
        _("The signature can't be read"),
        _("It was damaged or changed, or the file was truncated."),
    ),
    "remote": (
        "warn",
        _("The file only names an address for its signature"),
        _("This studio does not open addresses that a file names."),
    ),
    "unsigned": (
        "warn",
        _("Claims to be made by AI, but has no signature"),
        _(
            "A signature is lost when a file is converted, cut, or sent through most services. Metadata alone is "
            "no proof."
        ),
    ),
    "nothing": (
        "",
        _("No provenance labels found"),
        _("This does not mean that the file is genuine: labels can be removed."),
    ),
}
"""How grave it is, a headline, and what it means."""

STANDINGS: dict[str, Promise] = {
    "live": _("active"),
    "expired": _("expired"),
    "withdrawn": _("withdrawn. Don't use this file any more."),
    "gone": _("no longer on record"),
    "asked": _("never given"),
    "waiting": _("never reviewed"),
    "refused": _("refused"),
}
"""Where a consent stands."""

ACTIONS: dict[str, Promise] = {
    "c2pa.opened": _("opened"),
    "c2pa.created": _("created"),
    "c2pa.edited": _("edited"),
    "c2pa.converted": _("converted"),
    "c2pa.published": _("published"),
    "c2pa.transcoded": _("re-encoded"),
    "c2pa.cropped": _("cropped"),
    "c2pa.resized": _("resized"),
    "c2pa.placed": _("composited"),
}
SOURCES: dict[str, Promise] = {
    "compositeWithTrainedAlgorithmicMedia": _("partly made by AI"),
    "trainedAlgorithmicMedia": _("made by AI"),
    "digitalCapture": _("captured by a camera"),
    "algorithmicMedia": _("made by software"),
    "compositeCapture": _("composited from camera recordings"),
}
RELATIONSHIPS: dict[str, Promise] = {
    "parentOf": _("source file"),
    "componentOf": _("component"),
    "inputTo": _("input"),
}
