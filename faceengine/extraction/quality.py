"""What can be said of one crop by looking at it: is it sharp, bright, and which way does the face look."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine.embedding.chips import five_points
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


def grey(crop: Image) -> Image:
    """The ``(size, size, 3)`` RGB crop as ``(size, size)`` grey, which the measures below look at."""
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)


def sharpness(grey: Image) -> float:
    """Variance of the Laplacian of the grey crop at 128 px, so that sizes compare."""
    if grey.shape[0] != _SHARPNESS_SIZE:
        grey = np.asarray(cv2.resize(grey, (_SHARPNESS_SIZE, _SHARPNESS_SIZE), interpolation=cv2.INTER_AREA), np.uint8)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))
    return float(deviation[0, 0]) ** 2


def brightness(grey: Image, face_mask: Image) -> float:
    """Mean grey in [0, 255] where the face mask is more than half."""
    inside = (face_mask > 127).view(np.uint8)
    return float(cv2.mean(grey, mask=inside)[0])


def landmark_gap(landmarks: Points, points: Points, box: NDArray[np.float64]) -> float:
    """How far the landmarks ``(68, 2)`` are from the finder's ``(5, 2)`` points, as a share of the square box's side.

    The largest of the four distances at eyes and mouth corners (the two have different ideas of a nose's tip). Two
    networks found them, each by itself, so they disagree where one is wrong: over 200 frames of the demo's two clips
    five gaps were 0.15 to 0.30, all of landmarks beside the face, and the others under 0.09.
    """
    apart = np.linalg.norm(five_points(landmarks) - points, axis=1)
    return float(apart[[0, 1, 3, 4]].max() / (box[2] - box[0]))


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


def difference_hash(grey: Image) -> int:
    """64 bits, signed: is each of 8×8 cells brighter than its right neighbour? Near pictures differ in few bits."""
    # Halves first: a whole factor is cheap, and leaves a quarter of the pixels to the one that is not.
    while grey.shape[0] >= 64:
        grey = np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    cells = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    bits = np.packbits((cells[:, :-1] > cells[:, 1:]).ravel())
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
