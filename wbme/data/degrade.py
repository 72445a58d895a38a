"""What cameras and compression do to a photograph: for the photo side of a pair only."""

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


def degrade(rgb: F32, rng: np.random.Generator, strength: float = 1.0) -> F32:
    """``rgb`` (H x W x 3, sRGB in [0, 1]) as a poor camera would have taken it; ``strength`` 0 returns it as
    it is.

    In this order: light that changes slowly over the picture (up to 15 %), contrast of 0.85 to 1.25, a
    Gaussian of sigma 0.3 to 1.3 pixels, noise of 1 to 9 of 255, and JPEG of quality 35 to 95; each end of
    these ranges moves with ``strength`` towards nothing."""
    if strength <= 0:
        return rgb
    height, width = rgb.shape[:2]
    coarse = rng.normal(0, 0.075, (3, 4)).astype(np.float32)
    light = cv2.resize(np.clip(coarse, -0.15, 0.15), (width, height), interpolation=cv2.INTER_CUBIC)
    out = rgb * (1 + strength * light[..., None])
    contrast = 1 + strength * rng.uniform(-0.15, 0.25)
    out = (out - 0.5) * contrast + 0.5
    sigma = strength * rng.uniform(0.3, 1.3)
    out = cv2.GaussianBlur(out, (0, 0), max(sigma, 0.05))
    noise = strength * rng.uniform(1, 9) / 255
    out = np.clip(out + noise * rng.standard_normal(rgb.shape, np.float32), 0, 1)
    quality = round(100 - strength * (100 - rng.uniform(35, 95)))
    u8 = np.rint(out[..., ::-1] * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", u8, [cv2.IMWRITE_JPEG_QUALITY, int(np.clip(quality, 10, 100))])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32) / 255


def degraded(rgb: F32, rng: np.random.Generator, most: float = 1.0) -> F32:
    """``degrade`` of a strength by chance, 0 to ``most``: of poor photographs alone a student would not learn
    what to do with a good one."""
    return degrade(rgb, rng, most * float(rng.uniform()))
