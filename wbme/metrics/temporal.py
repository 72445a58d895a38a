"""Stability in time: what changes from one picture of a clip to the next, apart from what moved."""

import itertools
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError

F32 = NDArray[np.float32]


def pan(
    rgb: F32, height: int, width: int, frames: int, noise: float, rng: np.random.Generator
) -> tuple[F32, tuple[int, int]]:
    """A clip over a still H x W x 3 whose motion is exact: its pictures, ``frames`` x ``height`` x ``width``
    x 3 in [0, 1], and the motion of the window, whole pixels a picture (x, y).

    The window crosses the still from its upper left corner at a constant step. Each picture gets noise of its
    own, normal of deviation ``noise``, as a camera adds it. Raises ParameterError where the still is smaller
    than the window or has no room for the pan, or ``frames`` is below 2.
    """
    room = [rgb.shape[1] - width, rgb.shape[0] - height]
    if frames < 2 or min(*room, height - 1, width - 1) < 0 or max(room) < frames - 1:
        raise ParameterError(
            f"a pan of {frames} pictures, {width} x {height}, has no room on a still of {rgb.shape[1]} x "
            f"{rgb.shape[0]}: two pictures or more, and a larger still or a smaller window"
        )
    dx, dy = (min(side // (frames - 1), 8) for side in room)
    seen = [rgb[k * dy : k * dy + height, k * dx : k * dx + width] for k in range(frames)]
    noisy = np.stack(seen) + noise * rng.standard_normal((frames, height, width, 3), np.float32)
    return np.clip(noisy, 0, 1).astype(np.float32), (dx, dy)


def warp_error(previous: F32, current: F32, flow: NDArray[Any], mask: NDArray[Any] | None = None) -> float:
    """E_warp = sum M (O_t - warp(O_t-1))^2 / sum M, the mean of the three channels.

    ``previous`` and ``current``: H x W x 3 in [0, 1]. ``flow``: where each pixel of ``current`` comes from in
    ``previous``, as x and y to add to its place, H x W x 2 or two numbers for all. ``mask``: weights H x W of
    pixels that both show; those that come from outside never count. ``warp`` is bilinear, so it is exact for
    whole pixels (Lai et al.: Learning Blind Video Temporal Consistency, ECCV 2018, eq. 5). Raises
    ParameterError where shapes differ or nothing is seen in both.
    """
    high, wide = current.shape[:2]
    if previous.shape != current.shape or current.ndim != 3:
        raise ParameterError(
            f"pictures of shapes {previous.shape} and {current.shape} cannot be compared: give two of a clip"
        )
    grid = np.dstack(np.meshgrid(np.arange(wide), np.arange(high))).astype(np.float32)
    at = (grid + np.asarray(flow, np.float32)).astype(np.float32)
    inside = ((at >= 0) & (at <= np.float32([wide - 1, high - 1]))).all(2).astype(np.float64)
    weight = inside if mask is None else inside * mask
    if not weight.any():
        raise ParameterError("no pixel is seen in both pictures: the motion is too large, or the mask empty")
    warped = cv2.remap(previous, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return float((weight * ((current - warped) ** 2).mean(2)).sum() / weight.sum())


def errors(clip: F32, motion: Any, seen: NDArray[Any] | None = None) -> Iterator[float]:
    """``warp_error`` of each picture of a clip (T x H x W x 3) but the first.

    ``motion``: pixels (x, y) by which a window moves each time, or the flow of every picture, T x H x W x 2,
    that of the first unused; ``seen``: T x H x W, what each picture and the one before it both show.
    """
    flows = motion if np.ndim(motion) > 1 else [motion] * len(clip)
    for k, (previous, current) in enumerate(itertools.pairwise(clip), start=1):
        yield warp_error(previous, current, flows[k], None if seen is None else seen[k])
