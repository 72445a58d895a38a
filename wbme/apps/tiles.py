"""Pictures of any size through a network with a limited receptive field: padding, tiles, resampling."""

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.float32]
Progress = Callable[[int, int], object]  # what is done, of how much

CORE = 1536  # pixels a side that a tile adds to the result, at most
WHOLE = 1920 * 1920  # pictures of up to so many pixels go through at once
_GRID = 32  # tiles begin on the cells of the coarsest level of a network, so that they share them
_STEEPNESS, _FAINTEST = 8.0, 0.08  # of ``nets.layered.crisp``, without the time that torch takes to load
_LEAST = 64  # pixels a side that a network is given at least


def run(
    network: Callable[[Rgb], Rgb],
    rgb: Rgb,
    *,
    multiple: int,
    margin: int,
    core: int = CORE,
    whole: int = WHOLE,
    progress: Progress | None = None,
) -> Rgb:
    """``network`` over ``rgb`` (H x W x 3, float32, any size): at once, or tile by tile where it is large.

    ``network`` takes and returns h x w x 3 with sides that are multiples of ``multiple``; what is missing to
    that, and to 32, is mirrored at the right and lower border. A tile is at most ``core`` pixels a side and
    sees ``margin`` more on each side: where that is no less than the receptive field's radius (and both are
    multiples of 32), tiles and the whole give the same. All tiles of a picture have one size. ``progress``
    gets the tiles done and their number.
    """
    cell = math.lcm(multiple, _GRID)
    height, width = (max(side, _LEAST) + -max(side, _LEAST) % cell for side in rgb.shape[:2])
    steps = [
        side if height * width <= whole else math.ceil(side / math.ceil(side / core) / cell) * cell
        for side in (height, width)
    ]
    size = [min(side, step + 2 * margin) for side, step in zip((height, width), steps, strict=True)]
    rows, columns = (
        [(at, min(max(at - margin, 0), side - window), at + step) for at in range(0, side, step)]
        for side, step, window in zip((height, width), steps, size, strict=True)
    )
    out = np.empty_like(rgb)
    done = 0
    for top, y, bottom in rows:
        for left, x, right in columns:
            seen = rgb[y : y + size[0], x : x + size[1]]
            missing = [(0, want - have) for want, have in zip(size, seen.shape, strict=False)]
            drawn = network(np.pad(seen, (*missing, (0, 0)), "reflect"))
            target = out[top:bottom, left:right]
            target[:] = drawn[top - y :, left - x :][: target.shape[0], : target.shape[1]]
            done += 1
            if progress:
                progress(done, len(rows) * len(columns))
    return out


def resized(picture: Rgb, height: int, width: int) -> Rgb:
    """``picture`` (H x W or H x W x C) at another size: means of areas down, cubic up, in [0, 1]."""
    if picture.shape[:2] == (height, width):
        return picture
    smaller = height * width < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.clip(np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.float32), 0, 1)


def sharpened(picture: Rgb, scale: float) -> Rgb:
    """An enlarged picture (H x W x 3 sRGB in [0, 1]) with steps about as steep as before: students learn from
    sharp photographs. Its luma goes through ``nets.layered.crisp``'s curve, within the range of the pixels
    that ``scale`` has spread a step over; chroma stays."""
    luma = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
    around = np.ones((2 * math.ceil(scale) + 1,) * 2, np.uint8)
    low, width = cv2.erode(luma, around), cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, around)
    place = _STEEPNESS * (luma - low - width / 2) / np.maximum(width, _FAINTEST)
    return np.clip(picture + (low + width / (1 + np.exp(-place)) - luma)[..., None], 0, 1)
