"""Find the faces of a frame, and follow them to the next one.

MTCNN (Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks") with
the three nets that facenet-pytorch carries. Its first net looks at the whole picture at a dozen scales, which is what
takes the time. A face of the last frame needs none of that: the third net, fed the square around where the face was,
says by itself whether it is still there and where its box and points are now.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import nms

from faceengine import weights
from faceengine.geometry import Image, Points, iou, shared

Boxes = NDArray[np.float64]

NAME = "mtcnn"
THRESHOLDS = (0.6, 0.7, 0.7)
FACTOR = 0.709
LARGEST = 2000

_SURE = 0.9
_FALL = 0.94
_STILL = 2.0
_CUT = 24.0


@dataclass(frozen=True)
class Face:
    """A face found in a frame, in pixels of the frame."""

    box: NDArray[np.float64]
    """``(4,)`` x0, y0, x1, y1 as MTCNN gives it: a rectangle, which may reach beyond the frame."""
    points: Points
    """``(5, 2)`` left eye, right eye, nose, left and right mouth corner, as seen in the picture."""
    score: float
    """In [0, 1]."""


class FaceFinder:
    """Finds faces of at least ``min_face`` pixels, frame after frame of a video.

    The whole frame is searched when there is nothing to follow, when a followed face is lost, at a cut, and every
    ``redo_every`` frames (that is how late a newcomer can be noticed). Between those, each known face is followed.
    An object follows one video: call :meth:`reset` before another one, or before a photo. :meth:`search` and
    :meth:`trace` look at a frame without remembering it.

    A frame with a side above :data:`LARGEST` is searched at half its size, again and again until it is not, so there
    the smallest face grows with it: a photo of 40 megapixels would take minutes otherwise, for faces of no use.
    """

    def __init__(self, *, min_face: int = 30, device: str = "cpu", redo_every: int = 25) -> None:
        self._mtcnn = _Cascade(min_face, torch.device(device))
        self._redo_every = redo_every
        self.reset()

    def reset(self) -> None:
        """Forget the last frame."""
        self._faces: list[Face] = []
        self._thumbnail: NDArray[np.int16] | None = None
        self._since_search = 0

    @property
    def searched(self) -> bool:
        """Whether the whole of the last frame was searched."""
        return self._since_search == 0

    def __call__(self, image: Image, *, search: bool = False) -> list[Face]:
        """The faces of ``(H, W, 3)`` uint8 RGB, the most certain first; ``search``: search the whole frame anyway."""
        smaller, factors = _reduced(image)
        return [_enlarged(face, factors) for face in self._look(smaller, search)]

    def search(self, image: Image) -> list[Face]:
        """Return the faces of a single ``(H, W, 3)`` uint8 RGB picture."""
        smaller, factors = _reduced(image)
        return [_enlarged(face, factors) for face in self._mtcnn.search(smaller)]

    def trace(self, image: Image, face: Face) -> Face | None:
        """Return where a face of a neighbouring frame is in this one, or ``None`` if that is not sure."""
        smaller, factors = _reduced(image)
        old = _enlarged(face, 1 / factors)
        (found,) = self._mtcnn.refine(smaller, old.box[None])
        return _enlarged(found, factors) if found and _same(found, old) else None

    def _look(self, image: Image, search: bool) -> list[Face]:
        before, self._thumbnail = self._thumbnail, _thumbnail(image)
        change = _difference(before, self._thumbnail)
        self._since_search += 1
        followed = self._follow(image) if change < _CUT else []
        lost = len(followed) < len(self._faces)
        nothing_new = not self._faces and change < _STILL
        due = search or self._since_search >= self._redo_every
        if lost or due or change >= _CUT or not (self._faces or nothing_new):
            followed = _merge(self._mtcnn.search(image), [face for face in followed if face.score >= _SURE])
            self._since_search = 0
        if nothing_new and not followed:
            # A slow fade must add up until it counts as a change.
            self._thumbnail = before
        self._faces = sorted(followed, key=lambda face: -face.score)
        return list(self._faces)

    def _follow(self, image: Image) -> list[Face]:
        if not self._faces:
            return []
        faces = self._mtcnn.refine(image, np.stack([face.box for face in self._faces]))
        near = [face for face, old in zip(faces, self._faces, strict=True) if face and _same(face, old)]
        return _merge(near, [])


class _Cascade:
    """The three nets, and the two ways to use them."""

    def __init__(self, min_face: int, device: torch.device) -> None:
        self._min_face = min_face
        self._device = device
        self._pnet, self._rnet, self._onet = (
            _loaded(net(pretrained=False), name).to(device)
            for net, name in ((PNet, "mtcnn-p"), (RNet, "mtcnn-r"), (ONet, "mtcnn-o"))
        )
        # Same numbers, less time: on a CPU these were half of the first net, and more than half of the other two.
        self._pnet.pool1 = _Halve()
        self._rnet.to(memory_format=torch.channels_last)
        self._onet.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def search(self, image: Image) -> list[Face]:
        """The whole cascade over the whole frame."""
        boxes = self._propose(image)
        boxes = self._reject(image, boxes)
        if not len(boxes):
            return []
        refined, points, scores = self._locate(image, boxes)
        faces = [
            Face(box, point, score)
            for box, point, score in zip(refined, points, scores.tolist(), strict=True)
            if score > THRESHOLDS[2]
        ]
        return _merge(faces, [])

    @torch.inference_mode()
    def refine(self, image: Image, boxes: Boxes) -> list[Face | None]:
        """For each last box ``(N, 4)`` the face that is there now, or ``None``."""
        located, points, scores = self._locate(image, _squares(boxes))
        moved = np.abs(located - boxes).max(axis=1) > 0.08 * _sides(boxes)
        if (again := moved & (scores > 0.3)).any():
            located[again], points[again], scores[again] = self._locate(image, _squares(located[again]))
        faces = zip(located, points, scores.tolist(), strict=True)
        return [Face(box, point, score) if score > THRESHOLDS[2] else None for box, point, score in faces]

    def _propose(self, image: Image) -> Boxes:
        """Stage 1: squares ``(N, 4)`` that may hold a face, from every scale of the pyramid."""
        height, width = image.shape[:2]
        found: list[Tensor] = []
        scale = 12 / self._min_face
        while min(height, width) * scale >= 12:
            size = (int(width * scale + 1), int(height * scale + 1))
            # Halving is cheap and shrinking by an odd factor is not: go the first part of the way in halves.
            while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
                image = _resized(image, (image.shape[1] // 2, image.shape[0] // 2))
            smaller = _resized(image, size)
            cell_shift, probability = self._pnet(self._tensor(smaller[None]))
            found.append(_cells(cell_shift[0].cpu(), probability[0, 1].cpu(), scale))
            scale *= FACTOR
        if not found:
            return np.empty((0, 4))
        every = torch.cat(found)
        cells: NDArray[np.float64] = every[nms(every[:, :4], every[:, 4], 0.7)].double().numpy()
        sides = np.tile(cells[:, 2:4] - cells[:, :2], 2)
        return _squares(cells[:, :4] + cells[:, 5:] * sides)

    def _reject(self, image: Image, boxes: Boxes) -> Boxes:
        """Stage 2: what is left of them, better placed."""
        boxes = boxes[_visible(boxes, image)]
        if not len(boxes):
            return boxes
        correction, probability = self._rnet(self._patches(image, boxes, 24))
        scores, shift = probability[:, 1].cpu(), correction.cpu().double().numpy()
        keep = torch.nonzero(scores > THRESHOLDS[1])[:, 0]
        # NumPy takes a tensor of one index for a number and would drop a dimension.
        best = keep[nms(torch.from_numpy(boxes)[keep], scores[keep].double(), 0.7)].numpy()
        return _squares(_shifted(boxes[best], shift[best]))

    def _locate(self, image: Image, squares: Boxes) -> tuple[Boxes, NDArray[np.float64], NDArray[np.float64]]:
        """Stage 3: for each square its box ``(N, 4)``, points ``(N, 5, 2)`` and score ``(N,)``."""
        outputs = self._onet(self._patches(image, squares, 48))
        shift, places, probability = (output.cpu().double().numpy() for output in outputs)
        sides = (squares[:, 2:] - squares[:, :2] + 1)[:, None]
        points = np.stack([places[:, :5], places[:, 5:]], axis=2) * sides + squares[:, None, :2] - 1
        return _shifted(squares, shift), points, probability[:, 1]

    def _patches(self, image: Image, boxes: Boxes, size: int) -> Tensor:
        return self._tensor(np.stack([_patch(image, box, size) for box in boxes]))

    def _tensor(self, images: NDArray[np.uint8]) -> Tensor:
        """``(N, H, W, 3)`` uint8 → ``(N, 3, H, W)`` float as the nets were trained."""
        pixels = torch.from_numpy(images).to(self._device).permute(0, 3, 1, 2)
        return pixels.float().sub_(127.5).mul_(0.0078125)


class _Halve(torch.nn.Module):
    """2×2 max pooling with ``ceil_mode``: torch's own takes ten times as long for few channels."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if height % 2 or width % 2:
            x = torch.nn.functional.pad(x, (0, width % 2, 0, height % 2), value=float("-inf"))
        rows = torch.maximum(x[:, :, ::2], x[:, :, 1::2])
        return torch.maximum(rows[..., ::2], rows[..., 1::2])


