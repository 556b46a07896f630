"""Only the person who agreed is replaced, whatever set, model or part of a video a conversion is given."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from faceengine.conversion import still
from faceengine.conversion.config import ConvertResult
from faceengine.conversion.convert import run
from faceengine.conversion.frame_swapper import Seen
from faceengine.conversion.recognition import Look as OneLook
from faceengine.conversion.recognition import _restricted
from faceengine.conversion.segments import JoinConfig, join
from faceengine.conversion.verification import Verification
from faceengine.errors import InputError
from faceengine.events import Message
from faceengine.extraction.finder import Face
from faceengine.faceset import FaceSet, medoid
from faceengine.identity import looks
from faceengine.reference import VARIABLE, Reference, References
from faceengine.thresholds import THRESHOLDS
from faceengine.training.config import TrainConfig
from faceengine.training.people import load_person, require_same_people
from faceengine.training.train import run as train
from tests.engine.conversions import config, left_behind


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine: more threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def known(folder: Path) -> Reference:
    """A person as a recording would show them: a few looks."""
    with FaceSet.open(folder) as faces:
        crops = faces.crops()
    embeddings = np.stack([crop.embedding for crop in crops])
    return Reference(crops[0].embedding_network, embeddings[looks(crops, medoid(embeddings))])


@pytest.fixture(scope="module")
def agreed(faces_a: Path, faces_b: Path) -> References:
    return References({"a": known(faces_a), "b": known(faces_b)})


def refused(code: str, settings: object, folder: Path, references: References) -> str:
    with pytest.raises(InputError) as caught:
        run(settings, folder, references=references)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert left_behind(folder) == []
    return str(caught.value)


def test_the_person_who_agreed_is_swapped_and_compared(
    tiny_run: Path, short_a: Path, tmp_path: Path, agreed: References
) -> None:
    result = run(config(short_a, tiny_run, end=20), tmp_path, references=agreed)
    assert (result.frames, result.swapped, result.refused) == (20, 20, 0)
    assert result.checked == agreed.digest
    assert result.nearest is not None
    assert result.nearest < THRESHOLDS["dlib-resnet"].same
    assert ConvertResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_no_set_makes_somebody_else_the_person(
    tiny_run: Path, short_b: Path, faces_b: Path, tmp_path: Path, agreed: References
) -> None:
    """As A's footage a clip that shows another person, and a set of theirs to know them by: on the command line that
    is the user's to answer for, in a studio nobody agreed to it."""
    settings = config(short_b, tiny_run, person=faces_b)
    assert run(dataclasses.replace(settings, end=10), tmp_path / "unasked").swapped == 10
    text = refused("convert.other_person", settings, tmp_path / "asked", agreed)
    assert "in 50 of 50 frames" in text


def test_neither_does_a_frame_preview(  # type: ignore[no-untyped-def]
    tiny_run: Path, short_b: Path, faces_b: Path, tmp_path: Path, agreed: References, heard
) -> None:
    settings = config(short_b, tiny_run, person=faces_b, start=5)
    assert not still.run(settings, tmp_path, on_event=heard, references=agreed).swapped
    assert "convert.other_person" in [event.code for event in heard.events if isinstance(event, Message)]


def test_a_model_of_other_people_is_refused(
    tiny_run: Path, short_a: Path, tmp_path: Path, agreed: References, faces_a: Path, faces_b: Path
) -> None:
    """A run from before a consent was renewed by somebody else, as the person replaced or as the one drawn."""
    stranger = Reference(agreed.people["a"].network, known(faces_a).embeddings + 0.2)  # type: ignore[union-attr]
    for side, other in (("a", "b"), ("b", "a")):
        changed = References({side: stranger, other: agreed.people[other]})
        refused("convert.other_model", config(short_a, tiny_run), tmp_path / side, changed)


def test_without_a_recording_it_is_the_person_of_the_model(
    tiny_run: Path, short_a: Path, short_b: Path, faces_b: Path, tmp_path: Path
) -> None:
    nobody = References({"a": None, "b": None})
    assert run(config(short_a, tiny_run, end=5), tmp_path / "a", references=nobody).swapped == 5
    refused("convert.other_person", config(short_b, tiny_run, person=faces_b), tmp_path / "b", nobody)


