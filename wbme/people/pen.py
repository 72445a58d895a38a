"""Tapered strokes and filled shapes, antialiased: what every line of a drawing is made of.

Points are N x 2 final pixels with pixel centres at .5 (the corner of the picture is 0, 0), widths are pixels.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

FINE = 4  # sub-pixels a side
_SHIFT = 4  # polygon corners lie on 1/16 of a sub-pixel

Line = NDArray[np.float64]


def along(points: ArrayLike) -> Line:
    """Arc length at each of N points, from 0."""
    steps = np.diff(np.asarray(points, float), axis=0)
    return np.concatenate([[0.0], np.cumsum(np.sqrt((steps**2).sum(1)))])


def spline(points: ArrayLike, count: int, closed: bool = False) -> Line:
    """``count`` points, evenly spaced, on the natural cubic spline through ``points`` (any columns)."""
    given = np.asarray(points, float)
    if closed:
        given = np.vstack([given, given[:1]])
    length = along(given)
    keep = np.concatenate([[True], np.diff(length) > 1e-6])
    given, length = given[keep], length[keep]
    if len(given) < 2:
        return np.repeat(given[:1], count, axis=0)
    if closed:
        given[-1] = given[0]
    curve = CubicSpline(length, given, bc_type="periodic" if closed else "natural")
    return curve(np.linspace(0, length[-1], count, endpoint=not closed))


def smooth(points: ArrayLike, sigma: float, closed: bool = False) -> Line:
    """Gaussian along the line, ``sigma`` in points; the ends of an open line stay where they are."""
    points = np.asarray(points, float)
    if closed:
        return gaussian_filter1d(points, sigma, axis=0, mode="wrap")
    if len(points) < 3:
        return points
    # Mirrored through its ends, a line keeps their direction.
    reach = min(int(4 * sigma) + 1, len(points) - 1)
    before = 2 * points[0] - points[reach:0:-1]
    after = 2 * points[-1] - points[-2 : -reach - 2 : -1]
    result = gaussian_filter1d(np.vstack([before, points, after]), sigma, axis=0)[reach:-reach]
    result[[0, -1]] = points[[0, -1]]
    return result


def normals(points: ArrayLike) -> Line:
    """Unit normals, 90 degrees anticlockwise in the picture from the way of the line."""
    way = np.gradient(np.asarray(points, float), axis=0)
    way /= np.maximum(np.sqrt((way**2).sum(1, keepdims=True)), 1e-9)
    return np.stack([way[:, 1], -way[:, 0]], axis=1)


def tapered(count: int, start: float, end: float, least: float = 0.0) -> Line:
    """Relative width along a stroke: from ``least`` to 1 over the share ``start``, and back over ``end``."""
    at = np.linspace(0, 1, count)
    rise = np.minimum(at / max(start, 1e-6), 1) * np.minimum((1 - at) / max(end, 1e-6), 1)
    return least + (1 - least) * np.sin(np.clip(rise, 0, 1) * np.pi / 2)


def outlines(mask: NDArray[np.bool_], fine: float, sigma: float, least: float) -> list[Line]:
    """Smooth closed polygons, in final pixels, around the pieces of a mask of ``fine`` samples a pixel.
    ``sigma`` of the smoothing and ``least``, the smallest piece's area: samples."""
    found, _ = cv2.findContours(np.asarray(mask, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [piece[:, 0].astype(float) for piece in found if cv2.contourArea(piece) >= least]
    return [smooth(piece + 0.5, sigma, closed=True) / fine for piece in large]


class Canvas:
    """Coverage of a picture of ``width`` x ``height`` pixels, drawn on ``FINE`` x ``FINE`` sub-pixels."""

    def __init__(self, size: tuple[int, int]):
        self.size = size
        self._fine = np.zeros((size[1] * FINE, size[0] * FINE), np.uint8)

    def fill(self, polygons: Iterable[ArrayLike]) -> None:
        """Fill closed polygons."""
        for polygon in polygons:
            cv2.fillPoly(self._fine, [_corners(polygon)], 255, shift=_SHIFT)

    def stroke(self, points: ArrayLike, width: ArrayLike) -> None:
        """A line whose ``width`` (pixels, one number or N) changes along it; ends are round."""
        points = np.asarray(points, float)
        if len(points) < 2:
            return
        # OpenCV also fills the sub-pixels that an edge only touches: half of one on each side.
        half = np.maximum(np.asarray(width, float) / 2 - 0.5 / FINE, 0.02)
        half = np.broadcast_to(half, len(points))[:, None]
        across = normals(points) * half
        left, right = points + across, points - across
        # Short overlapping pieces: a ribbon that crosses itself would have holes.
        for first in range(0, len(points) - 1, 3):
            piece = slice(first, min(first + 4, len(points)))
            ribbon = np.vstack([left[piece], right[piece][::-1]])
            cv2.fillPoly(self._fine, [_corners(ribbon)], 255, shift=_SHIFT)
        for end in (0, -1):
            if (radius := float(half[end, 0]) * FINE) > 0.5:
                centre = _corners(points[end][None])[0]
                round_ = round(radius * (1 << _SHIFT))
                cv2.circle(self._fine, centre.tolist(), round_, 255, -1, shift=_SHIFT)

    def coverage(self) -> NDArray[np.float32]:
        """Covered share of each pixel, H x W in [0, 1]."""
        area = cv2.resize(self._fine, self.size, interpolation=cv2.INTER_AREA)
        return np.asarray(area, np.float32) / np.float32(255)


def _corners(points: ArrayLike) -> NDArray[np.int32]:
    local = np.clip(np.asarray(points, float), -1e4, 1e4) * FINE - 0.5
    return np.rint(local * (1 << _SHIFT)).astype(np.int32)
