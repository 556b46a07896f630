"""Why a job ended as it did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why something ended otherwise than well: a stable code and a sentence."""

    code: str = ""
    text: str = ""
