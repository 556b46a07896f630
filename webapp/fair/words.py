"""What whoever has to come again is told."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MINE: Promise = _("You have several requests of this kind at work already. Wait for one to end, then try again.")
ALL: Promise = _("The studio is busy with requests of this kind. Try again in a moment.")
