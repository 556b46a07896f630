"""Random pictures: expression, pose, gaze, light, camera, background and what the recording does to them.

A scene knows nothing of the people, so all people of a group are rendered in the same scenes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
SIDES = ("Left", "Right")
PICTURE = 512
"""Side of the virtual picture in pixels; crops are cut from it by their matrices, without ever drawing it."""


@dataclass(frozen=True)
class Light:
    """Directions point to the light (+x to the picture's right, +y up, +z to the camera); linear colours."""

    directions: tuple[Vector, Vector, Vector]  # the first one casts shadows
    colours: tuple[Vector, Vector, Vector]
    above: Vector
    below: Vector
    exposure: float


@dataclass(frozen=True)
class Recording:
    """Blur sigma, smear (pixels and degrees), noise sigma (0 to 255), resolution and JPEG quality, in crop pixels."""

    blur: float
    smear: float
    smear_angle: float
    noise: float
    resolution: float
    quality: int


@dataclass(frozen=True)
class Scene:
    """One picture's conditions. Angles in degrees: yaw to the picture's right, pitch down, roll clockwise."""

    seed: int
    units: dict[str, float]
    yaw: float
    pitch: float
    roll: float
    gaze: tuple[float, float]  # yaw, pitch relative to the head
    pupil: float
    light: Light = field(repr=False)
    distance: float  # of the camera, in decimetres
    focal: float  # in picture pixels
    offset: tuple[float, float]  # of the camera, in decimetres
    hand: tuple[float, ...]  # wrist x, y from the mid-eye point, lean in degrees, side; empty without a hand
    recording: Recording = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return all parameters for the shard's meta data."""
        return asdict(self)


def random_scene(seed: int, unit_names: list[str]) -> Scene:
    """Return the scene of ``seed``."""
    rng = np.random.default_rng([seed, 0x5CE2E])
    yaw, pitch, roll = _pose(rng)
    distance = float(np.exp(rng.uniform(np.log(5), np.log(28))))
    # Mostly into the camera, however the head is turned; sometimes anywhere.
    aim = rng.normal(0, [7, 4]) - np.array([yaw, pitch]) * rng.uniform(0.2, 0.75)
    if rng.random() < 0.25:
        aim = rng.uniform([-30, -18], [30, 20])
    gaze = float(np.clip(aim[0], -30, 30)), float(np.clip(aim[1], -18, 20))
    return Scene(
        seed=seed, units=_expression(rng, unit_names, gaze), yaw=yaw, pitch=pitch, roll=roll, gaze=gaze,
        pupil=float(rng.uniform(0.22, 0.42)), light=_light(rng), distance=distance,
        focal=float(160 * distance * rng.uniform(0.9, 1.1)),
        offset=(float(rng.normal(0, 0.05) * distance), float(rng.normal(0, 0.04) * distance)),
        hand=_hand(rng), recording=_recording(rng),
    )  # fmt: skip


def _pose(rng: np.random.Generator) -> tuple[float, float, float]:
    yaw = rng.normal(0, 22) if rng.random() < 0.65 else rng.uniform(-60, 60)
    pitch = rng.normal(0, 9) if rng.random() < 0.7 else rng.uniform(-30, 30)
    return float(np.clip(yaw, -60, 60)), float(np.clip(pitch, -30, 30)), float(np.clip(rng.normal(0, 8), -20, 20))


def _hand(rng: np.random.Generator) -> tuple[float, ...]:
    if rng.random() > 0.05:
        return ()
    side = float(rng.choice([-1, 1]))
    return float(side * rng.uniform(0.3, 0.9)), float(rng.uniform(-2.3, -1.4)), float(side * rng.uniform(-10, 50)), side


_EMOTIONS: dict[str, dict[str, float]] = {
    "smile": {"mouthSmile*": 0.8, "cheekSquint*": 0.5, "eyeSquint*": 0.3},
    "wide smile": {"mouthSmile*": 1.0, "mouthUpperUp*": 0.45, "mouthLowerDown*": 0.35, "cheekSquint*": 0.7},
    "laugh": {"mouthSmile*": 0.95, "mouthUpperUp*": 0.55, "jawOpen": 0.4, "cheekSquint*": 0.8, "eyeSquint*": 0.6,
              "mouthLowerDown*": 0.2},
    "surprise": {"browInnerUp": 0.9, "browOuterUp*": 0.9, "eyeWide*": 0.8, "jawOpen": 0.5},
    "angry": {"browDown*": 0.95, "mouthFrown*": 0.5, "noseSneer*": 0.5, "eyeSquint*": 0.4, "mouthPress*": 0.4},
    "sad": {"browInnerUp": 0.9, "mouthFrown*": 0.8, "mouthShrugLower": 0.5, "eyeLookDown*": 0.3},
    "disgust": {"noseSneer*": 0.95, "mouthUpperUp*": 0.7, "browDown*": 0.5, "eyeSquint*": 0.5},
    "fear": {"browInnerUp": 0.9, "eyeWide*": 0.9, "mouthStretch*": 0.8, "jawOpen": 0.2},
    "shout": {"jawOpen": 1.0, "mouthUpperUp*": 0.4, "mouthLowerDown*": 0.5, "browDown*": 0.3},
    "kiss": {"mouthPucker": 0.95},
    "o": {"mouthFunnel": 0.8, "jawOpen": 0.3},
    "puff": {"cheekPuff": 0.9, "mouthPress*": 0.3},
    "press": {"mouthPress*": 0.8, "mouthRollLower": 0.5, "mouthRollUpper": 0.4},
    "tongue": {"jawOpen": 0.45, "tongueOut": 0.9},
    "teeth": {"mouthUpperUp*": 0.7, "mouthLowerDown*": 0.7, "mouthStretch*": 0.3},
    "skew left": {"mouthLeft": 0.8, "mouthSmileLeft": 0.5, "browOuterUpRight": 0.6},
    "skew right": {"mouthRight": 0.8, "mouthSmileRight": 0.5, "browOuterUpLeft": 0.6},
    "jaw": {"jawForward": 0.7, "jawLeft": 0.3},
}  # fmt: skip
_VISEMES: list[dict[str, float]] = [
    {"jawOpen": 0.35, "mouthLowerDown*": 0.3}, {"jawOpen": 0.18, "mouthStretch*": 0.35, "mouthUpperUp*": 0.2},
    {"mouthFunnel": 0.5, "jawOpen": 0.18}, {"mouthPucker": 0.5, "jawOpen": 0.08}, {"mouthClose": 0.0},
    {"mouthRollLower": 0.4, "mouthUpperUp*": 0.2}, {"jawOpen": 0.12, "mouthLowerDown*": 0.4, "mouthUpperUp*": 0.3},
    {"jawOpen": 0.55},
]  # fmt: skip


def _expression(rng: np.random.Generator, names: list[str], gaze: tuple[float, float]) -> dict[str, float]:
    """Return unit weights, 0 to 1: emotion, speech, single units, lids and gaze added up."""
    units = dict.fromkeys(names, 0.0)

    def add(entry: dict[str, float], strength: float) -> None:
        for name, weight in entry.items():
            for side in SIDES if "*" in name else ("",):
                skew = float(np.clip(rng.normal(1, 0.15), 0.4, 1.4)) if side else 1.0
                units[name.replace("*", side)] += weight * strength * skew

    if rng.random() < 0.62:
        add(_EMOTIONS[str(rng.choice(list(_EMOTIONS)))], float(rng.uniform(0.3, 1.1)))
    if rng.random() < 0.5:
        add(_VISEMES[int(rng.integers(len(_VISEMES)))], float(rng.uniform(0.4, 1.2)))
    if rng.random() < 0.5:
        for name in rng.choice(names, int(rng.integers(1, 5)), replace=False):
            if not name.startswith(("eyeLook", "eyeBlink", "mouthClose", "tongue")):
                units[str(name)] += float(rng.uniform(0.1, 0.8))
    _lids(rng, units, gaze)
    if units["mouthPucker"] + units["mouthFunnel"] > 0.5:
        for side in SIDES:
            units[f"mouthSmile{side}"] *= 0.3
    units["mouthClose"] = min(units["mouthClose"], units["jawOpen"] * 0.8)
    return {name: round(float(np.clip(weight, 0, 1)), 3) for name, weight in units.items() if weight > 0.01}


def _lids(rng: np.random.Generator, units: dict[str, float], gaze: tuple[float, float]) -> None:
    kind = rng.random()
    closed = (1.0, 1.0) if kind < 0.08 else (1.0, 0.0) if kind < 0.105 else (0.0, 1.0) if kind < 0.13 else (0.0, 0.0)
    if 0.13 <= kind < 0.33:
        closed = (float(rng.uniform(0.05, 0.7)),) * 2
    for side, shut in zip(SIDES, closed, strict=True):
        units[f"eyeBlink{side}"] = shut
        follow = 1 - shut
        units[f"eyeLookDown{side}"] = max(units[f"eyeLookDown{side}"], gaze[1] / 20) * follow
        units[f"eyeLookUp{side}"] = max(0.0, -gaze[1] / 18) * follow
        outward = gaze[0] if side == "Left" else -gaze[0]
        units[f"eyeLookOut{side}"] = max(0.0, outward / 30) * follow
        units[f"eyeLookIn{side}"] = max(0.0, -outward / 30) * follow
        if shut > 0.3:
            units[f"eyeWide{side}"] = 0.0
            units[f"eyeSquint{side}"] *= 1 - shut * 0.7


def _warmth(rng: np.random.Generator, spread: float) -> NDArray[np.float64]:
    """Return a light colour between candle and blue sky after a camera's white balance, mean 1."""
    warm = float(np.clip(rng.normal(0.05, spread), -1, 1))
    colour = np.array([1 + 0.30 * warm, 1 + 0.02 * warm, 1 - 0.36 * warm])
    return np.asarray(colour / colour.mean(), np.float64)


def _vector(values: Any) -> Vector:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _direction(azimuth: float, elevation: float) -> Vector:
    a, e = np.radians([azimuth, elevation])
    return _vector((np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)))


