"""Real work on the demo's clips: face sets, a short training with its preview sheet, and conversions by it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.gpu import Row, row
from bench.gpu_setting import DEMO, Setting, attempt, peak_memory, reset_memory, speed_of, train_config, trainer_of
from faceengine.device import choose_precision
from faceengine.events import Event, Losses
from faceengine.files import replace_file
from faceengine.networks.model import PERSONS
from faceengine.training.config import PRESETS
from faceengine.training.schedule import Phase


def faces(setting: Setting) -> Iterator[Row]:
    """Face sets of the demo's people, which the next parts learn from."""
    from faceengine.extraction import extract
    from faceengine.extraction.config import ExtractConfig

    for person in PERSONS:
        clip = DEMO / f"person_{person}.mp4"
        began, every = time.monotonic(), 25 if setting.small else 3
        extract.run(ExtractConfig(inputs=(clip,), every=every, device=str(setting.device)), setting.faces / person)
        seconds = time.monotonic() - began
        yield row(f"extraction of person {person.upper()}, 640×480, every {every}th frame", 1000 / seconds, "frames/s")


def training(setting: Setting, preset: str = "standard") -> Iterator[Row]:
    """A training on the demo's faces, its last preview sheet, and conversions by it."""
    from faceengine.training import train

    preset = "quick" if setting.small else preset
    recipe, speeds = PRESETS[preset], list[float]()
    with attempt(setting, f"{preset}: real training") as rows:

        def heard(event: Event) -> None:
            if isinstance(event, Losses) and "a.adversarial" not in event.values:
                speeds.append(event.images_per_second)

        config = train_config(setting, preset, minutes=0.1 if setting.small else 1.0)
        reset_memory(setting)
        result = train.run(config, setting.folder / "run", on_event=heard)
        peak = peak_memory(setting)
        rows.append(row(f"{preset}: {config.minutes:g} min of training{peak}", result.iteration, "iterations"))
        sheet = sorted((setting.folder / "run" / "previews").iterdir())[-1]
        setting.keep.mkdir(parents=True, exist_ok=True)
        replace_file(setting.keep / "preview.png", sheet.read_bytes())
    yield from rows
    with attempt(setting, f"{preset}: training without a data loader") as rows:
        trainer = trainer_of(recipe, setting.device, choose_precision("auto", setting.device))
        bare, _ = speed_of(setting, trainer, recipe, Phase(1.0, adversarial=False))
        name = f"{preset}: real training, beside the same iterations without a data loader"
        rows.append(row(name, float(median(speeds[1:] or speeds)), "images/s", bare))
    yield from rows
    for height in (720,) if setting.small else (720, 1080):
        with attempt(setting, f"conversion, {height}p") as rows:
            rows += _conversion(setting, preset, height)
        yield from rows


def _conversion(setting: Setting, preset: str, height: int) -> Iterator[Row]:
    from faceengine.conversion import convert
    from faceengine.conversion.config import ConvertConfig

    clip = _scaled(setting.folder, height)
    config = ConvertConfig(
        video=clip,
        model=setting.folder / "run",
        direction="a2b",
        device=str(setting.device),
        marks="label",  # a signature needs a key, and so a folder to keep it in
        end=30 if setting.small else None,
    )
    reset_memory(setting)
    done = convert.run(config, setting.folder)
    swapped = f"{done.swapped} of {done.frames} frames swapped"
    yield row(f"conversion, {height}p, {preset}, {swapped}{peak_memory(setting)}", done.fps, "frames/s")


def _scaled(folder: Path, height: int) -> Path:
    import imageio_ffmpeg

    path = folder / f"{height}.mp4"
    size = f"scale=-2:{height},pad={height * 16 // 9}:{height}:(ow-iw)/2:0"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(DEMO / "held_out_a.mp4"), "-vf", size]
    subprocess.run([*command, "-preset", "veryfast", str(path)], check=True)
    return path
