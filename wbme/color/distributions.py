"""Distributions of skin colour: density on a grid, and how far two tables of ``skin.sample`` lie apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter

from wbme.base.errors import ParameterError
from wbme.color.difference import delta_e00
from wbme.color.sampling import MEASURES
from wbme.color.tones import hue, ita, wrap


@dataclass(frozen=True)
class Density:
    """Density ``values[row of y, column of x]`` at bin centres ``x`` and ``y``; its integral is one."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: NDArray[np.float64]

    def level(self, share: float) -> float:
        """The density whose contour is the smallest region that holds ``share`` (0 to 1) of the mass."""
        falling = np.sort(self.values, axis=None)[::-1]
        mass = np.cumsum(falling)
        return float(falling[min(np.searchsorted(mass, share * mass[-1]), falling.size - 1)])


def density(
    x: ArrayLike,
    y: ArrayLike,
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    weights: ArrayLike | None = None,
    bins: int = 128,
    bandwidth: float = 1.0,
) -> Density:
    """Kernel density of points ``n`` on a ``bins x bins`` grid over the two ranges, in the units of x and y.

    The counts per bin are blurred by a Gaussian, which is the kernel estimate to the width of a bin. Its
    deviation per axis is Scott's std * n^(-1/6), n the effective number of points, times ``bandwidth``, and
    at least half a bin. Points outside the ranges are left out.

    Raises ParameterError for columns that do not fit, or when no point lies inside.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, np.float64)
    if not (x.ndim == 1 and x.shape == y.shape == w.shape):
        raise ParameterError(
            f"density wants columns of equal length but got shapes {x.shape}, {y.shape} and {w.shape}"
        )
    if bins < 1 or bandwidth <= 0 or x_range[0] >= x_range[1] or y_range[0] >= y_range[1]:
        raise ParameterError(
            f"bins = {bins}, bandwidth = {bandwidth}, ranges {x_range} and {y_range}: "
            "give at least one bin, a positive bandwidth and rising ranges"
        )
    inside = (x >= x_range[0]) & (x <= x_range[1]) & (y >= y_range[0]) & (y <= y_range[1]) & (w > 0)
    if not inside.any():
        raise ParameterError(f"no point lies in {x_range} x {y_range}: widen the ranges")
    x, y, w = x[inside], y[inside], w[inside]
    counts, y_edges, x_edges = np.histogram2d(y, x, bins=bins, range=(y_range, x_range), weights=w)
    scott = (w.sum() ** 2 / (w**2).sum()) ** (-1 / 6) * bandwidth
    steps = y_edges[1] - y_edges[0], x_edges[1] - x_edges[0]
    sigmas = [max(scott * _std(v, w) / step, 0.5) for v, step in zip((y, x), steps, strict=True)]
    values = gaussian_filter(counts, sigmas, mode="constant")
    values /= values.sum() * steps[0] * steps[1]
    return Density((x_edges[1:] + x_edges[:-1]) / 2, (y_edges[1:] + y_edges[:-1]) / 2, values)


def _std(v: NDArray[np.float64], w: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.average((v - np.average(v, weights=w)) ** 2, weights=w)))


@dataclass(frozen=True)
class Comparison:
    """Two samples: per measure (L, a, b, hue, ita) the mean of the second minus that of the first and the 1-D
    Wasserstein distance, in L*a*b* units or degrees; and CIEDE2000 between the two mean Lab colours."""

    difference: dict[str, float]
    wasserstein: dict[str, float]
    delta_e00: float


def compare(first: NDArray[np.void], second: NDArray[np.void]) -> Comparison:
    """Compare two tables of ``skin.sample``, weighted by their ``weight``.

    Angles are counted from those of the mean colour of both, so that none is torn at the cut.
    Raises ParameterError when a table is empty.
    """
    if not len(first) or not len(second):
        raise ParameterError("one of the two samples holds no pixel: choose another source or mask")
    weights = [table["weight"] / table["weight"].sum(dtype=np.float64) for table in (first, second)]
    means = [
        np.array([(w * table[c]).sum() for c in "Lab"])
        for w, table in zip(weights, (first, second), strict=True)
    ]
    L, a, b = (means[0] + means[1]) / 2
    origin = {"hue": hue(a, b), "ita": ita(L, b)}
    difference, wasserstein = {}, {}
    for name in MEASURES:
        one, two = (table[name].astype(np.float64) for table in (first, second))
        if name in origin:
            one, two = wrap(one - origin[name]), wrap(two - origin[name])
        difference[name] = float((weights[1] * two).sum() - (weights[0] * one).sum())
        wasserstein[name] = _wasserstein(one, two, *weights)
    return Comparison(difference, wasserstein, float(delta_e00(means[0], means[1])))


def _wasserstein(u: NDArray[Any], v: NDArray[Any], u_weights: NDArray[Any], v_weights: NDArray[Any]) -> float:
    """W1 of two weighted samples on a line: the area between their distribution functions."""
    values = np.concatenate([u, v])
    order = values.argsort(kind="stable")
    gap = np.cumsum(np.concatenate([u_weights, -v_weights])[order])[:-1]
    return float((np.abs(gap) * np.diff(values[order])).sum())
