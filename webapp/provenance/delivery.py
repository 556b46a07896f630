"""Nothing leaves without its marks: asked with the gate whenever a job begins, goes on, or hands out a file."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.core.files.storage import default_storage
from django.http import Http404

from faceengine.errors import InputError
from faceengine.jobs import kinds
from faceengine.jobs.kinds import Makes, Shows
from faceengine.jobs.models import Job
from faceengine.jobs.names import FileName, Role, key_of
from faceengine.jobs.permits import Refused
from webapp import clients
from webapp.consent import gate
from webapp.consent.models import Mandate
from webapp.consent.references import are_recorded
from webapp.fair.limits import PICTURES
from webapp.provenance import signing


def marked(permit: Callable[[Job], UUID | None]) -> Callable[[Job], UUID | None]:
    """``permit``, but of jobs that make a video only of those whose video will carry all marks."""

    def ask(job: Job) -> UUID | None:
        makes = kinds.get(job.kind).makes
        if makes != Makes.NOTHING:
            _ask_marks(job, whole=makes != Makes.PART)
        return permit(job)

    return ask


def _ask_marks(job: Job, *, whole: bool) -> None:
    if job.config.get("label") == "none" or (whole and job.config.get("marks", "all") != "all"):
        raise Refused("marks.missing", "in the studio every result carries the visible label, metadata and a signature")


def may_deliver(job: Job, name: FileName, download: bool) -> None:
    """What the gate says, and: no part of a video (404), no result without all marks, or whose faces
    were not compared with the people who agreed (:class:`Refused`)."""
    gate.may_deliver(job, name, download)
    makes = kinds.get(job.kind).makes
    if makes == Makes.PART and name.role not in (Role.LOG, Role.PICTURE):
        raise Http404
    if makes != Makes.VIDEO or name.role != Role.VIDEO:
        return
    if not (job.result or {}).get("signed_by"):
        raise Refused("marks.missing", "this video carries no signature, so it can't leave the studio")
    _ask_comparison(job)


def _ask_comparison(job: Job) -> None:
    """A result from before faces were compared with the consents' recordings may show anybody."""
    if (job.result or {}).get("checked") or job.mandate is None:
        return
    mandate = Mandate.objects.select_related("project").filter(pk=job.mandate).first()
    if mandate is not None and are_recorded(mandate.project):
        raise Refused(
            "convert.unchecked",
            "its faces were never compared with the recordings of the consents: convert the video again",
        )


def prepare(job: Job, name: FileName, download: bool) -> bytes | None:
    """A picture that may show a swapped face, signed and with metadata; for a download with a label as well.

    ``None`` for any other file. Raises :class:`Refused` ``sign.…`` if nobody can sign now, and :class:`BusyError` if
    too many are signed just now.
    """
    shows = kinds.get(job.kind).shows
    if shows == Shows.REAL or name.role != Role.PICTURE:
        return None
    from faceengine.provenance.kinds import kind_of
    from faceengine.provenance.picture import label_picture, sign_picture

    with default_storage.open(key_of(job, name)) as file:
        picture: bytes = file.read()
    if kind_of(picture) is None:
        return None
    try:
        credentials, origin = signing.credentials(), signing.origin(job)
        with PICTURES.turn(clients.current()):
            if download and shows != Shows.RESULT:
                return label_picture(picture, origin, credentials)
            return sign_picture(picture, origin, credentials)
    except InputError as error:
        raise Refused(error.code, str(error)) from error
