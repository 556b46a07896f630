"""Random identities: everything that stays the same over all pictures of a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

Colour = tuple[float, float, float]
_TONES: list[Colour] = [  # sRGB, from very light to very dark
    (226, 192, 174), (217, 179, 157), (205, 165, 139), (193, 149, 120), (176, 132, 102), (143, 103, 80), (112, 79, 62),
    (86, 62, 51), (61, 46, 40),
]  # fmt: skip
_HAIR: list[Colour] = [(16, 14, 14), (34, 25, 20), (58, 40, 28), (88, 62, 40), (128, 94, 58), (176, 140, 92),
                       (126, 62, 34), (206, 178, 130)]  # fmt: skip
_IRIS: list[Colour] = [(70, 44, 28), (92, 60, 36), (116, 86, 50), (98, 104, 66), (88, 112, 124), (116, 142, 160),
                       (92, 100, 108)]  # fmt: skip
STYLES = ("bald", "buzz", "crop", "messy", "side", "back", "fringe", "bob", "long", "curly", "afro", "bun")
# Left out: they move the head as a whole, or are covered by the macro targets.
_SKIPPED = ("head-trans", "head-age", "neck-trans", "measure-", "nose-trans-in", "nose-trans-out", "mouth-trans-in")
_SPREAD = {"nose": 0.20, "mouth": 0.15, "eyes": 0.14, "ears": 0.2, "chin": 0.17, "cheek": 0.2, "head": 0.11}
_SHAPES = ("diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular")
_OPPOSITES = (("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward"), ("concave", "convex"),
              ("compress", "uncompress"))  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One synthetic person. Colours are sRGB 0 to 255; shares run from 0 to 1."""

    seed: int
    sex: str
    age: float  # years
    ancestry: dict[str, float]
    targets: dict[str, float] = field(repr=False)
    tone: Colour = (0, 0, 0)
    lips: Colour = (0, 0, 0)
    hair: Colour = (0, 0, 0)
    brow_colour: Colour = (0, 0, 0)
    iris: Colour = (0, 0, 0)
    shirt: Colour = (0, 0, 0)
    style: str = "crop"
    hair_length: float = 1.0
    hairline: float = 0.0  # decimetres; positive recedes
    parting: float = 0.1
    brow_density: float = 0.5
    brow_height: float = 0.03
    beard: str = "none"  # none, stubble, moustache, goatee, short, full
    beard_density: float = 0.0
    freckles: int = 0
    moles: int = 0
    wrinkles: float = 0.0
    blemishes: float = 0.0
    gloss: float = 0.5
    make_up: float = 0.0
    eye_shadow: Colour = (0, 0, 0)
    glasses: str = "none"  # none, thin, thick, half, sun
    glasses_colour: Colour = (20, 20, 22)
    glasses_shape: float = 0.5
    lash: float = 0.6
    teeth: float = 0.5

    def as_json(self) -> dict[str, Any]:
        """Return all parameters for the shard's meta data."""
        return asdict(self)


def random_person(seed: int, target_names: list[str]) -> Person:
    """Return the adult person of ``seed``, aged 18 to 80."""
    rng = np.random.default_rng([seed, 0xFACE])
    sex = str(rng.choice(["female", "male"]))
    age = float(np.clip(18 + rng.gamma(2.0, 11.0), 18, 80))
    mix = rng.dirichlet([0.55, 0.55, 0.55])
    ancestry = dict(zip(("african", "asian", "caucasian"), (float(x) for x in mix), strict=True))
    darkness = float(mix @ np.array([0.78, 0.36, 0.14])) + float(rng.normal(0, 0.09))
    tone = _between(_TONES, darkness) * rng.normal(1, [0.015, 0.02, 0.03])
    light_hair = mix[2] > 0.5 and rng.random() < 0.6
    hair = np.array(_HAIR[rng.integers(2, 8) if light_hair else rng.integers(0, 3)]) * rng.uniform(0.8, 1.15)
    grey = float(np.clip((age - 38) / 35 + rng.normal(0, 0.22), 0, 1)) if rng.random() < 0.7 else 0.0
    hair = hair * (1 - grey) + np.array([150, 148, 146]) * grey
    dyed = sex == "female" and rng.random() < 0.12
    if dyed:
        hair = np.array(_HAIR[rng.integers(3, 8)]) * rng.uniform(0.8, 1.1)
    light_iris = mix[2] > 0.45 and rng.random() < 0.65
    iris = np.array(_IRIS[rng.integers(2, 7) if light_iris else rng.integers(0, 2)]) * rng.uniform(0.85, 1.25)
    brow = hair * 0.6 + np.array([34, 25, 20]) * 0.4
    made_up = float(rng.uniform(0.3, 1.0)) if sex == "female" and rng.random() < 0.5 else 0.0
    lip_tint = np.array([0.90, 0.68, 0.68]) * rng.uniform(0.92, 1.04)
    lips = tone * lip_tint
    if made_up > 0.5:
        red = np.array([[168, 40, 52], [186, 84, 88], [148, 60, 74], [120, 36, 44]])[rng.integers(4)]
        lips = lips * (1 - made_up * 0.8) + red * made_up * 0.8
    return Person(
        seed=seed, sex=sex, age=age, ancestry=ancestry, targets=_shape(rng, sex, age, mix, target_names),
        tone=_colour(tone), lips=_colour(lips), hair=_colour(hair), brow_colour=_colour(brow), iris=_colour(iris),
        shirt=_colour(rng.uniform(15, 225, 3) * rng.uniform(0.3, 1)), style=_style(rng, sex, age, mix),
        hair_length=float(rng.uniform(0.6, 1.4)),
        hairline=float(rng.normal(0, 0.07) + (sex == "male") * max(0.0, age - 30) / 50 * rng.uniform(0, 0.55)),
        parting=float(rng.choice([-1, 1]) * rng.uniform(0, 0.28)),
        brow_density=float(rng.uniform(0.22, 0.75) * (0.75 if sex == "female" else 1.0)),
        brow_height=float(rng.uniform(0.018, 0.034) + 0.008 * (sex == "male")), **_beard(rng, sex),
        freckles=int(rng.integers(30, 260)) if light_hair and rng.random() < 0.35 else int(rng.integers(0, 12)),
        moles=int(rng.poisson(1.6)), wrinkles=float(np.clip((age - 30) / 40, 0, 1) * rng.uniform(0.6, 1.1)),
        blemishes=float(rng.beta(1.2, 3)), gloss=float(rng.uniform(0.15, 0.9)), make_up=made_up,
        eye_shadow=_colour(rng.uniform(30, 150, 3)), glasses=_glasses(rng),
        glasses_colour=_colour(_between([(14, 14, 16), (60, 40, 26), (120, 116, 110), (30, 40, 80)], rng.random())),
        glasses_shape=float(rng.random()), lash=float(rng.uniform(0.3, 0.7) + 0.3 * (made_up > 0)),
        teeth=float(rng.uniform(0, 1)),
    )  # fmt: skip


