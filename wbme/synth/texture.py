"""The classical texture teacher: what is no head becomes flat, clean shapes of the photograph's own
colour."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_picture

F32 = NDArray[np.float32]
_EDGE, _DRIFT = 0.03, 0.006  # luma a pixel


@dataclass(frozen=True)
class Texture:
    """Settings of ``flatten`` and ``in_steps``.

    ``flat``: what an edge costs in ``l0_smooth``, about the square of the smallest contrast that stays one;
    ``lift``: exponent of lightness, below 1 brighter; ``contrast`` of the S-curve, 0 for none;
    ``saturation``: factor of chroma; ``levels``: steps of luma from black to white, 0 for none; ``softness``
    in [0, 1] of their edges."""

    flat: float = 0.012
    lift: float = 0.9
    contrast: float = 0.25
    saturation: float = 1.18
    levels: float = 6.0
    softness: float = 0.3

    def __post_init__(self) -> None:
        least = min(self.levels, self.contrast, self.saturation)
        if min(self.flat, self.lift) <= 0 or least < 0 or not 0 <= self.softness <= 1:
            raise ParameterError(
                f"{self}: flat and lift must be above 0, softness in [0, 1], the others not negative"
            )


def flatten(rgb: F32, settings: Texture = Texture()) -> F32:
    """A picture H x W x 3, sRGB in [0, 1], as flat shapes of its own colours, graded but not in steps.

    Edges are kept where they are worth it (``l0_smooth``), a median rounds the shapes, and ``grade`` gives
    them light and colour. Raises ParameterError for no such picture."""
    flat = l0_smooth(check_picture(rgb), settings.flat)
    flat = cv2.medianBlur(np.rint(flat * 255).astype(np.uint8), 5).astype(np.float32) / 255
    return grade(cv2.GaussianBlur(flat, (0, 0), 0.6), settings)


def l0_smooth(rgb: F32, weight: float, kappa: float = 3.5, most: float = 3e3) -> F32:
    """The piecewise constant picture S near ``rgb`` (H x W x 3) that minimises |S - I|^2 + weight * C(S),
    with C the number of pixels whose gradient is not zero.

    Half-quadratic splitting with growing beta, each quadratic step solved by FFT on the mirrored picture's
    period: Xu, Lu, Xu, Jia: Image Smoothing via L0 Gradient Minimization (SIGGRAPH Asia 2011), eq. 8 to 12.
    """
    from scipy import fft

    pad = 16
    source = cv2.copyMakeBorder(rgb, pad, pad, pad, pad, cv2.BORDER_REFLECT)
    height, width = (fft.next_fast_len(n, real=True) for n in source.shape[:2])
    down, right = height - source.shape[0], width - source.shape[1]
    image = cv2.copyMakeBorder(source, 0, down, 0, right, cv2.BORDER_REPLICATE).transpose(2, 0, 1).copy()
    spectrum = fft.rfft2(image)
    rows = 2 - 2 * np.cos(2 * np.pi * fft.fftfreq(height))
    columns = 2 - 2 * np.cos(2 * np.pi * fft.rfftfreq(width))
    laplacian = (rows[:, None] + columns[None]).astype(np.float32)
    beta = 2 * weight
    while beta < most:
        h = np.roll(image, -1, 2) - image
        v = np.roll(image, -1, 1) - image
        flat = (h * h + v * v).sum(0) < weight / beta
        h[:, flat] = 0
        v[:, flat] = 0
        divergence = np.roll(h, 1, 2) - h + np.roll(v, 1, 1) - v
        image = fft.irfft2(
            (spectrum + beta * fft.rfft2(divergence)) / (1 + beta * laplacian), (height, width)
        )
        beta *= kappa
    top = image[:, pad : pad + rgb.shape[0], pad : pad + rgb.shape[1]]
    return np.clip(top.transpose(1, 2, 0), 0, 1).astype(np.float32)


def grade(rgb: F32, settings: Texture) -> F32:
    """Lightness lifted and bent by an S-curve, more chroma. H x W x 3 sRGB in [0, 1], both ways.

    With y = L*/100: y^lift, then y + contrast * y (1 - y) (2 y - 1); a* and b* times saturation.
    """
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)
    y = np.clip(lab[..., 0] / 100, 0, 1) ** settings.lift
    lab[..., 0] = 100 * np.clip(y + settings.contrast * y * (1 - y) * (2 * y - 1), 0, 1)
    lab[..., 1:] *= settings.saturation
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1)


def in_steps(rgb: F32, settings: Texture, phase: float = 0.0) -> F32:
    """Luma in soft steps, colour differences kept: H x W x 3 sRGB in [0, 1], both ways.

    Where luma only drifts (skies, walls) steps would be false contours, so there it stays as it is.
    """
    if not settings.levels:
        return rgb
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    change = roughness(luma) * (soft_steps(luma, settings.levels, settings.softness, phase) - luma)
    return np.clip(rgb + change[..., None], 0, 1)


def roughness(luma: F32) -> F32:
    """How far luma (H x W in [0, 1]) does more than drift around each pixel, H x W in [0, 1]: 0 in skies and
    on walls, 1 where its slopes between edges are steep."""
    slope = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)) / 8
    # Edges do not count: beside them steps would leave a halo.
    inner = np.exp(-((slope / _EDGE) ** 2))
    drift = cv2.GaussianBlur(inner * slope, (0, 0), 9) / (cv2.GaussianBlur(inner, (0, 0), 9) + 1e-3)
    return np.asarray(1 - np.exp(-((drift / _DRIFT) ** 2)), np.float32)


def soft_steps(y: F32, levels: float, softness: float, phase: float = 0.0) -> F32:
    """Values drawn to the levels (k + phase) / ``levels``; halfway between two of them they change over.

    ``softness`` is the share of a step over which they change: 0 is hard, 1 a straight line.
    """
    t = y * levels - phase
    k = np.floor(t)
    edge = np.clip((t - k - 0.5) / max(softness, 1e-3) + 0.5, 0, 1)
    return ((k + edge + phase) / levels).astype(np.float32)
