"""The team's side of consent: where a person's stands, asking, handing in, reviewing, and what was sent as evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from webapp.accounts import mail
from webapp.consent import evidence, links, own_links, reviewing, services
from webapp.consent.answers import Answer, hand_in
from webapp.consent.errors import ConsentStepError
from webapp.consent.forms import AskForm
from webapp.consent.models import Consent, Evidence, Purpose, Standing, Way
from webapp.consent.own_link_views import send_renewal
from webapp.consent.statements import statement
from webapp.consent.uses import lacking, lacks
from webapp.consent.vault import VaultError
from webapp.projects.access import REACH, Verb, get_person, get_project, require, role_of
from webapp.projects.models import Person
from webapp.projects.services import record

_SOON = timedelta(days=30)
"""Before a consent expires its renewal can be asked for."""
_TYPES = {"video": "video/mp4", "pdf": "application/pdf"}


@require_safe
@login_required
@never_cache
def person(request: HttpRequest, project_id: int, side: str) -> HttpResponse:
    """Where the person's consent stands, and what can be done."""
    return _page(request, get_person(request.user, project_id, side))


def _page(request: HttpRequest, person: Person, form: AskForm | None = None, **shown: str) -> HttpResponse:
    consents = list(
        Consent.objects.filter(person=person)
        .select_related("asked_by", "reviewed_by")
        .prefetch_related("evidence")
        .order_by("-asked_at")
    )
    newest = consents[0] if consents else None
    live = next((one for one in consents if one.standing == Standing.LIVE), None)
    role = role_of(request.user, person.project.team_id)
    reach = REACH[role].value if role else 0
    editable = reach >= Verb.EDIT.value
    waiting = newest is not None and newest.standing == Standing.WAITING
    barred = reviewing.refusal(newest, request.user) if newest is not None and waiting else ""  # type: ignore[arg-type]
    context = {
        "project": person.project,
        "person": person,
        "people": person.project.people.all(),
        "newest": newest,
        "live": live,
        "soon": live is not None and _ends_soon(live),
        "earlier": consents[1:],
        "given": next((one for one in consents if one.given_at and not one.withdrawn_at), None),
        "editable": editable,
        "manages": reach >= Verb.MANAGE.value,
        "barred": ConsentStepError(barred).reason if barred else "",
        "reviewers": reviewing.able(newest) if newest is not None and barred else [],
        "purposes": {purpose.value: purpose.label for purpose in Purpose},
        "form": form or AskForm(initial={"name": person.name, "purposes": list(Purpose.values)}),
        "may_ask": editable and _may_ask(newest, live) and (live is None or _ends_soon(live)),
        "lacks": lacks(reversed(consents)) if live else [],
        "largest": settings.CONSENT_FILE_MB << 20,
        "days": links.LINK_DAYS,
    }
    return render(request, "consent/person.html", context | shown, status=409 if "problem" in shown else 200)


def _may_ask(newest: Consent | None, live: Consent | None) -> bool:
    """Nobody is asked twice: while one consent is open, or has long to go and allows every use."""
    if newest is not None and newest.standing in (Standing.ASKED, Standing.WAITING):
        return False
    return live is None or _ends_soon(live) or bool(lacking(live))


def _ends_soon(live: Consent) -> bool:
    return live.expires_at is None or live.expires_at - timezone.now() < _SOON


@require_POST
@login_required
@never_cache
def ask(request: HttpRequest, project_id: int, side: str) -> HttpResponse:
    """Ask the person; the link is in the answer to this very request, and nowhere else."""
    person = get_person(request.user, project_id, side, Verb.EDIT)
    form = AskForm(request.POST)
    if not form.is_valid():
        return _page(request, person, form)
    newest = Consent.objects.filter(person=person).order_by("-asked_at").first()
    if not _may_ask(newest, services.live(person)):
        messages.warning(request, ConsentStepError("consent.there").reason)
        return redirect("consent:person", project_id, side)
    said = form.cleaned_data
    user: Any = request.user
    try:
        consent = services.ask(person, user, purposes=said["purposes"], name=said["name"], email=said["email"])
    except ConsentStepError as error:
        messages.warning(request, error.reason)
        return redirect("consent:person", project_id, side)
    return _page(request, person, link=_address(request, consent))


def _address(request: HttpRequest, consent: Consent) -> str:
    token = links.make_link(consent, request.user)  # type: ignore[arg-type]
    return request.build_absolute_uri(reverse("consent:agree", args=[token]))


def _steps(view: Callable[[HttpRequest, Consent], HttpResponse | None]) -> Callable[..., HttpResponse]:
    """A step of one consent, by a member who may edit; afterwards, or with its reason if it can't be, back."""

    @wraps(view)
    @require_http_methods(["GET", "HEAD", "POST"])
    @login_required
    @never_cache
    def stepped(request: HttpRequest, consent_id: UUID) -> HttpResponse:
        consent = _consent(request.user, consent_id, Verb.EDIT)
        assert consent.person is not None
        back = redirect("consent:person", consent.person.project_id, consent.person.side)
        if request.method != "POST":  # what the form answered was opened again: a link is shown only once
            return back
        try:
            return view(request, consent) or back
        except ConsentStepError as error:
            messages.error(request, error.reason)
            return back

    return stepped


