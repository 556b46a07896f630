"""Conversion on real clips: the right face, the untouched rest, the sound, and every kind of bad input."""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from faceengine.conversion.claim import only_writer
from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.convert import run
from faceengine.conversion.cuts import CutFinder
from faceengine.conversion.frame_swapper import FrameSwapper
from faceengine.conversion.loading import load_frame_swapper
from faceengine.conversion.recognition import Recogniser
from faceengine.conversion.tracks import MAX_GAP, Tracker
from faceengine.embedding import Embedder, make_embedder
from faceengine.errors import ConfigError, InputError
from faceengine.events import Message, Progress
from faceengine.extraction.finder import Face, FaceFinder
from faceengine.extraction.landmarks import Landmarker, make_landmarker
from faceengine.pipeline import ahead
from faceengine.thresholds import THRESHOLDS
from faceengine.training.swapper import Identity, load_swapper
from faceengine.video import probe
from tests.engine.conversions import config, frames_of, left_behind, psnr

Image = NDArray[np.uint8]


class Unchanged:
    """A model that gives every crop back: a swap by it must leave a video (nearly) as it was."""

    size, coverage = 256, 0.8

    def __call__(self, crops: Image, /) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return crops.astype(np.float32), np.ones((*crops.shape[:3], 2), np.float32)


class Painted(Unchanged):
    """A model that paints every face one colour."""

    def __call__(self, crops: Image, /) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        colour, masks = super().__call__(crops)
        return np.full_like(colour, (0, 255, 0)), masks


Maker = Callable[..., FrameSwapper]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine: more threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def people(tiny_run: Path) -> tuple[Identity, Identity]:
    """Person A and person B as a run knows them."""
    swapper = load_swapper(tiny_run, "a2b", device="cpu")
    return swapper.person, swapper.wanted


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return make_landmarker("dlib")


@pytest.fixture
def make(people: tuple[Identity, Identity], landmarker: Landmarker) -> Maker:
    """A frame swapper with a model that needs no training."""

    def build(model: Unchanged | None = None, direction: str = "a2b", **settings: object) -> FrameSwapper:
        person, wanted = people if direction == "a2b" else people[::-1]
        config = ConvertConfig(video=Path("-"), model=Path("-"), direction=direction, **settings)  # type: ignore[arg-type]
        return FrameSwapper(
            model or Unchanged(),
            finder=FaceFinder(),
            landmarker=landmarker,
            recogniser=Recogniser(make_embedder(person.network), person, wanted),  # type: ignore[arg-type]
            settings=config,
        )

    return build


def ffmpeg(*arguments: str | Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)


