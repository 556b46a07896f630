"""Who signs in this installation, and what a job's body is told of it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from faceengine.jobs.models import Job
from faceengine.provenance.credentials import CERTIFICATES, KEY, ROOT_FILE, Credentials, ensure_chain
from faceengine.provenance.origin import CONSENTS, JOB, Origin
from webapp.consent.models import Mandate

ORGANISATION = "Face-swap studio, private chain"


def credentials() -> Credentials:
    """Those of the settings; without settings, a private chain that is made when it is needed first.

    Raises :class:`InputError` ``sign.…``.
    """
    if settings.SIGNING_OWN:
        ensure_chain(settings.SIGNING_CERTIFICATES.parent, ORGANISATION)
    return Credentials.load(settings.SIGNING_CERTIFICATES, settings.SIGNING_KEY)


def root() -> Path | None:
    """The certificate that makes a signature ours, ``None`` as long as nothing was ever signed.

    Beside a chain that ``make_signing_chain`` made lies its root; of any other chain all certificates count.
    """
    beside = settings.SIGNING_CERTIFICATES.with_name(ROOT_FILE)
    return next((path for path in (beside, settings.SIGNING_CERTIFICATES) if path.exists()), None)


def given(job: Job) -> dict[str, str]:
    """Return what the job's body is told through a pipe: who signs, and for whom."""
    if settings.SIGNING_OWN:
        ensure_chain(settings.SIGNING_CERTIFICATES.parent, ORGANISATION)
    files = {CERTIFICATES: str(settings.SIGNING_CERTIFICATES), KEY: str(settings.SIGNING_KEY)}
    return files | {JOB: str(job.pk), CONSENTS: ",".join(_consents(job))}


def origin(job: Job) -> Origin:
    """What a mark on one of the job's own pictures says."""
    return Origin(str(job.pk), _consents(job))


def _consents(job: Job) -> tuple[str, ...]:
    if job.mandate is None:
        return ()
    found = Mandate.objects.filter(pk=job.mandate).values_list("consent_a", "consent_b").first()
    return tuple(map(str, found or ()))
