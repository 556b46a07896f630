"""Pages on which a person gets their own link, and renews it. They need no account."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts import mail
from webapp.accounts.limits import once_more
from webapp.accounts.services import TeamError
from webapp.consent import links, own_links
from webapp.consent.errors import ConsentStepError
from webapp.consent.limits import slow_down
from webapp.consent.models import Consent
from webapp.consent.person_views import ANSWERS, public

log = logging.getLogger(__name__)
_MAILS = 3
"""Mails to one address in an hour, whoever asks for them."""


@require_http_methods(["GET", "HEAD", "POST"])
@public
def take(request: HttpRequest, passed_token: str) -> HttpResponse:
    """The link that a member passed on: here the person takes their own."""
    link = own_links.open_passed_on(passed_token)
    if request.user.is_authenticated:  # a member who tries it out would use it up
        raise ConsentStepError("consent.for_person")
    if request.method != "POST":
        return render(request, "consent/take.html", {"consent": link.consent})
    return shown(request, link.consent, *own_links.take(link))


@require_POST
@public
def renew(request: HttpRequest, own_token: str) -> HttpResponse:
    """Another link instead of one that somebody else may have seen."""
    consent = links.consent_behind(own_token)
    slow_down(request, "answer", ANSWERS, own_token)
    return shown(request, consent, *own_links.renew(consent))


@require_http_methods(["GET", "HEAD", "POST"])
@public
def lost(request: HttpRequest) -> HttpResponse:
    """Another link instead of one that is lost: by the code, or by mail."""
    problem = note = ""
    if request.method == "POST":
        slow_down(request, "lost", ANSWERS, "")  # no link is known here: each address counts for itself
        if request.POST.get("code"):
            try:
                consent = own_links.behind_code(request.POST["code"])
                return shown(request, consent, *own_links.renew(consent))
            except ConsentStepError as error:
                problem = error.reason
        elif mail.is_set_up():
            _send_to(request, request.POST.get("email", "").strip()[:254])
            note = _("If someone gave consent here with this address, a link was sent to it.")
    context = {"problem": problem, "note": note, "mail": mail.is_set_up()}
    return render(request, "consent/lost.html", context, status=409 if problem else 200)


def _send_to(request: HttpRequest, email: str) -> None:
    try:
        validate_email(email)
        once_more(f"consent:{email.lower()}", _MAILS)
    except (ValidationError, TeamError):  # what is said is the same in any case
        return
    for consent in own_links.of_address(email):
        send_renewal(request, consent)


def send_renewal(request: HttpRequest, consent: Consent) -> bool:
    """Mail the person a link by which they get, or renew, their own; whether it is on its way."""
    token = own_links.mail_token(consent)
    link = request.build_absolute_uri(reverse("consent:renew-by-mail", args=[token]))
    text = render_to_string("consent/mail/renew.txt", {"link": link, "consent": consent, "hours": own_links.MAIL_HOURS})
    try:
        send_mail(_("Link to your consent"), text, None, [consent.email])
    except (SMTPException, OSError) as error:
        log.warning("mail could not be sent: %s", error)
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@public
def by_mail(request: HttpRequest, mail_token: str) -> HttpResponse:
    """The mailed link."""
    consent = own_links.behind_mail(mail_token)
    if request.method != "POST":
        return render(request, "consent/take.html", {"consent": consent})
    return shown(request, consent, *own_links.renew(consent, by_mail=True))


def shown(request: HttpRequest, consent: Consent, token: str, code: str) -> HttpResponse:
    """The page that shows the own link and the code, this once."""
    address = request.build_absolute_uri(reverse("consent:withdraw", args=[token]))
    return render(request, "consent/own_link.html", {"consent": consent, "link": address, "code": code})
