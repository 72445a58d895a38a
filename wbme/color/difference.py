"""Colour difference."""

import numpy as np
from numpy.typing import ArrayLike

from wbme.base.errors import ParameterError
from wbme.color.spaces import Floats


def delta_e00(lab1: ArrayLike, lab2: ArrayLike) -> Floats:
    """CIEDE2000 with kL = kC = kH = 1 between Lab colours ``... x 3`` that broadcast; returns ``...``.

    Sharma, Wu, Dalal: The CIEDE2000 color-difference formula (2005), equations 2 to 22.
    The formula itself jumps where two hues are exactly opposite. Two float32 arrays are computed in float32,
    within 1e-3 away from that jump; anything else in float64.
    Raises ParameterError when the shapes do not fit.
    """
    one, two = np.asarray(lab1), np.asarray(lab2)
    try:
        shape = np.broadcast_shapes(one.shape, two.shape)
    except ValueError:
        shape = ()
    if not shape or one.shape[-1:] != (3,) or two.shape[-1:] != (3,):
        raise ParameterError(
            f"delta_e00 wants two Lab arrays of matching shape ... x 3 but got {one.shape} and {two.shape}"
        )
    L1, a1, b1 = np.moveaxis(one, -1, 0)
    L2, a2, b2 = np.moveaxis(two, -1, 0)

    # a* is stretched near the neutral axis (eq. 2-7).
    G = 0.5 * (1 - np.sqrt(_saturation((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)))
    a1, a2 = (1 + G) * a1, (1 + G) * a2
    C1, C2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360

    # Differences (eq. 8-11); a neutral colour has no hue, and then the product of chromas removes dh.
    dL, dC, dh = L2 - L1, C2 - C1, h2 - h1
    far = np.abs(dh) > 180
    dh = np.where(far, dh - np.copysign(360, dh), dh)
    dH = 2 * np.sqrt(C1 * C2) * np.sin(np.radians(dh) / 2)

    # Means (eq. 12-14).
    L, C, total = (L1 + L2) / 2, (C1 + C2) / 2, h1 + h2
    h = np.where(far, (total + np.copysign(360, 360 - total)) / 2, total / 2)
    h = np.where(C1 * C2 == 0, total, h)

    # Weights (eq. 15-21).
    T = 1 - 0.17 * _cos(h - 30) + 0.24 * _cos(2 * h) + 0.32 * _cos(3 * h + 6) - 0.20 * _cos(4 * h - 63)
    SL = 1 + 0.015 * (L - 50) ** 2 / np.sqrt(20 + (L - 50) ** 2)
    SC, SH = 1 + 0.045 * C, 1 + 0.015 * C * T
    RT = -2 * np.sqrt(_saturation(C)) * np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    dL, dC, dH = dL / SL, dC / SC, dH / SH
    return np.sqrt(np.maximum(dL**2 + dC**2 + dH**2 + RT * dC * dH, 0))


def _saturation(C: Floats) -> Floats:
    return C**7 / (C**7 + 25.0**7)


def _cos(degrees: Floats) -> Floats:
    return np.cos(np.radians(degrees))