def test_all_parts_are_compared_with_the_recordings_of_today(
    tiny_run: Path, short_a: Path, tmp_path: Path, agreed: References, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = run(config(short_a, tiny_run, end=10, marks="label"), tmp_path / "part", references=agreed)
    joining = JoinConfig(short_a, end=10, parts=(part,))
    monkeypatch.setenv(VARIABLE, agreed.to_text())
    assert join(joining, tmp_path / "joined").checked == agreed.digest
    for other in (References({"a": agreed.people["a"], "b": None}), References({"a": None, "b": None})):
        monkeypatch.setenv(VARIABLE, other.to_text())
        with pytest.raises(InputError) as caught:
            join(joining, tmp_path / "joined again")
        assert caught.value.code == "convert.reference"
    monkeypatch.setenv(VARIABLE, agreed.to_text())
    unasked = dataclasses.replace(joining, parts=(dataclasses.replace(part, checked=""),))
    with pytest.raises(InputError):
        join(unasked, tmp_path / "joined again")


def test_what_can_t_be_read_lets_nobody_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    good = {"network": "dlib-resnet", "embeddings": [[0.1] * 128]}
    for text in ("{}", "null", "nonsense", json.dumps({"a": good}), json.dumps({"a": good, "b": {"network": "x"}})):
        monkeypatch.setenv(VARIABLE, text)
        with pytest.raises(InputError) as caught:
            References.here()
        assert caught.value.code == "consent.reference"
    monkeypatch.delenv(VARIABLE)
    assert References.here() is None


def test_two_readings_of_one_face() -> None:
    """The stricter one counts; but surely who agreed is not surely somebody else."""

    def reading(person: str, agreed: str, **more: bool) -> tuple[str, bool]:
        look = _restricted(OneLook(person, 0.5, **more), 0.5, agreed)  # type: ignore[arg-type]
        return look.reading, look.refused

    assert reading("same", "same") == ("same", False)
    assert reading("same", "different") == ("different", True)
    assert reading("same", "unsure") == ("unsure", True)
    assert reading("unsure", "same") == ("unsure", False)
    assert reading("different", "same") == ("unsure", False)
    assert reading("different", "same", wanted=True) == ("different", False)


def seen(consented: float, verdict: str = "same", track: int = 1) -> Seen:
    face = Face(np.zeros(4), np.zeros((5, 2)), 1.0)
    return Seen(face, track, verdict, 0.3, consented=consented, refused=verdict != "same")


def test_a_result_that_is_mostly_in_doubt_is_not_delivered() -> None:
    thresholds = THRESHOLDS["dlib-resnet"]
    doubtful, sound = Verification(), Verification()
    for distance in (0.47, 0.56, 0.57, 0.58, 0.57):
        doubtful.add([seen(distance), seen(0.2, track=2)])
        sound.add([seen(distance - 0.1), seen(0.9, "different", track=3)])
    sound.require(thresholds)
    assert (sound.refused, round(sound.nearest or 0, 2)) == (5, 0.37)
    with pytest.raises(InputError) as caught:
        doubtful.require(thresholds)
    assert caught.value.code == "convert.unverified"
    Verification().require(thresholds)


# -- training --------------------------------------------------------------------------------------------------------


def test_training_leaves_out_whoever_did_not_agree(  # type: ignore[no-untyped-def]
    faces_a: Path, faces_b: Path, tmp_path: Path, agreed: References, monkeypatch: pytest.MonkeyPatch, heard
) -> None:
    """Crops that came into the set's file, but were never judged."""
    mixed = Path(shutil.copytree(faces_a, tmp_path / "mixed"))
    with FaceSet.open(faces_b) as others, FaceSet.open(mixed) as faces, faces.transaction():
        faces.set_input(others.crops()[0].input, sha256="0", next_frame=1, frames_read=1, frames_with_face=1, done=1)
        for crop in others.crops()[:8]:
            faces.add(crop, others.image(crop.id), others.masks(crop.id))
    alone = load_person("a", faces_a, 64, heard).record
    monkeypatch.setenv(VARIABLE, agreed.to_text())
    assert load_person("a", mixed, 64, heard).record == alone
    assert [event.code for event in heard.events if isinstance(event, Message)].count("train.other_crops") == 1
    with pytest.raises(InputError) as caught:
        load_person("b", faces_a, 64, heard)
    assert caught.value.code == "train.other_person"


def test_a_run_does_not_go_on_with_a_and_b_exchanged(
    tiny_run: Path, faces_a: Path, faces_b: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    settings = TrainConfig(a=faces_b, b=faces_a, preset="quick", iterations=6, batch=4, workers=0)
    with pytest.raises(InputError) as caught:
        train(settings, folder)
    assert caught.value.code == "train.exchanged"
    assert left_behind(folder) == left_behind(tiny_run)


def record(*place: float, network: str = "dlib-resnet") -> dict[str, object]:
    return {"network": network, "medoid": list(place), "crops": 30}


def test_who_a_run_goes_on_with() -> None:
    a, b, other = record(0, 0), record(1, 0), record(0, 2)
    require_same_people({"a": a, "b": b}, {"a": record(0.2, 0.1), "b": record(1, 0.3) | {"crops": 900}})
    require_same_people({"a": a, "b": b}, {"a": record(5, 5, network="facenet-vggface2"), "b": b})
    for now, code in (
        ({"a": b, "b": a}, "train.exchanged"),
        ({"a": record(0.9, 0.1), "b": record(0.1, 0)}, "train.exchanged"),
        ({"a": a, "b": other}, "train.other_people"),
        ({"a": record(3, 3), "b": record(5, 5)}, "train.other_people"),
    ):
        with pytest.raises(InputError) as caught:
            require_same_people({"a": a, "b": b}, now)
        assert caught.value.code == code
