"""What a person may set: every field of every engine config is sent by every way in, and only the list gets through.

The fields are read from the config classes and the bodies from the API's own description, so that new ones are tried
without anybody telling these tests.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from faceengine.config import value_type
from faceengine.conversion.config import ConvertConfig
from faceengine.errors import ConfigError
from faceengine.evaluation.config import ScoreConfig
from faceengine.extraction.config import ExtractConfig
from faceengine.intake.config import IntakeConfig
from faceengine.jobs import kinds
from faceengine.jobs.models import Job
from faceengine.training.config import Recipe, TrainConfig
from tests.web.ways import TINY, converted, footage
from webapp.accounts.models import User
from webapp.api.tokens import make_token
from webapp.projects.models import Person
from webapp.studio import options, services
from webapp.studio.forms import ConvertForm, ExtractForm, LongerForm, RunForm
from webapp.studio.models import Run, Snapshot
from webapp.studio.options import BY_KIND, Option, OptionError
from webapp.uploads.models import Asset

ENGINE = (ConvertConfig, ExtractConfig, IntakeConfig, Recipe, ScoreConfig, TrainConfig)
FIELDS = sorted({field.name for config in ENGINE for field in dataclasses.fields(config)} | {"no_such_thing", ""})
"""Every field that any engine config has."""
BAD = ["NaN", "Infinity", "-Infinity", "1e30", "-1e30", "1" + "0" * 30, '"5"', '"x"', "{}", '{"a": 1}', "[]", "[5]"]
BAD += ["null", "true", "1" + "0" * 400]
"""JSON that is good for no option at all; as text, since some of it Python can't write."""


class Script:
    """Sends bodies as they are, with a token."""

    def __init__(self, someone: User) -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {make_token(someone, 'test')}"}

    def post(self, path: str, body: str) -> tuple[int, str]:
        answer = self.client.post(f"/api{path}", body, content_type="application/json", headers=self.headers)
        return answer.status_code, answer.json().get("code", "") if answer.status_code >= 400 else ""


@pytest.fixture
def script(run: Run, owner: User, monkeypatch: pytest.MonkeyPatch) -> Script:
    """A script of the owner's, that may ask as often as it likes."""
    monkeypatch.setattr("webapp.api.api.Throttle.allow_request", lambda *_: True)
    return Script(owner)


def asset_of(run: Run) -> Asset:
    found = Asset.objects.filter(person__project=run.project, person__side="a", kind="video").first()
    assert found is not None
    return found


def ways_in(run: Run) -> dict[str, tuple[str, str]]:
    """By kind of job: the address that begins one, and a body with ``%s`` where settings are."""
    asset, project = asset_of(run).pk, run.project_id
    return {
        "train": (f"/projects/{project}/runs", '{"name": "x", "settings": {%s}}'),
        "convert": (f"/runs/{run.pk}/conversions", f'{{"asset": {asset}, "settings": {{%s}}}}'),
        "convert-still": (f"/runs/{run.pk}/stills", f'{{"asset": {asset}, "settings": {{%s}}}}'),
        "extract": (f"/projects/{project}/a/extract", "{%s}"),
    }


def good(option: Option) -> Any:
    """A value that the option may have."""
    if option.choices:
        return option.choices[-1]
    number = option.kind(min(max(option.low, 1), option.high))
    return option.kind(option.high) if number < option.low else number


@pytest.mark.parametrize("kind", ["train", "convert", "convert-still", "extract"])
def test_every_engine_field_is_sent_and_only_the_list_is_taken(run: Run, script: Script, kind: str) -> None:
    path, body = ways_in(run)[kind]
    taken = set()
    for name in FIELDS:
        before = Job.objects.count()
        value = good(BY_KIND[kind][name]) if name in BY_KIND[kind].by_name else "jobs/somewhere"
        status, code = script.post(path, body % f"{json.dumps(name)}: {json.dumps(value)}")
        if status != 422:
            taken.add(name)
            assert status in (202, 409), (name, status, code)  # 409: all footage was extracted before
        else:
            assert code in ("option.unknown", "input"), (name, code)
            assert Job.objects.count() == before
    assert taken == set(BY_KIND[kind].by_name)


@pytest.mark.parametrize("kind", ["train", "convert", "extract"])
def test_no_option_takes_what_it_can_t_mean(run: Run, script: Script, kind: str) -> None:
    path, body = ways_in(run)[kind]
    jobs = Job.objects.count()
    for name, option in BY_KIND[kind].by_name.items():
        numbers = option.kind in (int, float) and not option.choices
        beyond = [json.dumps(option.low - 1), json.dumps(option.high + 1)] if numbers else []
        for value in BAD + beyond + ['"' + "x" * 10_000 + '"']:
            if option.kind is bool and value in ("true", "false"):
                continue
            status, code = script.post(path, body % f'"{name}": {value}')
            assert (status, bool(code)) == (422, True), (name, value, status, code)
    for settings in ("null", "[]", '"x"', "5", "NaN"):
        if kind != "extract":
            assert script.post(path, body.replace("{%s}", settings))[0] == 422, settings
    assert Job.objects.count() == jobs


