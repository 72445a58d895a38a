"""FID and KID of features whose distributions are known, and against torchmetrics."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import poly_mmd

from wbme.base.errors import ParameterError
from wbme.metrics.frechet import frechet, kid, mmd


def exact(mean, deviations):
    """Eight points whose mean and diagonal covariance are exactly those."""
    corners = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
    return corners * np.array(deviations) * np.sqrt(7 / 8) + np.array(mean)


def test_gaussians_of_known_moments():
    """For covariances that commute: |m1 - m2|^2 + sum (s1 - s2)^2."""
    one, other = exact([0, 0, 0], [1, 2, 3]), exact([1, -2, 0], [2, 2, 0.5])
    assert frechet(one, other) == pytest.approx(5 + 1 + 0 + 6.25)
    assert frechet(one, one) == pytest.approx(0, abs=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 2**16), st.integers(5, 12))
def test_the_root_is_that_of_the_covariances_whether_or_not_they_are_singular(seed, count):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(count, 4)), rng.normal(size=(count + 3, 4)) @ rng.normal(size=(4, 4)) + 0.3
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    want = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert frechet(x, y) == pytest.approx(want, rel=1e-6, abs=1e-9) == frechet(y, x)
    wide = [np.pad(z, ((0, 0), (0, 40))) for z in (x, y)]  # fewer pictures than features
    assert frechet(*wide) == pytest.approx(want, rel=1e-6, abs=1e-9)


def test_kid_is_unbiased_where_the_distributions_are_one():
    rng = np.random.default_rng(0)
    told = [mmd(rng.normal(size=(6, 3)), rng.normal(size=(6, 3))) for _ in range(4000)]
    error = np.std(told) / np.sqrt(len(told))
    assert abs(np.mean(told)) < 3 * error and np.min(told) < 0
    apart = [mmd(rng.normal(size=(6, 3)), rng.normal(0.5, 1, size=(6, 3))) for _ in range(500)]
    assert np.mean(apart) > 10 * error


def test_mmd_by_hand():
    """k(x, y) = (x y + 1)^3: within {0, 1} k = 1, within {1, 2} k = 27, between 1, 1, 8, 27."""
    assert mmd(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_the_interval_of_kid_is_repeatable_and_holds_the_mean():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 8)), rng.normal(0.3, 1, size=(90, 8))
    told = kid(x, y, subsets=200)
    assert told == kid(x, y, subsets=200) and told.low < told.mean < told.high and told.n == 60
    assert told.mean == pytest.approx(mmd(x, y), abs=0.02)


class Given(torch.nn.Module):
    """Pictures that hold their features."""

    def forward(self, pictures):
        return pictures.flatten(1)[:, :12].double()


def test_torchmetrics_says_the_same():
    rng = np.random.default_rng(2)
    x, y = rng.random((40, 3, 2, 2)), rng.random((50, 3, 2, 2)) ** 2
    theirs = FrechetInceptionDistance(feature=Given(), normalize=True, input_img_size=(3, 2, 2))
    theirs.inception.double()
    theirs.set_dtype(torch.float64)
    # They are given as 8 bits.
    x, y = (np.rint(z * 255).astype(np.uint8) for z in (x, y))
    theirs.normalize = False
    theirs.update(torch.from_numpy(x), real=True)
    theirs.update(torch.from_numpy(y), real=False)
    ours = [z.reshape(len(z), 12).astype(float) for z in (x, y)]
    assert frechet(*ours) == pytest.approx(theirs.compute().item(), rel=1e-6)
    same = [z[:40] / 255 for z in ours]  # their kernel wants sets of one size
    assert mmd(*same) == pytest.approx(poly_mmd(*map(torch.from_numpy, same)).item(), rel=1e-9)


@pytest.mark.parametrize("shapes", [((3, 4), (3, 5)), ((1, 4), (9, 4)), ((4,), (4,))])
def test_sets_that_cannot_be_compared_are_refused(shapes):
    with pytest.raises(ParameterError, match="cannot be compared"):
        frechet(*map(np.ones, shapes))
