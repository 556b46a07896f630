"""The person's own pages, without an account: agreeing by a link, and withdrawing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webapp.consent import links, own_links, services
from webapp.consent.answers import Answer, agree
from webapp.consent.errors import ConsentStepError
from webapp.consent.limits import slow_down, wrong_link
from webapp.consent.models import Consent, ConsentLink, Purpose, Way
from webapp.consent.statements import agreed, statement, uses_in
from webapp.consent.uses import kept, lacking
from webapp.csp import policy

_LOOKS, ANSWERS = 60, 10
"""In a minute, by one link from one address."""
_GONE = {
    "consent.link_unknown": 404,
    "consent.link_used": 410,
    "consent.link_expired": 410,
    "consent.link_ended": 410,
    "consent.own_ended": 410,
    "consent.often": 429,
}


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """A page that anybody with its link may open, and no cache, proxy or other page may learn of."""

    @wraps(view)
    @never_cache
    def guarded(request: HttpRequest, **token: str) -> HttpResponseBase:
        try:
            response: HttpResponseBase = view(request, **token)
        except ConsentStepError as refusal:
            error = _counted(request, refusal)
            status = _GONE.get(error.code, 409)
            response = render(request, "consent/closed.html", {"reason": error.reason}, status=status)
        # Not "no-referrer": with that, browsers send forms from an origin called null, which no form may come from.
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return guarded


def _counted(request: HttpRequest, error: ConsentStepError) -> ConsentStepError:
    """Return ``error``, or that it was too often for a link that doesn't exist."""
    if error.code == "consent.link_unknown":
        try:
            wrong_link(request)
        except ConsentStepError as often:
            return often
    return error


@require_http_methods(["GET", "HEAD", "POST"])
@public
def agree_page(request: HttpRequest, link_token: str) -> HttpResponse:
    """The statement, and the ways to agree to it."""
    link = links.open_link(link_token)
    slow_down(request, "look", _LOOKS, link_token)
    problem = ""
    if request.method == "POST":
        try:
            slow_down(request, "answer", ANSWERS, link_token)
            own = agree(link, _answer(request))
            return _thanks(request, link, own)
        except ConsentStepError as error:
            if error.code in _GONE:
                raise
            problem = error.reason
    return _form(request, link, problem)


def _answer(request: HttpRequest) -> Answer:
    way = request.POST.get("way", Way.WEBCAM)
    return Answer(
        name=request.POST.get("name", "") if request.POST.get("agreed") else "",
        purposes=request.POST.getlist("purposes"),
        language=request.POST.get("statement", ""),
        way=way,
        file=request.FILES.get("recording" if way == Way.WEBCAM else "file"),
        phrase=request.POST.get("phrase", "") if way == Way.WEBCAM else "",
        recorded=bool(request.POST.get("recorded")),
        seen=request.POST.get("seen", "") or "none",
    )


def _form(request: HttpRequest, link: ConsentLink, problem: str) -> HttpResponse:
    consent = link.consent
    assert consent.person is not None
    language = get_language() or "en"
    shown = statement(consent.person.project, language)
    context = {
        "consent": consent,
        "person": consent.person,
        "project": consent.person.project,
        "statement": shown,
        "phrase": links.challenge(link, language),
        "minutes": links.PHRASE_MINUTES,
        "purposes": [(one, shown.uses[one]) for one in Purpose.values if one in consent.purposes],
        "kept": [shown.uses[purpose] for purpose in kept(consent)],
        # Nothing is ticked for anybody: silence is no consent (GDPR, recital 32).
        "ticked": request.POST.getlist("purposes"),
        "name": request.POST.get("name", consent.name),
        "way": request.POST.get("way", Way.WEBCAM),
        "problem": problem,
        "largest": settings.CONSENT_FILE_MB << 20,
    }
    response = render(request, "consent/agree.html", context, status=409 if problem else 200)
    # The only page with a camera, and with videos that are not from the studio: the recording itself.
    response["Permissions-Policy"] = "camera=(self), microphone=(self)"
    response["Content-Security-Policy"] = policy(media="blob:")
    return response


def _thanks(request: HttpRequest, link: ConsentLink, own: str) -> HttpResponse:
    address = request.build_absolute_uri(reverse("consent:withdraw", args=[own]))
    code = own_links.give_code(link.consent)
    return render(request, "consent/thanks.html", {"consent": link.consent, "link": address, "code": code})


@require_http_methods(["GET", "HEAD", "POST"])
@public
def withdraw_page(request: HttpRequest, own_token: str) -> HttpResponse:
    """Where the consent stands, and taking it back; opened again afterwards it says that it was."""
    consent = links.consent_behind(own_token)
    slow_down(request, "look", _LOOKS, own_token)
    if request.method == "POST":
        services.withdraw(consent)
        return redirect("consent:withdraw", own_token)
    found = agreed(consent)
    uses = uses_in(consent.statement_version, get_language() or "en")
    context: dict[str, Any] = {
        "consent": consent,
        "token": own_token,
        "agreed": found,
        "agreed_uses": _agreed_uses(consent, found) if found else [],
        "deleted": consent.tombstones.count(),
        "project": consent.person.project if consent.person else None,
        "purposes": [uses[one] for one in consent.purposes if one in uses],
        "left_out": [uses[one] for one in lacking(consent)],
    }
    return render(request, "consent/withdraw.html", context)


def _agreed_uses(consent: Consent, found: dict[str, Any]) -> list[str]:
    """Return the uses that the person ticked, in the words of the statement that they agreed to."""
    uses = uses_in(found["version"], found["language"])
    return [uses[one] for one in consent.purposes if one in uses]
