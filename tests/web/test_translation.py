"""The Chinese pages: everything that is marked is translated, and the compiled file is made from the readable one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "webapp" / "locale" / "zh_Hans" / "LC_MESSAGES"
needs_gettext = pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext isn't installed")


@needs_gettext
def test_the_compiled_file_is_up_to_date(tmp_path: Path) -> None:
    made = tmp_path / "made.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", made, FOLDER / "django.po"], check=True)
    assert made.read_bytes() == (FOLDER / "django.mo").read_bytes()


@needs_gettext
def test_no_text_is_untranslated() -> None:
    command = ["msgattrib", "--untranslated", "--no-obsolete", FOLDER / "django.po"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == ""
