"""Colour reflection made visible: skin under a coloured light, and the same with its own colour back."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wbme.color.difference import delta_e00
from wbme.color.reflection import mean_lab, reflect
from wbme.color.spaces import linear_to_srgb, srgb_to_linear


class Reflected(NamedTuple):
    """``tinted``: the picture under the light; ``restored``: its skin reflected back (H x W x 3 sRGB in
    [0, 1]). ``before``, ``after``: delta E00 between the mean skin colour of the original and of each."""

    tinted: NDArray[np.float32]
    restored: NDArray[np.float32]
    before: float
    after: float


def reflected_light(
    rgb: NDArray[np.float32], mask: NDArray[np.float32], warmth: float, strength: float = 1.0
) -> Reflected:
    """``rgb`` (H x W x 3 sRGB in [0, 1]) under a light of ``warmth``, skin (``mask``, H x W) reflected back.

    The light multiplies linear R and B by 2^(warmth / 2) and 2^(-warmth / 2): positive is warm, negative
    cold, 0 none. The skin returns by X_cr = X + strength (mean c_src - mean c_tgt) in CIE L*a*b*, the
    original being the source.
    """
    gains = np.array([2 ** (warmth / 2), 1.0, 2 ** (-warmth / 2)], np.float32)
    tinted = linear_to_srgb(np.clip(srgb_to_linear(rgb) * gains, 0, 1)).astype(np.float32)
    restored = reflect(tinted, mask, rgb, mask, strength=strength)
    own = mean_lab(rgb, mask)
    before, after = (float(delta_e00(own, mean_lab(x, mask))) for x in (tinted, restored))
    return Reflected(tinted, restored, before, after)
