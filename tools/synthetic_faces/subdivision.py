"""Catmull-Clark subdivision as sparse matrices, so that a deformed mesh is subdivided by one product."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Indices = NDArray[np.integer[Any]]


def _edges(quads: Indices) -> tuple[Indices, Indices]:
    """Return the unique edges ``(E, 2)`` and, per quad corner, the edge to the next corner ``(Q, 4)``."""
    pairs = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    unique, inverse = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    return unique.astype(np.int32), inverse.reshape(quads.shape).astype(np.int32)


def _split(quads: Indices, of_corner: Indices, vertices: int, edges: int) -> Indices:
    """Return the four small quads of each quad, numbered vertices, edge points, face points."""
    centre = np.broadcast_to(vertices + edges + np.arange(len(quads))[:, None], quads.shape)
    after, before = vertices + of_corner, vertices + np.roll(of_corner, 1, axis=1)
    return np.stack([quads, after, centre, before], axis=-1).reshape(-1, 4).astype(np.int32)


def catmull_clark(quads: Indices, vertices: int) -> tuple[Any, Indices]:
    """Return the sparse matrix ``(V', V)`` from old to new vertices, and the new quads ``(4Q, 4)``."""
    edges, of_corner = _edges(quads)
    faces, count = len(quads), np.bincount(of_corner.ravel(), minlength=len(edges))

    def matrix(rows: Any, columns: Any, values: Any, shape: tuple[int, int]) -> Any:
        values = np.broadcast_to(np.asarray(values, np.float64), np.shape(rows))
        return sp.csr_matrix((values, (rows, columns)), shape=shape)

    face_points = matrix(np.repeat(np.arange(faces), 4), quads.ravel(), 0.25, (faces, vertices))
    middles = matrix(np.repeat(np.arange(len(edges)), 2), edges.ravel(), 0.5, (len(edges), vertices))
    beside = matrix(of_corner.ravel(), np.repeat(np.arange(faces), 4), 0.5, (len(edges), faces))
    inner = sp.diags((count == 2).astype(float))
    edge_points = middles - 0.5 * (inner @ middles) + 0.5 * (inner @ beside @ face_points)

    valence = np.bincount(quads.ravel(), minlength=vertices)
    share = 1 / np.maximum(valence, 1)
    around = matrix(quads.ravel(), np.repeat(np.arange(faces), 4), share[quads.ravel()], (vertices, faces))
    rim = count == 1
    on_rim = np.zeros(vertices, bool)
    on_rim[edges[rim]] = True
    touching = np.bincount(edges.ravel(), minlength=vertices)
    spokes = matrix(edges.ravel(), np.repeat(np.arange(len(edges)), 2), 1 / touching[edges.ravel()],
                    (vertices, len(edges)))  # fmt: skip
    inside = sp.diags(np.where(on_rim | (valence == 0), 0, share))
    smooth = inside @ (around @ face_points + 2 * (spokes @ middles))
    smooth = smooth + sp.diags(np.where(on_rim | (valence == 0), 0, (valence - 3) * share))
    rim_ends = edges[rim].ravel()
    rim_spokes = matrix(rim_ends, np.repeat(np.nonzero(rim)[0], 2), 0.25, (vertices, len(edges)))
    borders = sp.diags(np.where(on_rim, 0.5, 0)) + rim_spokes @ middles
    lonely = sp.diags((valence == 0).astype(float))
    stacked = sp.vstack([smooth + borders + lonely, edge_points, face_points]).tocsr()
    return stacked.astype(np.float32), _split(quads, of_corner, vertices, len(edges))


def split_uv(quads: Indices, uv: NDArray[np.float32]) -> tuple[NDArray[np.float32], Indices]:
    """Return linearly subdivided texture coordinates ``(T', 2)`` and their quads, in `catmull_clark`'s order."""
    edges, of_corner = _edges(quads)
    points = np.concatenate([uv, uv[edges].mean(axis=1), uv[quads].mean(axis=1)])
    return points.astype(np.float32), _split(quads, of_corner, len(uv), len(edges))
