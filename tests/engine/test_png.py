"""PNG files: any reader gives back what was written."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from faceengine import png


@pytest.mark.parametrize("shape", [(256, 256, 3), (256, 1280), (1, 1, 3), (3, 7), (5, 2, 3)])
def test_pictures_come_back_to_the_bit(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with Pillow.open(io.BytesIO(png.encode(picture))) as read:
        assert (read.format, read.mode) == ("PNG", "RGB" if len(shape) == 3 else "L")
        read.verify()
    with Pillow.open(io.BytesIO(png.encode(picture))) as read:
        assert np.array_equal(np.asarray(read), picture)


def test_what_repeats_becomes_small() -> None:
    slope = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, axis=0).repeat(3, axis=2)
    assert len(png.encode(slope)) < slope.size / 50
    assert len(png.encode(np.zeros((256, 1280), np.uint8))) < 5000
