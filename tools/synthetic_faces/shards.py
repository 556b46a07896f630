"""Shards: one uncompressed `.npz` per group of people, written atomically, small enough to keep in memory.

| array | shape | |
| --- | --- | --- |
| images, image_offsets | bytes, (people · crops + 1,) | JPEG (quality 95, 4:4:4) of every crop, person by person |
| labels, label_offsets | bytes, (people · crops + 1,) | PNG: eye, mouth, brow, visible face, 0 to 255 |
| landmarks | (people, crops, 68, 2) float32 | iBUG points in crop pixels, pixel centres at whole numbers |
| matrices | (people, crops, 2, 3) float32 | virtual picture → crop |
| pose, gaze | (crops, 3), (crops, 2) float32 | yaw, pitch, roll; gaze yaw and pitch relative to the head; degrees |
| units, weights | (52,) str, (crops, 52) float32 | face units and their weights, 0 to 1 |
| meta | JSON as bytes | every parameter of people and scenes |
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
FORMAT = 1


def encode_image(image: Bytes) -> bytes:
    """Return the JPEG of an RGB crop ``(S, S, 3)``."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return bytes(cv2.imencode(".jpg", image[..., ::-1], options)[1])


def encode_labels(labels: Bytes) -> bytes:
    """Return the PNG of label maps ``(S, S, 4)``."""
    return bytes(cv2.imencode(".png", labels, [cv2.IMWRITE_PNG_COMPRESSION, 2])[1])


def _packed(blobs: list[bytes]) -> tuple[Bytes, NDArray[np.int64]]:
    offsets = np.cumsum([0] + [len(blob) for blob in blobs])
    return np.frombuffer(b"".join(blobs), np.uint8), offsets.astype(np.int64)


def write(
    file: Path, images: list[bytes], labels: list[bytes], meta: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> None:
    """Write a shard; a reader sees all of it or nothing."""
    image_bytes, image_offsets = _packed(images)
    label_bytes, label_offsets = _packed(labels)
    text = np.frombuffer(json.dumps({"format": FORMAT, **meta}).encode(), np.uint8)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            np.savez(stream, images=image_bytes, image_offsets=image_offsets, labels=label_bytes,
                     label_offsets=label_offsets, meta=text, **arrays)  # type: ignore[arg-type]  # fmt: skip
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


class Shard:
    """One group of people, all in the same scenes: crop n of one person is the perfect swap of crop n of another."""

    def __init__(self, file: Path) -> None:
        with np.load(file, allow_pickle=False) as arrays:
            self._arrays = {name: arrays[name] for name in arrays.files}
        self.meta: dict[str, Any] = json.loads(self._arrays.pop("meta").tobytes())
        if self.meta["format"] != FORMAT:
            raise ValueError(f"{file} has format {self.meta['format']}; this program reads format {FORMAT}.")
        self.landmarks: NDArray[np.float32] = self._arrays["landmarks"]
        self.matrices: NDArray[np.float32] = self._arrays["matrices"]
        self.people, self.crops = self.landmarks.shape[:2]

    def _coded(self, kind: str, person: int, crop: int) -> Bytes:
        index = person * self.crops + crop
        begin, end = self._arrays[f"{kind}_offsets"][index : index + 2]
        return np.asarray(self._arrays[f"{kind}s"][begin:end])

    def image(self, person: int, crop: int, *, half: bool = False) -> Bytes:
        """Return an RGB crop ``(S, S, 3)``; ``half`` decodes at half the size, three times as fast."""
        flag = cv2.IMREAD_REDUCED_COLOR_2 if half else cv2.IMREAD_COLOR
        decoded = cv2.imdecode(self._coded("image", person, crop), flag)
        return np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])

    def labels(self, person: int, crop: int) -> Bytes:
        """Return label maps ``(S, S, 4)``: eye, mouth, brow, visible face, 0 to 255."""
        return np.asarray(cv2.imdecode(self._coded("label", person, crop), cv2.IMREAD_UNCHANGED), np.uint8)


def shards(folder: Path) -> list[Path]:
    """Return the finished shards of ``folder`` in order."""
    return sorted(folder.glob("group-*.npz"))
