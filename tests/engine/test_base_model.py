"""Pretraining on synthetic people, the base file it leaves, and runs that start from it."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from faceengine import weights
from faceengine.cli import main
from faceengine.errors import InputError
from faceengine.events import Event, Message
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import Generator
from faceengine.training import base, checkpoints, config, train
from faceengine.training.config import TrainConfig
from tools.base_model.judge import judge
from tools.base_model.pairs import Pairs, People
from tools.base_model.people import ManyPeople
from tools.base_model.pretrain import Plan, learning_rate, load, pretrain
from tools.synthetic_faces import shards

SHAPE = ModelConfig(architecture="compact", size=128, narrow=8, latent=64, coverage=1.0, attention=0)
SMALL = dataclasses.replace(config.PRESETS["quick"], model=SHAPE, batch=2, iterations=4)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    """Two groups of three people in four scenes, all of them noise: who is drawn is what matters here."""
    folder = tmp_path_factory.mktemp("synthetic")
    rng = np.random.default_rng(0)
    for group in range(2):
        images = [shards.encode_image(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)) for _ in range(12)]
        labels = [shards.encode_labels(np.full((64, 64, 4), 200, np.uint8)) for _ in range(12)]
        points = {"landmarks": np.zeros((3, 4, 68, 2), np.float32), "matrices": np.zeros((3, 4, 2, 3), np.float32)}
        shards.write(folder / f"group-{group:04d}.npz", images, labels, {}, points)
    return People(folder)


@pytest.fixture
def small_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(config.PRESETS, "quick", SMALL)


def plan(iterations: int) -> Plan:
    return Plan("quick", iterations, swap=0.6, learning_rate=1e-3, every=2)


def state(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoints.read_tensors(checkpoints.newest(folder), "average.")


def test_the_target_is_the_person_who_is_to_be_drawn(people: People) -> None:
    pairs = Pairs(people, dataclasses.replace(SMALL, batch=64), swap=1.0, seed=3)
    batch = pairs[0]
    again = pairs[0]
    for half in ("a", "b"):
        assert torch.equal(batch.faces[half].target, again.faces[half].target)
        assert len(set(batch.who[half].tolist())) == 5
        assert 2 not in batch.who[half], "person 2 of the first group is held out"


def test_the_mean_is_of_those_who_were_trained_on(people: People) -> None:
    assert people.all_trained == [0, 1, 3, 4, 5]


def test_without_swaps_everybody_is_drawn_from_an_own_picture(people: People) -> None:
    still = dataclasses.replace(SMALL, batch=8, warp_sigma=0.0, noise=0.0, blur=0.0, degrade=0.0)
    faces = Pairs(people, still, swap=0.0, seed=1)[0].faces["a"]
    assert (faces.warped - faces.target).abs().mean() < 0.02


def test_the_export_draws_the_mean_person() -> None:
    torch.manual_seed(1)
    many = ManyPeople(SHAPE, 5)
    with torch.no_grad():
        for parameter in many.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    one = Generator(SHAPE)
    exported = many.export([0, 1, 3])
    wanted = {name: value for name, value in exported.items() if name.startswith("encoder.")}
    for person in ("a", "b"):
        wanted |= {
            f"decoders.{person}.{name.removeprefix('decoder.')}": value
            for name, value in exported.items()
            if name.startswith("decoder.")
        }
    one.load_state_dict(wanted)
    mean = many.vectors.weight[[0, 1, 3]].mean(0, keepdim=True)
    with torch.no_grad():
        many.vectors.weight[2] = mean[0]
        image = torch.rand(1, 3, 128, 128) * 2 - 1
        many.who = {"a": torch.tensor([2])}
        theirs = many.decode(many.encode(image), "a")
        ours = one.decode(one.encode(image), "b")
    assert torch.allclose(ours.colour, theirs.colour, atol=1e-5)
    assert torch.allclose(ours.alpha, theirs.alpha, atol=1e-5)


@pytest.mark.usefixtures("small_preset")
def test_pretraining_resumes_to_the_bit_and_is_judged(people: People, tmp_path: Path) -> None:
    assert pretrain(plan(4), people, tmp_path / "whole", "cpu", lambda: False) == 4
    answers = iter([False, False, True])
    assert pretrain(plan(4), people, tmp_path / "parts", "cpu", lambda: next(answers)) == 2
    assert pretrain(plan(4), people, tmp_path / "parts", "cpu", lambda: False) == 4
    whole, parts = state(tmp_path / "whole"), state(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert (tmp_path / "whole" / "previews" / "000004.png").stat().st_size > 1000
    generator, header = load(tmp_path / "whole", len(people))
    assert header.iteration == 4
    assert header.people == {}
    figures = judge(generator, people)
    assert figures["none"] == pytest.approx(11.7, abs=1), "two pictures of noise, enlarged"


@pytest.mark.usefixtures("small_preset")
def test_people_who_were_rendered_later_join(people: People, tmp_path: Path) -> None:
    few = copy.copy(people)
    few.groups, few.first = people.groups[:1], people.first[:2]
    pretrain(plan(2), few, tmp_path, "cpu", lambda: False)
    known = state(tmp_path)["vectors.weight"]
    assert pretrain(plan(4), people, tmp_path, "cpu", lambda: False) == 4
    vectors = state(tmp_path)["vectors.weight"]
    assert known.shape == (3, 64)
    assert vectors.shape == (6, 64)
    assert (vectors[3:] - known.mean(0)).abs().max() < 0.1


def test_the_learning_rate_rises_stays_and_falls() -> None:
    rates = [learning_rate(iteration, 10_000) for iteration in (0, 5_000, 7_900, 9_000, 9_999)]
    assert rates == pytest.approx([1 / 200, 1, 1, 0.5, 0.01])


# -- runs that start from it -------------------------------------------------------------------------------------------


@pytest.fixture
def base_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base model of the small shape, known to the program under the name base-quick."""
    torch.manual_seed(7)
    path = tmp_path / "weights" / "base.safetensors"
    size, digest = base.write(path, ManyPeople(SHAPE, 3).export([0, 1, 2]), SHAPE, 10)
    known = weights.Weight("base-quick", path.name, size, digest, "own", "own")
    monkeypatch.setitem(weights.WEIGHTS, "base-quick", known)
    monkeypatch.setattr(base, "NAMES", ("base-quick",))
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(path.parent))
    return path


