"""What people say of a team, and of themselves when they join one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import Role, User


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=_("e-mail address"))
    role = forms.ChoiceField(label=_("role"), choices=Role.choices, initial=Role.REVIEWER)


class AccountForm(forms.Form):
    """An account for somebody who was invited; the address is the invitation's."""

    password = forms.CharField(
        label=_("password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *arguments: Any, email: str, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._email = email
        self.fields["password"].help_text = password_validators_help_text_html()

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self._email))
        return password

    def clean(self) -> dict[str, Any]:
        if User.objects.filter(email=self._email).exists():
            raise ValidationError(_("There is an account with this address already: sign in."))
        return super().clean() or {}
