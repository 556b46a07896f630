"""What people say of a team, and of themselves when they join one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
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


class ChangePasswordForm(PasswordChangeForm):
    """The old password once more, and a new one. Wrong ones count as at the sign-in."""

    def __init__(self, *arguments: Any, request: HttpRequest, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._request = request

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        # Not check_password(): whoever has taken over a session must not try as many as they like.
        if authenticate(self._request, username=self.user.email, password=old) is None:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class SignInForm(AuthenticationForm):
    """Django's own, which checks no length: a database that keeps failed attempts would refuse a longer text."""

    def clean_username(self) -> str:
        """Return the address. Raises ``ValidationError`` for one that no account can have."""
        username = str(self.cleaned_data["username"])
        if len(username) > User._meta.get_field("email").max_length:  # type: ignore[operator]
            raise self.get_invalid_login_error()
        return username