def _consent(user: Any, consent_id: UUID, verb: Verb) -> Consent:
    consent = Consent.objects.select_related("person__project__team").filter(pk=consent_id).first()
    if consent is None or consent.person is None:
        raise Http404
    require(user, verb, consent.person.project.team_id)
    return consent


@_steps
def renew_link(request: HttpRequest, consent: Consent) -> HttpResponse:
    """Another link, from the member who makes it; the one before ends."""
    assert consent.person is not None
    services.renew(consent, request.user)  # type: ignore[arg-type]
    return _page(request, consent.person, link=_address(request, consent))


@_steps
def take_back(request: HttpRequest, consent: Consent) -> None:
    """Ask no more: the question was wrong, or is not needed."""
    services.take_back(consent, request.user)  # type: ignore[arg-type]
    messages.success(request, _("The request is cancelled. Its link no longer works."))


@_steps
def hand_in_file(request: HttpRequest, consent: Consent) -> HttpResponse:
    """A recording or a document that the person sent on another way."""
    assert consent.person is not None
    answer = Answer(
        name=request.POST.get("name", ""),
        purposes=consent.purposes,
        language=request.POST.get("statement") or get_language() or "en",
        way=request.POST.get("way", Way.UPLOAD),
        file=request.FILES.get("file"),
    )
    token = hand_in(consent, request.user, answer)  # type: ignore[arg-type]
    return _passed_on(request, consent, token)


@_steps
def pass_on_link(request: HttpRequest, consent: Consent) -> HttpResponse:
    """Another link for somebody for whom a member handed in, by which they take their own."""
    return _passed_on(request, consent, own_links.pass_on_again(consent, request.user))  # type: ignore[arg-type]


def _passed_on(request: HttpRequest, consent: Consent, token: str) -> HttpResponse:
    """The person's own link is never shown here: it goes to their address, or a link to take it is passed on."""
    assert consent.person is not None
    if consent.email and mail.is_set_up() and send_renewal(request, consent):
        messages.success(
            request, _("A link for getting the personal link was sent to %(email)s.") % {"email": consent.email}
        )
        return redirect("consent:person", consent.person.project_id, consent.person.side)
    address = request.build_absolute_uri(reverse("consent:take", args=[token]))
    return _page(request, consent.person, own_link=address)


@_steps
def review(request: HttpRequest, consent: Consent) -> HttpResponse | None:
    """Accept or refuse what was given. Refusing can't be undone, so it is confirmed and says why."""
    assert consent.person is not None
    accept = request.POST.get("accept") == "yes"
    try:
        if not accept and not request.POST.get("sure"):
            raise ConsentStepError("consent.not_confirmed")
        services.review(consent, request.user, accept, request.POST.get("why", ""))  # type: ignore[arg-type]
    except ConsentStepError as error:
        if error.code.startswith("review.") or error.code == "consent.own_review":
            raise PermissionDenied(error.reason) from error
        return _page(request, consent.person, problem=error.reason, code=error.code, why=request.POST.get("why", ""))
    messages.success(request, _("Consent accepted.") if accept else _("Consent refused."))
    return None


@_steps
def end(request: HttpRequest, consent: Consent) -> None:
    """Withdraw for the person, who asked on another way; only owners may."""
    assert consent.person is not None
    require(request.user, Verb.MANAGE, consent.person.project.team_id)
    services.withdraw(consent)
    messages.success(request, _("The consent is withdrawn. Everything made from this person was deleted."))


@require_safe
@login_required
def statement_page(request: HttpRequest, project_id: int) -> HttpResponse:
    """The statement in the reader's language, to print and have signed by hand."""
    project = get_project(request.user, project_id)
    shown = statement(project, get_language() or "en")
    return render(request, "consent/statement.html", {"project": project, "statement": shown})


@require_GET  # a request for the headers alone shows nobody anything
@login_required
@never_cache
def evidence_file(request: HttpRequest, evidence_id: UUID) -> HttpResponseBase:
    """What the person sent, for those who review it. Every look is in the audit trail."""
    found = Evidence.objects.select_related("consent__person__project__team").filter(pk=evidence_id).first()
    if found is None or found.consent.person is None or not found.file:
        raise Http404
    project = found.consent.person.project
    require(request.user, Verb.EDIT, project.team_id)
    try:
        pieces = evidence.stream(found)
    except VaultError as error:
        raise Http404 from error
    shown = {"side": found.consent.side, "consent": str(found.consent_id), **reviewing.seen_version(found)}
    record(request.user, reviewing.SEEN, project.team, project, **shown)  # type: ignore[arg-type]
    response = StreamingHttpResponse(pieces, content_type=_TYPES[found.kind])
    response["Content-Length"] = str(found.size)
    name = f"evidence.{'mp4' if found.kind == 'video' else 'pdf'}"
    response["Content-Disposition"] = f'{"inline" if found.kind == "video" else "attachment"}; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    if found.kind == "pdf":
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