def sound(path: Path) -> list[bytes]:
    """The sound track's packets, as they lie in the file."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


# -- one frame after the other ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("blend", ["direct", "mask", "poisson"])
def test_an_identity_swap_leaves_the_video_nearly_unchanged(make: Maker, short_a: Path, blend: str) -> None:
    swapper = make(blend=blend)
    for index, image in enumerate(frames_of(short_a, 8)):
        swap = swapper(image, index / 25)
        assert swap.swapped
        assert np.array_equal(swap.result[swap.mask == 0], image[swap.mask == 0])
        inside = swap.mask > 128
        assert inside.mean() > 0.02
        assert psnr(swap.result[inside][None], image[inside][None]) > 34


@pytest.mark.parametrize("color", ["mean", "lab", "histogram"])
def test_every_colour_transfer_leaves_an_identity_swap_alone(make: Maker, short_a: Path, color: str) -> None:
    image = frames_of(short_a, 1)[0]
    swap = make(color=color)(image)
    assert psnr(swap.result, image) > 40


@pytest.mark.parametrize(("direction", "half"), [("a2b", 0), ("b2a", 1)])
def test_of_two_people_only_the_right_one_is_swapped(
    make: Maker, short_a: Path, short_b: Path, direction: str, half: int
) -> None:
    swapper = make(Painted(), direction, color="none")
    pairs = zip(frames_of(short_a, 30), frames_of(short_b, 30), strict=True)
    for index, (a, b) in enumerate(pairs):
        swap = swapper(np.concatenate([a, b], axis=1), index / 25)
        halves = np.split(swap.mask, 2, axis=1)
        assert halves[half].max() > 200
        assert not halves[1 - half].any()
        assert len(swap.faces) == 2


def test_a_frame_without_the_person_is_passed_on_itself(make: Maker, short_b: Path) -> None:
    swapper = make(Painted())
    landscape = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    for image in [*frames_of(short_b, 5), landscape]:
        swap = swapper(image)
        assert swap.result is image
        assert not swap.mask.any()
        assert not swap.swapped


def test_the_source_frame_is_not_written_into(make: Maker, short_a: Path) -> None:
    image = frames_of(short_a, 1)[0]
    before = image.copy()
    swap = make(Painted())(image)
    assert np.array_equal(image, before)
    assert not np.array_equal(swap.result, before)


def test_gathering_frames_changes_nothing(tiny_run: Path, short_a: Path) -> None:
    images = frames_of(short_a, 6)
    single = load_frame_swapper(config(short_a, tiny_run, device="cpu", precision="float32"))
    gathered = load_frame_swapper(config(short_a, tiny_run, device="cpu", precision="float32"))
    one_by_one = [single(image, index / 25).result for index, image in enumerate(images)]
    together = gathered.run([gathered.prepare(image, index / 25) for index, image in enumerate(images)])
    for one, other in zip(one_by_one, together, strict=True):
        assert np.abs(one.astype(int) - other.result).max() <= 1


@pytest.mark.parametrize("blend", ["direct", "mask", "poisson"])
def test_a_face_cut_by_the_frames_border(make: Maker, short_a: Path, blend: str) -> None:
    image = frames_of(short_a, 1)[0]
    box = FaceFinder()(image)[0].box
    middle = int((box[0] + box[2]) / 2 + 0.15 * (box[2] - box[0]))
    cut = np.ascontiguousarray(image[:, :middle])
    swap = make(Painted(), blend=blend, color="none")(cut)
    if swap.faces:
        assert np.array_equal(swap.result[swap.mask == 0], cut[swap.mask == 0])
        assert swap.mask[:, -1].any() == swap.swapped


def test_smoothing_steadies_the_mask_of_a_trembling_face(make: Maker, short_a: Path) -> None:
    """The same frame over and over, with the grain of a camera: what moves now is the finder's own noise."""
    still = frames_of(short_a, 1)[0]
    rng = np.random.default_rng(0)
    noisy = [np.clip(still + rng.normal(0, 6, still.shape), 0, 255).astype(np.uint8) for _ in range(25)]

    def tremble(smoothing: float) -> float:
        swapper = make(smoothing=smoothing)
        masks = [swapper(image, index / 25).mask.astype(float) for index, image in enumerate(noisy)][8:]
        return float(np.mean([np.abs(one - other).mean() for one, other in itertools.pairwise(masks)]))

    assert tremble(0.7) < 0.6 * tremble(0.0)


# -- whole videos ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layout", "columns"), [("result", 1), ("pair", 2), ("triple", 3)])
def test_a_conversion_from_end_to_end(tiny_run: Path, short_a: Path, tmp_path: Path, layout: str, columns: int) -> None:
    result = run(config(short_a, tiny_run, layout=layout), tmp_path)
    source, made = probe(short_a), probe(result.path)
    assert (result.stopped, result.frames, result.swapped) == (False, 50, 50)
    assert (made.width, made.height, made.fps) == (source.width * columns, source.height, source.fps)
    assert sound(result.path) == sound(short_a)
    assert left_behind(tmp_path) == ["result.mp4"]
    before, after = frames_of(short_a), frames_of(result.path)
    assert len(after) == len(before) == 50
    pictures = np.split(after[20], columns, axis=1)
    assert psnr(pictures[0], before[20]) > (34 if columns > 1 else 20)
    if columns == 1:
        assert psnr(pictures[0][:40], before[20][:40]) > 34
    if columns == 3:
        mask = pictures[2][:, 2:].astype(int)  # its first two columns share their encoded colour with the result's last
        assert np.ptp(mask, axis=2).max() < 12
        assert mask.max() > 20
        assert mask[:20].max() < 12


