import cv2
import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.synth.ink import Ink, flow_lines, without_specks


def white(size=96):
    return np.ones((size, size, 3), np.float32)


def test_a_dark_line_and_the_dark_side_of_an_edge_become_ink():
    rgb = white()
    cv2.line(rgb, (10, 20), (85, 30), (0.2, 0.2, 0.2), 2, cv2.LINE_AA)
    rgb[60:] = 0.3
    ink = flow_lines(rgb)
    assert ink[25, 47] > 0.6
    assert ink[60:64, 20:76].max(0).min() > 0.5 and ink[54:58].max() < 0.1
    assert ink[40:52].max() == 0 and ink[75:90].max() == 0


def test_flat_places_and_slow_ramps_stay_clean():
    rgb = np.repeat(np.linspace(0.2, 0.9, 120, dtype=np.float32)[:, None, None] * white(120), 1, axis=1)
    assert flow_lines(rgb)[6:-6].max() == 0
    assert flow_lines(np.full((20, 20, 3), 0.5, np.float32)).max() == 0


def test_specks_go_and_lines_stay():
    ink = np.zeros((40, 40), np.float32)
    ink[5, 5:30] = 1
    ink[20:22, 20:22] = 1
    out = without_specks(ink, 10)
    assert out[5, 5:30].min() == 1 and out[20:22, 20:22].max() == 0
    np.testing.assert_array_equal(without_specks(ink, 0), ink)


def test_strength_scales_and_nothing_leaves_zero_to_one():
    rgb = np.random.default_rng(0).random((50, 60, 3), np.float32)
    full, half = (flow_lines(rgb, Ink(strength=s, specks=0)) for s in (1.0, 0.5))
    np.testing.assert_allclose(half, full / 2, atol=1e-6)
    assert full.min() >= 0 and full.max() == 1


@pytest.mark.parametrize("wrong", [{"sigma": 0}, {"threshold": -1}, {"strength": 1.5}, {"gain": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match="Ink"):
        Ink(**wrong)
