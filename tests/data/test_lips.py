"""Paler lips: where they are, how far they go, and that nothing else changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.data.lips import pale_lips
from wbme.geometry.parsing import INDEX

SKIN, RED = np.float32([0.8, 0.6, 0.5]), np.float32([0.6, 0.2, 0.2])


@pytest.fixture
def face():
    """A plain face with closed lips: its picture and its labels."""
    labels = np.full((96, 96), INDEX["skin"], np.uint8)
    labels[60:64, 30:66], labels[64:70, 34:62] = INDEX["u_lip"], INDEX["l_lip"]
    lips = np.isin(labels, [INDEX["u_lip"], INDEX["l_lip"]])
    return np.where(lips[..., None], RED, SKIN), labels


def test_lips_go_towards_the_skin_and_the_lower_one_shines(face):
    rgb, labels = face
    found = [pale_lips(rgb, labels, np.random.default_rng(seed)) for seed in range(40)]
    upper = np.float32([one[61:63, 40:56].mean((0, 1)) for one in found])
    way = (upper - RED) / (SKIN - RED)
    assert way.min() > 0.1
    assert way.max() < 1.2
    assert way.std() > 0.15, "by chance"
    assert np.ptp(way, axis=1).max() < 0.01, "each channel by the same share"
    shine = [one[66:68, 44:52].mean() - one[61:63, 44:52].mean() for one in found]
    assert min(shine) > -0.02
    assert max(shine) > 0.15


def test_what_is_no_lip_stays(face):
    rgb, labels = face
    away = np.ones(labels.shape, bool)
    away[54:76, 24:72] = False
    np.testing.assert_array_equal(pale_lips(rgb, labels, np.random.default_rng(1))[away], rgb[away])


@pytest.mark.parametrize("label", ["skin", "mouth", "background"])
def test_a_picture_without_lips_or_skin_is_returned_as_it_is(label):
    rgb = np.random.default_rng(0).random((32, 32, 3), np.float32)
    out = pale_lips(rgb, np.full((32, 32), INDEX[label], np.uint8), np.random.default_rng(0))
    assert out is rgb


@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([16, 31, 64]))
@settings(max_examples=30, deadline=None)
def test_whatever_the_labels_pictures_stay_pictures(seed, size):
    rng = np.random.default_rng(seed)
    rgb = rng.random((size, size, 3), np.float32)
    out = pale_lips(rgb, rng.integers(0, 20, (size, size), np.uint8), rng)
    assert (out.shape, out.dtype) == (rgb.shape, np.float32)
    assert np.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 1
