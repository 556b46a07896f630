"""Scores: each number against a case whose answer is known, and the whole way on real clips."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from faceengine.embedding import DlibEmbedder
from faceengine.errors import ConfigError, InputError
from faceengine.evaluation import change, identity, motion
from faceengine.evaluation.config import ScoreConfig
from faceengine.evaluation.grade import quality
from faceengine.evaluation.reasons import reasons
from faceengine.evaluation.report import beside, read_report
from faceengine.evaluation.score import ScoreResult, run
from faceengine.events import Progress
from faceengine.faceset import FaceSet
from faceengine.geometry import Points
from faceengine.provenance.free_corner import CORNERS
from faceengine.provenance.label import Label
from faceengine.video import VideoWriter, read_frames

RANDOM = np.random.default_rng


def face(seed: int = 0) -> Points:
    """68 points of a made-up face, its eyes 100 pixels apart around (200, 150)."""
    points = RANDOM(seed).uniform(100, 300, (68, 2))
    points[36:42], points[42:48] = (150, 150), (250, 150)
    points[30], points[48], points[54] = (200, 210), (160, 260), (240, 260)
    return points


# -- was it swapped, and does it show ------------------------------------------------------------------------------


def frame(seed: int = 0) -> Any:
    return cv2.GaussianBlur(RANDOM(seed).integers(0, 256, (400, 600, 3), dtype=np.uint8), (0, 0), 4)


def test_encoding_alone_is_no_swap_and_another_face_is() -> None:
    original = frame()
    noise = RANDOM(1).normal(0, 6, original.shape)
    encoded = np.clip(original + noise, 0, 255).astype(np.uint8)
    alone = change.measure_change(encoded, original, face())
    assert not alone.swapped
    assert alone.inside == pytest.approx(alone.outside, rel=0.1)
    inside = change.face_hull(face(), original.shape).astype(bool)
    swapped = encoded.copy()
    swapped[inside] = np.clip(encoded[inside].astype(int) + 20, 0, 255)
    assert change.measure_change(swapped, original, face()).swapped


@pytest.mark.parametrize("place", CORNERS)
def test_a_label_beside_the_face_changes_neither_what_was_swapped_nor_its_edge(place: str) -> None:
    original = frame()
    hull = cv2.GaussianBlur(change.face_hull(face(), original.shape).astype(np.float32), (0, 0), 6)[..., None]
    swapped = np.clip(original + 12 * hull, 0, 255).astype(np.uint8)
    label = Label("both", place, *original.shape[:2])
    labelled = label.drawn(swapped)
    _, _, width, height = label.box
    assert width * height > 0.06 * original.shape[0] * original.shape[1]
    plain, marked = (change.measure_change(picture, original, face()) for picture in (swapped, labelled))
    assert plain.swapped
    assert marked.swapped
    assert marked.outside < 1
    seams = [change.seam(*pair) for pair in ((swapped, original, face(), plain), (labelled, original, face(), marked))]
    assert seams[0] == pytest.approx(seams[1], abs=0.1)


def test_nothing_changed_at_all_is_no_swap() -> None:
    still = change.measure_change(frame(), frame(), face())
    assert (still.inside, still.outside, still.swapped) == (0, 0, False)
    assert change.seam(frame(), frame(), face(), still) is None


def test_a_hard_edge_shows_and_a_soft_one_does_not() -> None:
    original = frame()
    hull = change.face_hull(face(), original.shape).astype(np.float32)

    def seam(softness: float) -> float:
        alpha = cv2.GaussianBlur(hull, (0, 0), softness)[..., None] if softness else hull[..., None]
        result = np.clip(original + 40 * alpha, 0, 255).astype(np.uint8)
        value = change.seam(result, original, face(), change.measure_change(result, original, face()))
        assert value is not None
        return value

    assert seam(0) > 3
    assert abs(seam(12)) < 1 < seam(3) < seam(0)


def test_mean_colour_is_of_the_face_alone() -> None:
    image = np.zeros((400, 600, 3), np.uint8)
    image[change.face_hull(face(), image.shape).astype(bool)] = (10, 20, 30)
    np.testing.assert_allclose(change.mean_colour(image, face()), (10, 20, 30))


# -- motion --------------------------------------------------------------------------------------------------------


def moved(points: Points, seed: int) -> Points:
    """Somewhere else, turned and larger."""
    random = RANDOM(seed)
    angle, scale = random.uniform(-0.5, 0.5), random.uniform(0.5, 2)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + random.uniform(0, 100, 2)


def expressions(count: int = 12) -> list[Points]:
    """The made-up face opening its mouth: points 55 … 59 go down by a pixel a frame."""
    faces = [face() for _ in range(count)]
    for index, points in enumerate(faces):
        points[55:60, 1] += index
    return faces


def test_eye_distance_by_hand() -> None:
    assert motion.eye_distance(face()) == pytest.approx(100)


def test_place_turn_size_and_looks_are_no_expression() -> None:
    original = expressions()
    other_looks = RANDOM(5).normal(0, 8, (68, 2))
    other_looks[[*range(36, 48), 30, 48, 54]] = 0
    result = [moved(points + other_looks, seed) for seed, points in enumerate(original)]
    np.testing.assert_allclose(motion.expression_errors(result, original), 0, atol=1e-9)


def test_expression_error_by_hand() -> None:
    original, result = expressions(), [face() for _ in range(12)]
    # Five of 68 points are off by |index − mean index| pixels, of an eye distance of 100.
    expected = 5 / 68 * np.abs(np.arange(12) - 5.5) / 100
    np.testing.assert_allclose(motion.expression_errors(result, original), expected, atol=1e-9)


def test_too_few_frames_have_no_expression() -> None:
    with pytest.raises(ValueError, match="10"):
        motion.expression_errors(expressions(9), expressions(9))


def walk(count: int = 20) -> list[Points]:
    return [face() + 3 * index for index in range(count)]


def test_own_motion_of_the_footage_is_no_jitter() -> None:
    assert motion.landmark_jitter(range(20), [p + 5 for p in walk()], walk()) == pytest.approx(0)


def test_jitter_by_hand() -> None:
    shaking = [points + np.array([index % 2, 0]) for index, points in enumerate(walk())]
    assert motion.landmark_jitter(range(20), shaking, walk()) == pytest.approx(1 / 100)
    flicker = [np.full(3, 100.0 + 4 * (index % 2)) for index in range(20)]
    steady = [np.full(3, 50.0)] * 20
    assert motion.colour_jitter(range(20), flicker, steady, walk()) == pytest.approx(4)


def test_cuts_and_gaps_are_no_jitter() -> None:
    cut = [*walk(10), *(points + 200 for points in walk(10))]
    jump = [points + (0 if index < 10 else 7) for index, points in enumerate(cut)]
    assert motion.landmark_jitter(range(20), jump, cut) == pytest.approx(0)
    assert motion.landmark_jitter(range(0, 40, 2), walk(), walk()) is None
    assert motion.colour_jitter([3], [np.zeros(3)], [np.zeros(3)], [face()]) is None


# -- identity ------------------------------------------------------------------------------------------------------


def test_cosines_by_hand() -> None:
    rows = np.array([[2.0, 0], [0, 3], [-1, 0], [1, 1]])
    np.testing.assert_allclose(identity.cosines(rows, np.array([5.0, 0])), [1, 0, -1, np.sqrt(0.5)])


def test_ceiling_compares_halves_that_follow_each_other() -> None:
    # One shot looks along x, the next along y: neighbours agree, the halves don't.
    assert identity.ceiling(np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])) == pytest.approx(0)
    assert identity.ceiling(np.ones((4, 2))) == pytest.approx(1)
    assert identity.ceiling(np.ones((3, 2))) is None


def test_pair_distances_are_euclidean_and_thinned() -> None:
    one, many = RANDOM(0).normal(size=(5, 8)), RANDOM(1).normal(size=(2500, 8))
    np.testing.assert_allclose(identity.pair_distances(one, many[:20]), cdist(one, many[:20]))
    np.testing.assert_allclose(identity.pair_distances(one, many), cdist(one, many[::2]))


def test_readings_are_shares() -> None:
    shares = identity.readings(np.array([[0.1, 0.5], [0.7, 0.8]]), DlibEmbedder())
    assert shares == {"same": 0.25, "unsure": 0.25, "different": 0.5}


def test_chips_are_gathered_in_batches_and_keep_their_order() -> None:
    embedder = DlibEmbedder()
    chips = RANDOM(3).integers(0, 256, (19, 150, 150, 3), dtype=np.uint8)
    gatherer = identity.Gatherer(embedder)
    assert gatherer.embeddings().shape == (0, 128)
    assert [gatherer.add(chip) for chip in chips] == list(range(19))
    np.testing.assert_allclose(gatherer.embeddings(), embedder.batch(chips), atol=1e-5)


def test_embeddings_of_another_network_are_made_anew(faces_a: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(faces_a, tmp_path / "faces"))
    embedder = DlibEmbedder()
    known = identity.load_reference(folder, embedder)
    with FaceSet.open(folder) as faces:
        for crop in known.crops:
            faces.update(crop.id, embedding_network="another")  # type: ignore[arg-type]
    anew = identity.load_reference(folder, embedder)
    # The stored ones are cut from the frames, these from the crops.
    assert np.linalg.norm(anew.embeddings - known.embeddings, axis=1).mean() < 0.2
    assert identity.cosines(anew.embeddings, known.mean).mean() > 0.95


def test_rejected_crops_do_not_count(faces_a: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(faces_a, tmp_path / "faces"))
    with FaceSet.open(folder) as faces:
        ids = [crop.id for crop in faces.crops()]
        faces.set_verdicts(dict.fromkeys(ids[1:], "reject"))
    assert [crop.id for crop in identity.load_reference(folder, DlibEmbedder()).crops] == ids[:1]
    with FaceSet.open(folder) as faces:
        faces.set_verdicts(dict.fromkeys(ids, "reject"))
    with pytest.raises(InputError) as error:
        identity.load_reference(folder, DlibEmbedder())
    assert error.value.code == "score.empty_set"


# -- reasons -------------------------------------------------------------------------------------------------------


def facts(**changes: Any) -> dict[str, Any]:
    even = {"yaw_edges": [-90, 0, 90], "pitch_edges": [-90, 90], "counts": [[50], [50]]}
    good: dict[str, Any] = {
        "network": "dlib-resnet",
        "floor": 0.89,
        "ceiling": 0.97,
        "swapped_share": 1.0,
        "found_share": 1.0,
        "sets": {"wanted": 1000},
        "sharpness": {"wanted": 300.0, "original": 300.0, "result": 200.0},
        "coverage": {"wanted": even, "footage": even},
        "detail": 0.8,
        "blotches": 0.0,
        "mouth": 0.95,
        "lids": None,
        "gaze": 0.9,
    }
    return good | changes


def test_a_good_score_needs_no_reasons() -> None:
    assert reasons(facts()) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sets": {"wanted": 100}}, "wanted.few"),
        ({"ceiling": 0.92}, "network.blind"),
        ({"swapped_share": 0.0}, "result.unswapped"),
        ({"swapped_share": 0.5}, "result.partly"),
        ({"found_share": 0.5}, "result.lost"),
        ({"sharpness": {"wanted": 100.0, "original": 300.0, "result": 200.0}}, "wanted.blurred"),
        ({"detail": 0.3}, "result.blurred"),
        ({"blotches": 0.2}, "result.blotches"),
        ({"mouth": 0.1}, "result.mouth"),
        ({"lids": 0.1}, "result.lids"),
        ({"gaze": -0.2}, "result.gaze"),
    ],
)
def test_each_reason(changes: dict[str, Any], code: str) -> None:
    assert [reason.code for reason in reasons(facts(**changes))] == [code]


def test_only_poses_that_the_wanted_person_lacks_are_a_reason() -> None:
    from faceengine.extraction.coverage import coverage

    straight, both = coverage([(0, 0)] * 50), coverage([(0, 0)] * 50 + [(40, 0)] * 50)
    (reason,) = reasons(facts(coverage={"wanted": straight, "footage": both}))
    assert reason.code == "wanted.poses"
    assert "right" in reason.text
    assert reasons(facts(coverage={"wanted": both, "footage": straight})) == []


# -- the whole way -------------------------------------------------------------------------------------------------


def score(folder: Path, **options: Any) -> dict[str, Any]:
    result = run(ScoreConfig(**{"every": 20, **options}), folder)
    assert not result.stopped
    assert result.report is not None
    report: dict[str, Any] = json.loads(result.report.read_text())
    assert (report["similarity"], report["floor"], report["ceiling"]) == (
        result.similarity,
        result.floor,
        result.ceiling,
    )
    return report


@pytest.fixture(scope="module")
def held_out(demo_a: Path) -> Path:
    return demo_a.with_name("held_out_a.mp4")


@pytest.fixture(scope="module")
def perfect(demo_a: Path) -> Path:
    return demo_a.with_name("truth_a2b.mp4")


@pytest.fixture(scope="module")
def best(held_out: Path, perfect: Path, faces_b: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The score of a perfect swap."""
    folder = tmp_path_factory.mktemp("score")
    return score(folder, result=perfect, wanted=faces_b, original=held_out, truth=perfect)


