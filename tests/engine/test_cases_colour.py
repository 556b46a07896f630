"""Colours of every kind of video and photo become those of BT.709, in the engine and in the intake alike."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from faceengine.errors import InputError
from faceengine.geometry import Image
from faceengine.video import filters, probe, read_frames, read_photo
from faceengine.video.gamut import HLG, PQ, to_bt709
from tests.engine.marks import CASES
from tests.engine.taken import take_in
from tests.hostile.videos import ffmpeg

FACE = np.s_[120:240, 190:290]


def first(path: Path) -> Image:
    return next(read_frames(path)).image


def off(image: Image, reference: Image) -> float:
    """The greatest difference of the face's mean colours, in levels."""
    return float(np.abs(image[FACE].mean((0, 1)) - reference[FACE].mean((0, 1))).max())


@pytest.fixture(scope="module")
def reference() -> Image:
    return first(CASES / "hdr_reference_sdr.mp4")


@pytest.mark.parametrize(("name", "most"), [("hdr_hlg.mov", 8), ("hdr_pq.mov", 3), ("video_display_p3.mp4", 1)])
def test_other_colours_come_near_the_original(reference: Image, tmp_path: Path, name: str, most: float) -> None:
    made = take_in(CASES / name, tmp_path / "run")
    for image in (first(CASES / name), first(made.path)):
        assert off(image, reference) <= most
        assert np.abs(image.astype(int) - reference).mean() < 6
    assert made.codes == ["video.colours"]


def test_what_is_made_says_what_it_is(tmp_path: Path) -> None:
    made = take_in(CASES / "hdr_pq.mov", tmp_path / "run").path
    with av.open(str(made)) as container:
        context = container.streams.video[0].codec_context
        tags = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
    assert tags == (1, 1, 6, 1)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_brighter_is_brighter_up_to_the_brightest(transfer: int) -> None:
    """Highlights are pressed together, not cut off, and grey stays grey."""
    grey = to_bt709(np.repeat(np.linspace(0, 0.75, 50)[:, None], 3, axis=1), 9, transfer)
    assert np.diff(grey[:, 0]).min() > 0
    assert np.ptp(grey, axis=1).max() < 1e-3


def test_full_range_hdr_is_not_stretched(tmp_path: Path) -> None:
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=pc"
    scale = f"scale=out_color_matrix=bt2020:out_range=pc,format=yuv420p10le,{tags}"
    path = tmp_path / "full.mp4"
    picture = "color=c=0x949494:s=96x64:r=25:d=0.2"  # 0.58 of PQ: white of a plain picture
    ffmpeg("-f", "lavfi", "-i", picture, "-vf", scale, "-c:v", "libx265", "-x265-params", "log-level=none", str(path))
    assert 235 < first(path).mean() < 250


def test_dolby_vision_of_profile_5_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No encoder here makes such a file: a plain one is read as if its matrix were theirs (IPT)."""
    path = tmp_path / "a.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=0.2", "-pix_fmt", "yuv420p", str(path))
    monkeypatch.setattr(filters, "_IPT", 2)
    with pytest.raises(InputError) as refused:
        probe(path)
    assert refused.value.code == "video.dolby_vision"


# -- photos ----------------------------------------------------------------------------------------------------------


def test_a_photo_of_a_wide_gamut(tmp_path: Path) -> None:
    wanted = read_photo(CASES / "photo_reference_srgb.png")
    made = take_in(CASES / "photo_display_p3.jpg", tmp_path / "run").path
    for image in (read_photo(CASES / "photo_display_p3.jpg"), read_photo(made)):
        assert np.abs(image.reshape(-1, 3).mean(0) - wanted.reshape(-1, 3).mean(0)).max() < 1
        assert np.abs(image.astype(int) - wanted).mean() < 2


def test_adobe_rgb_that_only_exif_tells_of(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x8769] = {0xA001: 2}
    Pillow.new("RGB", (64, 48), (120, 200, 80)).save(tmp_path / "adobe.jpg", exif=exif, quality=100)
    red, green, blue = read_photo(tmp_path / "adobe.jpg")[0, 0].tolist()
    # By hand: gamma 2.2, the matrices of Adobe RGB (1998) and sRGB, sRGB's own curve.
    assert (red, green, blue) == pytest.approx((51, 201, 67), abs=4)


def test_profiles_of_grey_and_broken_ones(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in {"whole": srgb, "broken": srgb[:200], "none": b"no profile"}.items():
        Pillow.new("RGB", (64, 48), (200, 60, 90)).save(tmp_path / f"{name}.png", icc_profile=profile)
        assert read_photo(tmp_path / f"{name}.png")[0, 0].tolist() == [200, 60, 90], name


def test_what_alpha_erases_stays_erased(tmp_path: Path) -> None:
    """A red person erased to the left: players put white behind a photo and black behind a video."""
    picture = Pillow.new("RGBA", (96, 64), (255, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (48, 0, 96, 64))
    for ending, options in {"png": {}, "webp": {"lossless": True}, "avif": {"quality": 95}, "heic": {}}.items():
        path = tmp_path / f"photo.{ending}"
        picture.save(path, **options)
        image = read_photo(path).astype(int)
        assert np.abs(image[32, 10] - 255).max() < 6, ending
        assert np.abs(image[32, 80] - (255, 0, 0)).max() < 12, ending


ERASED = "color=red:s=96x64:r=25:d=0.2,format=yuva444p,geq=lum='p(X,Y)':cb='p(X,Y)':cr='p(X,Y)':a='255*gte(X,48)'"


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("a.mov", ("-c:v", "prores_ks", "-pix_fmt", "yuva444p10le")),
        ("vp9.webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p")),
        ("vp8.webm", ("-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0")),
    ],
)
def test_videos_with_alpha(tmp_path: Path, name: str, encoder: tuple[str, ...]) -> None:
    ffmpeg("-f", "lavfi", "-i", ERASED, *encoder, str(tmp_path / name))
    made = take_in(tmp_path / name, tmp_path / "run")
    for image in (first(tmp_path / name), first(made.path)):
        assert image[32, 10].max() < 12
        assert image[32, 80, 0] > 230
        assert image[32, 80, 1:].max() < 25
    assert made.codes == ["video.alpha"]