def _loaded(net: torch.nn.Module, name: str) -> torch.nn.Module:
    state = torch.load(weights.require(name), map_location="cpu", weights_only=True)
    net.load_state_dict(state)
    return net.eval().requires_grad_(False)


def _cells(shift: Tensor, probability: Tensor, scale: float) -> Tensor:
    """``(N, 9)`` of one scale: the cell's square in the frame, its score, its four corrections; doubles removed."""
    mask = probability >= THRESHOLDS[0]
    y, x = torch.nonzero(mask, as_tuple=True)
    corner = torch.stack([x, y], dim=1) * 2
    cells = torch.cat(
        [
            ((corner + 1) / scale).floor(),
            ((corner + 12) / scale).floor(),
            probability[mask][:, None],
            shift[:, mask].T,
        ],
        dim=1,
    )
    return cells[nms(cells[:, :4], cells[:, 4], 0.5)]


def _patch(image: Image, box: Boxes, size: int) -> Image:
    """The part of ``box`` that lies in the frame, stretched to ``size`` pixels, as MTCNN was taught to expect it."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (int(value) for value in box)
    x0, y0, x1, y1 = max(x0 - 1, 0), max(y0 - 1, 0), min(x1, width), min(y1, height)
    if x1 <= x0 or y1 <= y0:
        return np.zeros((size, size, 3), np.uint8)
    patch = image[y0:y1, x0:x1]
    # As in the pyramid; by bilinear sampling, since odd sizes are no matter for it.
    while min(patch.shape[:2]) >= 2 * size:
        half = (patch.shape[1] // 2, patch.shape[0] // 2)
        patch = np.asarray(cv2.resize(patch, half, interpolation=cv2.INTER_LINEAR), np.uint8)
    return _resized(patch, (size, size))


def _resized(image: Image, size: tuple[int, int]) -> Image:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _visible(boxes: Boxes, image: Image) -> NDArray[np.bool_]:
    height, width = image.shape[:2]
    return np.logical_and((boxes[:, :2] < (width, height)).all(axis=1), (boxes[:, 2:] >= 1).all(axis=1))


def _shifted(boxes: Boxes, shift: Boxes) -> Boxes:
    return boxes + shift * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)


def _squares(boxes: Boxes) -> Boxes:
    """``(N, 4)`` boxes → the squares around the same centres, as wide as the longer side."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = _sides(boxes)[:, None] / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def _sides(boxes: Boxes) -> NDArray[np.float64]:
    sides: NDArray[np.float64] = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    return sides


