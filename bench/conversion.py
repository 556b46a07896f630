"""Conversion beside a plain loop of the same steps, and its memory over the length of a video.

The plain loop is what one writes first: every frame by itself, MTCNN over the whole frame, dlib's landmarks and dlib's
own face network to know the person, the model in eager float32 on one crop, and floating-point blending of the whole
frame. Both convert the same 720p clip with the same weights of the quick preset (random: time doesn't depend on them).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np

from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.convert import run

DEMO = Path(__file__).parents[1] / "demo" / "person_a.mp4"
SECONDS, PLAIN_FRAMES = 10, 20
SHORT, LONG = 20, 120
PRESET = "quick"


def rows() -> list[dict[str, Any]]:
    """The figures, each beside its yardstick."""
    with tempfile.TemporaryDirectory() as folder:
        return _rows(Path(folder))


def _rows(folder: Path) -> list[dict[str, Any]]:
    clip = enlarged(folder / "clip.mp4", SECONDS)
    model = untrained_run(folder / "run", clip)
    ours = run(_config(clip, model), folder).fps
    plain = plain_rate(clip, model, folder / "plain.mp4", PLAIN_FRAMES)
    found = [
        {
            "name": f"Conversion, 720p, {PRESET} (128 px), mask blending",
            "ours": ours,
            "yardstick": plain,
            "ratio": ours / plain,
            "unit": "frames/s",
            "asked": f"15 frames/s or 3 ×, whichever is more ({max(15.0, 3 * plain):.1f})",
        }
    ]
    for blend in ("direct", "poisson"):
        rate = run(_config(clip, model, blend=blend), folder).fps
        name = f"Conversion, 720p, {PRESET}, {blend} blending"
        found.append(
            {"name": name, "ours": rate, "yardstick": plain, "ratio": rate / plain, "unit": "frames/s", "asked": None}
        )
    peaks = memory(folder, clip)
    found.append(
        {
            "name": f"Conversion, peak memory at {LONG} s of video against {SHORT} s",
            "ours": peaks[1],
            "yardstick": peaks[0],
            "ratio": peaks[1] / peaks[0],
            "unit": "MB",
            "asked": "within 15 %",
        }
    )
    return found


def memory(folder: Path, clip: Path) -> list[float]:
    """Peak MB of a conversion of :data:`SHORT` and of :data:`LONG` seconds of 640×480 with the quick preset."""
    model = untrained_run(folder / "small", clip, "quick")
    return [_peak(looped(folder / f"{length}.mp4", length), model) for length in (SHORT, LONG)]


def looped(path: Path, seconds: int) -> Path:
    """``seconds`` of the demo's person A with sound, looped if need be."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-stream_loop", "-1", "-i", str(DEMO)]
    subprocess.run([*command, "-t", str(seconds), "-c", "copy", str(path)], check=True)
    return path