def _light(rng: np.random.Generator) -> Light:
    kind = rng.choice(["soft", "window", "harsh", "dim", "two colours", "top", "frontal"],
                      p=[0.26, 0.24, 0.14, 0.08, 0.08, 0.1, 0.1])  # fmt: skip
    azimuth, elevation = float(rng.uniform(-75, 75)), float(rng.uniform(-5, 55))
    key, fill, ambient = {
        "soft": (0.65, 0.4, 0.5), "window": (1.2, 0.22, 0.28), "harsh": (1.8, 0.08, 0.14), "dim": (0.75, 0.13, 0.13),
        "two colours": (1.1, 0.75, 0.2), "top": (1.35, 0.22, 0.3), "frontal": (1.0, 0.18, 0.3),
    }[str(kind)]  # fmt: skip
    if kind == "top":
        elevation = float(rng.uniform(55, 80))
    elif kind == "frontal":
        azimuth, elevation = float(rng.normal(0, 12)), float(rng.normal(12, 10))
    spread = 0.75 if kind == "two colours" else 0.3
    rim = float(rng.uniform(0, 1.0)) * (rng.random() < 0.6)
    side = -np.sign(azimuth) or 1.0
    sky = ambient * _warmth(rng, 0.3) * rng.uniform(0.8, 1.2)
    return Light(
        directions=(
            _direction(azimuth, elevation),
            _direction(-azimuth * rng.uniform(0.5, 1.2), float(rng.uniform(-20, 30))),
            _vector((0.75 * side, 0.4, -0.65)),
        ),
        colours=(
            _vector(key * _warmth(rng, spread)), _vector(fill * _warmth(rng, spread)), _vector(rim * _warmth(rng, 0.4))
        ),
        above=_vector(sky), below=_vector(sky * rng.uniform(0.35, 0.9) * _warmth(rng, 0.2)),
        exposure=float(np.exp(rng.normal(-0.18, 0.24))),
    )  # fmt: skip


