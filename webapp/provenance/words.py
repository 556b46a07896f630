"""What the page says of a file."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VERDICTS: dict[str, tuple[str, Promise, Promise]] = {
    "ours": (
        "good",
        _("Made by this studio, and unchanged since"),
        _("The signature is this studio's own, and every byte that it covers is as it was signed."),
    ),
    "known": (
        "good",
        _("Signed by somebody known, and unchanged since"),
        _("The signer is on this studio's list, and every byte that the signature covers is as it was signed."),
    ),
    "unknown": (
        "warn",
        _("Unchanged since it was signed, by somebody who isn't known here"),
        _("Anybody can make such a signature in any name. It shows only that nothing was changed afterwards."),
    ),
    "altered": (
        "bad",
        _("Changed after it was signed"),
        _("The file is not what was signed. Nothing that it says of itself can be relied on."),
    ),
    "invalid": (
        "warn",
        _("The signer's certificate doesn't hold"),
        _("It has expired, or was never good for signing. The file itself was not changed."),
    ),
    "damaged": (
        "bad",
        _("There was a signature; it can't be read"),
        _("It was damaged or changed, or the file was cut."),
    ),
    "remote": (
        "warn",
        _("The file only names an address where its signature is said to be"),
        _("This studio asks no address on a file's say-so."),
    ),
    "unsigned": (
        "warn",
        _("Says that it was made by AI, and carries no signature"),
        _("A signature is lost when a file is converted, cut, or sent through most services. Metadata are no proof."),
    ),
    "nothing": (
        "",
        _("No marks were found"),
        _("That says nothing of whether it is genuine: marks can be removed."),
    ),
}
"""How grave it is, a headline, and what it means."""

STANDINGS: dict[str, Promise] = {
    "live": _("stands"),
    "expired": _("has expired"),
    "withdrawn": _("was withdrawn: this file should not be used any more"),
    "gone": _("is not on record here any more"),
    "asked": _("was never given"),
    "waiting": _("was never reviewed"),
    "refused": _("was refused"),
}
"""Where a consent stands."""

ACTIONS: dict[str, Promise] = {
    "c2pa.opened": _("opened"),
    "c2pa.created": _("created"),
    "c2pa.edited": _("edited"),
    "c2pa.converted": _("converted"),
    "c2pa.published": _("published"),
    "c2pa.transcoded": _("encoded again"),
    "c2pa.cropped": _("cropped"),
    "c2pa.resized": _("resized"),
    "c2pa.placed": _("put together"),
}
SOURCES: dict[str, Promise] = {
    "compositeWithTrainedAlgorithmicMedia": _("partly made by AI"),
    "trainedAlgorithmicMedia": _("made by AI"),
    "digitalCapture": _("taken by a camera"),
    "algorithmicMedia": _("made by a program"),
    "compositeCapture": _("put together from what a camera took"),
}
RELATIONSHIPS: dict[str, Promise] = {
    "parentOf": _("made from it"),
    "componentOf": _("a part of it"),
    "inputTo": _("used to make it"),
}
