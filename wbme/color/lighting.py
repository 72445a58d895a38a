"""Light of a picture or a region: luminance, its spread, exposure, and the side that it comes from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.color.inputs import check_mask, check_picture
from wbme.color.spaces import linear_to_xyz, srgb_to_linear, xyz_to_lab

PERCENTILES = (5, 25, 50, 75, 95)
EDGES = np.linspace(0, 100, 65)  # bins of the histogram, L*
UNDER = 0.01  # linear luminance below which detail drowns in noise (L* 9)
OVER = 250 / 255  # an sRGB channel from here on counts as burnt out


@dataclass(frozen=True)
class Light:
    """Light of a region. Luminance is linear, 0 black to 1 white.

    ``mean``; ``percentiles`` by rank; ``under`` and ``over``: shares of pixels too dark or burnt out, 0 to 1;
    ``histogram``: share of pixels per bin of L* between ``EDGES``; ``side``: (right - left) / (right + left)
    of the mean luminance of the two halves, -1 to 1, positive when the picture's right is brighter.
    """

    mean: float
    percentiles: dict[int, float]
    under: float
    over: float
    histogram: NDArray[np.float64]
    side: float


def measure(rgb: NDArray[Any], mask: NDArray[Any] | None = None, *, max_pixels: int = 100_000) -> Light:
    """Light of a picture ``H x W x 3`` (sRGB in [0, 1]), or of the part under a mask ``H x W`` of weights.

    Luminance is CIE Y of the linear RGB. The halves are split at the mask's centre of gravity, so that the
    skin mask of a face compares cheek with cheek. A region of more than ``max_pixels`` is read on a
    regular grid.
    Raises ParameterError for a malformed picture, or for a mask that is empty or of another size.
    """
    rgb = check_picture(rgb)
    mask = np.ones(rgb.shape[:2], np.float32) if mask is None else check_mask(mask, rgb.shape)
    step = int(np.ceil(np.sqrt(np.count_nonzero(mask) / max_pixels)))
    # The grid goes through the first pixel of the mask: however thin, the mask is never missed.
    row, column = np.unravel_index((mask > 0).argmax(), mask.shape)
    rgb, mask = (array[row % step :: step, column % step :: step] for array in (rgb, mask))
    rows, columns = np.nonzero(mask)
    pixels, weight = rgb[rows, columns], mask[rows, columns].astype(np.float64)
    weight /= weight.sum()
    xyz = linear_to_xyz(srgb_to_linear(pixels))
    luminance = xyz[:, 1].astype(np.float64)

    order = luminance.argsort(kind="stable")
    ranks = np.searchsorted(np.cumsum(weight[order]), np.array(PERCENTILES) / 100)
    ranked = luminance[order[np.minimum(ranks, len(order) - 1)]]
    return Light(
        mean=float((weight * luminance).sum()),
        percentiles=dict(zip(PERCENTILES, ranked.tolist(), strict=True)),
        under=float(weight[luminance < UNDER].sum()),
        over=float(weight[pixels.max(axis=1) >= OVER].sum()),
        histogram=np.histogram(np.clip(xyz_to_lab(xyz)[:, 0], 0, 100), EDGES, weights=weight)[0],
        side=_side(luminance, columns, weight),
    )


def _side(luminance: NDArray[np.float64], columns: NDArray[np.intp], weight: NDArray[np.float64]) -> float:
    offset = columns - (weight * columns).sum()
    halves = [np.flatnonzero(offset < -0.25), np.flatnonzero(offset > 0.25)]  # a middle column is in neither
    if not all(weight[half].any() for half in halves):
        return 0.0
    left, right = (np.average(luminance[half], weights=weight[half]) for half in halves)
    return float((right - left) / (right + left)) if right + left > 0 else 0.0