def test_the_other_direction(tiny_run: Path, short_b: Path, tmp_path: Path) -> None:
    assert run(config(short_b, tiny_run, direction="b2a", name="b.mp4"), tmp_path).swapped == 50
    assert left_behind(tmp_path) == ["b.mp4"]


def test_the_person_may_be_named_by_a_face_set(tiny_run: Path, short_b: Path, faces_b: Path, tmp_path: Path) -> None:
    result = run(config(short_b, tiny_run, person=faces_b, end=10), tmp_path)
    assert result.swapped == 10


VARIANTS: dict[str, list[str]] = {
    "odd size": ["-vf", "scale=321:241", "-pix_fmt", "yuv444p", "-c:a", "copy"],
    "no sound": ["-an"],
    "variable rate": ["-vf", "select='not(between(mod(n,10),3,6))'", "-fps_mode", "vfr", "-c:a", "copy"],
    "sound that mp4 can't hold": ["-c:a", "pcm_s16le", "-f", "mov"],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_odd_videos(tiny_run: Path, short_a: Path, tmp_path: Path, variant: str) -> None:
    odd = tmp_path / "odd.mov"
    ffmpeg("-i", short_a, *VARIANTS[variant], "-c:v", "libx264", "-preset", "ultrafast", odd)
    result = run(config(odd, tiny_run), tmp_path / "out")
    source, made = probe(odd), probe(result.path)
    assert result.swapped == result.frames
    assert made.has_audio == source.has_audio
    assert (made.width - source.width, made.height - source.height) in ((0, 0), (1, 1))
    # In step with its sound: as long as before, to the frame.
    assert abs(result.frames / made.fps - Fraction(50, 25)) <= 1 / made.fps
    assert not made.variable_rate


def test_a_rotated_video_comes_out_upright(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    turned, marked = tmp_path / "turned.mp4", tmp_path / "marked.mp4"
    ffmpeg("-i", short_a, "-vf", "transpose=clock", "-preset", "ultrafast", "-c:a", "copy", turned)
    ffmpeg("-display_rotation", "90", "-i", turned, "-c", "copy", marked)
    source = probe(marked)
    assert source.rotation
    assert (source.width, source.height) == (640, 480)
    result = run(config(marked, tiny_run, end=5), tmp_path / "out")
    made = probe(result.path)
    assert (made.width, made.height, made.rotation, result.swapped) == (640, 480, 0, 5)


def test_a_cut_between_two_people(tiny_run: Path, short_a: Path, short_b: Path, tmp_path: Path) -> None:
    """A, then at once B at nearly the same place: nothing of A's track may pass to B."""
    joined = tmp_path / "joined.mp4"
    graph = "[0:v][1:v]concat=n=2:v=1[v]"
    ffmpeg("-i", short_a, "-i", short_b, "-filter_complex", graph, "-map", "[v]", "-preset", "ultrafast", joined)
    result = run(config(joined, tiny_run), tmp_path / "out")
    assert (result.frames, result.swapped) == (100, 50)


def test_a_part_of_a_video(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    result = run(config(short_a, tiny_run, start=10, end=22), tmp_path)
    assert (result.frames, result.swapped) == (12, 12)
    assert not probe(result.path).has_audio
    assert psnr(frames_of(result.path)[0][:40], frames_of(short_a)[10][:40]) > 34


def test_progress_is_told_and_ends_at_its_total(tiny_run: Path, short_a: Path, tmp_path: Path, heard) -> None:  # type: ignore[no-untyped-def]
    began = time.monotonic()
    run(config(short_a, tiny_run), tmp_path, on_event=heard)
    told = [event for event in heard.events if isinstance(event, Progress)]
    assert (told[-1].done, told[-1].total) == (50, 50)
    assert [event.done for event in told] == sorted(event.done for event in told)
    assert len(told) <= 5 * (time.monotonic() - began) + 1


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_stopped_on_request_it_leaves_nothing(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    asked = itertools.count()
    result = run(config(short_a, tiny_run), tmp_path, should_stop=lambda: next(asked) >= 10)
    assert result.stopped
    assert result.frames == 10
    assert left_behind(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "stage"]


def test_a_stop_keeps_the_result_that_was_there(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    (tmp_path / "result.mp4").write_bytes(b"an earlier result")
    run(config(short_a, tiny_run), tmp_path, should_stop=lambda: True)
    assert (tmp_path / "result.mp4").read_bytes() == b"an earlier result"


def refused(code: str, settings: ConvertConfig, folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        run(settings, folder)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_video_without_the_person_is_refused(tiny_run: Path, short_b: Path, tmp_path: Path) -> None:
    text = refused("convert.no_person", config(short_b, tiny_run), tmp_path)
    assert "50 faces in 50 frames" in text
    assert left_behind(tmp_path) == []


def test_a_video_without_a_face_is_refused(tiny_run: Path, tmp_path: Path) -> None:
    grey = tmp_path / "grey.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=gray:s=160x120:d=1", grey)
    assert "shows no face" in refused("convert.no_person", config(grey, tiny_run), tmp_path / "out")
    assert left_behind(tmp_path / "out") == []


def test_a_part_without_the_person_passes_with_a_warning(  # type: ignore[no-untyped-def]
    tiny_run: Path, short_b: Path, tmp_path: Path, heard
) -> None:
    result = run(config(short_b, tiny_run, end=6), tmp_path, on_event=heard)
    assert (result.frames, result.swapped) == (6, 0)
    assert "convert.no_person" in [event.code for event in heard.events if isinstance(event, Message)]
    for before, after in zip(frames_of(short_b, 6), frames_of(result.path), strict=True):
        assert psnr(before, after) > 34


def test_a_part_beyond_the_end_is_refused(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    refused("convert.range", config(short_a, tiny_run, start=500), tmp_path)
    assert left_behind(tmp_path) == []


def test_the_video_itself_is_not_overwritten(tiny_run: Path, short_a: Path) -> None:
    before = short_a.read_bytes()
    refused("convert.same_file", config(short_a, tiny_run, name=short_a.name), short_a.parent)
    assert short_a.read_bytes() == before


def test_two_at_one_result(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    with only_writer(tmp_path / "result.mp4"):
        refused("output.busy", config(short_a, tiny_run), tmp_path)
        assert run(config(short_a, tiny_run, name="other.mp4", end=3), tmp_path).frames == 3
    assert run(config(short_a, tiny_run, end=3), tmp_path).frames == 3
    assert left_behind(tmp_path) == ["other.mp4", "result.mp4"]


def test_a_missing_model_and_a_missing_video(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    refused("run.missing", config(short_a, tmp_path / "no run"), tmp_path / "out")
    refused("video.missing", config(tmp_path / "no.mp4", tiny_run), tmp_path / "out")
    assert left_behind(tmp_path / "out") == []


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "a/b.mp4"},
        {"name": "clip.avi"},
        {"start": 5, "end": 5},
        {"blend": "glue"},
        {"direction": "a2a"},
        {"smoothing": 1.5},
        {"sharpen": -0.1},
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        config(Path("a.mp4"), Path("run"), **settings)


# -- the parts -------------------------------------------------------------------------------------------------------


def face(x: float, y: float = 100.0, side: float = 80.0) -> Face:
    return Face(np.array([x, y, x + side, y + side]), np.zeros((5, 2)), 0.99)


def test_tracks_follow_faces_that_change_places_in_the_list() -> None:
    track = Tracker(0.5)
    first = track([face(100), face(400)], 0)
    second = track([face(395), face(108)], 1)
    assert [one.number for one in second] == [first[1].number, first[0].number]


def test_a_track_outlives_a_short_gap_and_no_long_one() -> None:
    track = Tracker(0.5)
    number = track([face(100)], 0)[0].number
    assert track([], 1) == []
    assert track([face(104)], MAX_GAP)[0].number == number
    assert track([face(104)], 2 * MAX_GAP + 1)[0].number != number


def test_a_face_elsewhere_or_after_a_cut_is_a_new_one() -> None:
    track = Tracker(0.5)
    number = track([face(100)], 0)[0].number
    assert track([face(300)], 1)[0].number != number
    track.forget()
    assert track([face(300)], 2)[0].number == 3


class Script:
    """An embedder that sees, one look after the other, faces at given distances from the person at 0."""

    name = "script"
    thresholds = THRESHOLDS["dlib-resnet"]
    reading = Embedder.reading

    def __init__(self, *distances: float) -> None:
        self._distances = iter(distances)

    def __call__(self, _image: Image, landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([[next(self._distances)] for _ in landmarks])


def verdicts(*distances: float, wanted: float | None = None) -> list[str]:
    """The verdicts on one face after each look."""
    known = Identity("script", np.zeros(1))
    other = None if wanted is None else Identity("script", np.array([wanted]))
    recogniser = Recogniser(Script(*distances), known, other)  # type: ignore[arg-type]
    (track,) = Tracker(0.5)([face(100)], 0)
    said = []
    for index in range(len(distances)):
        recogniser.look(np.zeros((1, 1, 3), np.uint8), [track], np.zeros((1, 68, 2)), index)
        said.append(track.verdict)
    return said


def test_who_is_the_person() -> None:
    assert verdicts(0.3) == ["same"]
    assert verdicts(0.55) == ["unsure"]
    assert verdicts(0.7) == ["different"]
    assert verdicts(0.55, 0.4) == ["unsure", "same"]


def test_one_bad_look_does_not_lose_a_followed_person_but_two_do() -> None:
    assert verdicts(0.3, 0.7, 0.4, 0.7, 0.55) == ["same"] * 5
    assert verdicts(0.3, 0.7, 0.7) == ["same", "same", "different"]


def test_a_face_nearer_to_the_wanted_person_is_not_the_person() -> None:
    assert verdicts(0.4, wanted=0.5) == ["different"]
    assert verdicts(0.2, wanted=0.5) == ["same"]


def test_strangers_are_looked_at_soon_again_until_settled() -> None:
    recogniser = Recogniser(Script(0.7, 0.7), Identity("script", np.zeros(1)))  # type: ignore[arg-type]
    (track,) = Tracker(0.5)([face(100)], 0)
    looks = []
    for frame in range(30):
        if recogniser.due(track, frame):
            looks.append(frame)
            recogniser.look(np.zeros((1, 1, 3), np.uint8), [track], np.zeros((1, 68, 2)), frame)
    assert looks == [0, 5]


def test_cuts_are_found_and_motion_is_none(short_a: Path, short_b: Path) -> None:
    starts = CutFinder()
    images = [*frames_of(short_a, 20), *frames_of(short_b, 20)]
    assert [index for index, image in enumerate(images) if starts(image)] == [0, 20]


def test_working_ahead_keeps_order_and_bounds() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    with ahead(numbers(), 3) as items:
        for number in items:
            assert len(made) <= number + 5
            assert number in made
    assert made == list(range(50))


def test_an_error_ahead_reaches_the_reader_in_its_place() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise InputError("video.truncated", "cut off")

    with ahead(broken(), 3) as items:
        assert next(items) == 1
        with pytest.raises(InputError, match="cut off"):
            next(items)


def test_leaving_early_ends_the_thread() -> None:
    with ahead(itertools.count(), 2) as items:
        assert next(items) == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "stage"]
