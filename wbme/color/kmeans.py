"""k-means on weighted points: the same labels for the same seed."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RESTARTS = 4
_FITTED = 5_000  # points that place the centres; all points are then labelled


def kmeans(points: Array, weights: Array, k: int, seed: int) -> NDArray[np.intp]:
    """Label in [0, k), by the nearest centre, of each of the ``n x d`` points.

    Centres are the best of four runs by weighted inertia on at most 5,000 evenly spaced points: Lloyd (1982)
    from the seeds of Arthur and Vassilvitskii: k-means++, the advantages of careful seeding (2007). A label
    stays unused when there are fewer than ``k`` distinct points.
    """
    rng = np.random.default_rng(seed)
    columns = np.ascontiguousarray(points.T)
    step = -(-len(points) // _FITTED)
    few, mass = np.ascontiguousarray(columns[:, ::step]), weights[::step]
    runs = [_lloyd(few, mass, _seeds(few, mass, k, rng)) for _ in range(_RESTARTS)]
    centres, _ = min(runs, key=lambda run: run[1])
    return _distances(columns, centres).argmin(axis=0)


def _distances(columns: Array, centres: Array) -> Array:
    """Squared distance ``k x n``, summed axis by axis: BLAS would sum in an order that depends on threads."""
    total = np.zeros((len(centres), columns.shape[1]))
    for column, centre in zip(columns, centres.T, strict=True):
        difference = column - centre[:, None]
        total += difference * difference
    return total


def _seeds(columns: Array, weights: Array, k: int, rng: np.random.Generator) -> Array:
    chosen = [rng.choice(len(weights), p=weights / weights.sum())]
    nearest = _distances(columns, columns[:, chosen].T)[0]
    while len(chosen) < k and (potential := weights * nearest).any():
        chosen.append(rng.choice(len(weights), p=potential / potential.sum()))
        nearest = np.minimum(nearest, _distances(columns, columns[:, chosen[-1:]].T)[0])
    return columns[:, chosen].T


def _lloyd(columns: Array, weights: Array, centres: Array) -> tuple[Array, float]:
    """Centres and inertia once no centre moves by 0.01 (or after 100 rounds)."""
    weighted = columns * weights
    for _ in range(100):
        distances = _distances(columns, centres)
        labels = distances.argmin(axis=0)
        mass = np.bincount(labels, weights, minlength=len(centres))
        sums = np.stack([np.bincount(labels, column, minlength=len(centres)) for column in weighted], axis=1)
        # A centre that lost all its points stays where it was.
        moved = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-30)[:, None], centres)
        still = np.abs(moved - centres).max() < 0.01
        centres = moved
        if still:
            break
    return centres, float((weights * distances.min(axis=0)).sum())
