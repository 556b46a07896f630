"""No address answers 500 to any input: every one there is, with bad parts, queries, forms, JSON and headers.

The addresses are read from the URLconf, the bodies of the API from its description: a new one is tried without anybody
telling this test.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.urls import get_resolver

from tests.jobs.backends import _database, _migrated, server  # noqa: F401 - a fixture
from tests.web.consents import consent_of
from tests.web.footage import client_of, project_of, user
from tests.web.test_consent_everywhere import routes
from tests.web.ways import converted, scored, still_of, trained
from webapp.accounts.invitations import invite
from webapp.accounts.models import User
from webapp.api.tokens import make_token
from webapp.consent import links
from webapp.consent.models import Consent
from webapp.curation.models import Crop
from webapp.projects.models import Project
from webapp.uploads import services as uploads
from webapp.uploads.models import Asset

NUMBERS = ["1" + "0" * 30, str(2**63 - 1), str(2**31)]
VALUES = ["1" + "0" * 30, "1" * 5000, "-1", "x" * 10_000 + "\u4eba", "²"]
NUL = "a\0b"
QUERY = (
    *("after", "since", "view", "parent", "like", "one", "other", "a2b", "b2a", "offset", "state", "wait", "next"),
    *("page", "download", "name", "token", "sort", "language", "preset", "from", "until"),
)
FIELDS = (
    *("name", "team", "a", "b", "email", "role", "password", "username", "next", "every", "size", "preset", "minutes"),
    *("iterations", "batch", "cycle", "seed", "octave", "parent", "asset", "snapshot", "at", "blend", "crf", "erode"),
    *(
        "value",
        "crop",
        "view",
        "after",
        "rule",
        "needed",
        "token",
        "offset",
        "purposes",
        "way",
        "agreed",
        "accept",
        "why",
    ),
    *("statement", "phrase", "seen", "theme", "language", "files", "what", "kind", "label", "keep_every", "feather"),
)
"""What any form has: a field that a form doesn't know it ignores."""
JSON_FIELDS = ("selection", "seen", "value", "count", "group", "here", "numbers", "rule", "needed")
"""What the scripts of the pages send."""
JSON_VALUES = [
    *("1" + "0" * 30, str(2**63 - 1), "-1", "1e400", "NaN", "null", '""', "[]", "{}", "[[]]", r'"\u0000"', r'"\ud800"'),
    *('"' + "x" * 10_000 + '"', '"人脸"', r'{"\u0000": 1}'),
]
SELECTIONS = [
    '{"view": {"group": %s}}', '{"view": {"numbers": [%s]}}', '{"view": {"ranges": {"yaw": [%s, %s]}}}',
    '{"view": {"input": %s}}', '{"view": {"states": [%s]}}', '{"view": {"sort": %s}}', '{"view": {"ranges": %s}}',
    '{"numbers": [%s]}', '{"stretch": [%s, %s]}', '{"all_but": [%s]}', '{"expected": %s, "numbers": [1]}',
    '{"view": %s}',
]  # fmt: skip
HEADERS = {
    "Authorization": "Bearer \u00e9\u00ff", "Range": "bytes=" + "9" * 30 + "-", "If-None-Match": "\u00e9" * 50,
    "If-Range": "\u00e9", "If-Modified-Since": "\u00e9", "Upload-Length": "9" * 30, "Upload-Offset": "9" * 30,
    "Upload-Metadata": "filename \u00e9", "Upload-Checksum": "sha1 \u00e9", "Tus-Resumable": "1.0.0",
    "Accept-Language": "x" * 10_000, "Accept": "\u00e9", "X-Forwarded-For": "\u00e9, " * 50, "Referer": "http://[",
    "Cookie": 'sessionid="a\\000bcdefghij"; csrftoken=\u00e9; django_language=\u00e9; theme=\u00e9',
}  # fmt: skip