def _reduced(image: Image) -> tuple[Image, NDArray[np.float64]]:
    """The frame at a size that can be searched, and by which factors (x, y) it was shrunk."""
    factor = 1
    while max(image.shape[:2]) > LARGEST * factor:
        factor *= 2
    if factor == 1:
        return image, np.ones(2)
    height, width = image.shape[:2]
    smaller = _resized(image, (width // factor, height // factor))
    return smaller, np.array([width / smaller.shape[1], height / smaller.shape[0]])


def _enlarged(face: Face, factors: NDArray[np.float64]) -> Face:
    """The face in the frame that was shrunk by these factors (x, y)."""
    if (factors == 1).all():
        return face
    points = (face.points + 0.5) * factors - 0.5
    return Face(face.box * np.tile(factors, 2), points, face.score)


def _same(face: Face, old: Face) -> bool:
    """Whether a followed face may be believed: it neither jumped nor became doubtful all at once."""
    return iou(face.box, old.box) > 0.5 and face.score > _FALL * old.score


def _merge(faces: list[Face], more: list[Face]) -> list[Face]:
    """``faces`` without doubles, the most certain first, then those of ``more`` that are none of them."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(shared(face.box, other.box) <= 0.7 for other in kept):
            kept.append(face)
    return kept + [face for face in more if all(shared(face.box, other.box) <= 0.3 for other in kept)]


def _thumbnail(image: Image) -> NDArray[np.int16]:
    """A few hundred pixels of the frame, enough to tell a cut."""
    step = max(1, min(image.shape[:2]) // 24)
    return image[step // 2 :: step, step // 2 :: step].astype(np.int16)


def _difference(one: NDArray[np.int16] | None, other: NDArray[np.int16]) -> float:
    """Mean absolute difference of two thumbnails in grey levels; infinite when they can't be compared."""
    if one is None or one.shape != other.shape:
        return float("inf")
    return float(np.abs(one - other).mean())
