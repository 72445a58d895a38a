"""The flow of a picture: which way its edges run, how surely, and sums along and across them."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


class Tensor(NamedTuple):
    """The smoothed structure tensor, three planes H x W: sums over channels of gx gx, gx gy and gy gy."""

    xx: F32
    xy: F32
    yy: F32


def structure_tensor(planes: Sequence[F32], sigma: float) -> Tensor:
    """The tensor of ``planes`` (H x W each) by Scharr's operator, smoothed by a Gaussian of ``sigma`` pixels.

    Di Zenzo: A note on the gradient of a multi-image (CVGIP 1986): opposite gradients of two channels add up
    instead of cancelling.
    """
    xx, xy, yy = (np.zeros_like(planes[0]) for _ in range(3))
    for plane in planes:
        gx, gy = cv2.Scharr(plane, cv2.CV_32F, 1, 0), cv2.Scharr(plane, cv2.CV_32F, 0, 1)
        xx += gx * gx
        xy += gx * gy
        yy += gy * gy
    return Tensor(*(np.asarray(cv2.GaussianBlur(t, (0, 0), sigma), np.float32) for t in (xx, xy, yy)))


def tangent(tensor: Tensor) -> tuple[F32, F32]:
    """x and y, H x W each, of unit vectors along the edges: the tensor's minor eigenvector."""
    angle = 0.5 * np.arctan2(2 * tensor.xy, tensor.xx - tensor.yy) + np.pi / 2
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def coherence(tensor: Tensor, least: float) -> F32:
    """(l1 - l2) / (l1 + l2 + ``least``) of the eigenvalues l1 >= l2, H x W in [0, 1]: 1 where edges run one
    way, 0 in noise, at corners and, through ``least``, where there is nothing."""
    apart = cv2.magnitude(tensor.xx - tensor.yy, 2 * tensor.xy)
    return np.asarray(apart / (tensor.xx + tensor.yy + np.float32(least)), np.float32)


def grid(height: int, width: int) -> tuple[F32, F32]:
    """x and y of every pixel, H x W each."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def gathered(
    field: F32, dx: F32, dy: F32, offsets: NDArray[np.floating], weights: NDArray[np.floating]
) -> F32:
    """Weighted sum of ``field`` (H x W or H x W x C) at straight steps of ``offsets`` pixels along the unit
    vectors ``dx``, ``dy`` (H x W); beyond the border the nearest pixel counts."""
    x, y = grid(*dx.shape)
    total = np.zeros_like(field)
    for step, weight in zip(np.float32(offsets), np.float32(weights), strict=True):
        at = x + step * dx, y + step * dy
        total += weight * cv2.remap(field, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return total


def difference_of_gaussians(sigma: float, ratio: float = 1.6, reach: float = 2.5) -> tuple[F32, F32]:
    """Offsets and weights, whole pixels up to ``reach`` of the wider Gaussian's sigma: narrow minus wide."""
    steps = int(np.ceil(reach * ratio * sigma))
    offsets = np.arange(-steps, steps + 1, dtype=np.float32)
    narrow, wide = (np.exp(-(offsets**2) / (2 * s * s)) for s in (sigma, ratio * sigma))
    return offsets, narrow / narrow.sum() - wide / wide.sum()
