"""Pose, camera and the aligned crop: plain numpy, no rendering.

World: decimetres, +x to the picture's right, +y up, +z to the camera; the neutral head's mid-eye point is the origin.
Picture: `scenes.PICTURE` pixels square. Both pictures and crops have pixel centres at whole numbers, y down.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceengine.embedding.chips import five_points
from faceengine.geometry import Matrix, Points, align_matrix, transform
from tools.synthetic_faces.scenes import PICTURE, Scene
from tools.synthetic_faces.wheel import Floats

_BENDS = (0.18, 0.18, 0.22, 0.42)
_NEAR, _FAR = 1.5, 60.0


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Return the rotation that turns +z by yaw to +x and by pitch to −y; roll is clockwise in the picture."""
    (cy, cp, cr), (sy, sp_, sr) = np.cos(np.radians([yaw, pitch, -roll])), np.sin(np.radians([yaw, pitch, -roll]))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp_], [0, sp_, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt)


def bones(scene: Scene, pivots: Floats, middle: Floats) -> Floats:
    """Return the ``(5, 3, 4)`` matrices of body, three neck bones and head; ``middle`` goes to the origin at rest."""
    matrices = [np.eye(4)]
    for share, pivot in zip(_BENDS, pivots, strict=True):
        bend = np.eye(4)
        bend[:3, :3] = rotation(scene.yaw * share, scene.pitch * share, scene.roll * share)
        bend[:3, 3] = pivot - bend[:3, :3] @ pivot
        matrices.append(matrices[-1] @ bend)
    stacked = np.stack(matrices)[:, :3]
    # The head's mid-eye point stays at the origin whatever the pose, so that the background doesn't tell the pose.
    stacked[:, :, 3] -= stacked[4, :, :3] @ middle + stacked[4, :, 3]
    return stacked.astype(np.float32)


def eye_of(scene: Scene) -> NDArray[np.float64]:
    """Return the camera's position ``(3,)``."""
    return np.array([*scene.offset, scene.distance])


def picture_projection(scene: Scene) -> NDArray[np.float64]:
    """Return the ``(3, 4)`` matrix from homogeneous world points to homogeneous picture pixels."""
    eye, centre, focal = eye_of(scene), (PICTURE - 1) / 2, scene.focal
    shifted = np.column_stack([np.eye(3), -eye])
    inner = np.array([[focal, 0, -centre], [0, -focal, -centre], [0, 0, -1.0]])
    return np.asarray(inner @ shifted)


def project(points: Any, matrix: NDArray[np.float64]) -> Points:
    """Return the ``(N, 2)`` pixels of ``(N, 3)`` world points."""
    ahead = np.asarray(points, np.float64) @ matrix[:, :3].T + matrix[:, 3]
    return np.asarray(ahead[:, :2] / ahead[:, 2:])


def aligned(landmarks: Points, size: int) -> tuple[Matrix, Points]:
    """Return the matrix from picture to the aligned crop, and the ``(68, 2)`` landmarks in the crop."""
    matrix = align_matrix(five_points(landmarks), size)
    return matrix, transform(landmarks, matrix)


def clip_matrix(scene: Scene, crop: Matrix, size: int) -> NDArray[np.float64]:
    """Return the ``(4, 4)`` matrix from world points to clip space of the crop, rows downwards."""
    ahead = picture_projection(scene)
    x, y = (crop @ ahead + 0.5 * ahead[2]) * (2 / size) - ahead[2]
    depth = np.array([0, 0, 0, 0.0])
    scale, shift = (_FAR + _NEAR) / (_FAR - _NEAR), -2 * _FAR * _NEAR / (_FAR - _NEAR)
    depth = scale * ahead[2] + np.array([0, 0, 0, shift])
    return np.stack([x, y, depth, ahead[2]])


def background_matrix(crop: Matrix, size: int) -> NDArray[np.float64]:
    """Return the ``(3, 3)`` matrix from the crop's clip coordinates to shares of the virtual picture."""
    to_crop = np.array([[size / 2, 0, size / 2 - 0.5], [0, size / 2, size / 2 - 0.5], [0, 0, 1]])
    inverse = np.linalg.inv(np.vstack([crop, [0, 0, 1]]))
    shares = np.array([[1 / PICTURE, 0, 0.5 / PICTURE], [0, 1 / PICTURE, 0.5 / PICTURE], [0, 0, 1]])
    return np.asarray(shares @ inverse @ to_crop)


def light_matrix(direction: Any, radius: float = 1.75) -> NDArray[np.float64]:
    """Return the orthographic ``(4, 4)`` matrix of a directional light around the head."""
    ahead = -np.asarray(direction, float)
    side = np.cross(ahead, [0, 1, 0] if abs(ahead[1]) < 0.95 else [1, 0, 0])
    side /= np.linalg.norm(side)
    up = np.cross(side, ahead)
    rows = np.stack([side / radius, up / radius, ahead / 3.2])
    centre = np.array([0.0, -0.2, -0.5])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rows, -rows @ centre
    return matrix
