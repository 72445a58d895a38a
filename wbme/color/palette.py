"""The few colours of a drawing, and how flat it is painted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.color.difference import delta_e00
from wbme.color.inputs import check_picture
from wbme.color.kmeans import kmeans
from wbme.color.spaces import lab_to_srgb

_FLAT = 3 / 255  # neighbours of one fill differ by no more than this, after JPEG as well
_SAME = 5.0  # CIEDE2000 below which two clusters are one colour of the palette


@dataclass(frozen=True)
class Swatch:
    """A colour of a palette: Lab (D65) and the share of the weight that it has, in [0, 1]."""

    lab: tuple[float, float, float]
    share: float

    @property
    def hex(self) -> str:
        """The colour as '#rrggbb'."""
        return hexadecimal(self.lab)


def hexadecimal(lab: Any) -> str:
    """'#rrggbb' of one Lab colour (D65), cut to sRGB."""
    levels = np.rint(lab_to_srgb(np.asarray(lab, float)) * 255).astype(int)
    return "#" + "".join(f"{level:02x}" for level in levels)


def flat(rgb: NDArray[Any]) -> NDArray[np.bool_]:
    """Which pixels lie within a fill: no channel differs from the four neighbours by more than 3 of 255.

    ``rgb``: H x W x 3 sRGB in [0, 1]; returns H x W.
    """
    rgb = check_picture(rgb)
    inside = np.ones(rgb.shape[:2], bool)
    for axis in (0, 1):
        same = (np.abs(np.diff(rgb, axis=axis)) <= _FLAT + 1e-6).all(2)
        first, last = (slice(1, None), slice(None, -1))
        inside[(first, slice(None)) if axis == 0 else (slice(None), first)] &= same
        inside[(last, slice(None)) if axis == 0 else (slice(None), last)] &= same
    return inside


def palette(
    lab: NDArray[Any], weights: NDArray[Any], *, count: int = 12, least: float = 0.004, seed: int = 0
) -> list[Swatch]:
    """The colours of the pixels ``lab`` (N x 3, D65) with ``weights`` (N), the commonest first.

    k-means in Lab with ``count`` clusters; the colour of a cluster is its weighted median, channel by
    channel: of a fill with soft edges that is the fill itself. Clusters nearer than CIEDE2000 5 become one,
    and those with a share below ``least`` are left out. [] where no pixel has a weight.
    """
    weights = np.asarray(weights, float)
    here = weights > 0
    lab, weights = np.asarray(lab, float)[here], weights[here]
    if not len(lab):
        return []
    labels = kmeans(lab, weights, count, seed)
    clusters = sorted(
        (np.flatnonzero(labels == k) for k in np.unique(labels)), key=lambda m: -weights[m].sum()
    )
    merged: list[tuple[NDArray[np.float64], list[NDArray[np.intp]]]] = []
    for members in clusters:
        colour = median(lab[members], weights[members])
        near = [k for k, (other, _) in enumerate(merged) if delta_e00(colour, other) < _SAME]
        if near:
            merged[near[0]][1].append(members)
        else:
            merged.append((colour, [members]))
    total = weights.sum()
    found = [
        Swatch((float(c[0]), float(c[1]), float(c[2])), float(sum(weights[m].sum() for m in group) / total))
        for c, group in merged
    ]
    return sorted((one for one in found if one.share >= least), key=lambda one: -one.share)


def median(values: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Weighted median of each column of ``values`` (N x C, N > 0)."""
    order = np.argsort(values, axis=0, kind="stable")
    rising = np.cumsum(np.asarray(weights, float)[order], axis=0)
    rows = (rising < rising[-1] / 2).sum(0)
    return np.asarray(np.take_along_axis(values, order, 0)[rows, np.arange(values.shape[1])], np.float64)
