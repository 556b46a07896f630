"""``python whole_way_people.py accounts|agree|token``: what people do on the whole way, in a process of the studio's.

``accounts`` makes an owner and somebody else; ``agree`` brings the other into the owner's team as a viewer, and lets
both people of its newest project agree, by the services that their pages call; ``token`` makes the owner's scripts one.
"""

from __future__ import annotations

import sys

import django

django.setup()

from tests.e2e.studio import PASSWORD  # noqa: E402
from tests.web.consents import reviewed, with_document  # noqa: E402
from webapp.accounts.models import Membership, Role, User  # noqa: E402
from webapp.api.tokens import make_token  # noqa: E402
from webapp.consent import services  # noqa: E402
from webapp.consent.models import Way  # noqa: E402
from webapp.projects.models import Project  # noqa: E402

OWNER, VIEWER = "owner@example.org", "viewer@example.org"


def accounts() -> None:
    for email in (OWNER, VIEWER):
        User.objects.create_user(email, PASSWORD)


def agree() -> None:
    project, owner = Project.objects.latest("pk"), User.objects.get(email=OWNER)
    Membership.objects.create(team=project.team, user=User.objects.get(email=VIEWER), role=Role.VIEWER)
    editor = User.objects.create_user("editor@example.org", PASSWORD)
    Membership.objects.create(team=project.team, user=editor, role=Role.EDITOR)
    for person in project.people.all():
        consent = with_document(services.ask(person, owner))
        services.give(consent, Way.PDF)
        reviewed(consent, editor)


def token() -> None:
    print(make_token(User.objects.get(email=OWNER), "a script"))


if __name__ == "__main__":
    {"accounts": accounts, "agree": agree, "token": token}[sys.argv[1]]()
