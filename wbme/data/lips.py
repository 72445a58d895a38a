"""Lips as people in photographs have them and the rendered ones do not: nearly as pale as the skin, with a
highlight that a student would take for teeth."""

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.geometry.parsing import FACE_SKIN, INDEX

_SKIN = np.isin(np.arange(256), list(FACE_SKIN))
_LIPS = np.isin(np.arange(256), [INDEX["u_lip"], INDEX["l_lip"]])
_FEWEST = 12  # pixels of lips and of skin below which nothing is done


def pale_lips(
    rgb: NDArray[np.float32], labels: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """``rgb`` (H x W x 3, sRGB in [0, 1]) with other lips where ``labels`` (H x W) show any.

    They come 20 to 110 % of the way to the colour of the face's skin, each pixel by as much, so that their
    shading stays; and the lower lip shines, in its middle rows by up to 0.35.
    """
    lips = _LIPS[labels]
    skin = _SKIN[labels]
    if min(lips.sum(), skin.sum()) < _FEWEST:
        return rgb
    soft = cv2.GaussianBlur(lips.astype(np.float32), (0, 0), 1.0)[..., None]
    way = np.median(rgb[skin], 0) - np.median(rgb[lips], 0)
    out = rgb + np.float32(rng.uniform(0.2, 1.1)) * way * soft
    lower = (labels == INDEX["l_lip"]).astype(np.float32)
    wide = max(lips.any(0).sum() / 12, 0.7)
    shine = cv2.GaussianBlur(lower, (0, 0), wide)  # strongest where most of the lip is around
    shine *= lower / max(shine.max(), 1e-3)
    shine = cv2.GaussianBlur(shine**3, (0, 0), 0.7)[..., None]
    return np.clip(out + np.float32(rng.uniform(0, 0.35)) * shine, 0, 1)
