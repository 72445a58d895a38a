import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wbme.base.errors import ParameterError
from wbme.color import skin
from wbme.color.distributions import compare, density
from wbme.color.spaces import lab_to_srgb

RANGES = {"x_range": (20, 100), "y_range": (0, 100)}


def cloud(n=5000, seed=0):
    return np.random.default_rng(seed).multivariate_normal([60, 50], [[60, 20], [20, 40]], n).T


def pixels(L, a, b, spread=1.0, seed=0):
    lab = np.array([L, a, b]) + np.random.default_rng(seed).normal(0, spread, (60, 60, 3))
    return skin.sample(lab_to_srgb(lab, clip=False).astype(np.float32), np.ones((60, 60)), sigma=0)


def test_density_agrees_with_the_kernel_estimate_of_scipy():
    x, y = cloud()
    y = np.random.default_rng(1).permutation(y)  # scipy's kernel leans with correlated axes, ours not
    found = density(x, y, bins=160, **RANGES)
    grid = np.stack(np.meshgrid(found.x, found.y)).reshape(2, -1)
    exact = stats.gaussian_kde(np.stack([x, y]))(grid).reshape(160, 160)
    assert np.abs(found.values - exact).max() < 0.03 * exact.max()


def test_density_is_normalised_and_peaks_where_the_points_are():
    x, y = cloud()
    found = density(x, y, **RANGES)
    cell = (found.x[1] - found.x[0]) * (found.y[1] - found.y[0])
    assert found.values.sum() * cell == pytest.approx(1)
    row, column = np.unravel_index(found.values.argmax(), found.values.shape)
    assert abs(found.x[column] - 60) < 3 and abs(found.y[row] - 50) < 3


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_level_encloses_the_share(share):
    found = density(*cloud(), **RANGES)
    held = found.values[found.values >= found.level(share)].sum() / found.values.sum()
    assert share <= held < share + 0.02


def test_weights_and_bandwidth():
    x, y = np.array([40.0, 80.0]), np.array([50.0, 50.0])
    found = density(x, y, weights=[3, 1], bandwidth=0.1, **RANGES)
    left = found.values[:, found.x < 60].sum() / found.values.sum()
    assert left == pytest.approx(0.75, abs=1e-3)
    assert density(*cloud(), bandwidth=3, **RANGES).values.max() < density(*cloud(), **RANGES).values.max()


@pytest.mark.parametrize(
    "x, y, options, words",
    [
        ([500.0], [50.0], {}, "no point lies in"),
        ([], [], {}, "no point lies in"),
        ([50.0, 60.0], [50.0], {}, "equal length"),
        ([50.0], [50.0], {"bins": 0}, "at least one bin"),
        ([50.0], [50.0], {"bandwidth": 0}, "positive bandwidth"),
        ([50.0], [50.0], {"x_range": (3, 3)}, "rising ranges"),
    ],
)
def test_density_names_bad_input(x, y, options, words):
    with pytest.raises(ParameterError) as error:
        density(x, y, **(RANGES | options))
    assert words in str(error.value)


def test_comparison_of_a_shifted_sample():
    found = compare(pixels(70, 12, 18), pixels(60, 12, 18))
    assert found.difference["L"] == pytest.approx(-10, abs=0.01)
    assert found.wasserstein["L"] == pytest.approx(10, abs=0.01)
    assert found.difference["a"] == pytest.approx(0, abs=0.01) and found.wasserstein["hue"] < 0.5
    assert found.difference["ita"] < -15
    assert found.delta_e00 == pytest.approx(8.2, abs=0.3)


def test_a_sample_compared_with_itself_is_zero():
    found = compare(pixels(50, 10, 20), pixels(50, 10, 20))
    values = [*found.difference.values(), *found.wasserstein.values(), found.delta_e00]
    np.testing.assert_allclose(values, 0, atol=1e-6)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_wasserstein_agrees_with_scipy(n, m, seed):
    rng = np.random.default_rng(seed)
    tables = []
    for count in (n, m):
        table = np.zeros(count, pixels(50, 10, 20).dtype)
        table["L"], table["a"], table["b"] = rng.normal(60, 9, count), 10, 20
        table["weight"] = rng.uniform(0.1, 1, count)
        tables.append(table)
    one, two = tables
    expected = stats.wasserstein_distance(one["L"], two["L"], one["weight"], two["weight"])
    assert compare(one, two).wasserstein["L"] == pytest.approx(expected, abs=1e-4)


def test_hue_difference_takes_the_short_way_round():
    one, two = pixels(60, -20, 3, 0.1), pixels(60, -20, -3, 0.1)
    assert compare(one, two).difference["hue"] == pytest.approx(2 * np.degrees(np.arctan2(3, 20)), abs=0.2)


def test_an_empty_sample_is_named():
    with pytest.raises(ParameterError, match="no pixel"):
        compare(pixels(60, 10, 10)[:0], pixels(60, 10, 10))
