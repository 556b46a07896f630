"""Skin textures painted in the head's texture space: own drawing, no pictures of people."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.synthetic_faces.landmarks import brow_line
from tools.synthetic_faces.people import Person
from tools.synthetic_faces.template import TEXTURE, Template
from tools.synthetic_faces.wheel import Floats

Bytes = NDArray[np.uint8]
EYE_X, EYE_Y = 0.31, 7.285


def hairline(places: Floats) -> Floats:
    """Return the signed height above the neutral hair line in decimetres; positive on the scalp. ``(..., 3)``."""
    x, y, z = np.abs(places[..., 0]), places[..., 1], places[..., 2]
    front = 7.93 - 0.25 * np.clip(x - 0.35, 0, 1) - 0.10 * np.sin(x * 9) * (x > 0.3)
    side = np.interp(z, [-0.9, -0.3, 0.12, 0.42, 0.62, 0.85, 1.2], [6.55, 6.62, 7.10, 7.18, 7.55, 7.85, 7.93])
    return np.asarray(y - np.where(z > 0.62, np.maximum(front, side), side), np.float32)


def person_hairline(places: Floats, person: Person) -> Floats:
    """Return `hairline` with the person's own recession, which grows towards the forehead."""
    front = np.clip((places[..., 2] - 0.1) / 0.8, 0, 1)
    temples = 1 + 0.9 * np.exp(-(((np.abs(places[..., 0]) - 0.38) / 0.16) ** 2))
    return np.asarray(hairline(places) - person.hairline * front * temples, np.float32)


def beard_region(places: Floats, kind: str) -> Floats:
    """Return where a beard of ``kind`` grows, 0 to 1."""
    x, y, z = np.abs(places[..., 0]), places[..., 1], places[..., 2]

    def step(value: Floats, width: float) -> Floats:
        return np.asarray(1 / (1 + np.exp(-np.clip(value / width, -40, 40))), np.float32)

    cheek_line = 6.64 + 0.75 * np.clip((0.95 - z) / 0.6, 0, 1) - 0.10 * np.exp(-(((x - 0.35) / 0.12) ** 2))
    jaw = step(cheek_line - y, 0.045) * step(y - 6.02, 0.05) * step(z - 0.22, 0.03)
    lip = step(6.83 - 0.25 * x - y, 0.014) * step(y - 6.60, 0.02) * step(0.31 - x, 0.03) * (z > 1.0)
    chin = step(6.60 - y, 0.02) * step(y - 6.08, 0.03) * step(0.27 - x, 0.02) * (z > 0.8)
    moustache = lip * step(y - 6.70, 0.01)
    parts = {"moustache": moustache, "goatee": np.maximum(chin, lip * (x > 0.17) + moustache)}
    region = parts.get(kind, np.maximum(jaw, moustache))
    return np.asarray(np.clip(region, 0, 1), np.float32)


