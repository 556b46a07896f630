"""What a mark says of where something comes from: ids and hashes, never names."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any, Self

from faceengine import given

JOB, CONSENTS = "MARKS_JOB", "MARKS_CONSENTS"
"""Variables by which a studio tells a job's body whose work it does."""


@dataclass(frozen=True)
class Origin:
    """Of one result."""

    job: str
    """Id of the job that made it; outside a studio one of its own."""
    consents: tuple[str, ...] = ()
    """Ids of the consents that it rests on."""
    models: tuple[str, ...] = ()
    """SHA-256 of each checkpoint that drew a face in it."""
    source: str = ""
    """SHA-256 of the video whose face was replaced."""

    @classmethod
    def here(cls) -> Self:
        """As the environment of this process says."""
        consents = given.get(CONSENTS) or ""
        return cls(given.get(JOB) or str(uuid.uuid4()), tuple(consents.split(",")) if consents else ())

    def of(self, *, models: tuple[str, ...], source: str) -> Self:
        """The same with what it was made of."""
        return replace(self, models=models, source=source)

    def to_dict(self) -> dict[str, Any]:
        """What the signature covers."""
        known = {"job": self.job, "consents": list(self.consents), "models": list(self.models)}
        return known | ({"source_sha256": self.source} if self.source else {})