def numbers_of_bodies(run: Run) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every number in every body that the API describes: its address, a body, and its name in it."""
    described = Client().get("/api/openapi.json").json()
    bodies = {"name": "x", "asset": asset_of(run).pk, "numbers": [1], "value": None}
    parts = {"project_id": run.project_id, "side": "a", "run_id": run.pk, "job_id": run.job_id, "change": "pause"}
    for path, methods in described["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        schema = described["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
        own = {name: value for name, value in bodies.items() if name in schema["properties"]}
        for name, field in schema["properties"].items():
            if "integer" in json.dumps(field) or '"number"' in json.dumps(field):
                yield path.format(**parts).removeprefix("/api"), own, name


def test_no_number_of_any_body_takes_what_it_can_t_mean(run: Run, script: Script) -> None:
    tried = set()
    for path, body, name in numbers_of_bodies(run):
        tried.add(name)
        for value in BAD:
            own = {key: json.dumps(one) for key, one in body.items()} | {name: value}
            if name == "numbers":
                own[name] = f"[{value}]"
            if value == "null" and name in ("team", "parent", "snapshot"):
                continue  # the description says that it may be: as if it were left out
            if value == "{}" and name == "settings":
                continue
            text = "{" + ", ".join(f'"{key}": {one}' for key, one in own.items()) + "}"
            assert script.post(path, text)[0] == 422, (path, name, value)
    assert {"team", "parent", "asset", "snapshot", "seconds", "minutes", "iterations", "numbers", "every"} <= tried


def test_a_text_that_no_database_stores_is_refused(run: Run, script: Script) -> None:
    for text in (r"a\u0000b", r"a\ud800b"):
        assert script.post("/projects", f'{{"name": "{text}"}}') == (400, "input")
        assert (
            script.post(f"/projects/{run.project_id}/runs", f'{{"name": "x", "settings": {{"{text}": 1}}}}')[0] == 400
        )


def test_a_field_that_is_not_known_is_refused_by_name(run: Run, script: Script) -> None:
    for path, body in ways_in(run).values():
        sent = body.replace("{%s}", "{}") if "settings" in body else "{}"
        changed = json.loads(sent) | {"person": "jobs/somewhere", "start_from": "jobs/somewhere"}
        assert script.post(path, json.dumps(changed)) == (422, "input")


# ---- the services, the forms, and what goes on -----------------------------------------------------------------------


def test_the_refusal_names_what_was_asked_and_what_may_be(run: Run, owner: User) -> None:
    with pytest.raises(OptionError, match="person") as caught:
        services.start_conversion(owner, run, asset_of(run), {"person": "jobs/x", "blend": "mask"})
    assert caught.value.code == "option.unknown"
    assert "label_place" in str(caught.value)
    with pytest.raises(OptionError, match="workers"):
        services.start_run(owner, run.project, "Another", TINY | {"workers": 24})
    with translation.override("zh-hans"), pytest.raises(OptionError, match="start_from"):
        services.start_run(owner, run.project, "Another", {"start_from": "jobs/x"})
    for value in ([], None, "x", 5):
        with pytest.raises(OptionError) as wrong:
            services.start_run(owner, run.project, "Another", value)  # type: ignore[arg-type]
        assert wrong.value.code == "option.type"
    assert Job.objects.filter(kind="train").count() == 1


def test_the_list_names_kinds_of_jobs_and_fields_of_theirs() -> None:
    assert set(BY_KIND) == set(kinds.names()) - {"watched", "count"}
    for kind, known in BY_KIND.items():
        assert known.config is kinds.get(kind).config
        for option in known.by_name.values():
            assert option.kind in (int, float, str, bool), "no path, and nothing that is built of others"
            option.check(good(option))
            if not option.choices:
                for bound in (option.low, option.high):
                    option.config.check_value(option.name, option.kind(bound))


def test_paths_people_processes_and_marks_are_nobody_s_to_choose() -> None:
    for known in BY_KIND.values():
        never = {"video", "model", "person", "start_from", "a", "b", "inputs", "file", "result", "wanted", "original"}
        never |= {"workers", "device", "precision", "name", "marks", "start", "end", "pictures", "landmarks", "run"}
        assert not never & set(known.by_name)
        paths = {name for name in known.by_name if "Path" in str(value_type(known.config, name))}
        assert not paths
    assert "none" not in options.CONVERT["label"].choices


def test_forms_offer_the_list_and_their_bounds(run: Run) -> None:
    forms = {
        "extract": ExtractForm(),
        "train": RunForm(snapshots=Snapshot.objects.none()),
        "convert": ConvertForm(run=run, kept=[]),
    }
    for kind, form in forms.items():
        offered = set(form.plain) | set(form.advanced)
        assert offered == set(BY_KIND[kind].by_name)
        for name in offered:
            option, field = BY_KIND[kind][name], form.fields[name]
            if option.choices or option.kind is bool:
                wanted = set(option.choices) or {True, False}
                assert {value for value, _ in field.choices} - {""} == wanted  # type: ignore[attr-defined]
            else:
                assert field.max_value == option.high  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("keep_every", "0", True), ("keep_every", "1000", True), ("keep_every", "1", False),
        ("keep_every", "999", False), ("preview_every", "1", False), ("batch", "65", False),
        ("iterations", "1" + "0" * 30, False),
        ("minutes", "nan", False), ("minutes", "inf", False), ("minutes", "1e308", False), ("seed", "-1", False),
        ("cycle", "1e308", False), ("octave", "0.3", False), ("preset", "nonsense", False), ("preset", "tiny", True),
    ],
)  # fmt: skip
def test_the_form_of_a_training(name: str, value: str, good: bool) -> None:
    form = RunForm({"name": "x", name: value}, snapshots=Snapshot.objects.none())
    assert form.is_valid() == good
    assert (name in form.errors) != good


@pytest.mark.parametrize("value", ["nan", "inf", "1e308", "0", "-1", "1" + "0" * 30, "x" * 10_000])
def test_the_form_of_more_training(value: str) -> None:
    assert not LongerForm({"minutes": value}).is_valid()
    assert not LongerForm({"iterations": value}).is_valid()


def test_more_training_changes_the_length_alone(run: Run, owner: User, script: Script) -> None:
    before = dict(run.job.config)
    for name in FIELDS:
        if name not in ("minutes", "iterations"):
            assert script.post(f"/runs/{run.pk}/longer", json.dumps({"iterations": 40, name: 1}))[0] == 422, name
    browser = Client()
    browser.force_login(owner)
    smuggled = dict.fromkeys(FIELDS, "1") | {"iterations": "40", "minutes": ""}
    assert browser.post(f"/runs/{run.pk}/longer/", smuggled).status_code == 302
    run.job.refresh_from_db()
    assert run.job.config == before | {"iterations": 40, "minutes": None}
    with pytest.raises(ConfigError):
        services.train_longer(owner, run, minutes=1e308)


def test_trying_again_changes_nothing(run: Run, owner: User, script: Script) -> None:
    conversion = converted(run)
    Job.objects.filter(pk=conversion.job_id).update(state="failed")
    before = Job.objects.get(pk=conversion.job_id).config
    smuggled = {"person": "jobs/somewhere", "settings": {"person": "jobs/somewhere"}, "marks": "label"}
    assert script.post(f"/jobs/{conversion.job_id}/retry", json.dumps(smuggled))[0] == 200
    assert Job.objects.get(pk=conversion.job_id).config == before
    Job.objects.filter(pk=conversion.job_id).update(state="failed")
    browser = Client()
    browser.force_login(owner)
    assert browser.post(f"/jobs/{conversion.job_id}/retry/", {"person": "jobs/x"}).status_code == 302
    assert Job.objects.get(pk=conversion.job_id).config == before


def test_a_job_from_before_that_names_somebody_else_does_not_go_on(run: Run, script: Script) -> None:
    conversion = converted(run)
    face_set = run.project.people.get(side="a").face_set
    config = conversion.job.config | {"person": face_set.folder}
    Job.objects.filter(pk=conversion.job_id).update(state="failed", config=config)
    assert script.post(f"/jobs/{conversion.job_id}/retry", "{}") == (409, "consent.foreign")
    assert Job.objects.get(pk=conversion.job_id).state == "failed"


def test_a_branch_takes_nothing_but_the_weights(run: Run, owner: User, script: Script) -> None:
    parent = run.snapshots.exclude(checkpoint="").get()
    path, body = ways_in(run)["train"]
    sent = json.loads(body % '"preset": "tiny", "iterations": 20') | {"parent": parent.pk}
    assert script.post(path, json.dumps(sent))[0] == 202
    config = Run.objects.latest("pk").job.config
    assert config["start_from"] == f"jobs/{run.job_id}/{parent.checkpoint}"
    sent["settings"]["start_from"] = f"jobs/{run.job_id}/checkpoints/other.safetensors"
    assert script.post(path, json.dumps(sent)) == (422, "option.unknown")


def test_a_second_extraction_keeps_its_settings(owner: User, run: Run) -> None:
    anna: Person = run.project.people.get(side="a")
    face_set = anna.face_set
    assert face_set.job is not None
    before = dict(face_set.job.config)
    footage(anna, "more.mov")
    again = services.extract_faces(owner, anna, every=50, size=512)
    assert again.job is not None
    assert {name for name, value in again.job.config.items() if before[name] != value} == {"inputs"}
    with pytest.raises(ConfigError):
        services.extract_faces(owner, anna, every=0)
