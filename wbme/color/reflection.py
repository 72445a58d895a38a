"""Colour reflection: give a stylised person the skin colour of the photographed one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_mask, check_picture
from wbme.color.spaces import lab_to_srgb, srgb_to_lab


def mean_lab(rgb: NDArray[Any], mask: NDArray[Any], name: str = "picture") -> NDArray[np.float64]:
    """Mean CIE L*a*b* (3) of a picture ``H x W x 3``, sRGB in [0, 1], weighted by a mask ``H x W`` in [0, 1].

    Raises ParameterError for a malformed picture, or for a mask that is empty or of another size.
    """
    rgb = check_picture(rgb, name)
    mask = check_mask(mask, rgb.shape, f"{name} mask")
    inside = mask > 0
    return np.average(srgb_to_lab(rgb[inside]).astype(np.float64), axis=0, weights=mask[inside])


def reflect(
    target_rgb: NDArray[Any],
    target_mask: NDArray[Any],
    source_rgb: NDArray[Any],
    source_mask: NDArray[Any],
    *,
    strength: float = 1.0,
    channels: str = "lab",
    clip: bool = True,
) -> NDArray[np.float32]:
    """The target picture with its skin shifted to the mean skin colour of the source, ``H x W x 3`` sRGB.

    X_cr = X + m * strength * (mean c_src - mean c_tgt) in CIE L*a*b*, with m the target's mask and the means
    weighted by each picture's own mask: Back, Kim, Ahn, WebtoonMe (SIGGRAPH Asia 2022 TC, arXiv 2210.10335),
    kept to the skin, because the shift that suits skin drives black lines below L* = 0. Pictures are sRGB in
    [0, 1], masks ``H x W`` in [0, 1], and the two pictures may differ in size. Pixels outside the mask keep
    their bits. Under a hard mask and ``strength=1`` the two means become equal; a soft edge gets its share.

    ``strength`` in [0, 1]; ``channels``: "lab", or "ab" to keep the target's own light and shade.
    ``clip=True`` cuts what leaves the sRGB gamut channel by channel, which for strong shifts moves the mean;
    ``clip=False`` returns values beyond [0, 1], so that the loss can be measured.

    Raises ParameterError for a parameter out of range, and for pictures or masks as ``mean_lab`` does.
    """
    if not 0 <= strength <= 1 or channels not in ("lab", "ab"):
        raise ParameterError(
            f"strength = {strength}, channels = {channels!r}: "
            "give strength in [0, 1] and channels 'lab' or 'ab'"
        )
    source = mean_lab(source_rgb, source_mask, "source picture")
    shift = source - mean_lab(target_rgb, target_mask, "target picture")
    if channels == "ab":
        shift[0] = 0
    out = check_picture(target_rgb).copy()
    inside = np.asarray(target_mask) > 0
    weights = np.asarray(target_mask)[inside].astype(np.float32)[:, None]
    lab = srgb_to_lab(out[inside]) + weights * (strength * shift).astype(np.float32)
    out[inside] = lab_to_srgb(lab, clip=clip)
    return out
