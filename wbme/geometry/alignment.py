"""The face alignment of FFHQ (Karras et al., "A Style-Based Generator Architecture", appendix C)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.base.errors import ParameterError
from wbme.geometry.landmarks import eyes_and_mouth
from wbme.geometry.transforms import Matrix, compose, warp


@dataclass(frozen=True, eq=False)
class Crop:
    """An aligned face: ``rgb`` (size x size x 3, float32 in [0, 1]), the ``quad`` it shows (4 x 2 picture
    pixels: top left, bottom left, bottom right, top right of the face), and ``to_picture``, the 2 x 3 map
    from the crop's pixels to the picture's, by which a result is pasted back."""

    rgb: NDArray[np.float32]
    quad: NDArray[np.float64]
    to_picture: Matrix


def ffhq_quad(points: ArrayLike, scale: float = 0.1) -> NDArray[np.float64]:
    """The turned square that FFHQ cuts out around a face, 4 x 2 pixels: top left, bottom left, bottom right,
    top right.

    With the eyes' midpoint e, the vector E from eye to eye and M from e to the mouth, both in pixels:
    x = E - rot(M), normalised, times max(2.0 |E|, 1.8 |M|); y = rot(x); centre c = e + scale M;
    corners c - x - y, c - x + y, c + x + y, c + x - y, where rot(a, b) = (-b, a). ``points`` as in
    ``landmarks.eyes_and_mouth``; FFHQ moves the centre by ``scale`` = 0.1 of M, and stylised faces, of
    which only two eyes and the mouth are known, are aligned by the same three points.
    """
    left, right, mouth = eyes_and_mouth(points)
    eyes = right - left
    middle = (left + right) / 2
    down = mouth - middle
    x = eyes - _rot(down)
    if np.hypot(*x) < 1e-6:
        raise ParameterError("eyes and mouth fall on one point: this face cannot be aligned")
    x *= max(2.0 * np.hypot(*eyes), 1.8 * np.hypot(*down)) / np.hypot(*x)
    y = _rot(x)
    centre = middle + scale * down
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def _rot(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([-vector[1], vector[0]])


def ffhq_crop(rgb: NDArray[np.float32], points: ArrayLike, size: int = 1024, scale: float = 0.1) -> Crop:
    """Cut out a face as FFHQ does: shrink, crop, pad what is missing, and resample the quad.

    ``rgb`` is H x W x 3 float32 in [0, 1] (any colour space: it is resampled as it is). With q the quad's
    side: the picture is shrunk floor(q / size / 2) times, cut to the quad and a border of
    max(round(0.1 q), 3), and where the quad leaves the picture padded by reflection (at least 0.3 q),
    blurred towards the outside (sigma 0.02 q) and faded to the median colour. The quad, plus half a pixel
    because corners are corners of pixels, is then sampled bilinearly.
    """
    quad = ffhq_quad(points, scale)
    height, width = rgb.shape[:2]
    if (quad.max(0) < 0).any() or (quad.min(0) > (width - 1, height - 1)).any():
        raise ParameterError("the face to align lies wholly outside the picture")
    side = float(np.hypot(*(quad[3] - quad[0])))
    to_picture = np.hstack([np.eye(2), np.zeros((2, 1))])

    shrink = int(side / size / 2)
    local = quad
    if shrink > 1:
        small = max(round(width / shrink), 1), max(round(height / shrink), 1)
        rgb = np.asarray(cv2.resize(rgb, small, interpolation=cv2.INTER_AREA), np.float32)
        ratio = np.array([width / small[0], height / small[1]])
        to_picture = np.column_stack([np.diag(ratio), (ratio - 1) / 2])
        local, side = quad / shrink, side / shrink

    rgb, offset = _framed(rgb, local, side)
    local = local - offset
    to_picture = compose(to_picture, np.column_stack([np.eye(2), offset]))

    across, down = (local[3] - local[0]) / size, (local[1] - local[0]) / size
    to_frame = np.column_stack([across, down, local[0] + (across + down) / 2])
    # Between one and four source pixels to one of the crop: sample finely, then average.
    fine = int(np.clip(np.ceil(side / size), 1, 4))
    to_fine = np.array([[1 / fine, 0, 0.5 / fine - 0.5], [0, 1 / fine, 0.5 / fine - 0.5]])
    crop = warp(rgb, compose(to_frame, to_fine), (size * fine, size * fine))
    if fine > 1:
        crop = np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    return Crop(np.clip(crop, 0, 1), quad, compose(to_picture, to_frame))


def _framed(
    rgb: NDArray[np.float32], quad: NDArray[np.float64], side: float
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The picture cut down to the quad and its border, padded where the quad leaves it; and the position in
    the picture of the new top left pixel."""
    border = max(round(0.1 * side), 3)
    low, high = np.floor(quad.min(0)).astype(int) - border, np.ceil(quad.max(0)).astype(int) + border
    extent = np.array(rgb.shape[1::-1])
    x0, y0 = start = np.maximum(low, 0)
    x1, y1 = stop = np.minimum(high, extent)
    missing = np.maximum(np.concatenate([start - low, high - stop]), 0)
    rgb = rgb[y0:y1, x0:x1]
    if missing.max() <= border - 4:
        return rgb, start.astype(float)
    left, top, right, bottom = pad = np.maximum(missing, round(0.3 * side))
    rgb = np.pad(rgb, ((top, bottom), (left, right), (0, 0)), "reflect")
    height, width = rgb.shape[:2]
    column, row = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    # 1 on the new border, 0 where the old picture begins, negative within it.
    depth = 1 - np.minimum(
        np.minimum(column / left, (width - 1 - column) / right),
        np.minimum(row / top, (height - 1 - row) / bottom),
    )
    depth = depth[..., None].astype(np.float32)
    blurred = cv2.GaussianBlur(rgb, (0, 0), 0.02 * side, borderType=cv2.BORDER_REFLECT)
    rgb = rgb + (blurred - rgb) * np.clip(3 * depth + 1, 0, 1)
    rgb = rgb + (np.median(rgb, axis=(0, 1)) - rgb) * np.clip(depth, 0, 1)
    return rgb, (start - pad[:2]).astype(float)
