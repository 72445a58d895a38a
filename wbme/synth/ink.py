"""Lines of a photograph: difference of Gaussians across the flow of its edges, gathered along it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.synth import flow

F32 = NDArray[np.float32]


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
    dx, dy = flow.tangent(flow.structure_tensor([luma], 2.3 * settings.sigma))
    across = flow.gathered(luma, -dy, dx, *flow.difference_of_gaussians(settings.sigma))
    steps = int(np.ceil(settings.reach / 1.5))
    offsets = 1.5 * np.arange(-steps, steps + 1, dtype=np.float32)
    along = np.exp(-(offsets**2) / (2 * (settings.reach / 2 + 1e-3) ** 2))
    response = flow.gathered(across, dx, dy, offsets, along / along.sum())
    ink = np.clip((-response - settings.threshold) * settings.gain, 0, 1)
    return settings.strength * without_specks(ink, settings.specks)


def without_specks(ink: F32, least: int) -> F32:
    """``ink`` (H x W in [0, 1]) without connected lines that cover fewer than ``least`` pixels by half."""
    found = (ink > 0.1).astype(np.uint8)
    count, labels = cv2.connectedComponents(found, connectivity=8)
    area = np.bincount(labels.ravel(), weights=(ink > 0.5).ravel(), minlength=count)
    return ink * (area >= least)[labels]
