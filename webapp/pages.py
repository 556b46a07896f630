"""Long lists in pages: which rows are shown, and what the page says of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


def page_of(rows: QuerySet[Any] | Sequence[Any], number: str | None, size: int) -> Page[Any]:
    """Return that page of ``rows``, which counts from 1: the first for what is no number, the last for too many."""
    return Paginator(rows, size).get_page(number)
