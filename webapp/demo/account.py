"""The demo's account. Everybody knows its password, so it opens the studio in the demo's mode only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.utils.crypto import constant_time_compare

from webapp.accounts.makers import DEMO_ADDRESS
from webapp.accounts.models import User


@dataclass(frozen=True)
class Known:
    """What the sign-in page shows."""

    email: str
    password: str


SHOWN = Known(DEMO_ADDRESS, "try-it-out")


def get_or_make() -> User:
    """The account. It has no password that Django's own way of signing in would take."""
    user = User.objects.filter(email=SHOWN.email).first()
    return user or User.objects.create_user(SHOWN.email)


def is_demo(user: User | None) -> bool:
    """Whether it is the demo's account."""
    return user is not None and user.email == SHOWN.email


class DemoBackend(ModelBackend):
    """Signs the demo's account in, and nobody else. Its sessions end with the mode, since Django then forgets them."""

    def authenticate(
        self,
        request: Any,  # noqa: ARG002
        username: str | None = None,
        password: str | None = None,
        **_: Any,
    ) -> User | None:
        if not settings.DEMO or (username or "").strip().lower() != SHOWN.email:
            return None
        user = User.objects.filter(email=SHOWN.email).first()
        right = constant_time_compare(password or "", SHOWN.password)
        return user if user is not None and right and self.user_can_authenticate(user) else None

    def get_user(self, user_id: int) -> User | None:
        user = super().get_user(user_id) if settings.DEMO else None
        return user if is_demo(user) else None
