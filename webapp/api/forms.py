"""What people say of a new token."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.api.models import Scope
from webapp.api.tokens import DAYS, MOST_DAYS


class TokenForm(forms.Form):
    """What a token is for, what it may do, and for how long."""

    name = forms.CharField(label=_("token name"), max_length=100)
    scope = forms.ChoiceField(
        label=_("scope"),
        choices=Scope.choices,
        initial=Scope.READ,
        required=False,
        help_text=_("A token can't do more than you can, and it can never manage a team or your account."),
    )
    days = forms.IntegerField(
        label=_("valid for (days)"), min_value=1, max_value=MOST_DAYS, initial=DAYS, required=False
    )

    def clean_scope(self) -> str:
        return self.cleaned_data["scope"] or Scope.READ

    def clean_days(self) -> int:
        return self.cleaned_data["days"] or DAYS
