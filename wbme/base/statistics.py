"""Uncertainty of a mean and of a difference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator

_BLOCK = 1 << 22  # drawn indices held in memory at once


@dataclass(frozen=True)
class Interval:
    """A mean, or what else is told of ``n`` values, and the interval around it."""

    mean: float
    low: float
    high: float
    n: int


def bootstrap(values: ArrayLike, *, share: float = 0.95, resamples: int = 10_000, seed: int = 0) -> Interval:
    """Percentile bootstrap of the mean of ``n`` values (Efron 1979): the same interval for the same seed.

    The middle ``share`` of the means of ``resamples`` draws of n values with replacement. One value says
    nothing about its spread: then ``low`` and ``high`` are NaN.
    Raises ParameterError for no value, for one that is not finite, or parameters out of range.
    """
    x = np.asarray(values, np.float64).ravel()
    if not x.size or not np.isfinite(x).all():
        raise ParameterError(
            f"bootstrap wants finite values, at least one, but got {x.size} with gaps in them"
        )
    if not 0 < share < 1 or resamples < 1:
        raise ParameterError(
            f"bootstrap: share = {share} must lie between 0 and 1, resamples = {resamples} above 0"
        )
    mean = float(x.mean())
    if x.size == 1:
        return Interval(mean, float("nan"), float("nan"), 1)
    rng = generator(seed, "bootstrap")
    rows = max(_BLOCK // x.size, 1)
    blocks = [min(rows, resamples - done) for done in range(0, resamples, rows)]
    means = np.concatenate([x[rng.integers(0, x.size, (count, x.size))].mean(axis=1) for count in blocks])
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return Interval(mean, float(low), float(high), x.size)


def resampled(
    statistic: Callable[[list[NDArray[Any]]], NDArray[Any]],
    groups: Sequence[ArrayLike],
    *,
    share: float = 0.95,
    resamples: int = 2_000,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap of any ``statistic`` of ``groups``: arrays n_g x ..., a row a person.

    Rows are drawn with replacement within their own group, so that a group keeps its size. ``statistic`` maps
    a list of arrays R x n_g x ... to R numbers; those that are NaN, such as a slope of people all alike, are
    left out. ``low`` and ``high`` are NaN where nothing varies: no group of two or more, or no number.
    Raises ParameterError for no group, an empty one, or parameters out of range.
    """
    given = [np.asarray(group, np.float64) for group in groups]
    if not given or not all(len(group) for group in given) or not 0 < share < 1 or resamples < 1:
        sizes = [len(group) for group in given]
        raise ParameterError(
            f"resampled: groups of {sizes}, share = {share}, resamples = {resamples}: give groups with "
            "somebody in them, a share between 0 and 1 and a resample or more"
        )
    told = float(statistic([group[None] for group in given])[0])
    count = sum(len(group) for group in given)
    rng = generator(seed, "resampled")
    drawn = [group[rng.integers(0, len(group), (resamples, len(group)))] for group in given]
    values = statistic(drawn)
    values = values[np.isfinite(values)]
    if max(len(group) for group in given) < 2 or not values.size:
        return Interval(told, float("nan"), float("nan"), count)
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return Interval(told, float(low), float(high), count)


def paired(values: ArrayLike, base: ArrayLike, *, share: float = 0.95) -> Interval:
    """Mean of the n differences ``values[k] - base[k]`` with its Student t interval.

    The percentile bootstrap never leaves the range of its values: of three differences of one sign, which
    chance gives one time in four, it would say that they differ from 0. The t interval keeps its promise
    for few, nearly normal differences. One difference has no interval: ``low`` and ``high`` are NaN.
    Raises ParameterError where the lengths differ, for no value, or for one that is not finite.
    """
    x, y = (np.asarray(v, np.float64).ravel() for v in (values, base))
    if x.shape != y.shape or not x.size or not np.isfinite([x, y]).all() or not 0 < share < 1:
        raise ParameterError(
            f"paired wants as many finite values on both sides and a share between 0 and 1, "
            f"but got {x.size}, {y.size} and {share}"
        )
    gaps = x - y
    mean = float(gaps.mean())
    if x.size == 1:
        return Interval(mean, float("nan"), float("nan"), 1)
    from scipy.stats import t

    half = float(t.ppf((1 + share) / 2, x.size - 1) * gaps.std(ddof=1) / np.sqrt(x.size))
    return Interval(mean, mean - half, mean + half, x.size)
