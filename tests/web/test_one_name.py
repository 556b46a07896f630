"""One name for one file: no other spelling of it in an address yields it, or is judged otherwise by consent and marks.

The addresses with a part that is text are read from the URLconf, so a new one is tried without anybody telling this
test.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import PathConverter, SlugConverter, StringConverter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from faceengine.jobs import files
from faceengine.jobs.models import Attempt, Job
from faceengine.jobs.names import FileName
from tests.web.consents import consent_of
from tests.web.footage import client_of
from tests.web.jobs.answers import body
from tests.web.ways import converted, scored, still_of
from webapp.accounts.invitations import invite
from webapp.consent.models import Consent
from webapp.provenance import delivery
from webapp.studio.models import Run
from webapp.uploads.models import Asset

pytestmark = pytest.mark.django_db
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

BEHIND = ["/", "//", "/.", "/./", "/..", "%2F", "%2f", "%2F.", "%00", "%20", "%09", "%0a", ".", "..", ";", ";x=1", "\\"]
BEHIND += [
    "%5C",
    "%3Fdownload",
    "%23",
    "%E2%80%8B",
    "%CC%81",
    "%C2%A0",
    "%EF%BB%BF",
    "%ED%A0%80",
    "::$DATA",
    "~",
    "%2500",
]
BEFORE = ["/", "./", "%2F", "%2E/", "../", "x/../", "%00", "%20", "\\", "%5C", "//", "%252F", ".%2F"]


def twice(text: str) -> str:
    return quote(quote(text, safe=""), safe="")


WHOLE: list[Callable[[str], str]] = [
    str.upper,
    str.lower,
    str.swapcase,
    str.title,
    twice,
    lambda text: text.replace("/", "//"),
    lambda text: text.replace("/", "/./"),
    lambda text: text.replace("/", "\\"),
    lambda text: text.replace("/", "%5C"),
    lambda text: text.replace("/", "%252F"),
    lambda text: text.replace("/", "/x/../"),
    lambda text: text.replace(".", "%252E"),
    lambda text: text.replace(".", "\uff0e"),
    lambda text: text.replace("/", "\uff0f"),
    lambda text: text.replace("0", "\uff10"),
    lambda text: text.replace("s", "\u017f"),
    lambda text: text.replace("k", "\u212a"),
    lambda text: text.replace("a", "\u0430"),
    lambda text: text.replace("e", "e\u0301"),
    lambda text: unicodedata.normalize("NFKD", text) + "\u0301",
    lambda text: text.replace(".png", ".PNG").replace(".safetensors", ".SAFETENSORS").replace(".jpg", ".JPG"),
    lambda text: text.rpartition(".")[0],
]
SPELLINGS = st.builds(
    lambda before, whole, behind: lambda text: before + whole(text) + behind,
    st.just("") | st.sampled_from(BEFORE),
    st.just(str) | st.sampled_from(WHOLE) | st.just(lambda text: quote(text, safe="")),
    st.just("") | st.sampled_from(BEHIND),
)
"""Ways to write a name otherwise, some of which give the very name: then it must be treated as that."""


@dataclass
class Made:
    """A project with files of every role, and what came of asking for each."""

    client: Client
    files: list[tuple[Job, str]]


@pytest.fixture
def made(run: Run) -> Made:
    conversion = converted(run)
    score, still = scored(conversion), still_of(run)
    picture = BytesIO()
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(picture, "PNG")
    for name in ("previews/000020.png", "previews/000010.png"):
        default_storage.delete(f"{run.job.folder}/{name}")
        default_storage.save(f"{run.job.folder}/{name}", ContentFile(picture.getvalue()))
    default_storage.save(f"{run.job.folder}/losses.jsonl", ContentFile(b"{}"))
    default_storage.save(f"{run.job.folder}/logs/1.log", ContentFile(b"said"))
    found = [(run.job, "previews/000020.png"), (run.job, "checkpoints/000020.safetensors"), (run.job, "losses.jsonl")]
    found += [(conversion.job, "result.mp4"), (still.job, "still.jpg"), (score.job, "frames/000007.jpg")]
    return Made(client_of(run.created_by), found)


def no_delivery(run: Run) -> None:
    """Both people agree anew, to everything but that something is handed out."""
    Consent.objects.filter(person__project=run.project).update(expires_at=Now())
    for person in run.project.people.all():
        consent_of(person, purposes=["train", "swap"])


def answer_of(client: Client, job: Job, spelled: str, question: str = "") -> tuple[int, bytes, str]:
    answer = client.get(f"/jobs/{job.pk}/files/{spelled}{question}", headers={"Accept": "application/json"})
    return answer.status_code, body(answer), answer.get("Content-Type", "")


@pytest.mark.parametrize("deliver", [True, False])
def test_no_other_spelling_of_a_name_yields_the_file(made: Made, run: Run, deliver: bool) -> None:
    if not deliver:
        no_delivery(run)
    questions = ("", "?download")
    expected = {
        (job.pk, name, question): answer_of(made.client, job, name, question)[0]
        for job, name in made.files
        for question in questions
    }
    allowed = {status for (_, name, _), status in expected.items() if "checkpoint" in name}
    assert allowed == ({200} if deliver else {409})

    @QUICK
    @given(st.sampled_from(made.files), SPELLINGS, st.sampled_from(questions))
    def try_it(file: tuple[Job, str], spell: Callable[[str], str], question: str) -> None:
        job, name = file
        spelled = spell(name)
        meant = unquote(spelled.split("?")[0].split("#")[0])
        status, content, _ = answer_of(made.client, job, spelled, question)
        if meant == name:
            assert status == expected[job.pk, name, question]
        else:
            assert status in (404, 400), (spelled, status)
            assert b"made" not in content

    try_it()


def test_marks_and_consent_are_asked_about_the_file_that_is_handed_out(
    made: Made, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is opened was asked about, by the same name; a picture never leaves without its signature."""
    asked: list[str] = []
    opened: list[str] = []
    real_ask, real_found = files.ask, files._found

    def ask(job: Job, name: FileName, **more: Any) -> None:
        asked.append(str(name))
        real_ask(job, name, **more)

    def found(job: Job, name: FileName) -> Any:
        path = real_found(job, name)
        opened.append(Path(str(path)).relative_to(Path(default_storage.path(job.folder)).resolve()).as_posix())
        return path

    monkeypatch.setattr(files, "ask", ask)
    monkeypatch.setattr(files, "_found", found)

    @QUICK
    @given(st.sampled_from(made.files), SPELLINGS)
    def try_it(file: tuple[Job, str], spell: Callable[[str], str]) -> None:
        asked.clear()
        opened.clear()
        status, content, kind = answer_of(made.client, file[0], spell(file[1]))
        if status == 200:
            assert asked == opened == [file[1]]
            if kind.startswith("image/"):
                assert b"c2pa" in content

    try_it()


