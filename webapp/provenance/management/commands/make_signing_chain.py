"""``manage.py make_signing_chain FOLDER``: a chain of one's own, for a studio that has none of an authority."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceengine.errors import InputError
from faceengine.provenance.credentials import CHAIN_FILE, KEY_FILE, ROOT_FILE, make_chain


class Command(BaseCommand):
    """Makes a root and a signer under it; never replaces one."""

    help = "Create a root certificate, a signer's certificate and its key, valid for ten years."
    # It is what makes the checks pass.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="where to write the files; created if missing")
        parser.add_argument(
            "--organisation", default="Face-swap studio", help="the signer's name (default: %(default)s)"
        )

    def handle(self, *_: Any, folder: Path, organisation: str, **__: Any) -> None:
        try:
            make_chain(folder, organisation)
        except (InputError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"SIGNING_CERTIFICATES={folder / CHAIN_FILE}\nSIGNING_KEY={folder / KEY_FILE}")
        self.stdout.write(f"Give {folder / ROOT_FILE} to everyone who should recognise this studio's signature.")
