"""Bootstrap intervals: they cover what they promise, and say nothing where nothing is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.base.statistics import bootstrap


def test_the_interval_of_a_normal_sample_is_that_of_the_textbook():
    values = np.random.default_rng(1).normal(10, 2, 400)
    found = bootstrap(values)
    half = 1.96 * values.std() / math.sqrt(400)
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)
    assert found.n == 400


def test_intervals_cover_the_true_mean_as_often_as_they_say():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(300):
        found = bootstrap(rng.exponential(1.0, 60), share=0.8, resamples=400)
        hits += found.low <= 1.0 <= found.high
    assert 0.72 < hits / 300 < 0.86


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.integers(0, 1000))
def test_the_interval_lies_within_the_values_and_repeats_by_seed(values, seed):
    found = bootstrap(values, resamples=200, seed=seed)
    room = 1e-9 * max(map(abs, values)) + 1e-12
    assert min(values) - room <= found.low <= found.high <= max(values) + room
    assert found == bootstrap(values, resamples=200, seed=seed)


def test_blocks_do_not_change_the_result(monkeypatch):
    values = np.arange(50.0)
    whole = bootstrap(values, resamples=1000)
    monkeypatch.setattr("wbme.base.statistics._BLOCK", 50 * 7)
    assert bootstrap(values, resamples=1000) == whole


def test_one_value_has_a_mean_and_no_interval():
    found = bootstrap([3.5])
    assert found.mean == 3.5 and found.n == 1
    assert math.isnan(found.low) and math.isnan(found.high)


@pytest.mark.parametrize(
    ("values", "options"),
    [([], {}), ([1.0, math.nan], {}), ([1.0, 2.0], {"share": 1.0}), ([1.0, 2.0], {"resamples": 0})],
)
def test_bad_input_is_refused(values, options):
    with pytest.raises(ParameterError, match="bootstrap"):
        bootstrap(values, **options)