def test_no_raw_text_reaches_the_gate(run: Run) -> None:
    for decide in (delivery.may_deliver, delivery.prepare):
        with pytest.raises((AttributeError, TypeError)):
            decide(run.job, "checkpoints/000020.safetensors", *[False] * (decide.__code__.co_argcount - 2))  # type: ignore[arg-type]
    for odd in ("checkpoints/000020.safetensors/", "checkpoints//000020.safetensors"):
        with pytest.raises(Exception, match="no name of a file"):
            FileName(odd)


@pytest.mark.parametrize("name", ["x.SAFETENSORS", "checkpoints/weights.bin", "checkpoints/copy.png"])
def test_a_model_is_one_whatever_it_is_called(run: Run, name: str) -> None:
    default_storage.save(f"{run.job.folder}/{name}", ContentFile(b"weights"))
    client = client_of(run.created_by)
    assert answer_of(client, run.job, name)[0] == 200
    no_delivery(run)
    assert answer_of(client, run.job, name)[0] == 409


def test_no_link_within_the_folder_gives_a_file_another_name(run: Run) -> None:
    folder = Path(default_storage.path(run.job.folder))
    (folder / "numbers.txt").symlink_to(folder / "checkpoints" / "000020.safetensors")
    (folder / "more").symlink_to(folder / "checkpoints")
    for name in ("numbers.txt", "more/000020.safetensors"):
        assert answer_of(client_of(run.created_by), run.job, name)[0] == 404
    listed, _ = files.listing(run.job)
    assert "numbers.txt" not in [one.name for one in listed]


