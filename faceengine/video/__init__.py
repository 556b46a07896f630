"""Videos and photos in, videos out: the only place where the engine touches a codec.

Everything read here may come from a stranger. Only local files are opened, and only the containers and codecs named
in ``container.py``: a text file called ``.mp4`` can otherwise make a reader fetch its neighbour or an address. Size
limits are checked against the header, before anything is decoded.
"""

from __future__ import annotations

from faceengine.video.container import CODECS, FORMATS, MAX_PIXELS
from faceengine.video.joining import Part, join_videos
from faceengine.video.photo import PHOTO_FORMATS, PHOTO_SUFFIXES, is_photo, read_photo
from faceengine.video.reading import Frame, VideoInfo, probe, read_frames
from faceengine.video.remarks import remarks
from faceengine.video.writing import VideoWriter

__all__ = [
    "CODECS",
    "FORMATS",
    "MAX_PIXELS",
    "PHOTO_FORMATS",
    "PHOTO_SUFFIXES",
    "Frame",
    "Part",
    "VideoInfo",
    "VideoWriter",
    "is_photo",
    "join_videos",
    "probe",
    "read_frames",
    "read_photo",
    "remarks",
]
