"""Pictures as players show them: upright, mirrored or not, deinterlaced, of one size."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from faceengine.geometry import Image
from faceengine.video import probe, read_frames, read_photo
from faceengine.video.upright import fit
from tests.engine.marks import CASES, combing
from tests.engine.taken import take_in
from tests.hostile.videos import ffmpeg


def first(path: Path) -> Image:
    return next(read_frames(path)).image


def shown_by_ffmpeg(path: Path, folder: Path) -> Image:
    smooth = ("-sws_flags", "bilinear+accurate_rnd+full_chroma_int")
    ffmpeg("-i", str(path), "-frames:v", "1", *smooth, str(folder / "shown.png"))
    return read_photo(folder / "shown.png")


SIGNS = [(one, other) for one in (1, -1) for other in (1, -1)]
MATRICES = [*((a, 0, 0, d) for a, d in SIGNS), *((0, b, c, 0) for b, c in SIGNS)]


@pytest.fixture(scope="module")
def lying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lying") / "plain.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=0.2", "-pix_fmt", "yuv420p", str(path))
    return path


@pytest.mark.parametrize("matrix", MATRICES, ids=str)
def test_all_eight_display_matrices(lying: Path, tmp_path: Path, matrix: tuple[int, ...]) -> None:
    data = bytearray(lying.read_bytes())
    at = data.index(b"tkhd") + 44
    a, b, c, d = (number << 16 for number in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(data)
    wanted = shown_by_ffmpeg(turned, tmp_path).astype(int)
    made = first(take_in(turned, tmp_path / "run").path)
    assert (probe(turned).height, probe(turned).width) == wanted.shape[:2]
    assert first(turned).shape == made.shape == wanted.shape
    assert np.abs(wanted - first(turned)).mean() < 1
    assert np.abs(wanted - made).mean() < 6


def test_a_mirrored_video(tmp_path: Path) -> None:
    wanted = shown_by_ffmpeg(CASES / "mirrored.mp4", tmp_path).astype(int)
    assert np.abs(wanted - first(CASES / "mirrored.mp4")).mean() < 1
    assert np.abs(wanted - first(take_in(CASES / "mirrored.mp4", tmp_path / "run").path)).mean() < 2


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "heic", "avif"])
def test_all_eight_orientations_of_photos(tmp_path: Path, ending: str) -> None:
    """Red to the left, green on top, of a photo that is wider than high, as it is to be shown."""
    shown = np.zeros((64, 96, 3), np.uint8)
    shown[:, :48, 0], shown[:32, :, 1] = 220, 220
    turn = Pillow.Transpose
    back = [None, turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM]
    back += [turn.TRANSPOSE, turn.ROTATE_90, turn.TRANSVERSE, turn.ROTATE_270]
    for orientation, undo in enumerate(back, 1):
        exif = Pillow.Exif()
        exif[0x0112] = orientation
        picture = Pillow.fromarray(shown)
        stored = picture if undo is None else picture.transpose(undo)
        stored.save(tmp_path / f"photo.{ending}", exif=exif.tobytes(), quality=95)
        image = read_photo(tmp_path / f"photo.{ending}")
        assert image.shape == shown.shape, orientation
        corners = [image[y, x].astype(int) for y in (8, 56) for x in (8, 88)]
        wanted = [shown[y, x] for y in (8, 56) for x in (8, 88)]
        assert np.abs(np.subtract(corners, wanted)).max() < 20, orientation


@pytest.mark.parametrize("order", ["tff", "bff"])
def test_fields_become_whole_pictures(tmp_path: Path, order: str) -> None:
    file = CASES / "interlaced.mp4"
    if order == "bff":
        file = tmp_path / "bottom_first.ts"
        fields = ("-vf", "phase=mode=t,setfield=bff", "-flags", "+ilme+ildct", "-x264-params", "bff=1")
        ffmpeg("-i", str(CASES / "interlaced.mp4"), *fields, "-c:v", "libx264", "-crf", "16", str(file))
    made = take_in(file, tmp_path / "run")
    for path in (file, made.path):
        frames = list(read_frames(path))
        assert len(frames) == 20
        assert max(combing(frame.image) for frame in frames) < 1
    assert made.codes == ["video.interlaced"]


def test_interlaced_frames_are_the_same_from_the_middle(tmp_path: Path) -> None:
    file = tmp_path / "fields.mp4"
    fields = ("-flags", "+ilme+ildct", "-x264-params", "tff=1", "-g", "5", "-bf", "0")
    ffmpeg("-i", str(CASES / "interlaced.mp4"), "-c:v", "libx264", *fields, "-crf", "16", str(file))
    whole = [frame.image for frame in read_frames(file, constant_rate=True)]
    for start in (7, 10, 11):
        part = [frame.image for frame in read_frames(file, constant_rate=True, start=start)]
        assert all(np.array_equal(one, other) for one, other in zip(part, whole[start:], strict=True))


def test_another_shape_is_fitted_into_the_first(tmp_path: Path) -> None:
    """A phone that is turned in the middle of a call."""
    parts = [tmp_path / "wide.ts", tmp_path / "high.ts"]
    for number, (part, size) in enumerate(zip(parts, ("96x64", "64x96"), strict=True)):
        picture = f"color=white:s={size}:r=25:d=0.4"
        ffmpeg("-f", "lavfi", "-i", picture, "-output_ts_offset", str(number * 0.4), "-c:v", "libx264", str(part))
    joined = tmp_path / "turned.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    made = take_in(joined, tmp_path / "run").path
    for frames in (list(read_frames(joined, constant_rate=True)), list(read_frames(made))):
        assert len(frames) == 20
        assert {frame.image.shape for frame in frames} == {(64, 96, 3)}
        assert frames[0].image[32, 10].min() > 230
        assert frames[-1].image[32, 10].max() < 25
        assert frames[-1].image[32, 48].min() > 230


def test_fitting_keeps_the_shape() -> None:
    image = fit(np.full((100, 50, 3), 200, np.uint8), 60, 50)
    assert image.shape == (50, 60, 3)
    assert np.flatnonzero(image[25, :, 0]).tolist() == list(range(17, 42))