class SkinPainter:
    """Paints people's textures. Static maps and noise are made once."""

    def __init__(self, template: Template) -> None:
        self._places = template.places
        self._x, self._y, self._z = (template.places[..., k] for k in range(3))
        self._side = np.abs(self._x)
        self._lips = np.clip(template.region("lips") * 1.2, 0, 1)
        self._lids = template.region("eyelids")
        self._ears = template.region("ears")
        self._to_texture = template.front_to_texture
        rng = np.random.default_rng(0x5C1)
        self._noise = {scale: self._make_noise(rng, scale) for scale in (0.6, 1.2, 3.0, 10.0, 30.0, 80.0)}
        self._streaks = self._make_noise(rng, 4.0, 0.8)
        face = (self._z > 0.6) & (self._y > 6.2) & (self._y < 7.9) & (self._side < 0.7) & (self._lips < 0.2)
        self._face_texels = np.argwhere(face)
        self.labels = self._static_labels()

    @staticmethod
    def _make_noise(rng: np.random.Generator, x: float, y: float | None = None) -> Floats:
        """Return Gaussian noise that repeats without a seam, standard deviation 1."""
        spectrum = np.fft.rfft2(rng.normal(0, 1, (TEXTURE, TEXTURE)))
        down, across = np.fft.fftfreq(TEXTURE)[:, None], np.fft.rfftfreq(TEXTURE)[None]
        spectrum *= np.exp(-2 * np.pi**2 * ((across * x) ** 2 + (down * (y or x)) ** 2))
        smooth = np.fft.irfft2(spectrum, (TEXTURE, TEXTURE))
        return np.asarray(smooth / smooth.std(), np.float32)

    def _field(self, rng: np.random.Generator, scale: float) -> Floats:
        """Return one of the noise fields, shifted, so that no two people share their spots."""
        return np.roll(self._noise[scale], tuple(rng.integers(0, TEXTURE, 2)), (0, 1))

    def _static_labels(self) -> Floats:
        """Return eye, mouth and face labels ``(TEXTURE, TEXTURE, 3)``, 0 to 1."""
        eye = ((self._side - EYE_X - 0.008) / 0.205) ** 2 + ((self._y - EYE_Y) / 0.115) ** 2
        eyes = np.clip((1.1 - eye) / 0.2, 0, 1) * (self._z > 0.8)
        mouth = np.clip(cv2.GaussianBlur(self._lips, (0, 0), 2.0) * 1.6 - 0.2, 0, 1)
        lowest = 6.15 + 0.33 * np.clip(1.35 - self._z, 0, 2)
        face = np.clip((self._y - lowest) / 0.05, 0, 1) * np.clip((self._z - 0.25) / 0.08, 0, 1)
        face *= np.clip((7.98 - 0.3 * np.clip(self._side - 0.4, 0, 1) - self._y) / 0.06, 0, 1) * (self._ears < 0.3)
        return np.stack([eyes, mouth, face], axis=-1).astype(np.float32)

    def paint(self, person: Person) -> tuple[Bytes, Bytes]:
        """Return albedo with height ``(TEXTURE, TEXTURE, 4)`` and labels (eye, mouth, brow, face) of the same shape."""
        rng = np.random.default_rng([person.seed, 0x5C1E])
        tone = np.array(person.tone, np.float32)
        fine, medium, coarse = self._field(rng, 1.2), self._field(rng, 10.0), self._field(rng, 30.0)
        mottled = self._field(rng, 3.0)
        spots = np.clip(mottled - 1.3, 0, 1.2) * person.blemishes
        image = np.empty((TEXTURE, TEXTURE, 3), np.float32)
        image[:] = tone
        image *= (1 + 0.018 * coarse + 0.02 * medium + 0.016 * fine + 0.012 * mottled)[..., None]
        blush = self._blush() * (0.3 + 0.7 * float(tone.mean()) / 200)
        self._tint(image, blush * (0.8 + 0.3 * medium) + 0.8 * spots, (0.02, -0.10, -0.10))
        self._tint(image, 0.35 * self._field(rng, 80.0), (0.01, -0.02, -0.03))
        bags = np.exp(-(((self._side - EYE_X) / 0.2) ** 2 + ((self._y - EYE_Y + 0.13) / 0.06) ** 2)) * (self._z > 0.7)
        self._tint(image, bags * (0.4 + person.wrinkles), (-0.14, -0.17, -0.12))
        height = 0.14 * fine * (0.6 + person.blemishes) + 0.22 * self._field(rng, 0.6) + 0.22 * mottled
        creases = self._creases(rng) * person.wrinkles
        height -= 2.6 * creases
        self._tint(image, creases, (-0.16, -0.2, -0.2))
        self._freckles(image, rng, person)
        self._stubble(image, rng, person)
        self._paint_lips(image, height, rng, person)
        self._make_up(image, person)
        brows = self._brows(image, rng, person)
        self._scalp(image, rng, person)
        albedo = np.dstack([image, 127.5 + 38 * height])
        labels = np.dstack([self.labels[..., :2], brows, self.labels[..., 2]]) * 255
        return np.clip(albedo, 0, 255).astype(np.uint8), np.clip(labels, 0, 255).astype(np.uint8)

    @staticmethod
    def _tint(image: Floats, amount: Floats, change: tuple[float, float, float]) -> None:
        image *= 1 + amount[..., None] * np.array(change, np.float32)

    def _blush(self) -> Floats:
        """Return where blood shows: cheeks, nose, ears, chin."""
        side, y, z = self._side, self._y, self._z
        cheeks = np.exp(-(((side - 0.46) / 0.2) ** 2 + ((y - 6.98) / 0.17) ** 2)) * (z > 0.6)
        nose = np.exp(-((side / 0.16) ** 2 + ((y - 6.96) / 0.13) ** 2)) * (z > 1.3)
        chin = np.exp(-((side / 0.22) ** 2 + ((y - 6.32) / 0.12) ** 2)) * (z > 1)
        return np.asarray(cheeks + 0.9 * nose + 0.7 * self._ears + 0.4 * chin, np.float32)

    def _creases(self, rng: np.random.Generator) -> Floats:
        """Return wrinkles, 0 to 1: forehead, crow's feet, below the eyes, beside the mouth, between the brows."""
        side, y = self._side, self._y
        wave = 0.012 * self._field(rng, 30.0)

        def line(distance: Floats, width: float) -> Floats:
            return np.asarray(np.exp(-((distance / width) ** 2)), np.float32)

        total = np.zeros_like(y)
        for k in range(4):
            arch = 7.60 + 0.085 * k - 0.05 * side**2 + wave * 1.3 + rng.normal(0, 0.006)
            total += rng.uniform(0.3, 1) * line(y - arch, 0.008) * np.clip((0.42 - side) / 0.1, 0, 1)
        for slope in (-0.45, -0.1, 0.25):
            ray = y - (EYE_Y + 0.005 + slope * (side - 0.50) + wave)
            total += rng.uniform(0.3, 0.8) * line(ray, 0.006) * np.clip((side - 0.53) / 0.03, 0, 1) * (side < 0.66)
        for drop in (0.15, 0.20):
            bag = y - (EYE_Y - drop + 0.9 * (side - EYE_X) ** 2 + wave * 0.5)
            total += rng.uniform(0.2, 0.7) * line(bag, 0.007) * line(side - EYE_X, 0.13)
        fold = side - (0.175 + 0.52 * np.clip(6.93 - y, 0, 1) - 0.35 * np.clip(6.93 - y, 0, 1) ** 2 + wave)
        total += 0.9 * line(fold, 0.012) * np.clip((6.92 - y) / 0.05, 0, 1) * np.clip((y - 6.55) / 0.12, 0, 1)
        total += 0.7 * line(side - 0.045 - wave, 0.007) * line(y - 7.47, 0.07)
        return total * (self._z > 0.55)

    def _freckles(self, image: Floats, rng: np.random.Generator, person: Person) -> None:
        layer = np.zeros((TEXTURE, TEXTURE), np.float32)
        chosen = self._face_texels[rng.integers(0, len(self._face_texels), person.freckles)]
        for row, column in chosen[:, :2]:
            near = np.exp(-(((self._side[row, column] - 0.25) / 0.3) ** 2 + ((self._y[row, column] - 7.0) / 0.3) ** 2))
            if rng.random() < near + 0.15:
                radius = int(rng.integers(8, 28))
                cv2.circle(layer, (int(column) * 16, int(row) * 16), radius, float(rng.uniform(0.2, 0.8)), -1,
                           cv2.LINE_AA, 4)  # fmt: skip
        self._tint(image, np.asarray(cv2.GaussianBlur(layer, (0, 0), 0.8)), (-0.3, -0.42, -0.5))
        moles = np.zeros((TEXTURE, TEXTURE), np.float32)
        for row, column in self._face_texels[rng.integers(0, len(self._face_texels), person.moles)]:
            cv2.circle(moles, (int(column), int(row)), int(rng.integers(2, 5)), float(rng.uniform(0.4, 1)), -1)
        self._tint(image, np.asarray(cv2.GaussianBlur(moles, (0, 0), 1.0)), (-0.5, -0.62, -0.66))

    def _stubble(self, image: Floats, rng: np.random.Generator, person: Person) -> None:
        if person.sex != "male":
            return
        kind = person.beard if person.beard in ("moustache", "goatee") else "stubble"
        shadow = {"none": 0.07, "stubble": 0.45}.get(person.beard, 0.85) * (0.5 + person.beard_density)
        region = beard_region(self._places, kind) * np.clip(1 - 1.5 * self._lips, 0, 1)
        if kind != "stubble":
            region = np.maximum(region, 0.25 * beard_region(self._places, "stubble") * (1 - self._lips))
        dots = np.clip(0.45 + 0.4 * self._field(rng, 0.6) + 0.1 * self._field(rng, 3.0), 0, 1)
        cover = np.clip(region * shadow * (0.45 + 0.45 * dots), 0, 0.85)[..., None]
        image[:] = image * (1 - cover) + np.array(person.hair, np.float32) * 0.55 * cover

    def _paint_lips(self, image: Floats, height: Floats, rng: np.random.Generator, person: Person) -> None:
        streaks = np.roll(self._streaks, int(rng.integers(0, TEXTURE)), 0)
        cover = (cv2.GaussianBlur(self._lips, (0, 0), 1.6) * 0.9)[..., None]
        colour = np.array(person.lips, np.float32) * (1 + 0.05 * streaks + 0.03 * self._field(rng, 3.0))[..., None]
        image[:] = image * (1 - cover) + colour * cover
        height *= 1 - 0.8 * cover[..., 0]
        height += 0.5 * streaks * cover[..., 0]

    def _make_up(self, image: Floats, person: Person) -> None:
        rim = np.sqrt(((self._side - EYE_X - 0.008) / 0.118) ** 2 + ((self._y - EYE_Y) / 0.047) ** 2)
        front = self._z > 0.8
        waterline = np.exp(-(((rim - 1.0) / 0.16) ** 2)) * front
        self._tint(image, waterline, (-0.06, -0.16, -0.14))
        if person.make_up <= 0:
            return
        above = self._y > EYE_Y - 0.01
        shadow = np.exp(-(((rim - 1.7) / 0.7) ** 2)) * above * front * 0.45 * person.make_up
        image[:] = image * (1 - shadow[..., None]) + np.array(person.eye_shadow, np.float32) * shadow[..., None]
        liner = np.exp(-(((rim - 1.05) / 0.10) ** 2)) * front * np.where(above, 0.75, 0.3) * person.make_up
        self._tint(image, liner, (-0.85, -0.85, -0.85))

    def _brows(self, image: Floats, rng: np.random.Generator, person: Person) -> Floats:
        """Paint single hairs along the brow lines; return the brow label ``(TEXTURE, TEXTURE)``, 0 to 1."""
        layer, label = np.zeros((TEXTURE, TEXTURE), np.float32), np.zeros((TEXTURE, TEXTURE), np.float32)
        count = int(90 + 220 * person.brow_density)
        for sign in (-1.0, 1.0):
            along = np.clip(rng.beta(1.1, 1.15, count), 0.01, 1).astype(np.float32)
            thick = person.brow_height * (1.15 - 0.75 * along) * np.clip(along / 0.12 + 0.45, 0, 1)
            root = brow_line(along)
            root[:, 1] += rng.uniform(-1, 1, count) * thick
            angle = np.radians(np.interp(along, [0, 0.25, 0.6, 1.0], [75, 42, 12, -22]) + rng.normal(0, 10, count))
            lean = np.where(root[:, 1] > brow_line(along)[:, 1], -0.35, 0.25)
            reach = rng.uniform(0.035, 0.065, count)
            tip = root + np.stack([np.cos(angle + lean), np.sin(angle + lean)], axis=-1) * reach[:, None]
            for points in zip(self._texels(root, sign), self._texels(tip, sign), strict=True):
                if min(min(p) for p in points) > 0:
                    cv2.line(layer, points[0], points[1], float(rng.uniform(0.35, 0.85)), 1, cv2.LINE_AA, 4)
            outline = np.linspace(0.0, 1.0, 24, dtype=np.float32)
            half = person.brow_height * (1.35 - 0.75 * outline) + 0.012
            line = brow_line(outline)
            reach = np.stack([0 * half, half], axis=1)
            border = np.concatenate([line + reach, (line - reach)[::-1]])
            cv2.fillPoly(label, [np.array(self._texels(border, sign)) // 16], 1.0)
        soft = cv2.GaussianBlur(layer, (0, 0), 0.5)
        shade = cv2.GaussianBlur(layer, (0, 0), 5.0) * 0.35
        cover = np.clip(soft * 0.95 + shade, 0, 0.88)[..., None]
        image[:] = image * (1 - cover) + np.array(person.brow_colour, np.float32) * cover
        return np.asarray(cv2.GaussianBlur(label, (0, 0), 1.5), np.float32)

    def _texels(self, places: Floats, sign: float) -> list[tuple[int, int]]:
        """Return texture positions in sixteenths of a texel for front-view places of one side."""
        uv = self._to_texture(places * np.array([sign, 1.0])) * TEXTURE * 16
        return [(int(u), int(v)) for u, v in uv]

    def _scalp(self, image: Floats, rng: np.random.Generator, person: Person) -> None:
        if person.style == "bald":
            return
        above = np.where(self._ears > 0.08, -0.5, person_hairline(self._places, person))
        ragged = np.clip(above / 0.09 + 0.2 + 0.12 * self._field(rng, 1.2), 0, 1)
        dots = np.clip(0.75 + 0.35 * self._field(rng, 0.6), 0, 1) if person.style == "buzz" else 1.0
        cover = cv2.GaussianBlur(ragged * dots, (0, 0), 1.3)[..., None] * (0.72 if person.style == "buzz" else 0.85)
        image[:] = image * (1 - cover) + np.array(person.hair, np.float32) * 0.8 * cover
