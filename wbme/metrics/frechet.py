"""How far a set of pictures lies from another as a whole: FID and KID of features N x D.

Only features of the Inception network of the FID give numbers of these names (``nets.inception``).
"""

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.base.statistics import Interval

F64 = NDArray[np.float64]


def frechet(one: F64, other: F64) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of the means and covariances of features N x D (Heusel et
    al., NeurIPS 2017, eq. 6): the FID of Inception's. Of few pictures it is far too high, and the more so the
    fewer; from fewer than D the covariances are singular. Raises ParameterError as ``mmd``."""
    x, y = _checked(one, other)
    apart = np.square(x.mean(0) - y.mean(0)).sum()
    x, y = ((a - a.mean(0)) / np.sqrt(len(a) - 1) for a in (x, y))
    # The eigenvalues of S1 S2 are the squared singular values of X Y^T: no root of a singular matrix.
    root = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    return float(apart + np.square(x).sum() + np.square(y).sum() - 2 * root)


def mmd(one: F64, other: F64) -> float:
    """Unbiased squared maximum mean discrepancy of features N x D under k(x, y) = (x.y / D + 1)^3 (Binkowski
    et al.: Demystifying MMD GANs, ICLR 2018): its expectation is 0 for two samples of one distribution,
    however small. Raises ParameterError where the lengths differ or one set has fewer than two."""
    x, y = _checked(one, other)

    def kernel(a: F64, b: F64) -> F64:
        return (a @ b.T / a.shape[1] + 1) ** 3

    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(y, y))]
    return float(sum(within) - 2 * kernel(x, y).mean())


def kid(one: F64, other: F64, *, subsets: int = 100, size: int = 1000, seed: int = 0) -> Interval:
    """Mean of ``mmd`` over ``subsets`` random pairs of subsets, each of ``size`` or two thirds of the smaller
    set if that is less, and between which values their middle 95 % lie. Raises ParameterError as ``mmd``."""
    x, y = _checked(one, other)
    count = max(min(size, 2 * min(len(x), len(y)) // 3), 2)
    rng = generator(seed, "kid")
    pairs = ([a[rng.choice(len(a), count, replace=False)] for a in (x, y)] for _ in range(subsets))
    values = [mmd(*pair) for pair in pairs]
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(np.mean(values)), float(low), float(high), min(len(x), len(y)))


def _checked(one: F64, other: F64) -> tuple[F64, F64]:
    x, y = (np.asarray(a, np.float64) for a in (one, other))
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ParameterError(
            f"features of shapes {x.shape} and {y.shape} cannot be compared: give two sets N x D of one "
            "D and of two pictures or more"
        )
    return x, y
