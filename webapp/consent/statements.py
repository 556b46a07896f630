"""What people agree to, word for word. A version is a file; a text that somebody has agreed to is never changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from webapp.projects.models import Project

VERSION = "2026-11"
"""The present one. Another text gets another version."""
LANGUAGES = ("en", "zh-hans")
_FOLDER = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Statement:
    """A text as one person saw it."""

    version: str
    language: str
    text: str

    @property
    def sha256(self) -> str:
        """Of the text, UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def paragraphs(self) -> list[str]:
        return [line for line in self.text.splitlines() if line]


def statement(project: Project, language: str) -> Statement:
    """The present statement about ``project`` in ``language``, or in English where there is no such text."""
    language = language if language in LANGUAGES else "en"
    written = (_FOLDER / f"{VERSION}.{language}.txt").read_text(encoding="utf-8")
    text = written.replace("{team}", project.team.name).replace("{project}", project.name)
    return Statement(VERSION, language, text)
