"""Single-shot detectors with fixed anchors, run over square windows of a picture.

BlazeFace (Bazarevsky et al., arXiv 1907.05047) and the palm and person detectors built like it: every
anchor is a point of a grid, the network says how far from it box and key points lie and how sure it is.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.transforms import Square, apply
from wbme.perception.networks import network


@dataclass(frozen=True)
class Detector:
    """A detector's file and layout: input ``size``; for each layer its stride, ``per_cell`` anchors in every
    cell of a layer; ``keypoints`` a detection; input in [-1, 1] where ``signed``, else in [0, 1]."""

    asset: str
    size: int
    strides: tuple[int, ...]
    per_cell: int
    keypoints: int
    signed: bool = True


FACE_SHORT = Detector("face_detection_short", 128, (8, 16, 16, 16), 2, 6)
FACE_FULL = Detector("face_detection_full", 192, (4,), 1, 6)
PERSON = Detector("pose_detection", 224, (8, 16, 32, 32, 32), 2, 4)
PALM = Detector("palm_detection", 192, (8, 16, 16, 16), 2, 7, signed=False)


class Found(NamedTuple):
    """Detections in pixels: ``scores`` N, ``boxes`` N x 4 (x0, y0, x1, y1), ``keypoints`` N x K x 2."""

    scores: NDArray[np.float64]
    boxes: NDArray[np.float64]
    keypoints: NDArray[np.float64]

    def take(self, index) -> "Found":
        """The detections at ``index``."""
        return Found(self.scores[index], self.boxes[index], self.keypoints[index])


@functools.cache
def _anchors(detector: Detector) -> NDArray[np.float64]:
    """Anchor centres in the unit square, N x 2 (x, y): row by row, the layers of one stride cell by cell."""
    grids = []
    for stride in dict.fromkeys(detector.strides):
        cells = detector.size // stride
        y, x = np.mgrid[:cells, :cells] + 0.5
        grid = np.stack([x.ravel(), y.ravel()], axis=1) / cells
        grids.append(np.repeat(grid, detector.strides.count(stride) * detector.per_cell, axis=0))
    return np.concatenate(grids)


def windows(shape: tuple[int, ...], finest: float, angle: float = 0.0) -> list[Square]:
    """Squares that cover a picture of ``shape``: the whole of it, then 2, 4, 8 ... tiles along its longer
    side until a tile is at most ``finest`` pixels long. Neighbours overlap by a fifth of their side, and the
    outer ones reach a little beyond the border, so that a face is whole in one of them."""
    height, width = shape[:2]
    squares = [Square((width - 1) / 2, (height - 1) / 2, float(max(height, width)), angle)]
    count = 1
    while squares[-1].side > finest:
        count *= 2
        side = 1.05 * max(height, width) / (1 + 0.8 * (count - 1))
        xs, ys = (_spread(length, side) for length in (width, height))
        squares += [Square(x, y, side, angle) for y in ys for x in xs]
    return squares


def _spread(length: int, side: float) -> NDArray[np.float64]:
    beyond = max(1.05 * length - side, 0.0)
    count = int(np.ceil(beyond / (0.8 * side) - 1e-6)) + 1
    return (length - 1) / 2 + np.linspace(-beyond / 2, beyond / 2, count) * (count > 1)


def detect(
    detector: Detector, picture: NDArray[np.float32], squares: Sequence[Square], min_score: float
) -> Found:
    """Everything that ``detector`` sees in the ``squares`` of an RGB picture in [0, 1], H x W x 3.

    Within a square overlapping answers are merged, weighted by score; between squares the surer one stays.
    The result is sorted by score, the highest first.
    """
    found = [
        _detect_in(detector, picture, square, min_score, whole=square == squares[0]) for square in squares
    ]
    return best(found)


def best(found: Sequence[Found]) -> Found:
    """Several searches of one picture as one: sorted by score, and of overlapping boxes the surest only."""
    every = Found(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    every = every.take(np.argsort(-every.scores, kind="stable"))
    return every.take(keep_best(every.boxes))


def _detect_in(
    detector: Detector, picture: NDArray[np.float32], square: Square, min_score: float, whole: bool
) -> Found:
    crop = square.crop(picture, detector.size, outside="zero")
    raw, logits = network(detector.asset)((crop * 2 - 1 if detector.signed else crop)[None])
    scores = 1 / (1 + np.exp(-np.clip(logits.ravel().astype(float), -100, 100)))
    sure = scores >= min_score
    scores, raw, centres = scores[sure], raw[0][sure].astype(float) / detector.size, _anchors(detector)[sure]
    middle, half = centres + raw[:, :2], np.abs(raw[:, 2:4]) / 2
    boxes = np.hstack([middle - half, middle + half])
    keypoints = centres[:, None] + raw[:, 4:].reshape(-1, detector.keypoints, 2)
    if not whole:  # what a tile cuts off is seen whole by its neighbour or by a coarser tile
        inside = (boxes >= 0).all(1) & (boxes <= 1).all(1)
        scores, boxes, keypoints = scores[inside], boxes[inside], keypoints[inside]
    merged = _merge(Found(scores, boxes, keypoints))
    matrix = square.matrix()
    corners = apply(matrix, merged.boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]])
    return Found(merged.scores, np.hstack([corners.min(1), corners.max(1)]), apply(matrix, merged.keypoints))


def _merge(found: Found, overlap: float = 0.3) -> Found:
    """Weighted non-maximum suppression: the best answer becomes the mean of all that overlap it."""
    left = np.argsort(-found.scores, kind="stable")
    scores, boxes, keypoints = [], [], []
    while len(left):
        close = _iou(found.boxes[left[0]], found.boxes[left]) > overlap
        close[0] = True
        group = found.take(left[close])
        weights = group.scores / group.scores.sum()
        scores.append(group.scores[0])
        boxes.append(weights @ group.boxes)
        keypoints.append(np.tensordot(weights, group.keypoints, 1))
        left = left[~close]
    points = found.keypoints.shape[1:]
    return Found(np.array(scores), np.reshape(boxes, (-1, 4)), np.reshape(keypoints, (-1, *points)))


def keep_best(boxes: NDArray[np.float64], overlap: float = 0.3) -> list[int]:
    """Non-maximum suppression: indices of the ``boxes`` (N x 4, the best first) that no better one covers.

    A box also gives way when four fifths of the smaller of the two lie in the other.
    """
    kept: list[int] = []
    for index in range(len(boxes)):
        others = boxes[kept]
        if not ((_iou(boxes[index], others) > overlap) | (_contained(boxes[index], others) > 0.8)).any():
            kept.append(index)
    return kept


def _shared(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    extent = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    return np.clip(extent, 0, None).prod(1), (box[2:] - box[:2]).prod(), (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _iou(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box with each of ``boxes`` (N x 4)."""
    shared, area, areas = _shared(box, boxes)
    return shared / np.maximum(area + areas - shared, 1e-9)


def _contained(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the smaller of two boxes that lies in the other, for each of ``boxes`` (N x 4)."""
    shared, area, areas = _shared(box, boxes)
    return shared / np.maximum(np.minimum(area, areas), 1e-9)
