"""Which pixels of a face's outline show the face, and which show hair or a hand in front of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.geometry import Image

Mask = NDArray[np.bool_]

SIZE = 96
"""Side at which the colours are told apart; finer costs time and finds strands of hair that no mask can follow."""
ROUNDS = 3
SKIN = (0.45, 0.85)
"""Rows of the crop, as shares of its height, between eyes and chin, where hair is rare: their skin is the sample."""
SPREAD = np.array([14.0, 3.0, 3.0])
"""Smallest tolerance of L, a and b: light and shadow change L most."""
NEAR = 4.8
"""Tolerances within which a colour may be skin."""


def visible_face(crop: Image, masks: dict[str, Image]) -> Image:
    """The part of the face mask that shows face: ``(W, W)`` uint8, soft as the mask is.

    ``crop`` ``(W, W, 3)`` RGB and its masks by name, all of one size. GrabCut (Rother et al. 2004) between the colours
    inside and outside the outline, told beforehand that features are face and that what is far from the colour of the
    cheeks probably is not.
    """
    small: cv2.typing.MatLike = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    parts = {name: cv2.resize(mask, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for name, mask in masks.items()}
    outline = parts["face"] > 127
    features = (parts["mouth"] > 200) | (cv2.erode(parts["nose"], np.ones((5, 5))) > 127)
    if not outline.any() or not features.any():
        return masks["face"]
    guess: cv2.typing.MatLike = np.full((SIZE, SIZE), cv2.GC_PR_BGD, np.uint8)
    guess[outline & _may_be_skin(small, parts)] = cv2.GC_PR_FGD
    guess[features] = cv2.GC_FGD
    if np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).all():
        return masks["face"]  # a face that fills the crop leaves no surroundings to tell it from
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its clustering begins at random
    cv2.grabCut(small, guess, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    found = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)) & outline
    if not found.any():
        return masks["face"]
    seen = cv2.resize(_solid(found), masks["face"].shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.minimum(masks["face"], seen)


def _may_be_skin(crop: cv2.typing.MatLike, parts: dict[str, cv2.typing.MatLike]) -> Mask:
    """Pixels whose colour is near the median of the cheeks'."""
    lab = cv2.cvtColor(cv2.GaussianBlur(crop, (5, 5), 0), cv2.COLOR_RGB2LAB).astype(np.float32)
    rows = np.arange(SIZE)[:, None] / SIZE
    cheeks = (parts["face"] > 200) & (rows > SKIN[0]) & (rows < SKIN[1]) & (parts["mouth"] < 64) & (parts["eyes"] < 64)
    if not cheeks.any():
        return np.ones((SIZE, SIZE), bool)
    middle = np.median(lab[cheeks], axis=0)
    spread = 1.4826 * np.median(np.abs(lab[cheeks] - middle), axis=0) + SPREAD
    near: Mask = (((lab - middle) / spread) ** 2).sum(axis=-1) < NEAR**2
    return near


def _solid(found: Mask) -> Image:
    """The largest piece without its holes (eyes, open mouths), its edge softened: 0 … 255."""
    outlines, _ = cv2.findContours(found.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    solid: cv2.typing.MatLike = np.zeros(found.shape, np.uint8)
    cv2.drawContours(solid, [max(outlines, key=cv2.contourArea)], -1, 255, cv2.FILLED)
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((5, 5)))
    return cv2.GaussianBlur(solid, (5, 5), 0)  # type: ignore[return-value]
