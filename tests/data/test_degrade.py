import numpy as np
import pytest

from wbme.base.seeds import generator
from wbme.data.degrade import degrade


@pytest.fixture
def rgb():
    return np.random.default_rng(0).random((40, 56, 3), np.float32)


def test_no_strength_leaves_the_picture_as_it_is(rgb):
    assert degrade(rgb, generator(0), 0) is rgb


def test_the_same_seed_gives_the_same_faults_and_another_seed_others(rgb):
    one, again, other = (degrade(rgb, generator(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.02
    assert one.shape == rgb.shape and one.dtype == np.float32
    assert one.min() >= 0 and one.max() <= 1


def test_more_strength_does_more(rgb):
    change = [np.abs(degrade(rgb, generator(3), s) - rgb).mean() for s in (0.1, 0.5, 1.0)]
    assert change == sorted(change) and change[0] > 0
