"""Soft masks from polygons."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

_SHIFT = 4  # polygon corners are drawn to 1/16 of a sub-pixel


def polygon_mask(
    shape: tuple[int, ...],
    polygons: Sequence[ArrayLike],
    holes: Sequence[ArrayLike] = (),
    *,
    margin: float = 0.0,
    feather: float = 0.0,
) -> NDArray[np.float32]:
    """The union of ``polygons`` without ``holes`` as an H x W mask in [0, 1], antialiased.

    A polygon is N x 2 pixels (integers are pixel centres); it may leave the picture. ``margin`` widens
    every hole by that many pixels on all sides. ``feather`` is the sigma in pixels of a Gaussian that
    softens the edge; the mask stays one half on the edge itself. Each pixel is the covered share of
    4 x 4 sub-pixels (fewer on outlines of more than four million pixels).
    """
    height, width = shape[:2]
    mask = np.zeros((height, width), np.float32)
    outlines = [np.asarray(polygon, float)[:, :2] for polygon in polygons]
    if not outlines:
        return mask
    reach = int(np.ceil(3 * feather)) + 2
    low = np.floor(np.min([outline.min(0) for outline in outlines], axis=0)) - reach
    high = np.ceil(np.max([outline.max(0) for outline in outlines], axis=0)) + reach + 1
    # A blur needs what lies beyond the picture's border, but no further than it reaches.
    x0, y0 = np.clip(low, -reach, (width + reach, height + reach)).astype(int)
    x1, y1 = np.clip(high, -reach, (width + reach, height + reach)).astype(int)
    if x1 <= max(x0, 0) or y1 <= max(y0, 0) or x0 >= width or y0 >= height:
        return mask
    fine = 4 if (x1 - x0) * (y1 - y0) <= 1 << 22 else 2
    canvas = np.zeros(((y1 - y0) * fine, (x1 - x0) * fine), np.uint8)

    def corners(polygon: ArrayLike) -> NDArray[np.int32]:
        local = (np.asarray(polygon, float)[:, :2] - (x0, y0) + 0.5) * fine - 0.5
        return np.rint(local * (1 << _SHIFT)).astype(np.int32)

    for outline in outlines:
        cv2.fillPoly(canvas, [corners(outline)], 255, shift=_SHIFT)
    for hole in holes:
        cv2.fillPoly(canvas, [corners(hole)], 0, shift=_SHIFT)
        if margin > 0:
            cv2.polylines(canvas, [corners(hole)], True, 0, max(round(2 * margin * fine), 1), shift=_SHIFT)
    part = np.asarray(cv2.resize(canvas, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA), np.float32) / 255
    if feather > 0:
        part = np.asarray(
            cv2.GaussianBlur(part, (0, 0), feather, borderType=cv2.BORDER_REPLICATE), np.float32
        )
    top, left = max(y0, 0), max(x0, 0)
    bottom, right = min(y1, height), min(x1, width)
    mask[top:bottom, left:right] = part[top - y0 : bottom - y0, left - x0 : right - x0]
    return mask
