"""Recordings of people who agree: a face that speaks is told from what is none, and a known recording from a new one.

Nobody was filmed: the clips are the demo's, and what is no recording of a person is made of them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from faceengine.evidence import voice
from faceengine.evidence.examine import examine
from faceengine.evidence.fingerprint import (
    SAME_MOVEMENT,
    SAME_SOUND,
    Fingerprint,
    fingerprint,
    same_movement,
    same_sound,
)
from faceengine.video.samples import read_sound

DEMO = Path(__file__).parents[2] / "demo"
SMALL = "scale=320:240"
SPEECH = ["-t", "6", "-i", str(DEMO / "held_out_a.mp4")]


def made(path: Path, *arguments: str) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *arguments, "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence")


def examined(folder: Path, name: str, *arguments: str) -> dict[str, Any]:
    return examine(made(folder / name, *arguments), folder / f"{name}-faces")


@pytest.fixture(scope="module")
def original(folder: Path) -> dict[str, Any]:
    """Six seconds of somebody who speaks."""
    return examined(folder, "original.mp4", *SPEECH, "-vf", SMALL)


def test_somebody_speaks(original: dict[str, Any]) -> None:
    assert original["problem"] == ""
    assert original["likeness"]["faces"] >= 25
    assert original["speaking"]["mouth"] > 0.12
    assert original["voice"]["voiced_seconds"] > 1.5
    kept = original["fingerprint"]
    assert len(kept["sound"]) + len(kept["movement"]) < 2000  # characters of base64


NO_SPEAKER = {
    "no_face": ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=10:duration=5", *SPEECH, "-map", "0", "-map", "1:a"],
    "short": ["-t", "1.6", "-i", str(DEMO / "held_out_a.mp4"), "-vf", SMALL],
    "far": [*SPEECH, "-vf", "scale=160:120,pad=320:240"],
    "silent": [*SPEECH, "-vf", SMALL, "-an"],
}


@pytest.mark.parametrize("problem", NO_SPEAKER)
def test_what_shows_nobody_who_speaks(folder: Path, problem: str) -> None:
    assert examined(folder, f"{problem}.mp4", *NO_SPEAKER[problem])["problem"] == problem


def test_a_photo_can_t_agree_however_it_is_moved(folder: Path) -> None:
    """Zoomed, shaken, turned and with noise, as a photo that is filmed; the sound is somebody's speech."""
    photo = made(folder / "photo.png", "-ss", "3", "-i", str(DEMO / "held_out_a.mp4"), "-frames:v", "1")
    moved = (
        "zoompan=z='1+0.15*sin(on/25)':x='iw/2-(iw/zoom/2)+10*sin(on/9)':y='ih/2-(ih/zoom/2)+8*sin(on/13)':d=1"
        f":s=640x480:fps=25,rotate=0.05*sin(t*2),noise=alls=12:allf=t,{SMALL}"
    )
    streams = ["-loop", "1", "-i", str(photo), *SPEECH, "-map", "0:v", "-map", "1:a", "-r", "25", "-t", "5"]
    for name, pictures in (("held.mp4", SMALL), ("moved.mp4", moved)):
        assert examined(folder, name, *streams, "-vf", pictures)["problem"] == "still"


SOUNDS = {
    "silent": ["anullsrc=duration=5", ""],
    "tone": ["sine=440:duration=5", "no_voice"],
    "beeps": ["aevalsrc='0.3*sin(2000*PI*t)*lt(mod(t,1),0.15)':d=5", "no_voice"],
    "noise": ["anoisesrc=a=0.1:d=5", "no_voice"],
    "wind": ["aevalsrc='0.3*(random(0)-0.5)*(1+sin(8*PI*t))':d=5", "no_voice"],
}


@pytest.mark.parametrize("sound", SOUNDS)
def test_what_is_no_voice(folder: Path, sound: str) -> None:
    source, problem = SOUNDS[sound]
    picture = ["-f", "lavfi", "-i", "color=s=64x64:r=5:d=5"]
    video = made(folder / f"{sound}-sound.mp4", *picture, "-f", "lavfi", "-i", source, "-shortest")
    assert voice.measure(read_sound(video)).problem == (problem or "silent")


@pytest.mark.parametrize(
    "heard",
    [
        ["-i", str(DEMO / "person_a.mp4"), "-t", "5"],
        ["-ss", "20", "-i", str(DEMO / "person_b.mp4"), "-t", "5"],
        [*SPEECH, "-af", "volume=-30dB"],
        [*SPEECH, "-f", "lavfi", "-i", "anoisesrc=a=0.03:c=pink", "-filter_complex", "amix=duration=first:normalize=0"],
    ],
)
def test_voices_are_heard_also_quiet_and_in_noise(folder: Path, heard: list[str]) -> None:
    assert voice.measure(read_sound(made(folder / "heard.mkv", *heard))).problem == ""


def print_of(found: dict[str, Any]) -> Fingerprint:
    return Fingerprint.from_json(found["fingerprint"])


# One after the other: other codecs and sizes, cut off and cropped; faster and slower with another pitch; in a mirror.
VARIANTS = {
    "again.webm": ["-vf", "scale=400:300", "-c:v", "libvpx", "-b:v", "300k", "-c:a", "libopus", "-b:a", "24k"],
    "cropped.mp4": ["-ss", "1", "-vf", f"crop=520:400,{SMALL}", "-crf", "34", "-c:a", "aac", "-b:a", "32k"],
    "faster.mp4": ["-vf", f"setpts=PTS/1.03,{SMALL}", "-af", "asetrate=22050*1.03,aresample=22050"],
    "slower.mp4": ["-vf", f"setpts=PTS/0.97,{SMALL}", "-af", "atempo=0.97"],
    "mirror.mp4": ["-vf", f"hflip,{SMALL}", "-af", "volume=0.4"],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_recording_is_known_by_sound_and_by_movement(
    folder: Path, original: dict[str, Any], variant: str
) -> None:
    found = examined(folder, variant, *SPEECH, *VARIANTS[variant])
    assert found["problem"] == ""
    assert same_sound(print_of(original), print_of(found)) >= SAME_SOUND
    assert same_movement(print_of(original), print_of(found)) >= SAME_MOVEMENT


def test_other_recordings_are_not_the_same(folder: Path, original: dict[str, Any]) -> None:
    """The same person another time, and two other ones."""
    others = [
        examined(folder, f"other-{clip}-{start}.mp4", "-ss", start, "-i", str(DEMO / clip), "-t", "6", "-vf", SMALL)
        for clip, start in (("person_a.mp4", "5"), ("person_b.mp4", "5"), ("person_b.mp4", "22"))
    ]
    prints = [print_of(original), *map(print_of, others)]
    pairs = [(one, other) for place, one in enumerate(prints) for other in prints[place + 1 :]]
    assert max(same_sound(*pair) for pair in pairs) < SAME_SOUND - 0.1
    assert max(same_movement(*pair) for pair in pairs) < SAME_MOVEMENT - 0.1


def test_nothing_is_like_silence(folder: Path) -> None:
    """Two recordings without sound are not the same for it."""
    sources = ["-f", "lavfi", "-i", "color=s=64x64:r=5:d=5", "-f", "lavfi", "-i", "anullsrc=duration=5"]
    quiet = read_sound(made(folder / "quiet.mp4", *sources))
    empty = fingerprint(quiet, [])
    assert same_sound(empty, empty) < SAME_SOUND
    assert same_movement(empty, empty) == 0
