"""A person's own link: how they get it, and how they get another when it is lost or somebody else has seen it.

Whoever agrees on the studio's page gets the link and a code there, once. Where a member hands in for somebody, the
member gets a link to pass on, by which the person takes their own: the member never sees that, and what they passed on
works once. Nobody can tell whether it was the person who took it, so what came through a member ends with that member.
Only mail to the person's address goes past all members.
"""

from __future__ import annotations

import re
import secrets

from django.core import signing
from django.db import transaction

from webapp.accounts.models import User
from webapp.consent import links
from webapp.consent.errors import ConsentStepError
from webapp.consent.models import Consent, ConsentLink, LinkKind
from webapp.projects.services import record

_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Those that nobody confuses on paper."""
_GROUPS, _LENGTH = 5, 4
_SALT = "webapp.consent.own_links"
MAIL_HOURS = 24


def pass_on(consent: Consent, by: User) -> str:
    """Return the token of a link by which the person takes their own; ``by`` has handed in for them just now."""
    _set(consent, withdraw_hash="", recovery_hash="", passed_on_by=by)
    return links.make_link(consent, by, LinkKind.OWN)


@transaction.atomic
def pass_on_again(consent: Consent, by: User) -> str:
    """As :func:`pass_on`, later; the own link that the person had ends.

    Raises :class:`ConsentStepError` ``consent.own_only`` where the person got theirs from the studio alone: no member
    may have a part in it; and ``consent.closed`` after a withdrawal.
    """
    if consent.withdrawn_at is not None:
        raise ConsentStepError("consent.closed")
    if consent.passed_on_by_id is None:
        raise ConsentStepError("consent.own_only")
    _record(consent, by, "consent.own_link_passed_on")
    return pass_on(consent, by)


def open_passed_on(token: str) -> ConsentLink:
    """The link that was passed on. Raises as :func:`links.find`."""
    return links.find(token, LinkKind.OWN)


@transaction.atomic
def take(link: ConsentLink) -> tuple[str, str]:
    """Return the token of the person's own link and the code to renew it; the link that was passed on is used up."""
    links.use_up(link)
    return renew(link.consent)


@transaction.atomic
def renew(consent: Consent, *, by_mail: bool = False) -> tuple[str, str]:
    """Return the token of another own link and another code; the ones before are dead from now on.

    ``by_mail``: the person was reached at their address, so what members may have kept does not matter any more.
    """
    token, code = secrets.token_urlsafe(32), new_code()
    more = {"passed_on_by": None} if by_mail else {}
    _set(consent, withdraw_hash=links.hash_of(token), recovery_hash=_hash_of_code(code), **more)
    _record(consent, None, "consent.own_link_renewed")
    return token, code


def give_code(consent: Consent) -> str:
    """Return the code for somebody who has just got their own link from the studio."""
    code = new_code()
    _set(consent, recovery_hash=_hash_of_code(code))
    return code


def behind_code(code: str) -> Consent:
    """The consent that a code renews the link of. Raises :class:`ConsentStepError` ``consent.code``, ``.own_ended``."""
    known = Consent.objects.select_related("person__project__team", "passed_on_by")
    found = known.filter(recovery_hash=_hash_of_code(code)).exclude(recovery_hash="").first()
    if found is None:
        raise ConsentStepError("consent.code")
    links.check_passed_on(found)
    return found


def new_code() -> str:
    """Return a code of 99 bits, in groups as people write it."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def mail_token(consent: Consent) -> str:
    """The token of a link to be mailed to the person, by which they renew their own; it ends with the own link."""
    return signing.dumps([str(consent.pk), consent.withdraw_hash[:16]], salt=_SALT)


def behind_mail(token: str) -> Consent:
    """The consent behind a mailed link.

    Raises :class:`ConsentStepError` ``consent.link_unknown``, ``.link_used``, ``.link_expired``.
    """
    try:
        key, known = signing.loads(token, salt=_SALT, max_age=MAIL_HOURS * 3600)
    except signing.SignatureExpired as error:
        raise ConsentStepError("consent.link_expired") from error
    except signing.BadSignature as error:
        raise ConsentStepError("consent.link_unknown") from error
    found = Consent.objects.select_related("person__project__team").filter(pk=key).exclude(email="").first()
    if found is None or found.withdraw_hash[:16] != known:
        raise ConsentStepError("consent.link_used")
    return found


def of_address(email: str) -> list[Consent]:
    """The consents that somebody with this address has given and not withdrawn, the newest five."""
    given = Consent.objects.select_related("person__project__team").filter(email__iexact=email.strip())
    return list(given.exclude(given_at=None).exclude(email="").filter(withdrawn_at=None).order_by("-given_at")[:5])


def _set(consent: Consent, **fields: object) -> None:
    Consent.objects.filter(pk=consent.pk).update(**fields)
    consent.refresh_from_db(fields=list(fields))


def _hash_of_code(code: str) -> str:
    return links.hash_of(re.sub(r"[^A-Z0-9]", "", code.upper()))


def _record(consent: Consent, actor: User | None, verb: str) -> None:
    if consent.person is not None:
        project = consent.person.project
        record(actor, verb, project.team, project, side=consent.side, consent=str(consent.pk))