@pytest.fixture(scope="module")
def none(held_out: Path, perfect: Path, faces_b: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The score of no swap at all: the footage, encoded once more."""
    folder = tmp_path_factory.mktemp("score")
    again = folder / "again.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(held_out)]
    subprocess.run([*command, "-preset", "ultrafast", "-crf", "30", str(again)], check=True, timeout=60)
    return score(folder, result=again, wanted=faces_b, original=held_out, truth=perfect)


def test_a_perfect_swap_reaches_the_ceiling(best: dict[str, Any]) -> None:
    assert best["floor"] < best["similarity"]
    assert best["position"] > 0.85
    assert (best["network"], best["independent"], best["second"]) == ("dlib-resnet", True, None)
    assert best["reading"] == "same"
    assert best["readings"]["different"] < 0.1
    assert best["swapped_share"] == best["found_share"] == 1
    assert (best["psnr_face"], best["ssim_face"]) == (100, pytest.approx(1))
    assert best["psnr_face_unswapped"] == pytest.approx(22.7, abs=0.5)
    assert best["seam"] < 2
    assert best["grade"] == "good"
    assert 0.75 < best["detail"] < 1.5


def test_a_blurred_swap_is_never_good(held_out: Path, perfect: Path, faces_b: Path, tmp_path: Path) -> None:
    """The perfect swap, out of focus: as like the wanted person as before, but nobody would show it."""
    soft = tmp_path / "soft.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(perfect), "-vf", "gblur=sigma=3"]
    subprocess.run([*command, "-preset", "ultrafast", "-crf", "18", str(soft)], check=True, timeout=60)
    report = score(tmp_path, result=soft, wanted=faces_b, original=held_out)
    assert report["detail"] < 0.3
    assert report["grade"] != "good"
    assert "result.blurred" in [reason["code"] for reason in report["reasons"]]


def test_no_swap_stays_on_the_floor(none: dict[str, Any]) -> None:
    assert abs(none["position"]) < 0.1
    assert none["reading"] == "different"
    assert none["swapped_share"] == 0
    assert "result.unswapped" in [reason["code"] for reason in none["reasons"]]
    assert none["psnr_face"] == pytest.approx(none["psnr_face_unswapped"], abs=0.5)
    assert none["pose_error"] < 1.5
    assert none["seam"] is None


def test_a_report_lists_its_frames(best: dict[str, Any]) -> None:
    assert [row["frame"] for row in best["per_frame"]] == list(range(0, 250, 20))
    assert best["frames"] == best["frames_with_face"] == 13
    assert np.mean([row["similarity"] for row in best["per_frame"]]) == pytest.approx(best["similarity"])
    by_frame = {row["frame"]: quality(row, best["floor"], best["ceiling"]) for row in best["per_frame"]}
    assert by_frame[best["best"][0]] == max(by_frame.values())
    assert by_frame[best["worst"][0]] == min(by_frame.values())
    for numbers in (best["best"], best["worst"]):
        assert min(np.diff(sorted(numbers))) >= 240 // 20
    errors = [row["expression_error"] for row in best["per_frame"]]
    assert np.mean(errors) == pytest.approx(best["expression_error"])


def test_best_and_worst_frames_are_kept_as_pictures(
    held_out: Path, perfect: Path, faces_b: Path, tmp_path: Path
) -> None:
    report = score(tmp_path, result=perfect, wanted=faces_b, original=held_out, every=5, pictures=True)
    assert set(map(int, report["pictures"])) == {*report["best"], *report["worst"]}
    number = report["worst"][0]
    picture = cv2.imread(str(tmp_path / report["pictures"][str(number)]))[..., ::-1]
    before, after = (next(read_frames(clip, start=number)).image for clip in (held_out, perfect))
    pair = np.concatenate([before, after], axis=1)
    small = cv2.resize(pair, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert picture.shape[1] == 960
    assert cv2.PSNR(np.ascontiguousarray(picture), small) > 30


def test_every_missing_number_has_its_reason(best: dict[str, Any], none: dict[str, Any]) -> None:
    for report in (best, none):
        empty = {name for name, value in report.items() if value is None}
        assert empty - {"run", "strangers", "truth", "second"} == set(report["missing"])


def test_jitter_of_neighbouring_frames(short_a: Path, faces_b: Path, tmp_path: Path) -> None:
    report = score(tmp_path, result=short_a, wanted=faces_b, original=short_a, every=1)
    assert report["jitter"] == report["jitter_colour"] == 0
    assert "jitter" not in report["missing"]


def test_a_face_set_as_original(held_out: Path, perfect: Path, faces_a: Path, faces_b: Path, tmp_path: Path) -> None:
    from faceengine.extraction.config import ExtractConfig
    from faceengine.extraction.extract import run as extract

    extract(ExtractConfig(inputs=(held_out,), every=20), tmp_path / "faces")
    same = score(tmp_path, result=perfect, wanted=faces_b, original=tmp_path / "faces", strangers=faces_a)
    assert same["swapped_share"] is None
    assert same["seam"] is None
    assert same["position"] > 0.85
    assert same["pose_error"] < 10
    assert same["expression_error"] < 0.1
    assert same["strangers_similarity"] == pytest.approx(same["floor"], abs=0.02)
    # Other footage of the same person gives the same floor, and nothing to compare motion with.
    other = score(tmp_path, result=perfect, wanted=faces_b, original=faces_a)
    assert other["floor"] == pytest.approx(same["floor"], abs=0.02)
    assert other["pose_error"] is None
    assert "not of this footage" in other["missing"]["pose_error"]


def test_both_directions_side_by_side(
    best: dict[str, Any], none: dict[str, Any], held_out: Path, perfect: Path, faces_b: Path, tmp_path: Path
) -> None:
    gap = beside(best, none)["gap"]
    assert gap == pytest.approx(best["position"] - none["position"])
    first = tmp_path / "first.json"
    first.write_text(json.dumps(none))
    report = score(tmp_path, result=perfect, wanted=faces_b, original=held_out, other=first)
    assert report["directions"]["other"]["similarity"] == none["similarity"]
    assert report["directions"]["gap"] == pytest.approx(gap)


def test_the_network_that_trained_the_model_is_not_independent(tiny_run: Path, held_out: Path, faces_b: Path) -> None:
    from faceengine.evaluation.score import independent

    config = ScoreConfig(result=held_out, wanted=faces_b, original=held_out)
    assert independent(config, "dlib-resnet") is True
    assert independent(config, "facenet-vggface2") is None
    known = ScoreConfig(result=held_out, wanted=faces_b, original=held_out, run=tiny_run)
    # Its weights are not here, so the tiny run was trained without the perceptual loss.
    assert independent(known, "facenet-vggface2") is True


# -- what can't be scored ------------------------------------------------------------------------------------------


def write(path: Path, width: int = 640, frames: int = 3) -> Path:
    with VideoWriter(path, width, 480, 25) as video:
        for _ in range(frames):
            video.write(np.full((480, width, 3), 90, np.uint8))
    return path


def refused(folder: Path, **options: Any) -> str:
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(InputError) as error:
        run(ScoreConfig(**options), folder)
    assert {path.name for path in folder.iterdir()} == before
    return error.value.code


def test_what_cannot_be_scored_is_refused(short_a: Path, faces_b: Path, tmp_path: Path) -> None:
    good = {"result": short_a, "wanted": faces_b, "original": short_a}
    grey, wide = write(tmp_path / "grey.mp4"), write(tmp_path / "wide.mp4", 1280)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "no.json").write_text("{}")
    assert refused(tmp_path, **good | {"result": grey, "original": grey}) == "score.no_face"
    assert refused(tmp_path, **good | {"result": wide}) == "score.size"
    assert refused(tmp_path, **good | {"truth": wide}) == "score.size"
    assert refused(tmp_path, **good | {"result": tmp_path / "none.mp4"}) == "video.missing"
    assert refused(tmp_path, **good | {"original": tmp_path / "empty.mp4"}) == "video.empty"
    assert refused(tmp_path, **good | {"wanted": tmp_path}) == "faceset.missing"
    assert refused(tmp_path, **good | {"other": tmp_path / "no.json"}) == "score.report"


@pytest.mark.parametrize("name", ["../report.json", "report.txt", "a/b.json"])
def test_the_report_stays_in_its_folder(name: str) -> None:
    with pytest.raises(ConfigError):
        ScoreConfig(result=Path("r.mp4"), wanted=Path("w"), original=Path("o"), name=name)


def test_a_damaged_report_is_refused(tmp_path: Path) -> None:
    for text in ("", "[]", '{"format": 99, "per_frame": []}'):
        path = tmp_path / "r.json"
        path.write_text(text)
        with pytest.raises(InputError):
            read_report(path)


def test_stopping_writes_nothing(short_a: Path, faces_b: Path, tmp_path: Path, heard: Any) -> None:
    config = ScoreConfig(result=short_a, wanted=faces_b, original=short_a)
    folder = tmp_path / "new"
    assert run(config, folder, on_event=heard, should_stop=lambda: True) == ScoreResult(stopped=True)
    assert not folder.exists()


def test_progress_is_told(short_a: Path, faces_b: Path, tmp_path: Path, heard: Any) -> None:
    run(ScoreConfig(result=short_a, wanted=faces_b, original=short_a, every=10), tmp_path, on_event=heard)
    progress = [event for event in heard.events if isinstance(event, Progress) and event.unit == "frames"]
    assert (progress[-1].stage, progress[-1].done, progress[-1].total) == ("score", 5, 5)
