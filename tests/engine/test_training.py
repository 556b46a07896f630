"""Training as people live with it: bit-exact resume, kill -9, NaN, stopping, warm starts, what is left on disk."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import torch

from faceengine.errors import ConfigError, EngineError, InputError
from faceengine.events import Checkpoint, Losses, Message, Preview
from faceengine.faceset import FaceSet
from faceengine.geometry import Image
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import Decoded, Discriminators, Generator, swap_alpha
from faceengine.training import checkpoints, pictures
from faceengine.training.config import Recipe, TrainConfig
from faceengine.training.pictures import VISIBLE, Pictures, check_pictures, pose_weights
from faceengine.training.step import Trainer, build_optimisers
from faceengine.training.swapper import load_swapper
from faceengine.training.train import follow, run
from faceengine.training.visible import visible_face
from tests.engine import killed
from tests.engine.conftest import Heard

Configure = Callable[..., TrainConfig]


@pytest.fixture
def configure(faces_a: Path, faces_b: Path) -> Configure:
    """A config of the tiny preset on the demo's faces, with what a test changes."""

    def make(**changes: Any) -> TrainConfig:
        defaults: dict[str, Any] = {"preset": "tiny", "checkpoint_every": 10, "preview_every": 10, "workers": 0}
        return TrainConfig(**{"a": faces_a, "b": faces_b} | defaults | changes)

    return make


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    return checkpoints.read_tensors(checkpoints.newest(run_dir), "")


