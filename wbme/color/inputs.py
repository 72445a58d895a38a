"""The one check of a picture and its mask, so that every function answers bad input alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError

# Resampling with negative lobes and unclipped colour shifts leave [0, 1] by less, other scales by more.
_SLACK = 0.5


def check_picture(rgb: NDArray[Any], name: str = "picture") -> NDArray[np.float32]:
    """``rgb`` as contiguous float32 ``H x W x 3``, its values as they are.

    Raises ParameterError for another shape, an integer type, NaN, or values beyond [-0.5, 1.5].
    """
    rgb = np.asarray(rgb)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ParameterError(f"the {name} has shape {rgb.shape}: give RGB of shape height x width x 3")
    if not np.issubdtype(rgb.dtype, np.floating):
        raise ParameterError(f"the {name} has type {rgb.dtype}: give floats in [0, 1] (divide uint8 by 255)")
    if not np.isfinite(rgb).all():
        raise ParameterError(f"the {name} holds NaN or infinity: repair these pixels first")
    low, high = float(rgb.min()), float(rgb.max())
    if low < -_SLACK or high > 1 + _SLACK:
        raise ParameterError(f"the {name} holds values from {low:.4g} to {high:.4g}: scale it to [0, 1]")
    return np.ascontiguousarray(rgb, np.float32)


def check_mask(mask: NDArray[Any], shape: tuple[int, ...], name: str = "mask") -> NDArray[np.float32]:
    """``mask`` as float32 weights ``H x W`` in [0, 1]; bool is welcome.

    Raises ParameterError when it does not cover a picture of ``shape``, leaves [0, 1] or is empty.
    """
    mask = np.asarray(mask)
    if mask.shape != shape[:2]:
        raise ParameterError(
            f"the {name} has shape {mask.shape} but the picture is {shape[0]} x {shape[1]} "
            "(height x width): give a mask of the picture's own size"
        )
    mask = mask.astype(np.float32, copy=False)
    if not (mask.min() >= 0 and mask.max() <= 1):
        raise ParameterError(f"the {name} holds values outside [0, 1]: scale it to weights in [0, 1]")
    if not mask.any():
        raise ParameterError(f"the {name} is empty: choose a region with at least one pixel above 0")
    return mask
