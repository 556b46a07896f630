"""Every hostile file, and what must become of it: a code it is refused with, or what it is taken for, made harmless.

``tests/engine/test_intake_hostile.py`` tries them at the engine's door, ``tests/web/test_uploads_intake.py`` through
an upload and a worker; both look for what is left behind, and at a server that nobody may ask. What else is hostile:

==============================================  =======================================================================
names (``concat:a|b.mp4``, ``-vf``, ``../../x``,  ``tests/web/test_tus.py::test_names_are_texts``
NUL, CRLF, U+202E, long, emoji …)
body longer than its Content-Length             ``tests/web/test_bodies.py::test_a_body_longer_than_its_length_…``
upload aborted at 99 %                          ``tests/web/test_bodies.py::test_one_that_breaks_off_never_counts``,
                                                ``tests/web/test_tus.py::test_broken_off_too_long_ago_…``
1 byte/s, in the body and in the head           ``tests/web/test_bodies.py::test_one_that_comes_byte_by_byte_…``
the same file twice at once (quota race)        ``tests/web/test_tus.py::test_of_two_that_begin_at_once_…``,
                                                ``tests/web/test_uploads_intake.py::test_of_two_copies_…``
a disk that is full                             ``tests/web/test_tus.py::test_a_full_disk_is_told``
weights and checkpoints that are damaged        ``tests/engine/test_weights.py::test_a_damaged_file_is_refused_…``,
                                                ``tests/engine/test_checkpoints.py::test_a_damaged_file_is_refused``
no face, two faces, a stranger's face           ``tests/engine/test_bad_input.py``, ``tests/engine/test_extraction.py``
consent expired, withdrawn, of another team     ``tests/web/test_consent_gate.py``, ``test_consent_withdrawal.py``,
                                                ``test_consent_everywhere.py``
reviewer = requester                            ``tests/web/test_consent_gate.py``, ``test_consent_database.py``
signed files with hostile words                 ``tests/web/test_verify.py``
==============================================  =======================================================================
"""

from __future__ import annotations

import pickle
import struct

from tests.hostile import photos, videos
from tests.hostile.videos import Make, data, encoded, random_bytes, stamped, text

_HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{0}\n#EXT-X-ENDLIST\n"
_SVG = '<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}/svg"/><script>alert(1)</script></svg>'
_SDP = (
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
)
_DASH = '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{address}/dash</BaseURL></MPD>'

UNKNOWN = "file.unknown"
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
HDR = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")

