"""Maps of the plane, and pictures resampled through them.

Points are ``(x, y)`` in pixels, and an integer names the centre of a pixel: the picture covers
``[-0.5, width - 0.5] x [-0.5, height - 0.5]``. A map is a 2 x 3 matrix ``[A | t]`` with ``q = A p + t``.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]


def apply(matrix: Matrix, points: ArrayLike) -> NDArray[np.float64]:
    """Points (... x 2) moved by a 2 x 3 map."""
    return np.asarray(points, float) @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix: Matrix) -> Matrix:
    """The map that undoes a 2 x 3 map."""
    inverse = np.linalg.inv(matrix[:, :2])
    return np.hstack([inverse, -inverse @ matrix[:, 2:]])


class Square(NamedTuple):
    """A turned square on a picture: the region a network looks at.

    ``x, y`` is its centre and ``side`` its length, in pixels; ``angle`` is in radians, clockwise on the
    screen: the square's own x axis points along ``(cos angle, sin angle)``.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0

    def matrix(self) -> Matrix:
        """The map from the unit square (0..1, origin at its top left corner) to picture pixels."""
        c, s = np.cos(self.angle) * self.side, np.sin(self.angle) * self.side
        return np.array([[c, -s, self.x - (c - s) / 2], [s, c, self.y - (s + c) / 2]])

    def crop(self, picture: NDArray[np.float32], size: int, *, outside: str = "edge") -> NDArray[np.float32]:
        """The square, resampled to ``size x size`` (x channels), as ``warp`` does."""
        to_unit = np.array([[1 / size, 0, 0.5 / size], [0, 1 / size, 0.5 / size]])
        matrix = self.matrix()
        return warp(picture, compose(matrix, to_unit), (size, size), outside=outside)


def compose(second: Matrix, first: Matrix) -> Matrix:
    """The map that does ``first`` and then ``second``."""
    return np.hstack([second[:, :2] @ first[:, :2], apply(second, first[:, 2])[:, None]])


def warp(
    picture: NDArray[np.float32], matrix: Matrix, shape: tuple[int, int], *, outside: str = "edge"
) -> NDArray[np.float32]:
    """Resample: the result's pixel ``p`` shows the picture at ``matrix p`` (the backward map).

    Bilinear; where the map shrinks by 2 or more, whole blocks of pixels are averaged first, so nothing
    aliases. ``picture`` is H x W or H x W x C, ``shape`` is (height, width). ``outside`` says what lies
    beyond the border: its nearest pixel (``"edge"``) or zero (``"zero"``).
    """
    border = {"edge": cv2.BORDER_REPLICATE, "zero": cv2.BORDER_CONSTANT}[outside]
    block = int(min(np.hypot(*matrix[:, 0]), np.hypot(*matrix[:, 1])))
    if block >= 2:
        picture, matrix = _averaged(picture, matrix, shape, block)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(picture, matrix, shape[::-1], flags=flags, borderMode=border)
    return np.asarray(warped, np.float32)


def _averaged(
    picture: NDArray[np.float32], matrix: Matrix, shape: tuple[int, int], block: int
) -> tuple[NDArray[np.float32], Matrix]:
    """The part of the picture that the map looks at, in means of block x block pixels, and the map to it."""
    height, width = shape
    corners = apply(matrix, [[0, 0], [width, 0], [0, height], [width, height]])
    last = np.array(picture.shape[1::-1]) - 1
    x0, y0 = np.clip(np.floor(corners.min(0)) - 2 * block, 0, last).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(0)) + 2 * block, 0, last).astype(int) + 1
    # Whole blocks only: the last ones are filled up with the border's own pixels.
    part = picture[y0:y1, x0:x1]
    whole = cv2.copyMakeBorder(part, 0, -(y1 - y0) % block, 0, -(x1 - x0) % block, cv2.BORDER_REPLICATE)
    size = whole.shape[1] // block, whole.shape[0] // block
    means = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)
    shrink = np.array([[1 / block, 0, (0.5 - x0) / block - 0.5], [0, 1 / block, (0.5 - y0) / block - 0.5]])
    return means, compose(shrink, matrix)