def _recording(rng: np.random.Generator) -> Recording:
    poor = rng.random() < 0.3
    return Recording(
        blur=float(abs(rng.normal(0, 0.7 if poor else 0.3))),
        smear=float(rng.uniform(2, 7)) if rng.random() < 0.06 else 0.0,
        smear_angle=float(rng.uniform(0, 180)),
        noise=float(abs(rng.normal(0, 4.0 if poor else 1.6))),
        resolution=float(rng.uniform(0.4, 1.0)) if poor else 1.0,
        quality=int(rng.integers(30, 75)) if poor else int(rng.integers(75, 98)),
    )


def background(scene: Scene) -> NDArray[np.uint8]:
    """Return the scene's background ``(256, 256, 3)`` RGB, which fills the virtual picture: own drawing."""
    rng = np.random.default_rng([scene.seed, 0xBAC])
    side = 128
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    base = rng.uniform(20, 210) * rng.uniform(0.75, 1.15, 3)
    slope = rng.normal(0, 0.35, 2)
    canvas = base * (1 + slope[0] * (x - 0.5) + slope[1] * (y - 0.5))[..., None]
    for _ in range(int(rng.integers(0, 12))):
        colour = [float(c) for c in rng.uniform(10, 225) * np.clip(rng.normal(1, 0.2, 3), 0.4, 1.7)]
        corner, size = rng.integers(-20, side, 2), rng.integers(6, 90, 2)
        if rng.random() < 0.7:
            cv2.rectangle(canvas, [int(v) for v in corner], [int(v) for v in corner + size], colour, -1)
        else:
            cv2.circle(canvas, [int(v) for v in corner], int(size[0] // 2), colour, -1)
    if rng.random() < 0.4:
        grain = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), float(rng.uniform(1, 9)))
        canvas *= (1 + rng.uniform(0.05, 0.35) * grain / grain.std())[..., None]
    canvas = cv2.GaussianBlur(canvas.astype(np.float32), (0, 0), float(np.exp(rng.uniform(np.log(0.4), np.log(7)))))
    canvas *= np.array(scene.light.above) / np.mean(scene.light.above) * 0.5 + 0.5
    large = cv2.resize(canvas, (256, 256), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large * min(scene.light.exposure, 1.3), 0, 255), np.uint8)


