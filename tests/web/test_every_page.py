"""Every page asks the database a few times, however much there is; found by walking the addresses, none by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.web.large import CHANGES, Large, addresses, build
from webapp.accounts.models import User
from webapp.api.tokens import make_token

pytestmark = pytest.mark.django_db

MOST = 10
"""Queries of a page; one more for each list of results that it shows a page of."""
LOOKS = {"operations:overview": 11}
"""A look at all files reads every table once that names any; it is kept for a minute. And the page has two queues."""
LISTS = {
    "jobs:list": 8,
    "jobs:ended": 1,
    "jobs:queued": 1,
    "uploads:room": 3,
    "project": 2,
    "home": 1,
    "removal:my-data": 2,
    "studio:run": 2,
}
"""How many such lists pages show: the overview of jobs three of open ones, two queues, and three of ended ones.
The footage page counts files that were accepted and that were refused, to show them in pages. A training's page lists
frame previews and conversions."""
WRITES = {"consent:evidence": 3, "removal:my-data": 3}
"""Pages that note in the audit trail that they were looked at."""


def allowed(name: str) -> int:
    """Queries that the page of that name may ask."""
    return MOST + LISTS.get(name, 0) + WRITES.get(name, 0) + LOOKS.get(name, 0)


@pytest.fixture
def large() -> Large:
    return build(projects=5, crops=250, runs=3)


def test_every_page_asks_the_database_a_few_times(large: Large, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    browser = Client()
    browser.force_login(large.owner)
    found, unknown = addresses(large)
    assert unknown <= CHANGES, "teach tests/web/large.py what the arguments of these addresses are"
    token = {"Authorization": f"Bearer {make_token(large.owner, 'test')}"}
    staff = Client()
    staff.force_login(User.objects.create_user("staff@example.org", is_staff=True))
    asked, odd = {}, {}
    for name, address in found.items():
        with CaptureQueriesContext(connection) as queries:
            visitor = staff if name.startswith("operations:") else browser
            answer = visitor.get(address, headers=token if name.startswith("api-1:") else {})
        if answer.status_code == 405:
            continue
        asked[name] = len(queries)
        if answer.status_code not in (200, 302):
            odd[name] = answer.status_code
    assert odd == {}
    assert len(asked) > 25
    assert {name: count for name, count in asked.items() if count > allowed(name)} == {}
