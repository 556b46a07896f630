"""What can be said of one crop by looking at it: is it sharp, bright, and which way does the face look."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.geometry import Image, Points

_SHARPNESS_SIZE = 128
_DUPLICATE_BITS = 5

# Points of the 68 that keep their place in the skull (chin, nose, eyes, mouth corners), and where they lie in 3D: x to
# the right of the picture, y down, z away from the camera, from the tip of the nose, in eye distances. Fitted to
# the landmarks and known poses of the two synthetic people in demo/ (CC0), made symmetric, averaged.
_RIGID = (7, 8, 9, *range(27, 48), 48, 54)
_HEAD: NDArray[np.float64] = np.array(
    [
        *[(-0.295, 1.274, 0.703), (0.000, 1.323, 0.623), (0.295, 1.274, 0.703)],
        *[(0.000, -0.573, 0.378), (0.000, -0.383, 0.261), (0.000, -0.195, 0.131)],
        *[(0.000, 0.000, 0.000), (-0.209, 0.164, 0.315), (-0.107, 0.202, 0.253)],
        *[(0.000, 0.231, 0.220), (0.107, 0.202, 0.253), (0.209, 0.164, 0.315)],
        *[(-0.698, -0.555, 0.765), (-0.576, -0.627, 0.679), (-0.422, -0.629, 0.652)],
        *[(-0.291, -0.536, 0.664), (-0.431, -0.503, 0.644), (-0.581, -0.501, 0.675)],
        *[(0.291, -0.536, 0.664), (0.422, -0.629, 0.652), (0.576, -0.627, 0.679)],
        *[(0.698, -0.555, 0.765), (0.581, -0.501, 0.675), (0.431, -0.503, 0.644)],
        *[(-0.406, 0.589, 0.582), (0.406, 0.589, 0.582)],
    ]
)
_FOCAL = 5.0


class Pose(NamedTuple):
    """Which way a head looks, in degrees."""

    yaw: float
    """Positive = toward the right of the picture."""
    pitch: float
    """Positive = up."""
    roll: float
    """Positive = clockwise in the picture."""


def sharpness(crop: Image) -> float:
    """Variance of the Laplacian of the grey ``(size, size, 3)`` crop at 128 px, so that sizes compare."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    if grey.shape[0] != _SHARPNESS_SIZE:
        grey = cv2.resize(grey, (_SHARPNESS_SIZE, _SHARPNESS_SIZE), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def brightness(crop: Image, face_mask: Image) -> float:
    """Mean grey in [0, 255] where the face mask is more than half."""
    inside = (face_mask > 127).astype(np.uint8)
    return float(cv2.mean(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), mask=inside)[0])


def pose(landmarks: Points) -> Pose:
    """Yaw, pitch and roll of a face from its ``(68, 2)`` landmarks in frame pixels.

    The generic head is placed before a camera that looks straight at it (``solvePnP``), five face widths away: the pose
    is relative to the line of sight and does not change as the face wanders over the picture.
    """
    focal = _FOCAL * float(np.ptp(landmarks, axis=0).max())
    x, y = landmarks.mean(axis=0)
    camera = np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])
    points = np.ascontiguousarray(landmarks[list(_RIGID)])
    found, turn, _ = cv2.solvePnP(_HEAD, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found:
        return Pose(0.0, 0.0, 0.0)
    matrix = cv2.Rodrigues(turn)[0]
    yaw = -np.arcsin(np.clip(-matrix[2, 0], -1, 1))
    pitch = -np.arctan2(matrix[2, 1], matrix[2, 2])
    roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    return Pose(*(float(np.degrees(angle)) for angle in (yaw, pitch, roll)))


def difference_hash(crop: Image) -> int:
    """64 bits, signed: is each of 8×8 cells brighter than its right neighbour? Near pictures differ in few bits."""
    grey = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    bits = np.packbits((grey[:, :-1] > grey[:, 1:]).ravel())
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def near_duplicates(hashes: NDArray[np.int64], bits: int = _DUPLICATE_BITS) -> NDArray[np.int64]:
    """For each of ``(N,)`` hashes the index of the first of its group: the one that it is within ``bits`` of.

    Groups gather around their first member and do not chain, so a slow turn of the head is not one group. The cost is
    N times the number of groups, eight bytes each: 50,000 crops take seconds.
    """
    unsigned = np.ascontiguousarray(hashes).view(np.uint64)
    groups = np.empty(len(unsigned), np.int64)
    leaders = np.empty(len(unsigned), np.uint64)
    owners = np.empty(len(unsigned), np.int64)
    count = 0
    for index, value in enumerate(unsigned):
        near = np.bitwise_count(leaders[:count] ^ value) <= bits
        first = int(near.argmax()) if count else 0
        if count and near[first]:
            groups[index] = owners[first]
            continue
        leaders[count], owners[count] = value, index
        groups[index] = index
        count += 1
    return groups
