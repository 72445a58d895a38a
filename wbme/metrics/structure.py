"""Structure of a drawing: flat areas, dark thin lines, and how near it comes to a target."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.measure import label
from skimage.morphology import skeletonize

from wbme.base.errors import ParameterError
from wbme.geometry import landmarks

FLAT_GRADIENT = 8.0  # Sobel magnitude on luma 0 .. 255
LINE_WIDTH = 7  # pixels: a dark stroke at least this wide is an area
LINE_CONTRAST = 0.3  # a line is darker than its surroundings by this share of their luma (Weber contrast) ...
LINE_DEPTH = 0.05  # ... and by this much of luma in [0, 1], below which it is noise in the dark
LINE_LENGTH = 8  # pixels of centre line: anything shorter is a speck

# Loops of a part, and the margin around each as a share of its width: lashes and lid, or the lips' outline.
_PARTS = {"eyes": ((landmarks.RIGHT_EYE, landmarks.LEFT_EYE), 0.45), "mouth": ((landmarks.LIPS_OUTER,), 0.25)}
Box = tuple[int, int, int, int]


def _luma(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rec. 601 luma of sRGB."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb, np.float32), cv2.COLOR_RGB2GRAY))


def flat_share(rgb: NDArray[np.float32]) -> float:
    """Share of pixels whose luma hardly changes: Sobel magnitude (3 x 3, not normalised) below 8 of 255.

    ``rgb``: H x W x 3 sRGB in [0, 1]. 1 for one colour. It follows the eye where PSNR does not, but flat
    steps alone raise it too: read it together with ``line_f1``.
    """
    luma = 255 * _luma(rgb)
    slopes = [cv2.Sobel(luma, cv2.CV_32F, x, 1 - x, borderType=cv2.BORDER_REPLICATE) for x in (0, 1)]
    return float((np.hypot(*slopes) < FLAT_GRADIENT).mean())


def lines(rgb: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Centre lines, bool H x W, of the dark thin lines of a picture (H x W x 3 sRGB in [0, 1]).

    With c the closing of luma y by a disc of diameter ``LINE_WIDTH``, the black top-hat c - y is above
    max(``LINE_DEPTH``, ``LINE_CONTRAST`` c): strokes narrower than the disc and darker than both sides,
    whatever drew them, on dark skin as on light. Thinned to one pixel (Zhang and Suen 1984), so that a thick
    line weighs no more than a thin one; pieces shorter than ``LINE_LENGTH`` pixels are left out as specks.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (LINE_WIDTH, LINE_WIDTH))
    luma = _luma(rgb)
    closed = np.asarray(cv2.morphologyEx(luma, cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE))
    centre = skeletonize(closed - luma > np.maximum(LINE_DEPTH, LINE_CONTRAST * closed))
    pieces = label(centre, connectivity=2)
    long = np.bincount(pieces.ravel()) >= LINE_LENGTH
    long[0] = False
    return long[pieces]


@dataclass(frozen=True)
class LineScore:
    """Shares in [0, 1]: ``precision``, of the drawn line that is wanted; ``recall``, of the wanted that is
    drawn."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; 0 where both are 0."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def line_f1(drawn: NDArray[np.bool_], wanted: NDArray[np.bool_], tolerance: float = 2.0) -> LineScore:
    """Compare two line maps, bool H x W, as ``lines`` gives them: a pixel counts where the other map has one
    within ``tolerance`` pixels (Euclidean distance transform).

    A share of no pixels is 1: nothing drawn is wrong where nothing is drawn. Swapping the maps swaps
    precision and recall. Raises ParameterError when the maps differ in shape.
    """
    if drawn.shape != wanted.shape:
        raise ParameterError(f"line maps {drawn.shape} and {wanted.shape} cannot be compared: resize one")
    return LineScore(_near(drawn, wanted, tolerance), _near(wanted, drawn, tolerance))


def near(lines: NDArray[np.bool_], tolerance: float) -> NDArray[np.bool_]:
    """The pixels within ``tolerance`` pixels (Euclidean distance transform) of a line map, bool H x W."""
    if not lines.any():
        return np.zeros_like(lines)
    distance = cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= tolerance + 1e-4)


def _near(points: NDArray[np.bool_], others: NDArray[np.bool_], tolerance: float) -> float:
    return float(near(others, tolerance)[points].mean()) if points.any() else 1.0


def crops(points: ArrayLike, part: str, shape: tuple[int, ...]) -> list[Box]:
    """Boxes (left, top, right, bottom; whole pixels, right and bottom exclusive) of a face's ``part``: two
    for ``"eyes"``, with lids and lashes, one for ``"mouth"``; fewer where they lie outside, none
    where a point is not known.

    ``points``: 468 x 2 or more columns, pixels of a picture of ``shape`` (height, width, ...).
    """
    mesh = np.asarray(points, float)[:, :2]
    found, (loops, margin) = [], _PARTS[part]
    for loop in loops if np.isfinite(mesh).all() else ():
        low, high = mesh[list(loop)].min(0), mesh[list(loop)].max(0)
        reach = margin * (high - low).max()
        left, top = np.maximum(np.floor(low - reach), 0).astype(int)
        right, bottom = np.minimum(np.ceil(high + reach) + 1, shape[1::-1]).astype(int)
        if left < right and top < bottom:
            found.append((int(left), int(top), int(right), int(bottom)))
    return found


def distance(one: NDArray[Any], two: NDArray[Any], boxes: Iterable[Box] | None = None) -> tuple[float, float]:
    """L1 (mean absolute difference, in [0, 1]) and PSNR (dB, peak 1) of two pictures H x W x 3 in [0, 1].

    Within ``boxes``, whose pixels are taken together, or over the whole. PSNR ends at 100 dB, which equal
    pictures have; both are NaN where ``boxes`` holds none. Raises ParameterError when the shapes differ.
    """
    if one.shape != two.shape:
        raise ParameterError(f"pictures of shape {one.shape} and {two.shape} cannot be compared: resize one")
    apart = np.asarray(one, np.float32) - two
    if boxes is not None:
        parts = [apart[top:bottom, left:right].reshape(-1) for left, top, right, bottom in boxes]
        apart = np.concatenate(parts) if parts else np.empty(0)
    if not apart.size:
        return float("nan"), float("nan")
    mse = max(float(np.square(apart, dtype=np.float64).mean()), 1e-10)
    return float(np.abs(apart).mean()), float(-10 * np.log10(mse))