def assert_same_weights(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_sets_that_only_lie_elsewhere_have_not_changed(
    configure: Configure, faces_a: Path, faces_b: Path, tmp_path: Path
) -> None:
    config = configure(iterations=2)
    run(config, tmp_path / "run")
    moved = {side: shutil.copytree(faces, tmp_path / side) for side, faces in (("a", faces_a), ("b", faces_b))}
    heard = Heard()
    run(dataclasses.replace(config, **moved, iterations=3), tmp_path / "run", on_event=heard)
    assert "train.set_changed" not in [event.code for event in heard.events if isinstance(event, Message)]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_10_and_resume_and_10_is_20_to_the_bit(configure: Configure, tmp_path: Path, precision: str) -> None:
    config = configure(iterations=20, precision=precision)
    run(config, tmp_path / "whole")

    def until_ten() -> Callable[[], bool]:
        asked = iter(range(100))
        return lambda: next(asked) == 10  # asked once before the first iteration and once after each

    result = run(config, tmp_path / "halves", should_stop=until_ten())
    assert result.stopped
    assert result.iteration == 10
    assert not run(config, tmp_path / "halves").stopped
    assert_same_weights(tmp_path / "whole", tmp_path / "halves")
    lines = [(folder / "losses.jsonl").read_text() for folder in (tmp_path / "whole", tmp_path / "halves")]
    parsed = [[json.loads(line)["values"] for line in text.splitlines()] for text in lines]
    assert parsed[0] == parsed[1]


def test_workers_do_not_change_the_batches(configure: Configure, tmp_path: Path) -> None:
    for workers in (0, 2):
        run(configure(iterations=3, workers=workers), tmp_path / str(workers))
    assert_same_weights(tmp_path / "0", tmp_path / "2")


def test_another_seed_gives_other_weights(configure: Configure, tmp_path: Path) -> None:
    for seed in (0, 1):
        run(configure(iterations=2, seed=seed), tmp_path / str(seed))
    one, other = weights(tmp_path / "0"), weights(tmp_path / "1")
    assert not torch.equal(one["generator.encoder.squeeze.weight"], other["generator.encoder.squeeze.weight"])


def test_20_kills_lose_at_most_one_interval(faces_a: Path, faces_b: Path, tmp_path: Path) -> None:
    """SIGKILL a real training at random moments: each resume finds a readable checkpoint, an interval old at most."""
    rng, interval, folder = random.Random(7), 2, tmp_path / "run"
    command = ["train", "--json", "--preset", "tiny", "--workers", "0"]
    command += ["--a", str(faces_a), "--b", str(faces_b), "--run", str(folder), "--iterations", "100000"]
    command += ["--checkpoint-every", str(interval), "--log-every", "1", "--preview-every", "1000000"]
    said = tmp_path / "said"
    os.mkfifo(said)
    reached = 0
    for _ in range(20):
        body = killed.PROCESSES.Process(target=killed.run, args=(command, said))
        body.start()
        assert body.pid is not None
        with said.open() as lines:
            seen: list[int] = []
            wanted = rng.randint(1, 6)
            while len(seen) < wanted and (line := lines.readline()):
                event = json.loads(line)
                if event["event"] == "losses":
                    seen.append(event["iteration"])
            time.sleep(rng.uniform(0.0, 0.2))  # somewhere in an iteration or in the writing of a checkpoint
            os.kill(body.pid, signal.SIGKILL)
            seen += [event["iteration"] for event in map(json.loads, _whole(lines)) if event["event"] == "losses"]
        body.join()
        assert seen, "the resumed run did not train"
        assert seen[0] == reached + 1, "a resume goes on behind its checkpoint"
        files = checkpoints.all_in(folder)
        headers = [checkpoints.read_header(path) for path in files]
        assert all(checkpoints.read_tensors(path, "generator.") for path in files)
        reached = headers[-1].iteration if headers else 0
        assert seen[-1] - reached <= interval
    assert reached >= 10
    iterations = [json.loads(line)["iteration"] for line in (folder / "losses.jsonl").read_text().splitlines()[:-1]]
    assert iterations == list(range(1, len(iterations) + 1))


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Lines that the kill did not tear."""
    return (line for line in lines if line.endswith("\n"))


def test_a_loss_that_is_no_number_stops_at_the_last_good_checkpoint(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.step
    calls = iter(range(100))

    def poisoned(self: Trainer, batch: Any, phase: Any) -> Any:
        if next(calls) == 12:
            with torch.no_grad():
                next(self.generator.parameters()).fill_(float("nan"))
        return step(self, batch, phase)

    monkeypatch.setattr(Trainer, "step", poisoned)
    with pytest.raises(EngineError) as stopped:
        run(configure(iterations=20), tmp_path)
    assert stopped.value.code == "train.nan"
    assert "--from" in str(stopped.value)
    assert [path.stem for path in checkpoints.all_in(tmp_path)] == ["000010"]
    assert all(bool(tensor.isfinite().all()) for tensor in weights(tmp_path).values())


def test_what_a_run_leaves_and_says(configure: Configure, tmp_path: Path, heard: Heard) -> None:
    result = run(configure(iterations=20, keep_every=10), tmp_path, on_event=heard)
    assert result.iteration == 20
    assert [path.stem for path in checkpoints.all_in(tmp_path)] == ["000010", "000020"]
    assert sorted(path.name for path in (tmp_path / "previews").iterdir()) == ["000010.png", "000020.png"]
    sheet = cv2.imread(str(tmp_path / "previews" / "000020.png"))
    assert sheet.shape[1] == 10 * 128
    assert sheet.std() > 20
    kinds = {
        kind: [event for event in heard.events if isinstance(event, kind)] for kind in (Losses, Preview, Checkpoint)
    }
    assert [event.iteration for event in kinds[Preview]] == [10, 20]
    assert [event.iteration for event in kinds[Checkpoint]] == [10, 20]
    first = kinds[Losses][0]
    assert {name.partition(".")[2] for name in first.values} >= {
        "reconstruction",
        "discrimination",
        "adversarial",
        "cycle",
    }
    assert "train.no_perceptual" in {event.code for event in heard.events if isinstance(event, Message)}
    settings = json.loads((tmp_path / "run.json").read_text())
    assert settings["recipe"]["cycle"] == 10.0


def test_an_untrained_history_is_not_repeated_after_the_end(configure: Configure, tmp_path: Path) -> None:
    config = configure(iterations=10)
    run(config, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"}
    assert run(config, tmp_path).iteration == 10
    assert before == {
        path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"
    }
    assert run(configure(iterations=12), tmp_path).iteration == 12  # a longer schedule goes on


def test_another_preset_in_the_same_folder_is_refused(configure: Configure, tmp_path: Path) -> None:
    run(configure(iterations=2), tmp_path)
    before = checkpoints.newest(tmp_path).read_bytes()
    with pytest.raises(InputError) as refused:
        run(configure(iterations=2, octave=0.25), tmp_path)
    assert refused.value.code == "run.other_settings"
    assert "model.octave" in str(refused.value)
    assert checkpoints.newest(tmp_path).read_bytes() == before


def test_a_warm_start_begins_with_the_other_runs_weights(configure: Configure, tmp_path: Path) -> None:
    run(configure(iterations=4), tmp_path / "first")
    config = configure(iterations=1, start_from=tmp_path / "first", seed=5)
    run(config, tmp_path / "second")
    first, second = weights(tmp_path / "first"), weights(tmp_path / "second")
    for name in (name for name in first if name.startswith("average.")):
        assert torch.allclose(first[name], second[name.replace("average.", "generator.")], atol=1e-3)
    with pytest.raises(InputError) as refused:
        run(configure(iterations=1, octave=0.5, start_from=tmp_path / "first"), tmp_path / "third")
    assert refused.value.code == "checkpoint.preset"


def test_minutes_bound_the_run(configure: Configure, tmp_path: Path) -> None:
    begin = time.monotonic()
    result = run(configure(minutes=0.1), tmp_path)
    assert time.monotonic() - begin < 60  # generous: 6 s of training on a busy machine
    header = checkpoints.read_header(checkpoints.newest(tmp_path))
    assert result.iteration == header.iteration
    assert not result.stopped
    assert header.total != Recipe().iterations


def test_sets_that_can_not_be_trained_on(configure: Configure, faces_a: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="same folder"):
        configure(b=faces_a)
    few = tmp_path / "few"
    shutil.copytree(faces_a, few)
    with FaceSet.open(few) as faces:
        ids = [crop.id for crop in faces.crops()]
        faces.set_verdicts(dict.fromkeys(ids[24:], "reject"))
    with pytest.raises(InputError) as refused:
        run(configure(a=few), tmp_path / "run")
    assert refused.value.code == "train.too_few"
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_rare_poses_are_drawn_more_often(faces_a: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        crops = faces.crops()
    share = pose_weights(crops)
    assert share.sum() == pytest.approx(1)
    bins = [(round(crop.yaw / 15), round(crop.pitch / 15)) for crop in crops]
    counts = {pose: bins.count(pose) for pose in bins}
    rare, common = min(bins, key=counts.__getitem__), max(bins, key=counts.__getitem__)
    assert counts[rare] < counts[common]
    ratio = share[bins.index(rare)] / share[bins.index(common)]
    assert ratio == pytest.approx((counts[common] / counts[rare]) ** 0.5)


def test_crops_are_aligned_by_their_landmarks(faces_a: Path, tmp_path: Path) -> None:
    """A set whose crops are cut two pixels aside shows the model the same faces in the same place."""
    with FaceSet.open(faces_a) as faces:
        crops = faces.crops(usable=True)[:4]
        aside = np.array([[0, 0, 2.0], [0, 0, 0]])

        class Aside:
            """The same set, cut aside."""

            folder = tmp_path

            def image(self, crop: int) -> Image:
                return cut_aside(faces.image(crop))

            def masks(self, crop: int) -> dict[str, Image]:
                return {name: cut_aside(mask) for name, mask in faces.masks(crop).items()}

        straight = Pictures(faces, crops, 64)
        moved = [dataclasses.replace(crop, matrix=crop.matrix + aside) for crop in crops]
        same = Pictures(cast(FaceSet, Aside()), moved, 64)
        one, other = (np.stack([found.image(i) for i in range(4)]).astype(int) for found in (straight, same))
    middle = slice(16, 112)
    assert np.abs(one - other)[:, middle, middle].mean() < 0.5
    assert np.abs(one[:, middle, 1:] - one[:, middle, :-1]).mean() > 1


def test_pictures_are_read_once_and_the_visible_face_is_kept(
    faces_a: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "set"
    shutil.copytree(faces_a, folder, ignore=shutil.ignore_patterns(VISIBLE))
    with FaceSet.open(folder) as faces:
        crops = faces.crops(usable=True)[:3]
        first = Pictures(faces, crops, 64)
        image, masks = (part.copy() for part in first[1])
        assert (image.shape, masks.shape) == ((128, 128, 3), (64, 64, 4))
        assert sorted(path.name for path in (folder / VISIBLE).iterdir()) == [f"{crops[1].id:06d}.png"]
        (folder / "crops" / f"{crops[1].id:06d}.png").rename(tmp_path / "aside.png")
        assert np.array_equal(first[1][0], image)  # from memory
        (tmp_path / "aside.png").rename(folder / "crops" / f"{crops[1].id:06d}.png")
        monkeypatch.setattr(pictures, "visible_face", lambda *_: pytest.fail("looked for again"))
        assert np.array_equal(Pictures(faces, crops, 64)[1][1], masks)


def test_a_set_larger_than_the_memory_is_trained_on_all_the_same(faces_a: Path, tmp_path: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        crops = faces.crops(usable=True)[:3]
        kept = Pictures(faces, crops, 64)
        for room in (0, 2 * (128 * 128 * 3 + 64 * 64 * 4)):
            bounded = Pictures(faces, crops, 64, room)
            assert len(bounded) == 3
            for index in (2, 0, 2, 1):
                for one, other in zip(bounded[index], kept[index], strict=True):
                    assert np.array_equal(one, other)


def test_a_set_that_can_not_be_written_to_is_trained_on_all_the_same(faces_a: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(faces_a, folder, ignore=shutil.ignore_patterns(VISIBLE))
    (folder / VISIBLE).write_text("a file where the folder should be")
    with FaceSet.open(folder) as faces:
        crops = faces.crops(usable=True)[:2]
        assert Pictures(faces, crops, 64)[0][1][..., 3].max() == 255


def test_a_lost_and_a_damaged_picture_are_told_with_their_name(
    configure: Configure, faces_a: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    shutil.copytree(faces_a, folder)
    for path in (folder / "crops").iterdir():
        path.write_bytes(path.read_bytes()[:300])
    (folder / "masks" / "000001.png").unlink()
    with FaceSet.open(folder) as faces, pytest.raises(InputError, match=r"000001\.png") as refused:
        check_pictures(faces, faces.crops())
    assert refused.value.code == "faceset.picture"
    shutil.copy(faces_a / "masks" / "000001.png", folder / "masks")
    for workers in (0, 1):
        with pytest.raises(InputError) as refused:
            run(configure(a=folder, workers=workers), tmp_path / f"run{workers}")
        assert refused.value.code == "faceset.picture"


def cut_aside(image: Image) -> Image:
    """What lay at x lies at x + 2."""
    return np.ascontiguousarray(np.pad(image, [(0, 0), (2, 0)] + [(0, 0)] * (image.ndim - 2), "edge")[:, :-2])


def test_the_bottleneck_learns_at_its_own_rate() -> None:
    recipe = Recipe(model=ModelConfig(narrow=8, latent=64), bottleneck_rate=0.1)
    generator, discriminators = Generator(recipe.model), Discriminators(recipe.model)
    optimiser, _ = build_optimisers(generator, discriminators, recipe)
    factors = {id(p): group["factor"] for group in optimiser.param_groups for p in group["params"]}
    found = {name: factors[id(parameter)] for name, parameter in generator.named_parameters()}
    assert {name for name, factor in found.items() if factor == 0.1} == {
        "encoder.squeeze.weight",
        "encoder.expand.weight",
    }
    assert set(found.values()) == {0.1, 1.0}


def test_the_average_follows_the_weights() -> None:
    average, module = torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(average.weight)
    torch.nn.init.ones_(module.weight)
    follow(average, module, iteration=10_000, decay=0.9)
    assert average.weight.item() == pytest.approx(0.1)
    follow(average, module, iteration=0, decay=0.9)  # at the beginning it moves faster: (1 + 0) / (10 + 0)
    assert average.weight.item() == pytest.approx(0.1 * 0.1 + 0.9)


def test_threads_side_by_side_do_not_race(configure: Configure, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for name in ("one", "other"):
            run(configure(iterations=3), tmp_path / name)
    finally:
        torch.set_num_threads(before)
    assert_same_weights(tmp_path / "one", tmp_path / "other")


def test_hair_before_the_face_is_left_out(faces_b: Path) -> None:
    """Person B's fringe hangs over her forehead: inside the outline, dark, and not to be painted over."""
    shares = []
    with FaceSet.open(faces_b) as faces:
        for crop in faces.crops():
            image, masks = faces.image(crop.id), faces.masks(crop.id)
            seen = visible_face(image, masks)
            assert (seen <= masks["face"]).all()
            hidden = (masks["face"] > 200) & (seen < 50)
            shown = seen > 200
            if hidden.sum() > 200:
                shares.append(image[hidden].mean() / image[shown].mean())
    assert len(shares) > 10
    assert np.median(shares) < 0.5


def test_the_visible_face_of_a_face_without_hair_is_nearly_all_of_it(faces_a: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        kept = []
        for crop in faces.crops():
            masks = faces.masks(crop.id)
            kept.append(float(visible_face(faces.image(crop.id), masks).sum()) / float(masks["face"].sum()))
    assert np.median(kept) > 0.93


def test_only_what_both_decoders_call_face_is_swapped() -> None:
    colour = torch.zeros(1, 3, 1, 3)
    own = Decoded(colour, torch.tensor([[[[0.1, 0.9, 1.0]]]]), [])
    other = Decoded(colour, torch.tensor([[[[1.0, 0.8, 0.0]]]]), [])
    assert swap_alpha(own, other).flatten().tolist() == pytest.approx([0.1, 0.8, 0.0])


def test_a_run_can_be_used_to_swap_in_both_directions(tiny_run: Path, faces_a: Path) -> None:
    with FaceSet.open(faces_a) as faces:
        crops = np.stack([cv2.resize(faces.image(crop.id), (64, 64)) for crop in faces.crops()[:3]])
    drawn = {}
    for direction in ("a2b", "b2a"):
        swapper = load_swapper(tiny_run, direction)
        size = swapper.size
        colour, masks = swapper(np.stack([cv2.resize(crop, (size, size)) for crop in crops]))
        assert colour.shape == (3, size, size, 3)
        assert masks.shape == (3, size, size, 2)
        assert 0 <= masks.min() <= masks.max() <= 1
        assert 0 <= colour.min() <= colour.max() <= 255
        drawn[direction] = colour
    assert not np.allclose(drawn["a2b"], drawn["b2a"])
    assert not np.allclose(load_swapper(tiny_run, "a2b").person.medoid, load_swapper(tiny_run, "a2b").wanted.medoid)