class Attack:
    """Asks, undoes what that changed, and notes each answer that is the server's fault."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        self.token = make_token(owner, "test")
        self.browser = client_of(owner)
        self.browser.raise_request_exception = False
        self.asked = 0
        self.faults: dict[str, str] = {}
        self._error = ""

    def ask(self, client: Client, method: str, path: str, *arguments: Any, **more: Any) -> int:
        session = client.cookies.get("sessionid")
        self._error = ""
        with transaction.atomic():
            answer = getattr(client, method)(path, *arguments, **more)
            transaction.set_rollback(True)
        if session is not None:  # whoever was signed out is there again
            client.cookies["sessionid"] = session.value
        self.asked += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            key = f"{method} {re.sub('[0-9]{2,}', 'N', path.split('?')[0])[:60]} {self._error[:160]}"
            self.faults.setdefault(key, f"{path[:90]} {str(arguments)[:160]} {str(more)[:60]}")
        return int(answer.status_code)

    def note(self, **_: Any) -> None:
        error = sys.exc_info()[1]
        self._error = f"{type(error).__name__}: {error}"

    @contextmanager
    def noting(self) -> Iterator[None]:
        got_request_exception.connect(self.note)
        try:
            yield
        finally:
            got_request_exception.disconnect(self.note)


def studio(owner: User) -> tuple[Project, dict[str, Any]]:
    """A project with all that a project can have, and what each part of an address may be."""
    project = project_of(owner)
    run = trained(project)
    conversion = converted(run)
    scored(conversion)
    asset = Asset.objects.filter(person__project=project, person__side="a").earliest("pk")
    consent = Consent.objects.filter(person__project=project).latest("asked_at")
    own, consent.withdraw_hash = links.withdrawal_token()
    consent.save(update_fields=["withdraw_hash"])
    other = project_of(user("another"))
    asked = consent_of(other.people.get(side="a"), "asked")
    assert asked is not None
    default_storage.save(f"{run.job.folder}/logs/1.log", ContentFile(b"said"))
    invitation, token = invite(project.team, "guest@example.org", "viewer", owner)
    membership = project.team.memberships.get(user=owner)
    return project, {
        "project_id": project.pk, "side": "a", "run_id": run.pk, "team_id": project.team_id, "asset_id": asset.pk,
        "conversion_id": conversion.pk, "upload_id": uploads.begin(owner, project.people.get(side="a"), "x", 9).pk,
        "part": "file", "number": 1, "size": 96, "crop_id": Crop.objects.earliest("pk").pk, "attempt": 1,
        "state": "done", "slot_kind": "gpu", "token": token, "job_id": run.job_id, "membership_id": membership.pk,
        "invitation_id": invitation.pk, "change": "up", "consent_id": consent.pk, "still_id": still_of(run).pk,
        "evidence_id": run.job_id, "link_token": links.make_link(asked, owner), "own_token": own, "token_id": 1,
        "name": "previews/000020.png", "user_id": owner.pk, "uidb64": "MQ",
        **dict.fromkeys(("passed_token", "mail_token", "proof_token", "reset_token"), "x" * 43),
    }  # fmt: skip


def addresses(parts: dict[str, Any]) -> dict[str, str]:
    """Every route there is with ``{part}`` for its parts, by route; fails for a part of which nothing is known."""
    found = {}
    for route, _ in routes(get_resolver()):
        names = re.findall(r"<(?:[^:>]+:)?([^>]+)>", route)
        assert set(names) <= set(parts), f"say in studio() what these parts may be: {set(names) - set(parts)}"
        found[route] = "/" + re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", route)
    return found


def attack(owner: User) -> Attack:
    """Everything, one after the other."""
    project, parts = studio(owner)
    attack = Attack(owner)
    anybody = Client(raise_request_exception=False)
    staff = client_of(User.objects.create_user("staff@example.org", is_staff=True))
    staff.raise_request_exception = False
    with attack.noting():
        for route, address in addresses(parts).items():
            by = staff if route.startswith(("operations", "metrics")) else attack.browser
            token = {"headers": {"Authorization": f"Bearer {attack.token}"}} if route.startswith("api/") else {}
            _parts_of(attack, by, route, address, parts, token)
            good = address.format(**parts)
            visitors = [by, anybody] if _is_open(anybody, good) else [by]
            for visitor in visitors:
                _while_taken(attack.ask(visitor, "get", f"{good}?{urlencode(one)}", **token) for one in _mixed(QUERY))
                _while_taken(attack.ask(visitor, "post", good, one, **token) for one in _mixed(FIELDS))
            attack.ask(anybody, "get", good, headers=HEADERS)
            attack.ask(by, "get", good, headers={name: one for name, one in HEADERS.items() if name != "Cookie"})
        for key in (f"{'9' * 30}~1~{parts['job_id']}", f"1~-{'9' * 19}~{parts['job_id']}", "1~1~²"):
            attack.ask(attack.browser, "get", f"/jobs/queued/gpu/?after={quote(key)}")
        _scripts(attack, project)
        _api(attack, parts)
        _verify(attack, anybody)
    return attack


def _while_taken(statuses: Iterator[int]) -> None:
    """Ask on, unless the address does not take the method."""
    next((status for status in statuses if status == 405), None)


def _mixed(names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Each name with each value once, never all with the same: one that is refused would hide what the next does."""
    for shift in range(len(VALUES)):
        yield {name: VALUES[(place + shift) % len(VALUES)] for place, name in enumerate(names)}
    yield dict.fromkeys(names, NUL)


