"""Consents in words."""

from __future__ import annotations

from django import template

from webapp.consent.models import Consent, Purpose

register = template.Library()


@register.filter
def purpose_words(consent: Consent) -> str:
    """What was agreed to, or asked for."""
    return " · ".join(str(purpose.label) for purpose in Purpose if purpose.value in consent.purposes)
