"""Pictures of a conversion: frames that are kept while it works, and one frame alone before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from faceengine.conversion import live_frames, still
from faceengine.conversion.convert import run
from faceengine.conversion.still import StillResult
from faceengine.errors import InputError
from faceengine.events import Message, Preview
from tests.engine.conversions import config, frames_of, left_behind, psnr


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine: more threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_pictures_of_frames_are_kept_while_it_works(  # type: ignore[no-untyped-def]
    tiny_run: Path, short_a: Path, tmp_path: Path, heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_frames, "APART", 0.0)
    result = run(config(short_a, tiny_run, pictures=5, start=10), tmp_path, on_event=heard)
    told = [event for event in heard.events if isinstance(event, Preview)]
    assert [event.iteration for event in told] == [10, 20, 30, 40]
    converted = frames_of(result.path)
    for number, event in enumerate(told):
        picture = cv2.imread(str(tmp_path / event.path))[..., ::-1]
        assert picture.shape == converted[0].shape
        assert psnr(picture, converted[10 * number]) > 30
    assert left_behind(tmp_path) == ["frames", "result.mp4"]


def test_pictures_come_no_faster_than_a_person_can_look(tmp_path: Path, heard) -> None:  # type: ignore[no-untyped-def]
    show = live_frames.LiveFrames(tmp_path, 0, 100, 50, heard)
    for number in range(100):
        show(number, np.zeros((20, 1300, 3), np.uint8))
    assert [event.path for event in heard.events] == ["frames/000000.jpg"]
    assert cv2.imread(str(tmp_path / "frames" / "000000.jpg")).shape == (10, 640, 3)


# -- a still -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blend", ["mask", "poisson"])
def test_a_still_is_the_frame_that_the_conversion_will_have(
    tiny_run: Path, short_a: Path, tmp_path: Path, blend: str
) -> None:
    chosen = config(short_a, tiny_run, blend=blend, start=30, label="both")
    result = still.run(chosen, tmp_path / "still")
    assert result == StillResult(tmp_path / "still" / "still.jpg", swapped=True, stopped=False)
    picture = cv2.imread(str(result.path))[..., ::-1]
    whole = run(dataclasses.replace(chosen, start=0, crf=0), tmp_path / "whole")
    others = [psnr(picture, frame) for frame in frames_of(whole.path)]
    assert int(np.argmax(others)) == 30
    assert others[30] > 34


def test_a_still_beside_the_frame_before_has_its_label_on_the_new_one(
    tiny_run: Path, short_a: Path, tmp_path: Path
) -> None:
    pair = {"layout": "pair", "start": 5}
    plain, labelled = (
        cv2.imread(str(still.run(config(short_a, tiny_run, label=label, **pair), tmp_path / label).path)).astype(int)
        for label in ("none", "both")
    )
    differs = np.abs(plain - labelled).max(axis=(0, 2)) > 60
    middle = plain.shape[1] // 2
    assert not differs[:middle].any()
    assert differs[middle:].any()


def test_a_still_without_the_person_says_so(tiny_run: Path, short_b: Path, tmp_path: Path, heard) -> None:  # type: ignore[no-untyped-def]
    result = still.run(config(short_b, tiny_run, start=5), tmp_path, on_event=heard)
    assert not result.swapped
    picture = cv2.imread(str(result.path))[..., ::-1]
    assert psnr(picture, frames_of(short_b, 6)[5]) > 34
    assert [event.code for event in heard.events if isinstance(event, Message) and event.level == "warning"] == [
        "convert.no_person"
    ]


def test_a_still_beyond_the_end_is_refused(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        still.run(config(short_a, tiny_run, start=5000), tmp_path)
    assert caught.value.code == "convert.range"
    assert left_behind(tmp_path) == []


def test_a_still_that_nobody_wants_any_more(tiny_run: Path, short_a: Path, tmp_path: Path) -> None:
    assert still.run(config(short_a, tiny_run), tmp_path, should_stop=lambda: True).stopped
    assert left_behind(tmp_path) == []
