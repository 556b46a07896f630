"""The audit trail in words, page by page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from faceengine.jobs import kinds
from webapp.accounts.models import Role
from webapp.projects import audit
from webapp.projects.access import Verb, get_team, may
from webapp.projects.models import AuditEntry, AuditHead

PAGE = 100

WORDS: dict[str, Promise] = {
    "project.created": _("created project {name}"),
    "project.renamed": _("renamed project {before} to {name}"),
    "project.deleted": _("deleted project {name}"),
    "consent.asked": _("requested consent from person {side}"),
    "consent.link_made": _("created a new consent link for person {side}"),
    "consent.taken_back": _("cancelled the consent request to person {side}"),
    "consent.data_taken": _("the data of person {side} was downloaded through their personal link"),
    "consent.given": _("person {side} gave consent"),
    "consent.handed_in": _("submitted the consent of person {side}"),
    "consent.own_link_passed_on": _("created a link for person {side} to get their personal link"),
    "consent.own_link_renewed": _("person {side} got a new personal link"),
    "consent.accepted": _("accepted the consent of person {side}"),
    "consent.rejected": _("refused the consent of person {side}"),
    "consent.withdrawn": _("the consent of person {side} was withdrawn, and everything made from them was deleted"),
    "consent.synthetic": _("recorded that person {side} is computer-generated"),
    "consent.evidence_seen": _("viewed the evidence of person {side}'s consent"),
    "consent.refused": _("tried to {act} without the required consent ({code})"),
    "member.invited": _("invited {email} as {role}"),
    "invitation.withdrawn": _("cancelled the invitation of {email}"),
    "member.joined": _("joined as {role}"),
    "member.role": _("changed the role of {email} from {before} to {role}"),
    "account.vouched": _("vouched for {email}"),
    "account.unproven": _("revoked the verification of {email}"),
    "account.proven": _("verified the address {email}"),
    "account.reset_link": _("created a password reset link for {email}"),
    "account.password_reset": _("set a new password for {email} with a reset link"),
    "account.password_changed": _("changed their password"),
    "audit.erased": _("erased names in this audit log"),
    "member.removed": _("removed {email} from the team"),
}
"""What was done, by its verb, besides what kinds of jobs say of theirs. A verb without words is shown as it was
written."""


class _Known(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "–"


def in_words(entry: AuditEntry) -> str:
    """What was done, in a sentence without its actor."""
    said = WORDS.get(entry.verb) or next(
        (own.audit[entry.verb] for own in kinds.presentations() if entry.verb in own.audit), None
    )
    if said is None:
        return f"{entry.verb} {entry.data}"
    known = _Known({name: _readable(name, value) for name, value in entry.data.items()})
    return str(said).format_map(known)


def _readable(name: str, value: Any) -> Any:
    if name == "side":
        return str(value).upper()
    return Role(value).label if name in ("role", "before") and value in Role.values else value


@require_safe
@login_required
def trail(request: HttpRequest, team_id: int) -> HttpResponse:
    """What was done in a team, or in one of its projects, the newest first."""
    team = get_team(request.user, team_id)
    entries = AuditEntry.objects.filter(team=team).select_related("actor", "project").order_by("-id")
    if (project := _number(request, "project")) is not None:
        entries = entries.filter(project=project)
    if (after := _number(request, "after")) is not None:
        entries = entries.filter(pk__lt=after)
    page = list(entries[: PAGE + 1])
    context = {
        "team": team,
        "project": project,
        "entries": [(entry, in_words(entry), audit.wrong_in_itself(entry)) for entry in page[:PAGE]],
        "head": AuditHead.objects.filter(pk=team.pk).first(),
        "may_manage": may(request.user, Verb.MANAGE, team.pk),
        "next": page[PAGE - 1].pk if len(page) > PAGE else None,
    }
    return render(request, "projects/trail.html", context)


@require_POST
@login_required
def check_trail(request: HttpRequest, team_id: int) -> HttpResponse:
    """Read the whole chain. Owners only: it takes a second for some ten thousand entries."""
    team = get_team(request.user, team_id, Verb.MANAGE)
    if audit.check(team.pk):
        messages.error(
            request,
            _("The audit log was changed after it was written. The message below names the first affected entry."),
        )
    else:
        messages.success(request, _("Audit log verified: all entries are unchanged."))
    return redirect("trail", team.pk)


@require_safe
@login_required
def export_trail(request: HttpRequest, team_id: int) -> StreamingHttpResponse:
    """The chain as JSON lines, its head last. Owners only: it has e-mail addresses."""
    team = get_team(request.user, team_id, Verb.MANAGE)
    headers = {"Content-Disposition": f'attachment; filename="trail-{team.pk}.jsonl"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(audit.export(team.pk), content_type="application/x-ndjson", headers=headers)


def _number(request: HttpRequest, name: str) -> int | None:
    raw = request.GET.get(name, "")
    return int(raw) if raw.isdecimal() and len(raw) < 19 else None
