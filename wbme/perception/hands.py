"""Hands in a picture: 21 points each (Zhang et al., "MediaPipe Hands", arXiv 2006.10214)."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wbme.color.inputs import check_picture
from wbme.geometry.transforms import Square, apply
from wbme.perception import detector
from wbme.perception.facemesh import around
from wbme.perception.networks import network

# Pairs of points that a drawing joins: 0 wrist, then four points a finger from the palm to the tip.
# fmt: off
BONES: Final = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (9, 10), (10, 11), (11, 12),
    (13, 14), (14, 15), (15, 16), (0, 17), (17, 18), (18, 19), (19, 20), (5, 9), (9, 13), (13, 17),
)
# fmt: on
_PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]


@dataclass(frozen=True, eq=False)
class Hand:
    """One hand. ``points`` 21 x 3 pixels: wrist, then thumb to little finger from palm to tip (z from the
    wrist, smaller is nearer); ``side`` is the person's own, if the
    picture is not mirrored; ``score`` in [0, 1]."""

    points: NDArray[np.float64]
    score: float
    side: Literal["left", "right"]

    @property
    def size(self) -> float:
        """The longer extent of the points in pixels."""
        return float(np.ptp(self.points[:, :2], axis=0).max())


def detect(rgb: NDArray[np.float32], *, max_hands: int | None = None, min_score: float = 0.5) -> list[Hand]:
    """The hands in an sRGB picture (H x W x 3, float32 in [0, 1]), the largest first; [] where there is none.

    Looks at the whole picture and at tiles of about half of it, so hands of a full body are found too.
    Raises ParameterError when ``rgb`` is not such a picture.
    """
    picture = check_picture(rgb)
    tiles = detector.windows(picture.shape, 0.6 * max(picture.shape[:2]))
    found = detector.detect(detector.PALM, picture, tiles, min_score)
    hands = []
    for box, keypoints in zip(found.boxes, found.keypoints, strict=True):
        angle = _up(keypoints[0], keypoints[2])
        hand = _look(picture, _square((box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max(), angle, 2.6, 0.5))
        if hand.score < 0.5:
            continue
        angle = _up(hand.points[0, :2], hand.points[9, :2])
        palm = around(hand.points[_PALM, :2], angle, 1.0)
        hand = _look(picture, _square(np.array(palm[:2]), palm.side, angle, 2.0, 0.1))
        if hand.score >= min_score:
            hands.append(hand)
    hands.sort(key=lambda hand: -hand.score)
    boxes = [np.concatenate([hand.points[:, :2].min(0), hand.points[:, :2].max(0)]) for hand in hands]
    kept = [hands[index] for index in detector.keep_best(np.reshape(boxes, (-1, 4)))]
    return sorted(kept, key=lambda hand: (-hand.size, hand.points[0, 0]))[:max_hands]


def _up(wrist: NDArray[np.float64], middle: NDArray[np.float64]) -> float:
    """The angle of a square whose up points from the wrist to the middle finger's knuckle."""
    x, y = middle - wrist
    return float(np.arctan2(x, -y))


def _square(centre: NDArray[np.float64], side: float, angle: float, scale: float, raised: float) -> Square:
    """A square of ``scale`` sides, its centre moved ``raised`` sides towards the fingers."""
    x, y = centre + raised * side * np.array([np.sin(angle), -np.cos(angle)])
    return Square(x, y, max(scale * float(side), 1.0), angle)


def _look(picture: NDArray[np.float32], square: Square) -> Hand:
    points, score, right, _ = network("hand_landmarks")(square.crop(picture, 224)[None])
    local = points.reshape(21, 3).astype(float) / 224
    pixels = np.column_stack([apply(square.matrix(), local[:, :2]), local[:, 2] * square.side])
    return Hand(pixels, score.item(), "right" if right.item() > 0.5 else "left")