def _colour(values: Any) -> Colour:
    red, green, blue = (float(np.clip(x, 4, 250)) for x in values)
    return red, green, blue


def _between(colours: list[Colour], share: float) -> Any:
    place = float(np.clip(share, 0, 1)) * (len(colours) - 1)
    low = min(int(place), len(colours) - 2)
    return np.array(colours[low]) * (low + 1 - place) + np.array(colours[low + 1]) * (place - low)


def _style(rng: np.random.Generator, sex: str, age: float, mix: Any) -> str:
    if sex == "male":
        weights = [0.08 + 0.1 * (age > 50), 0.14, 0.2, 0.12, 0.14, 0.1, 0.08, 0.02, 0.04, 0.08, 0.0, 0.02]
    else:
        weights = [0.0, 0.02, 0.03, 0.05, 0.05, 0.06, 0.16, 0.18, 0.22, 0.1, 0.0, 0.13]
    weights[STYLES.index("afro")] += 0.3 * float(mix[0])
    weights[STYLES.index("buzz")] += 0.15 * float(mix[0])
    return str(rng.choice(STYLES, p=np.array(weights) / np.sum(weights)))


def _beard(rng: np.random.Generator, sex: str) -> dict[str, Any]:
    if sex == "female":
        return {}
    kind = str(rng.choice(["none", "stubble", "moustache", "goatee", "short", "full"],
                          p=[0.36, 0.3, 0.06, 0.08, 0.12, 0.08]))  # fmt: skip
    return {"beard": kind, "beard_density": float(rng.uniform(0.3, 0.9))}


def _glasses(rng: np.random.Generator) -> str:
    return str(rng.choice(["none", "thin", "thick", "half", "sun"], p=[0.775, 0.09, 0.08, 0.04, 0.015]))


def _shape(rng: np.random.Generator, sex: str, age: float, mix: Any, names: list[str]) -> dict[str, float]:
    """Return morph target weights: ancestry, age and weight, then a signed normal draw for every opposite pair."""
    old = float(np.clip((age - 25) / 65, 0, 1))
    weights: dict[str, float] = {}
    for race, share in zip(("african", "asian", "caucasian"), mix, strict=True):
        weights[f"macrodetails/{race}-{sex}-young"] = float(share) * (1 - old)
        weights[f"macrodetails/{race}-{sex}-old"] = float(share) * old
    heavy = float(np.clip(rng.normal(0, 0.45), -0.9, 0.95))
    parts = {"average": 1 - abs(heavy), "max": max(heavy, 0.0), "min": max(-heavy, 0.0)}
    for part, share in parts.items():
        weights[f"macrodetails/universal-{sex}-young-averagemuscle-{part}weight"] = share * (1 - old)
        weights[f"macrodetails/universal-{sex}-old-averagemuscle-{part}weight"] = share * old
    for name, share in zip(rng.choice(_SHAPES, 2, replace=False), rng.uniform(0, [0.5, 0.25]), strict=True):
        weights[f"head/head-{name}"] = float(share)
    for low, high in _pairs(names):
        draw = float(np.clip(rng.normal(0, _SPREAD.get(low.split("/")[0], 0.14)), -0.5, 0.5))
        for side in ("l-", "r-") if "/*-" in low else ("",):
            own = draw + (float(rng.normal(0, 0.03)) if side else 0.0)
            chosen = (high if own > 0 else low).replace("*-", side)
            weights[chosen] = abs(own)
    return {name: share for name, share in weights.items() if share > 1e-3}


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Return the opposite targets ("…-decr", "…-incr") in a fixed order, sides written as ``*-``."""
    known = set(names)
    found = []
    for name in sorted(known):
        folder, _, leaf = name.partition("/")
        if folder == "macrodetails" or leaf.startswith(("r-", *_SKIPPED)):
            continue
        for low, high in _OPPOSITES:
            other = f"{name.removesuffix(low)}{high}"
            if name.endswith(f"-{low}") and other in known:
                sided = leaf.startswith("l-")
                found.append(tuple(f"{folder}/*-{x.partition('/')[2][2:]}" if sided else x for x in (name, other)))
    return found  # type: ignore[return-value]
