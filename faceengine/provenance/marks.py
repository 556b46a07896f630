"""What a conversion does for its marks: who signs is known before it begins, and what is signed is its last act."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from faceengine import files
from faceengine.events import Message, OnEvent
from faceengine.provenance.aigc import aigc
from faceengine.provenance.credentials import Credentials
from faceengine.provenance.origin import Origin
from faceengine.provenance.signing import sign_video


@dataclass(frozen=True)
class Marks:
    """Metadata and signature of one video that is being made."""

    origin: Origin
    credentials: Credentials

    @classmethod
    def here(cls) -> Self:
        """As this process's environment says. Raises :class:`InputError` ``sign.…`` if nobody can sign here now."""
        return cls(Origin.here(), Credentials.here())

    @property
    def aigc(self) -> str:
        """The metadata that are written with the pictures."""
        return aigc(self.origin, self.credentials.organisation)

    def sign(self, unsigned: Path, path: Path, *, models: tuple[str, ...], source: Path, on_event: OnEvent) -> str:
        """Sign ``unsigned`` into ``path``, and say so; the signer's name.

        Raises :class:`InputError` ``sign.…`` and ``disk.full``; then there is neither of the two files.
        """
        origin = self.origin.of(models=models, source=files.sha256(source))
        # It may have expired, or been taken away, while the video was made.
        credentials = Credentials.here()
        sign_video(unsigned, path, origin, credentials, source=source)
        on_event(
            Message("info", "marks.done", f"{path.name} carries AIGC metadata and is signed by {credentials.signer}")
        )
        return credentials.signer


def unsigned_name(path: Path) -> Path:
    """Where the video is until it is signed: hidden, beside it."""
    return path.with_name(f".{path.stem}.unsigned{path.suffix}")


def forget_unsigned(path: Path) -> None:
    """Remove what is not signed, if there is anything."""
    with suppress(FileNotFoundError):
        unsigned_name(path).unlink()
