"""Teams: who is in one and as what, who is invited, and joining."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.accounts.forms import AccountForm, InviteForm
from webapp.accounts.models import Invitation, Membership, Role, Team, User
from webapp.accounts.services import TeamError, accept, change_role, invite, open_invitation, remove_member
from webapp.projects.access import Verb, get_team, may, require
from webapp.projects.services import record

REASONS = {
    "invitation.unknown": gettext_lazy("There is no such invitation."),
    "invitation.used": gettext_lazy("This invitation was accepted already."),
    "invitation.expired": gettext_lazy("This invitation has expired. Ask for another one."),
    "team.last_owner": gettext_lazy("A team needs an owner: make somebody else one first."),
}


@require_safe
@login_required
def teams(request: HttpRequest) -> HttpResponse:
    """The teams that one is in."""
    found = Membership.objects.filter(user=request.user.pk).select_related("team").order_by("team__name", "team_id")
    return render(request, "accounts/teams.html", {"memberships": found})


@require_safe
@login_required
def team(request: HttpRequest, team_id: int) -> HttpResponse:
    """Who is in a team."""
    return _page(request, get_team(request.user, team_id), InviteForm())


def _page(request: HttpRequest, found: Team, form: InviteForm, link: str = "") -> HttpResponse:
    manages = may(request.user, Verb.MANAGE, found.pk)
    open_ones = Invitation.objects.filter(team=found, accepted_at=None, expires_at__gt=timezone.now())
    context = {
        "team": found,
        "memberships": found.memberships.select_related("user").order_by("joined_at", "pk"),
        "invitations": open_ones.order_by("expires_at") if manages else [],
        "manages": manages,
        "roles": Role.choices,
        "form": form,
        "link": link,
    }
    return render(request, "accounts/team.html", context)


@require_POST
@login_required
@never_cache
def send_invitation(request: HttpRequest, team_id: int) -> HttpResponse:
    """Make an invitation; its link is in the answer to this very request, and nowhere else."""
    found = get_team(request.user, team_id, Verb.MANAGE)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    with transaction.atomic():
        _invitation, token = invite(found, email, role, request.user)  # type: ignore[arg-type]
        record(request.user, "member.invited", found, email=email, role=role)  # type: ignore[arg-type]
    return _page(request, found, InviteForm(), request.build_absolute_uri(reverse("invitation", args=[token])))


@require_POST
@login_required
def withdraw(request: HttpRequest, team_id: int, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    found = get_team(request.user, team_id, Verb.MANAGE)
    invitation = get_object_or_404(Invitation, pk=invitation_id, team=found, accepted_at=None)
    with transaction.atomic():
        record(request.user, "invitation.withdrawn", found, email=invitation.email)  # type: ignore[arg-type]
        invitation.delete()
    return redirect("team", team_id)


@require_POST
@login_required
def change_member(request: HttpRequest, team_id: int, membership_id: int) -> HttpResponse:
    """Give a member another role."""
    membership = _membership(get_team(request.user, team_id, Verb.MANAGE), membership_id)
    role = request.POST.get("role", "")
    if role in Role.values and role != membership.role:
        known = {"email": membership.user.email, "before": membership.role, "role": role}
        _try(request, membership, "member.role", lambda: change_role(membership, role), known)
    return redirect("team", team_id)


@require_POST
@login_required
def remove(request: HttpRequest, team_id: int, membership_id: int) -> HttpResponse:
    """Take a member out of the team; everybody may leave."""
    membership = _membership(get_team(request.user, team_id), membership_id)
    if membership.user_id != request.user.pk:
        require(request.user, Verb.MANAGE, team_id)
    known = {"email": membership.user.email}
    _try(request, membership, "member.removed", lambda: remove_member(membership), known)
    return redirect("teams") if membership.user_id == request.user.pk else redirect("team", team_id)


def _membership(found: Team, membership_id: int) -> Membership:
    membership: Membership = get_object_or_404(found.memberships.select_related("user", "team"), pk=membership_id)
    return membership


def _try(request: HttpRequest, membership: Membership, verb: str, change: Any, known: dict[str, str]) -> None:
    try:
        with transaction.atomic():
            change()
            record(request.user, verb, membership.team, **known)  # type: ignore[arg-type]
    except TeamError as error:
        messages.error(request, str(REASONS[error.code]))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join a team by the link of an invitation; who has no account gets one by it."""
    try:
        found = open_invitation(token)
        form = None if request.user.is_authenticated else AccountForm(request.POST or None, email=found.email)
        if request.method == "POST" and (form is None or form.is_valid()):
            return _join(request, token, found, form)
    except TeamError as error:
        return render(request, "accounts/no_invitation.html", {"reason": REASONS[error.code]}, status=410)
    return render(request, "accounts/invitation.html", {"invitation": found, "form": form})


@transaction.atomic
def _join(request: HttpRequest, token: str, found: Invitation, form: AccountForm | None) -> HttpResponse:
    user: Any = request.user
    if form is not None:
        user = User.objects.create_user(found.email, form.cleaned_data["password"])
    membership = accept(token, user)
    record(user, "member.joined", found.team, email=user.email, role=membership.role)
    if form is not None:
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    messages.success(request, _("You are in the team %(team)s now.") % {"team": found.team})
    return redirect("home")