REFUSED: dict[str, tuple[Make, str]] = {
    "empty": (data("a.mp4", b""), "file.empty"),
    "one byte": (data("a.mp4", b"x"), UNKNOWN),
    "random bytes": (random_bytes("a.mp4"), UNKNOWN),
    "random bytes behind an MP4's first box": (
        random_bytes("a.mp4", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2"),
        "video.unreadable",
    ),
    "random bytes behind a JPEG's mark": (random_bytes("a.jpg", b"\xff\xd8\xff\xe0"), "photo.unreadable"),
    "text": (text("a.mp4", "this is no video"), UNKNOWN),
    "page": (text("a.jpg", "<html><script>alert(1)</script></html>"), UNKNOWN),
    "no index": (videos.without_index, "video.unreadable"),
    "sound only": (encoded("a.mp4", "-map", "1", sound=True), "video.no_frames"),
    "cover only": (videos.cover_only, "video.no_frames"),
    "no frames": (videos.no_frames, "video.no_frames"),
    "list naming a neighbour": (videos.concat_neighbour, UNKNOWN),
    "list naming an absolute path": (videos.concat_absolute, UNKNOWN),
    "HLS naming a file": (text("a.mp4", _HLS.format("file://{folder}/x.ts")), UNKNOWN),
    "HLS naming an address": (text("a.mp4", _HLS.format("{address}/hls.ts")), UNKNOWN),
    "HLS behind an MP4's first box": (
        text("a.mp4", "\0\0\0\x08free" + _HLS.format("{address}/hls.ts")),
        "video.unreadable",
    ),
    "DASH": (text("a.mp4", _DASH), UNKNOWN),
    "SDP": (text("a.mp4", _SDP), UNKNOWN),
    "huge frames": (
        encoded("a.mp4", "-c:v", "mjpeg", "-frames:v", "1", picture="color=size=8000x8000:rate=1"),
        "video.too_large",
    ),
    "16000×16000, truly encoded": (videos.huge, "video.too_large"),
    "16000×16000, claimed by all headers": (videos.claims_huge, "video.too_large"),
    "ten hours": (
        encoded("a.mp4", *H264, "-r", "1/600", picture="color=size=64x64:rate=1/600:duration=36000"),
        "video.too_long",
    ),
    "time-stamp gap": (stamped("a.mp4", [0, 0.04, 0.08, 3600]), "video.gap"),
    "1000 frames a second": (encoded("a.mkv", *H264, picture="color=size=64x64:rate=1000:duration=0.2"), "video.rate"),
    "MagicYUV": (encoded("a.mkv", "-c:v", "magicyuv"), "video.unreadable"),
    "twenty tracks": (videos.many_tracks, "video.tracks"),
    "tiny video": (encoded("a.mp4", *H264, picture="color=size=16x16:rate=25:duration=0.2"), "video.too_small"),
    "one-bit bomb": (photos.one_bit_bomb, "photo.too_large"),
    "colour bomb": (photos.colour_bomb, "photo.too_large"),
    "header bomb": (photos.header_bomb, "photo.too_large"),
    "text bomb": (photos.text_bomb, "photo.unreadable"),
    "profile bomb": (photos.profile_bomb, "photo.unreadable"),
    "cut-off photo": (data("a.png", photos.png(80, 60, 8, 2, rows=False)[:-30]), "photo.unreadable"),
    "SVG": (text("a.png", _SVG), UNKNOWN),
    "EPS": (photos.saved("a.eps", "EPS"), UNKNOWN),
    "TIFF": (photos.saved("a.tif", "TIFF"), UNKNOWN),
    "GIF": (photos.saved("a.gif", "GIF"), UNKNOWN),
    "PSD": (data("a.psd", b"8BPS\0\1" + bytes(200)), UNKNOWN),
    "FITS": (data("a.fits", b"SIMPLE  =                    T".ljust(2880)), UNKNOWN),
    "HEIC": (data("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)), "photo.unreadable"),
    "HEIC sequence": (data("a.heics", b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc" + bytes(200)), "photo.heif"),
    "HEIC of noise": (random_bytes("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "photo.unreadable"),
    "AVIF of noise": (random_bytes("a.avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"), "photo.unreadable"),
    "HEIC with a lying header": (photos.heic_bomb, "photo.unreadable"),
    "two MP4 files in one": (videos.joined, "video.joined"),
    "zip slip": (photos.zip_slip, UNKNOWN),
    "tensor of a thousand gigabytes in four bytes": (photos.giant_stride, UNKNOWN),
    "pickle": (data("a.pt", pickle.dumps({"weights": list(range(99))})), UNKNOWN),
    "safetensors with a header of 2^63": (data("a.safetensors", struct.pack("<Q", 1 << 63) + b"{}"), UNKNOWN),
}

HARMLESS: dict[str, tuple[Make, str]] = {
    "PNG named .mp4": (photos.saved("a.mp4", "PNG"), "photo"),
    "MP4 named .png": (lambda folder, _: videos.plain(folder).rename(folder / "a.png"), "video"),
    "polyglot": (photos.polyglot, "photo"),
    "truncated": (videos.truncated, "video"),
    "GAB2": (videos.gab2, "video"),
    "lying header": (videos.lying_header, "video"),
    "rotated": (videos.rotated, "video"),
    "odd size": (
        encoded("a.mkv", "-c:v", "libx264", "-pix_fmt", "yuv444p", picture="testsrc2=size=97x65:rate=25:duration=1"),
        "video",
    ),
    "anamorphic": (encoded("a.mp4", *H264, "-vf", "setsar=2"), "video"),
    "10-bit HDR HEVC": (
        encoded("a.mp4", "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none", *HDR),
        "video",
    ),
    "alpha ProRes": (encoded("a.mov", "-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"), "video"),
    "variable rate": (stamped("a.mkv", [0, 0.04, 0.08, 0.2, 0.24, 0.5, 0.54, 0.58, 0.9, 0.94]), "video"),
    "size changes": (videos.size_changes, "video"),
    "two picture tracks": (videos.two_pictures, "video"),
    "edit list": (videos.edit_list, "video"),
    "120 frames a second": (encoded("a.mp4", *H264, picture="testsrc2=size=96x64:rate=120:duration=1"), "video"),
    "metadata": (
        encoded(
            "a.mp4",
            *H264,
            "-metadata",
            "title=<script>",
            "-metadata:s:v",
            "handler_name=secret",
            "-metadata",
            "location=+48.1+11.5/",
        ),
        "video",
    ),
    "MP2 sound": (encoded("a.ts", *H264, "-c:a", "mp2", sound=True), "video"),
    "MPEG-TS": (encoded("a.ts", *H264, "-c:a", "aac", sound=True), "video"),
    "WebM": (encoded("a.webm", "-c:v", "libvpx-vp9", "-c:a", "libopus", sound=True), "video"),
    "animated PNG": (photos.animated, "photo"),
    "CMYK JPEG": (photos.saved("a.jpg", "JPEG", "CMYK"), "photo"),
    "16-bit PNG": (photos.sixteen_bits, "photo"),
    "EXIF orientation and place": (photos.turned, "photo"),
    "picture naming an address": (photos.told, "photo"),
    "BMP": (photos.saved("a.bmp", "BMP"), "photo"),
    "WebP": (photos.saved("a.webp", "WEBP"), "photo"),
    "HEIC": (photos.saved("a.heic", "HEIF"), "photo"),
    "AVIF": (photos.saved("a.avif", "AVIF"), "photo"),
}
"""The second of each pair is what it is taken for."""
