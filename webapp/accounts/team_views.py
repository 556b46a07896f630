"""Teams: who is in one and as what, who is invited, and joining."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.accounts import mail
from webapp.accounts.access import Verb, get_team, may, require
from webapp.accounts.forms import AccountForm, InviteForm
from webapp.accounts.invitations import accept, invite, is_for, open_account, open_invitation, open_ones
from webapp.accounts.models import Invitation, Membership, Role, Team
from webapp.accounts.records import record
from webapp.accounts.services import TeamError, change_role, remove_member


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
    context = {
        "team": found,
        "memberships": found.memberships.select_related("user").order_by("joined_at", "pk"),
        "invitations": open_ones(found) if manages else [],
        "manages": manages,
        "roles": Role.choices,
        "form": form,
        "link": link,
        "mail": mail.is_set_up(),
    }
    return render(request, "accounts/team.html", context)


@require_POST
@login_required
@never_cache
def send_invitation(request: HttpRequest, team_id: int) -> HttpResponse:
    """Send an invitation. Without mail its link is in the answer to this very request, and nowhere else."""
    found = get_team(request.user, team_id, Verb.MANAGE)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    email, role, mailed = form.cleaned_data["email"], form.cleaned_data["role"], mail.is_set_up()
    try:
        with transaction.atomic():
            invitation, token = invite(found, email, role, request.user, mailed=mailed)  # type: ignore[arg-type]
            record(request.user, "member.invited", found, email=email, role=role)  # type: ignore[arg-type]
            link = request.build_absolute_uri(reverse("invitation", args=[token]))
            if mailed:
                _mail(invitation, link)
    except TeamError as error:
        messages.error(request, error.reason)
        return redirect("team", team_id)
    if mailed:
        messages.success(request, _("The invitation was sent to %(email)s.") % {"email": invitation.email})
        return redirect("team", team_id)
    return _page(request, found, InviteForm(), link)


def _mail(invitation: Invitation, link: str) -> None:
    subject = _("You are invited to the team %(team)s") % {"team": " ".join(invitation.team.name.split())}
    mail.send(invitation.email, subject, "accounts/mail/invitation.txt", invitation=invitation, link=link)


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
        messages.error(request, error.reason)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join a team by the link of an invitation. Somebody who has no account can make one here, and then signs in."""
    try:
        found = open_invitation(token)
        answer = _join(request, token, found) if request.user.is_authenticated else _account(request, found)
    except TeamError as error:
        status = 403 if error.code == "invitation.other_address" else 410
        answer = render(request, "accounts/no_invitation.html", {"reason": error.reason}, status=status)
    answer["Referrer-Policy"] = "same-origin"
    return answer


def _join(request: HttpRequest, token: str, found: Invitation) -> HttpResponse:
    user: Any = request.user
    if not is_for(found, user):
        raise TeamError("invitation.other_address")
    if request.method != "POST":
        return render(request, "accounts/invitation.html", {"invitation": found})
    with transaction.atomic():
        membership = accept(token, user)
        record(user, "member.joined", found.team, email=user.email, role=membership.role)
    messages.success(request, _("You are now a member of the team %(team)s.") % {"team": found.team})
    return redirect("home")


def _account(request: HttpRequest, found: Invitation) -> HttpResponse:
    """The answer is the same whether there is an account already or not: whoever invited may be the one who asks."""
    form = AccountForm(request.POST or None, email=found.email)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/invitation.html", {"invitation": found, "form": form})
    open_account(found, form.cleaned_data["password"])
    text = _("Sign in as %(email)s to join. If you already had an account, use its existing password.")
    messages.info(request, text % {"email": found.email})
    return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.path})}")
