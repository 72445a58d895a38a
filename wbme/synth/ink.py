"""Lines of a photograph: difference of Gaussians across the flow of its edges, gathered along it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError

F32 = NDArray[np.float32]
_RATIO = 1.6  # of the two Gaussians


@dataclass(frozen=True)
class Ink:
    """Settings of ``flow_lines``: ``sigma`` of the line in pixels, ``reach`` along the flow in pixels to each
    side, ``threshold`` of the difference of Gaussians (luma in [0, 1]), ``gain`` of the coverage behind it,
    ``specks``: the smallest line that stays, in pixels; ``strength`` of the whole in [0, 1]."""

    sigma: float = 1.1
    reach: float = 6.0
    threshold: float = 0.012
    gain: float = 45.0
    specks: int = 30
    strength: float = 0.9

    def __post_init__(self) -> None:
        if (
            min(self.sigma, self.gain) <= 0
            or min(self.reach, self.threshold) < 0
            or not 0 <= self.strength <= 1
        ):
            raise ParameterError(
                f"{self}: sigma and gain must be above 0, strength in [0, 1], others not negative"
            )


def flow_lines(rgb: F32, settings: Ink = Ink()) -> F32:
    """Coverage of ink H x W in [0, 1] for a picture H x W x 3, sRGB in [0, 1].

    The flow is the minor eigenvector of the smoothed structure tensor. A difference of Gaussians is taken
    across it, averaged along it, and what lies below -threshold becomes ink: Kang, Lee, Chui: Coherent Line
    Drawing (NPAR 2007), eq. 6 to 9. Lines shorter than ``specks`` pixels are dropped.
    """
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    tangent = _flow(luma, 2.3 * settings.sigma)
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
    steps = int(np.ceil(2.5 * _RATIO * settings.sigma))
    offsets = np.arange(-steps, steps + 1, dtype=np.float32)
    narrow, wide = (np.exp(-(offsets**2) / (2 * s * s)) for s in (settings.sigma, _RATIO * settings.sigma))
    across = _gather(luma, normal, offsets, narrow / narrow.sum() - wide / wide.sum())
    steps = int(np.ceil(settings.reach / 1.5))
    offsets = 1.5 * np.arange(-steps, steps + 1, dtype=np.float32)
    along = np.exp(-(offsets**2) / (2 * (settings.reach / 2 + 1e-3) ** 2))
    response = _gather(across, tangent, offsets, along / along.sum())
    ink = np.clip((-response - settings.threshold) * settings.gain, 0, 1)
    return settings.strength * without_specks(ink, settings.specks)


def _flow(luma: F32, sigma: float) -> F32:
    """Unit vectors H x W x 2 (x, y) along the edges."""
    gx, gy = cv2.Scharr(luma, cv2.CV_32F, 1, 0), cv2.Scharr(luma, cv2.CV_32F, 0, 1)
    xx, xy, yy = (cv2.GaussianBlur(t, (0, 0), sigma) for t in (gx * gx, gx * gy, gy * gy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)


def _gather(field: F32, direction: F32, offsets: F32, weights: F32) -> F32:
    """Weighted sum of ``field`` at straight steps of ``offsets`` pixels along ``direction``."""
    height, width = field.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total = np.zeros_like(field)
    for step, weight in zip(offsets, weights, strict=True):
        at = x + step * direction[..., 0], y + step * direction[..., 1]
        total += np.float32(weight) * cv2.remap(field, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return total


def without_specks(ink: F32, least: int) -> F32:
    """``ink`` (H x W in [0, 1]) without connected lines that cover fewer than ``least`` pixels by half."""
    found = (ink > 0.1).astype(np.uint8)
    count, labels = cv2.connectedComponents(found, connectivity=8)
    area = np.bincount(labels.ravel(), weights=(ink > 0.5).ravel(), minlength=count)
    return ink * (area >= least)[labels]