def enlarged(path: Path, seconds: int) -> Path:
    """``seconds`` of the demo's person A, looped if need be, at 960×720 in a 1280×720 picture, with sound."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-stream_loop", "-1", "-i", str(DEMO)]
    command += ["-t", str(seconds), "-vf", "scale=960:720,pad=1280:720:160:0", "-preset", "veryfast", str(path)]
    subprocess.run(command, check=True)
    return path


def untrained_run(folder: Path, clip: Path, preset: str = PRESET) -> Path:
    """A run of ``preset`` whose weights are random and whose person A is the one in ``clip``."""
    import torch

    from faceengine.embedding import make_embedder
    from faceengine.extraction.finder import FaceFinder
    from faceengine.extraction.landmarks import make_landmarker
    from faceengine.faceset import medoid
    from faceengine.networks.model import Generator
    from faceengine.training import checkpoints
    from faceengine.training.config import PRESETS
    from faceengine.video import read_frames

    finder, landmarker, embedder = FaceFinder(), make_landmarker("dlib"), make_embedder("dlib-resnet")
    embeddings = []
    for frame in read_frames(clip, every=25):
        finder.reset()
        boxes = np.array([face.box for face in finder(frame.image)[:1]])
        embeddings += list(embedder(frame.image, landmarker(frame.image, boxes)))
    typical = embeddings[medoid(np.array(embeddings))]
    people = {
        name: {"network": embedder.name, "medoid": list(place), "crops": 1, "folder": ""}
        for name, place in (("a", typical), ("b", typical + 10))
    }
    torch.manual_seed(0)
    recipe = PRESETS[preset]
    weights = {f"average.{name}": value for name, value in Generator(recipe.model).state_dict().items()}
    header = checkpoints.Header(1, 1, recipe.to_dict(), 0, False, 0.0, people, None)
    checkpoints.save(folder, header, weights)
    return folder


def _config(clip: Path, model: Path, blend: str = "mask") -> ConvertConfig:
    return ConvertConfig(video=clip, model=model, direction="a2b", blend=blend, landmarks="dlib")


# -- the yardstick -------------------------------------------------------------------------------------------------


def plain_rate(clip: Path, model: Path, path: Path, frames: int) -> float:
    """Frames a second of the plain loop over the first ``frames`` of ``clip``; networks are loaded beforehand."""
    import dlib
    from facenet_pytorch import MTCNN

    from faceengine import weights
    from faceengine.training.swapper import load_swapper

    detector = MTCNN(min_face_size=30, thresholds=[0.6, 0.7, 0.7], factor=0.709, keep_all=True)
    landmarks = dlib.shape_predictor(str(weights.require("dlib-68")))
    embed = dlib.face_recognition_model_v1(str(weights.require("dlib-resnet")))
    swapper = load_swapper(model, "a2b", device="cpu", precision="float32")
    reader = cv2.VideoCapture(str(clip))
    size = 1280, 720
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", "1280x720", "-r", "25", "-i", "-", "-i", str(clip), "-map", "0:v", "-map", "1:a", "-c:a", "copy"]
    command += ["-pix_fmt", "yuv420p", "-preset", "veryfast", "-crf", "18", str(path)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert writer.stdin is not None
    began = time.monotonic()
    for _ in range(frames):
        _, picture = reader.read()
        image = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        assert image.shape[1::-1] == size
        writer.stdin.write(_plain_frame(image, detector, landmarks, embed, swapper).tobytes())
    writer.stdin.close()
    writer.wait()
    return frames / (time.monotonic() - began)


def _plain_frame(image: Any, detector: Any, landmarks: Any, embed: Any, swapper: Any) -> Any:
    import dlib

    from faceengine.geometry import align_matrix

    boxes, _, points = detector.detect(image, landmarks=True)
    for box, five in zip(boxes if boxes is not None else [], points if points is not None else [], strict=True):
        shape = landmarks(image, dlib.rectangle(*(int(side) for side in box)))
        person = np.array(embed.compute_face_descriptor(image, shape))
        if np.linalg.norm(person - swapper.person.medoid) > 0.6:
            continue
        size = swapper.size
        matrix = align_matrix(five.astype(float), size, swapper.coverage)
        crop = cv2.warpAffine(image, matrix, (size, size))
        colour, alpha = swapper(crop[None])
        whole = (image.shape[1], image.shape[0])
        hull = np.zeros(image.shape[:2], np.float32)
        outline = np.array([[point.x, point.y] for point in shape.parts()][:27], np.int32)
        cv2.fillConvexPoly(hull, cv2.convexHull(outline), (1.0,))
        inside = crop.reshape(-1, 3).astype(np.float32)
        drawn = colour[0].reshape(-1, 3)
        colour = (colour[0] - drawn.mean(0)) / (drawn.std(0) + 1e-6) * inside.std(0) + inside.mean(0)
        back = cv2.warpAffine(colour.astype(np.float32), matrix, whole, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        share = (
            cv2.warpAffine(alpha[0].min(axis=-1), matrix, whole, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) * hull
        )
        share = cv2.GaussianBlur(share, (0, 0), 5)[..., None]
        image = np.clip(image * (1 - share) + back * share, 0, 255).astype(np.uint8)
    return image


# -- memory --------------------------------------------------------------------------------------------------------


def _peak(clip: Path, model: Path) -> float:
    """Peak resident memory in MB of a process that converts ``clip``."""
    command = [sys.executable, "-m", "bench.conversion", "--peak", str(clip), str(model)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return float(json.loads(done.stdout.splitlines()[-1]))


def _convert_and_print_peak(clip: Path, model: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(_config(clip, model), Path(folder))
    # Not getrusage: its maximum begins with that of the process which started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps(int(status["VmHWM"].split()[0]) / 1024))


if __name__ == "__main__":
    if "--peak" in sys.argv:
        _convert_and_print_peak(Path(sys.argv[-2]), Path(sys.argv[-1]))
    else:
        from bench.__main__ import table

        print(table(rows()))
