"""Pixel distribution: exact shares of pictures whose labels are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wbme.base.errors import ParameterError
from wbme.geometry.parsing import INDEX
from wbme.metrics.distribution import pixel_distribution


def test_shares_of_a_known_picture_band_by_band():
    labels = np.zeros((40, 10), np.uint8)
    labels[:20, :5] = INDEX["hair"]
    labels[20:, :8] = INDEX["cloth"]
    labels[20:, 8:] = INDEX["body_skin"]
    shares = pixel_distribution([labels], bands=4)
    np.testing.assert_allclose(shares, [[0.5, 0, 0.5]] * 2 + [[0, 1, 0]] * 2)


def test_pictures_weigh_the_same_whatever_their_size():
    head, nothing = np.full((64, 64), INDEX["skin"], np.uint8), np.zeros((128, 256), np.uint8)
    np.testing.assert_allclose(pixel_distribution([head, nothing]).mean(0), [0.5, 0, 0.5])


@given(st.lists(arrays(np.uint8, (9, 7), elements=st.integers(0, 19)), min_size=1, max_size=4))
def test_every_band_adds_up_to_one(maps):
    np.testing.assert_allclose(pixel_distribution(maps, bands=4).sum(1), 1)


def test_no_map_and_too_many_bands_are_refused():
    with pytest.raises(ParameterError, match="at least one"):
        pixel_distribution([])
    with pytest.raises(ParameterError, match="fewer bands"):
        pixel_distribution([np.zeros((8, 8), np.uint8)], bands=9)
