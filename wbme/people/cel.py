"""Cel shading: a few tones a region, each a smooth closed shape, never a gradient."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.people.sheet import Tone

Floats = NDArray[np.float32]


@dataclass(eq=False)
class Region:
    """What is painted alike. cover: H x W share of each pixel. base: sRGB, 3 or H x W x 3. layers: masks
    H x W in [0, 1] and the tone that each lays over the base, in their order."""

    cover: Floats
    base: Floats
    layers: list[tuple[Floats, Tone]] = field(default_factory=list)

    def painted(self, base: ArrayLike | None = None) -> Floats:
        """Premultiplied sRGB, H x W x 3; ``base`` replaces the region's own."""
        lab = srgb_to_lab(np.asarray(self.base if base is None else base, np.float32))
        colour = np.broadcast_to(lab, (*self.cover.shape, 3)).astype(np.float32)
        for mask, tone in self.layers:
            colour = colour + mask[..., None] * (toned(lab, tone) - colour)
        shown = np.zeros((*self.cover.shape, 3), np.float32)
        here = self.cover > 0
        shown[here] = lab_to_srgb(colour[here])
        return shown * self.cover[..., None]


def toned(lab: ArrayLike, tone: Tone) -> Floats:
    """``tone`` of base colours in Lab (... x 3).

    The step of L* goes linearly from ``tone.least`` at L* 0 to ``tone.lightness`` at 100, the shift of a* and
    b* from a third of its size: dark colours take smaller steps.
    """
    lab = np.asarray(lab, np.float32)
    at = np.clip(lab[..., :1] / 100, 0, 1)
    step = tone.least + (tone.lightness - tone.least) * at
    shift = np.array([tone.a, tone.b], np.float32) * (1 / 3 + 2 / 3 * at)
    return np.concatenate([np.clip(lab[..., :1] + step, 2, 99.5), lab[..., 1:] + shift], axis=-1)


def blurred(values: Floats, cover: Floats, sigma: float) -> Floats:
    """Gaussian of ``values`` inside ``cover`` alone: what lies outside has no say. ``sigma`` in pixels."""
    if sigma <= 0.3:
        return values
    # A wide blur of a coarse picture costs less and looks the same.
    step = max(int(sigma / 3), 1)
    size = (cover.shape[1], cover.shape[0])
    small = (max(size[0] // step, 1), max(size[1] // step, 1))
    both = cv2.resize(np.dstack([values * cover, cover]), small, interpolation=cv2.INTER_AREA)
    both = cv2.GaussianBlur(both, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
    top, weight = cv2.split(cv2.resize(both, size, interpolation=cv2.INTER_LINEAR))
    return np.asarray(top / np.maximum(weight, 1e-4), np.float32)


def shape(
    mask: NDArray[np.bool_], here: NDArray[np.bool_], rounding: float, softness: float, speck: float,
    hole: float,
) -> Floats:  # fmt: skip
    """A mask as an illustrator cuts it, H x W in [0, 1]: without pieces of less than ``speck`` pixels and
    holes of less than ``hole``, its corners rounded (``rounding``: sigma in pixels), its edge ``softness``
    wide. Only what lies ``here`` has a say."""
    for filled, least in ((False, speck), (True, hole)):
        pieces = np.asarray((mask ^ filled) & here, np.uint8)
        _, names, stats, _ = cv2.connectedComponentsWithStats(pieces, connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < least
        small[0] = False
        if small.any():
            mask = np.where(small[names], filled, mask)
    smooth = blurred(mask.astype(np.float32), np.maximum(here.astype(np.float32), 1e-3), rounding)
    # A straight edge blurred by sigma has slope 1 / (sigma sqrt(2 pi)).
    steep = max(rounding, 0.4) * 2.5 / max(softness, 0.7)
    return np.clip((smooth - 0.5) * steep + 0.5, 0, 1)
