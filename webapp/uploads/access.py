"""Assets and uploads as somebody may have them; ``webapp.projects.access`` says who may do what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404

from webapp.consent.gate import Act, require_consent
from webapp.projects.access import Verb, may, require
from webapp.uploads.models import Asset, Upload


def get_asset(user: Any, asset_id: int, verb: Verb = Verb.VIEW, act: Act | None = Act.PREVIEW) -> Asset:
    """The asset. Raises as :func:`webapp.projects.access.require`, and :class:`ConsentError` unless ``act`` is
    ``None``: what takes away needs no consent."""
    asset = Asset.objects.select_related("person__project__team", "job").filter(pk=asset_id).first()
    if asset is None:
        raise Http404
    require(user, verb, asset.person.project.team_id)
    if act is not None:
        require_consent(asset.person.project, act, user)
    return asset


def get_upload(user: Any, upload_id: UUID, *, to_remove: bool = False) -> Upload:
    """One's own upload, as long as one may still upload there; owners may remove those of other members."""
    upload = Upload.objects.select_related("person__project__team", "uploaded_by").filter(pk=upload_id).first()
    if upload is None:
        raise Http404
    own = upload.uploaded_by_id == user.pk
    if not own and not (to_remove and may(user, Verb.MANAGE, upload.person.project.team_id)):
        raise Http404
    require(user, Verb.EDIT, upload.person.project.team_id)
    return upload
