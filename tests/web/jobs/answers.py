"""What the tests of the jobs' pages ask of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from django.test import Client


def statuses(people: dict[str, Client], ask: Callable[[Client], Any]) -> dict[str, int]:
    return {name: ask(browser).status_code for name, browser in people.items()}


def body(answer: Any) -> bytes:
    """What was sent; the parts come from an asynchronous iterator."""

    async def collect() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return asyncio.run(collect()) if answer.streaming else answer.content