@pytest.fixture
def sets(faces_a: Path, faces_b: Path) -> tuple[Path, Path]:
    return faces_a, faces_b


def begin(sets: tuple[Path, Path], run: Path, **options: object) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Start and stop a run; return its weights and the codes of its messages."""
    events: list[Event] = []
    settings = TrainConfig(a=sets[0], b=sets[1], iterations=1, device="cpu", workers=0, **options)  # type: ignore[arg-type]
    train.run(settings, run, on_event=events.append)
    return state(run), [event.code for event in events if isinstance(event, Message)]


@pytest.mark.usefixtures("small_preset")
def test_a_run_starts_from_the_base_in_both_decoders(sets: tuple[Path, Path], base_file: Path, tmp_path: Path) -> None:
    known = base.read(base_file)
    learned, codes = begin(sets, tmp_path / "run")
    assert "train.base" in codes
    name = "encoder.squeeze.weight"
    assert (learned[name] - known[name]).abs().mean() < 0.1 * known[name].abs().mean()
    fresh, codes = begin(sets, tmp_path / "fresh", base=False)
    assert "train.base" not in codes
    assert (fresh[name] - known[name]).abs().mean() > 0.5 * known[name].abs().mean()


@pytest.mark.usefixtures("small_preset")
def test_a_run_that_began_without_the_base_goes_on_as_it_was(
    sets: tuple[Path, Path], base_file: Path, tmp_path: Path
) -> None:
    begin(sets, tmp_path / "run", base=False)
    settings = TrainConfig(a=sets[0], b=sets[1], iterations=2, device="cpu", workers=0)
    codes: list[str] = []
    train.run(settings, tmp_path / "run", on_event=lambda event: codes.append(getattr(event, "code", "")))
    assert "train.base" not in codes
    assert base_file.exists()


@pytest.mark.usefixtures("base_file")
def test_an_architecture_without_a_base_starts_from_random_weights(sets: tuple[Path, Path], tmp_path: Path) -> None:
    _, codes = begin(sets, tmp_path / "run", preset="tiny")
    assert "train.no_base" in codes


@pytest.mark.usefixtures("small_preset")
def test_a_damaged_base_is_refused_in_one_line(sets: tuple[Path, Path], base_file: Path, tmp_path: Path) -> None:
    base_file.write_bytes(base_file.read_bytes()[:-10] + b"0123456789")
    with pytest.raises(InputError, match="damaged or another file") as refused:
        begin(sets, tmp_path / "run")
    assert refused.value.code == "weights.hash"
    begin(sets, tmp_path / "run", base=False)


@pytest.mark.parametrize("content", [b"", b"no safetensors at all", b"\x10\0\0\0\0\0\0\0" + b"{}" + 14 * b" "])
def test_a_file_that_is_no_base_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "base.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="--from none") as refused:
        base.shape_of(path)
    assert refused.value.code == "base.version"


def test_a_base_of_another_version_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "base.safetensors"
    monkeypatch.setattr(base, "FORMAT", base.FORMAT + 1)
    base.write(path, ManyPeople(SHAPE, 2).export([0, 1]), SHAPE, 1)
    monkeypatch.undo()
    with pytest.raises(InputError, match="--from none"):
        base.shape_of(path)


@pytest.mark.usefixtures("small_preset")
def test_the_command_line_can_start_from_nothing(
    sets: tuple[Path, Path], base_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--a", str(sets[0]), "--b", str(sets[1]), "--iterations", "1", "--device", "cpu"]
    assert main([*arguments, "--run", str(tmp_path / "one"), "--from", "none", "--workers", "0"]) == 0
    assert "base model" not in "".join(capsys.readouterr())
    assert main([*arguments, "--run", str(tmp_path / "two"), "--workers", "0"]) == 0
    assert "base model" in "".join(capsys.readouterr())
    assert base_file.exists()