def test_a_log_has_one_address(run: Run) -> None:
    Attempt.objects.get_or_create(job=run.job, number=1, defaults={"slot": "here/gpu0"})
    default_storage.save(f"{run.job.folder}/logs/1.log", ContentFile(b"said"))
    client = client_of(run.created_by)
    assert client.get(f"/jobs/{run.job_id}/logs/1/whole/").status_code == 200
    assert answer_of(client, run.job, "logs/1.log")[0] == 404


# ---- every other address with a part that is text --------------------------------------------------------------------


def texts() -> Iterator[tuple[str, str]]:
    """Route and name of every part of an address that is text, but for the API's numbers, which pydantic reads."""

    def below(patterns: Any, prefix: str, parts: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for one in patterns:
            route = prefix + str(one.pattern)
            known = parts | one.pattern.converters
            if isinstance(one, URLResolver):
                yield from below(one.url_patterns, route, known)
            elif isinstance(one, URLPattern):
                for name, converter in known.items():
                    text = isinstance(converter, StringConverter | PathConverter | SlugConverter)
                    if text and not (route.startswith("api/") and name.endswith("_id")):
                        yield route, name

    yield from below(get_resolver().url_patterns, "", {})


@pytest.fixture
def parts(run: Run) -> dict[str, Any]:
    """What each part of an address may be."""
    asset = Asset.objects.filter(person__project=run.project, person__side="a").earliest("pk")
    token = invite(run.project.team, "guest@example.org", "viewer", run.created_by)[1]  # type: ignore[arg-type]
    return {
        "project_id": run.project_id, "side": "a", "asset_id": asset.pk, "part": "file", "job_id": run.job_id,
        "name": "previews/000020.png", "change": "up", "state": "done", "slot_kind": "gpu", "token": token,
        "number": 1, "size": 96, "crop_id": 1, "link_token": "x" * 43, "own_token": "y" * 43,
        "passed_token": "p" * 43, "mail_token": "m" * 43, "proof_token": "o" * 43, "reset_token": "r" * 43,
        "uidb64": "MQ",
    }  # fmt: skip


def test_no_part_of_an_address_has_two_spellings(run: Run, parts: dict[str, Any]) -> None:
    """What is not the part's very text is not found, or is judged as what it is: never as the part itself."""
    client = client_of(run.created_by)
    found = sorted(set(texts()))
    assert {"name", "part", "side", "state", "token", "change"} <= {name for _, name in found}
    lacking = {name for route, _ in found for name in re.findall(r"<(?:[^:>]+:)?([^>]+)>", route)} - set(parts)
    assert not lacking, f"say in parts() what these may be: {lacking}"
    spellings = [lambda text, behind=behind: text + behind for behind in BEHIND[::2]]
    spellings += [lambda text, before=before: before + text for before in BEFORE[::2]]
    for route, name in found:
        own = parts | ({"token": "z" * 32} if "verify" in route else {})
        good = _address(route, own)
        baseline = client.get(good).status_code
        if baseline not in (200, 302):
            continue
        for spell in [*spellings, *WHOLE]:
            spelled = spell(str(own[name]))
            if unquote(spelled) == str(own[name]):
                continue
            status = client.get(_address(route, own | {name: spelled})).status_code
            assert status in (301, 400, 404, 405, 410, 422), (route, name, spelled, status)


def _address(route: str, own: dict[str, Any]) -> str:
    filled = re.sub(r"<(?:[^:>]+:)?([^>]+)>", lambda match: str(own[match[1]]), route)
    return "/" + filled.removeprefix("^").removesuffix("$").removesuffix("\\Z")