def _is_open(anybody: Client, path: str) -> bool:
    """Whether a page is for people who aren't signed in, too."""
    answer = anybody.get(path)
    return answer.status_code not in (401, 403) and "/sign-in/" not in answer.get("Location", "")


def _parts_of(attack: Attack, by: Client, route: str, address: str, parts: dict[str, Any], token: Any) -> None:
    """Each part of an address in turn is bad, the others are good."""
    for name in re.findall(r"{(\w+)}", address):
        number = isinstance(parts[name], int)
        for value in NUMBERS if number else [NUL, VALUES[3], "\ud800", "a/b"]:
            spelled = quote(value.encode("utf-8", "surrogatepass"), safe="")
            bad = address.format(**parts | {name: spelled})
            if attack.ask(by, "get", bad, **token) == 405:
                attack.ask(by, "post", bad, **token)


def _scripts(attack: Attack, project: Project) -> None:
    """What the face review's scripts send."""
    base = f"/projects/{project.pk}/a/faces"
    for what in ("count", "presence", "slice", "decide", "undo", "settle", "best"):
        bodies = ["[" * 2000 + "]" * 2000, "", *JSON_VALUES]
        for value in JSON_VALUES:
            bodies.append("{" + ", ".join(f'"{name}": {value}' for name in JSON_FIELDS) + "}")
            if what in ("decide", "best"):
                bodies += [f'{{"seen": 0, "value": "keep", "{name}": {value}}}' for name in ("count", "group", "value")]
        if what in ("count", "decide"):
            for template in SELECTIONS:
                for value in JSON_VALUES[:: 2 if what == "decide" else 1]:
                    selection = template.replace("%s", value)
                    extra = (
                        selection[1:] if what == "count" else f'"seen": 0, "value": "keep", "selection": {selection}}}'
                    )
                    bodies.append("{" + extra)
        for body in bodies:
            attack.ask(attack.browser, "post", f"{base}/{what}", body, content_type="application/json")
    for template in SELECTIONS:
        for value in JSON_VALUES[:6]:
            view = json.dumps(template.replace("%s", value))
            attack.ask(attack.browser, "get", f"{base}/tiles?{urlencode({'view': view})}")


def _api(attack: Attack, parts: dict[str, Any]) -> None:
    """Every field of every body that the API describes."""
    described = Client().get("/api/openapi.json").json()
    bodies = {"name": '"x"', "asset": str(parts["asset_id"]), "numbers": "[1]", "value": "null"}
    for path, methods in described["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        token, address = {"Authorization": f"Bearer {attack.token}"}, path.format(**parts)
        client = Client(raise_request_exception=False)
        schema = described["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
        for name in schema["properties"]:
            for value in JSON_VALUES:
                own = {key: one for key, one in bodies.items() if key in schema["properties"]}
                for sent in (value, f"[{value}]") if name == "numbers" else (value,):
                    text = "{" + ", ".join(f'"{key}": {one}' for key, one in (own | {name: sent}).items()) + "}"
                    attack.ask(client, "post", address, text, content_type="application/json", headers=token)


def _verify(attack: Attack, anybody: Client) -> None:
    """Tokens of files that are verified, which become names of files."""
    for token in ("x" * 300, "..", ".", "a/b", "a\\b", "\u4eba" * 90, "-" * 32):
        attack.ask(anybody, "post", "/verify/", {"token": token})
        attack.ask(anybody, "post", f"/verify/parts/{quote(token, safe='')}/?offset=0", b"x", content_type="x/y")
    for offset in NUMBERS:
        made = anybody.post("/verify/parts/").json().get("token", "x")
        attack.ask(anybody, "post", f"/verify/parts/{made}/?offset={offset}", b"x", content_type="x/y")


@pytest.fixture
def often(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks may ask as often as it takes."""
    monkeypatch.setattr("webapp.api.api.Throttle.allow_request", lambda *_: True)
    monkeypatch.setattr("webapp.consent.person_views.slow_down", lambda *_: None)
    settings.METRICS_TOKEN = "a token"


def test_no_address_answers_500(owner: User, often: None) -> None:
    done = attack(owner)
    assert not done.faults, "\n".join(f"{key}\n    {what}" for key, what in sorted(done.faults.items()))
    assert done.asked > 1500


@pytest.fixture
def on_postgres(server: Any, tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:  # noqa: F811
    """A new database of that sort."""
    url = _migrated(server("postgres"), tmp_path, django_db_blocker)
    with django_db_blocker.unblock(), _database(url):
        yield


def test_nor_does_it_on_postgres(on_postgres: None, often: None) -> None:
    done = attack(user("owner"))
    assert not done.faults, "\n".join(f"{key}\n    {what}" for key, what in sorted(done.faults.items()))
