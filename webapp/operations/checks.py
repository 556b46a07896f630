"""``manage.py check``: names what would let one visitor shut out others, or a stranger's file see too much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register

from faceengine.confined import support
from webapp.private import UMASK


@register
def confinement(**_: Any) -> list[CheckMessage]:
    """What this machine's kernel can't do for processes that read strangers' files."""
    hint = 'see "Strangers\' files" in docs/running.md'
    return [Warning(support.WORDS[name], hint=hint, id="operations.W001") for name in support.missing()]


@register
def folder(**_: Any) -> list[CheckMessage]:
    """The studio's folder is closed to other users of the machine."""
    if Path(settings.DATA_DIR).stat().st_mode & UMASK:
        text = f"other users of this machine can read DATA_DIR ({settings.DATA_DIR})"
        return [Warning(text, hint="chmod 700, as the user that owns it", id="operations.W002")]
    return []


@register(Tags.security, deploy=True)
def proxies(**_: Any) -> list[CheckMessage]:
    """Each visitor has an address of their own."""
    if settings.PROXIES > 0:
        return []
    text = "PROXIES is 0: every request counts for the address that connects, a proxy's for all of its visitors"
    hint = "set PROXIES to the number of proxies in front that add to X-Forwarded-For; 0 is right without any"
    return [Warning(text, hint=hint, id="operations.W003")]


@register(Tags.security, deploy=True)
def shared_counts(**_: Any) -> list[CheckMessage]:
    """Requests are counted in one place."""
    if "locmem" not in settings.CACHES["default"]["BACKEND"]:
        return []
    text = "each web process counts requests by itself, so limits hold for each of them, not for all together"
    hint = "that is right for one web process (`manage.py up`); with several, set REDIS_URL"
    return [Info(text, hint=hint, id="operations.I001")]
