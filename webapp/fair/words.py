"""What whoever has to come again is told."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MINE: Promise = _("You already have several requests of this kind running. Wait until one is finished, then try again.")
ALL: Promise = _("The studio is busy with requests of this kind. Try again in a moment.")
