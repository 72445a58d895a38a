"""Skin colour: all measures by one name, and the statistics of a skin region by the recipe of Thong et al.

Thong, Joniak, Xiang: Beyond Skin Tone, a Multidimensional Measure of Apparent Skin Color (ICCV 2023).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.kmeans import kmeans
from wbme.color.sampling import MEASURES, sample
from wbme.color.tones import (
    ITA_BOUNDS,
    ITA_CLASSES,
    LIGHT_L,
    MONK,
    YELLOW_HUE,
    MonkTone,
    hue,
    ita,
    ita_class,
    monk_class,
    quadrant,
    wrap,
)

__all__ = [
    "ITA_BOUNDS",
    "ITA_CLASSES",
    "LIGHT_L",
    "MONK",
    "YELLOW_HUE",
    "Cluster",
    "MonkTone",
    "SkinStatistics",
    "hue",
    "ita",
    "ita_class",
    "monk_class",
    "quadrant",
    "sample",
    "statistics",
]

NEUTRAL_CHROMA = 1.0  # below it a colour cannot be told from grey, and its hue angle is noise


@dataclass(frozen=True)
class Cluster:
    """One cluster of skin: centre (mean L* and hue), mode of each measure, share of the skin in [0, 1]."""

    centre: tuple[float, float]
    mode: dict[str, float]
    weight: float
    chosen: bool


@dataclass(frozen=True)
class SkinStatistics:
    """Skin colour of a region: Lab (D65), hue and ITA in degrees, and their deviations between clusters.

    ``pixels`` counts the pixels above 0 in the mask; ``clusters`` starts with the brightest. ``hue`` is NaN
    for a grey picture.
    """

    L: float
    a: float
    b: float
    hue: float
    ita: float
    L_std: float
    a_std: float
    b_std: float
    hue_std: float
    ita_std: float
    pixels: int
    clusters: tuple[Cluster, ...]


def statistics(
    rgb: NDArray[Any],
    mask: NDArray[Any],
    *,
    sigma: float = 1.0,
    clusters: int = 5,
    brightest: int = 3,
    bins: int | None = None,
    max_pixels: int = 100_000,
    seed: int = 0,
) -> SkinStatistics:
    """Skin statistics by the recipe of Thong et al. (ICCV 2023); ``sigma``, ``max_pixels`` and ``seed``
    as in ``sample``.

    Gaussian, mask, Lab, k-means with ``clusters`` on (L*, hue), the mode of each measure in each cluster by a
    histogram of ``bins`` bins (None: Sturges' rule), then over the ``brightest`` clusters by L* mode the mean
    and the deviation of these modes, weighted by pixels; a soft mask weights pixels, histograms and clusters.
    Shadows and unmasked hair fall into the dark clusters and drop out.

    Two refinements: the mode is the mean of the values in the fullest bin (the bin's edge would be biased by
    its width), and both angles are circular, counted from those of the mean colour. A pixel of chroma below 1
    has no hue worth the name, so it takes that of the mean colour and is clustered by lightness alone.

    Raises ParameterError as ``sample`` does, and for fewer skin pixels than clusters.
    """
    if not 1 <= brightest <= clusters or (bins is not None and bins < 1):
        raise ParameterError(
            f"clusters = {clusters}, brightest = {brightest}, bins = {bins}: "
            "give 1 <= brightest <= clusters, and at least one bin"
        )
    pixels = sample(rgb, mask, sigma=sigma, max_pixels=max_pixels, seed=seed)
    if len(pixels) < clusters:
        raise ParameterError(
            f"{len(pixels)} skin pixels cannot form {clusters} clusters: give a larger mask or fewer clusters"
        )
    weight = pixels["weight"].astype(np.float64)
    values = {name: pixels[name].astype(np.float64) for name in MEASURES}
    mean_lab = [np.average(values[name], weights=weight) for name in ("L", "a", "b")]
    origin = {"hue": float(hue(*mean_lab[1:])), "ita": float(ita(mean_lab[0], mean_lab[2]))}
    coloured = np.hypot(values["a"], values["b"]) >= NEUTRAL_CHROMA
    values["hue"] = np.where(coloured, wrap(values["hue"] - origin["hue"]), 0)
    values["ita"] = wrap(values["ita"] - origin["ita"])

    points = np.stack([values["L"], values["hue"]], axis=1)
    labels = kmeans(points, weight, clusters, seed)
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    members.sort(key=lambda m: -_mode(values["L"][m], weight[m], bins))
    mass = np.array([weight[m].sum() for m in members])
    modes = {
        name: np.array([_mode(column[m], weight[m], bins) for m in members])
        for name, column in values.items()
    }

    def absolute(name: str, value: float) -> float:
        """Undo the shift of an angle; in a grey picture there is no hue."""
        if name == "hue" and not coloured.any():
            return float("nan")
        return float(wrap(value + origin[name]) if name in origin else value)

    means, deviations = {}, {}
    for name, mode in modes.items():
        share, bright = mass[:brightest], mode[:brightest]
        mean = np.average(bright, weights=share)
        means[name] = absolute(name, mean)
        deviations[f"{name}_std"] = float(np.sqrt(np.average((bright - mean) ** 2, weights=share)))
    table = []
    for i, m in enumerate(members):
        L, angle = np.average(points[m], axis=0, weights=weight[m])
        table.append(
            Cluster(
                centre=(float(L), absolute("hue", angle)),
                mode={name: absolute(name, mode[i]) for name, mode in modes.items()},
                weight=float(mass[i] / mass.sum()),
                chosen=i < brightest,
            )
        )
    if not coloured.any():
        deviations["hue_std"] = float("nan")
    count = int(np.count_nonzero(mask))
    return SkinStatistics(**means, **deviations, pixels=count, clusters=tuple(table))


def _mode(values: NDArray[np.float64], weights: NDArray[np.float64], bins: int | None) -> float:
    """Weighted mean of the values in the fullest of equal bins."""
    count = bins or int(np.ceil(np.log2(len(values)))) + 1
    low, width = values.min(), np.ptp(values) / count
    index = np.minimum((values - low) / width, count - 1).astype(int) if width else np.zeros(len(values), int)
    filled = np.bincount(index, weights, minlength=count)
    best = filled.argmax()
    return float(np.bincount(index, weights * values, minlength=count)[best] / filled[best])