def record(crop: NDArray[np.uint8], scene: Scene) -> NDArray[np.uint8]:
    """Return the crop ``(S, S, 3)`` as the scene's camera would have recorded it. The same noise for every person."""
    spec, side = scene.recording, crop.shape[0]
    image: Any = crop
    rng = np.random.default_rng([scene.seed, 0xCA3])
    if spec.resolution < 1:
        small = max(32, round(side * spec.resolution))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    if spec.smear > 0:
        length = max(2, round(spec.smear * image.shape[0] / 256))
        kernel = np.zeros((2 * length + 1,) * 2, np.float32)
        a = np.radians(spec.smear_angle)
        reach = np.array([np.cos(a), np.sin(a)]) * length / 2
        ends = [tuple(round(float(v)) for v in length + s * reach) for s in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0)
        image = cv2.filter2D(image, -1, kernel / kernel.sum())
    if spec.blur > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), spec.blur * image.shape[0] / 256)
    noise = rng.normal(0, max(spec.noise, 0.3), image.shape[:2]).astype(np.float32)
    noisy: Any = np.clip(image + noise[..., None], 0, 255).astype(np.uint8)
    if spec.quality < 92:
        _, coded = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, spec.quality])
        noisy = cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)
    if noisy.shape[0] != side:
        noisy = cv2.resize(noisy, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(noisy, np.uint8)
