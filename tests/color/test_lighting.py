import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.color.lighting import EDGES, measure
from wbme.color.spaces import linear_to_srgb


def grey(luminance):
    """A grey picture of this linear luminance ``H x W``."""
    return linear_to_srgb(np.repeat(np.asarray(luminance, np.float32)[..., None], 3, axis=2))


def test_flat_grey():
    light = measure(grey(np.full((20, 30), 0.18)))
    assert light.mean == pytest.approx(0.18, abs=1e-4)
    assert all(v == pytest.approx(0.18, abs=1e-4) for v in light.percentiles.values())
    assert light.side == pytest.approx(0, abs=1e-6) and light.under == 0 and light.over == 0
    assert light.histogram.sum() == pytest.approx(1)
    bin_of_grey = np.searchsorted(EDGES, 49.5) - 1  # 18 % grey is L* 49.5
    assert light.histogram[bin_of_grey] == pytest.approx(1)


def test_mean_is_of_light_not_of_code_values():
    half = np.zeros((10, 10))
    half[:5] = 1
    light = measure(grey(half))
    assert light.mean == pytest.approx(0.5, abs=1e-6)
    assert light.under == pytest.approx(0.5) and light.over == pytest.approx(0.5)
    assert light.percentiles[5] == 0 and light.percentiles[95] == pytest.approx(1)


@pytest.mark.parametrize("width", [1, 2, 7, 10])
def test_side_of_the_light(width):
    ramp = np.tile(np.linspace(0.2, 0.6, width), (8, 1))
    right, left = measure(grey(ramp)).side, measure(grey(ramp[:, ::-1])).side
    assert right == pytest.approx(-left, abs=1e-5)
    assert right > 0.1 if width > 1 else right == 0


def test_side_looks_at_the_mask_not_at_the_frame():
    picture = np.full((10, 40), 0.9)
    picture[:, 20:30], picture[:, 30:] = 0.2, 0.6
    mask = np.zeros((10, 40), np.float32)
    mask[:, 20:] = 1
    assert measure(grey(picture), mask).side == pytest.approx(0.5, abs=1e-3)
    assert measure(grey(np.zeros((4, 4)))).side == 0


def test_weights_of_a_soft_mask():
    picture = np.full((4, 4), 0.2)
    picture[2:] = 0.6
    mask = np.ones((4, 4))
    mask[2:] = 0.5
    assert measure(grey(picture), mask).mean == pytest.approx((0.2 + 0.5 * 0.6) / 1.5, abs=1e-4)


def test_a_large_picture_is_read_on_a_grid_that_never_misses_the_mask():
    picture = grey(np.tile(np.linspace(0.1, 0.5, 300), (300, 1)))
    assert measure(picture, max_pixels=900).mean == pytest.approx(measure(picture).mean, abs=0.01)
    thin = np.zeros((300, 300))
    thin[7] = 1
    assert measure(picture, thin, max_pixels=10).mean > 0


def test_bad_input_is_named():
    with pytest.raises(ParameterError, match="empty"):
        measure(grey(np.ones((4, 4))), np.zeros((4, 4)))
    with pytest.raises(ParameterError, match="height x width x 3"):
        measure(np.zeros((4, 4), np.float32))
