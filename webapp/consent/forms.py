"""What a member says when asking a person for consent."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.consent.models import Purpose
from webapp.names import NameInput


class AskForm(forms.Form):
    """Whom to ask, and for what."""

    name = NameInput(label=_("name of the person"), max_length=100)
    email = forms.EmailField(
        label=_("e-mail address"),
        required=False,
        help_text=_(
            "If the studio can send e-mail, the person gets their personal link at this address. Enter their "
            "address, not yours."
        ),
    )
    purposes = forms.MultipleChoiceField(
        label=_("uses"),
        choices=Purpose.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The person can leave out uses that they don't want to allow."),
    )

    @property
    def texts(self) -> list[forms.BoundField]:
        """What is written, not ticked."""
        return [self["name"], self["email"]]
