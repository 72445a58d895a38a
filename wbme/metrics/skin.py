"""Skin of a stylised picture against the oracle: whether people keep their own, and for whom not."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.base.errors import ParameterError
from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import ita
from wbme.geometry.parsing import FACE_SKIN

LEAST = 40  # pixels of a face's skin that tell its colour


def face_skin(labels: NDArray[np.integer[Any]], inset: int = 2) -> NDArray[np.bool_]:
    """Mask, bool H x W, of the skin of faces (without ears, lips, eyes, brows and neck) in a map of parsing
    labels, ``inset`` pixels away from its border, where lines and mixed pixels lie; the whole where nothing
    would be left of it."""
    mask = np.isin(labels, list(FACE_SKIN)).astype(np.uint8)
    inner = cv2.erode(mask, np.ones((2 * inset + 1, 2 * inset + 1), np.uint8))
    return (inner if inner.any() else mask).astype(bool)


@dataclass(frozen=True)
class SkinScore:
    """Skin under a mask: CIEDE2000 between the ``median`` colours and the ``mean`` of it over pixels, against
    the oracle; L*, a*, b* and ITA (degrees) of the median colour of the picture."""

    median: float
    mean: float
    L: float
    a: float
    b: float
    ita: float


def compare(rgb: NDArray[np.float32], oracle: NDArray[np.float32], mask: NDArray[np.bool_]) -> SkinScore:
    """Skin of ``rgb`` against that of ``oracle`` (both H x W x 3 sRGB in [0, 1]) under ``mask`` (bool H x W).

    The median is taken in each of L*, a*, b*, so a few lines on the face do not move it; the mean over pixels
    holds lines and shades too. Raises ParameterError for shapes that differ or an empty mask.
    """
    if rgb.shape != oracle.shape or mask.shape != rgb.shape[:2] or not mask.any():
        raise ParameterError(
            f"skin of shape {rgb.shape}, oracle {oracle.shape} and mask {mask.shape} with {int(mask.sum())} "
            "pixels do not fit: give one size and a mask that is not empty"
        )
    seen, wanted = srgb_to_lab(rgb[mask]), srgb_to_lab(oracle[mask])
    middle, aim = np.median(seen, axis=0), np.median(wanted, axis=0)
    return SkinScore(
        median=float(delta_e00(middle, aim)),
        mean=float(delta_e00(seen, wanted).mean()),
        **dict(zip("Lab", middle.tolist(), strict=True)),
        ita=float(ita(middle[0], middle[2])),
    )


@dataclass(frozen=True)
class Slope:
    """Least-squares line ITA out = ``slope`` x ITA in + ``intercept``, and the mean ``shift`` out - in,
    degrees."""

    slope: float
    intercept: float
    shift: float


def whitewash(ita_in: ArrayLike, ita_out: ArrayLike) -> Slope:
    """How skin tones come through: ITA (degrees) of the same people before and after.

    Slope 1 and shift 0 keep everyone; a slope below 1 draws all towards one tone, a positive shift lightens.
    The slope is NaN where the people before hardly differ (a deviation below one degree), all where there
    are none.
    Raises ParameterError for columns that do not fit or hold a gap.
    """
    x, y = np.asarray(ita_in, np.float64), np.asarray(ita_out, np.float64)
    if x.ndim != 1 or x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ParameterError(
            f"ITA before {x.shape} and after {y.shape} must be two finite columns of one length"
        )
    shift = float((y - x).mean()) if x.size else float("nan")
    if not x.size or x.std() < 1:
        return Slope(float("nan"), float("nan"), shift)
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / x.var())
    return Slope(slope, float(y.mean() - slope * x.mean()), shift)
