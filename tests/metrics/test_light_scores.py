import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.color.spaces import lab_to_srgb
from wbme.metrics.light import form, score

SHAPE = (40, 40)
FULL = np.ones(SHAPE, bool)


def ramp(low, high):
    L = np.broadcast_to(np.linspace(low, high, 40), SHAPE)
    return lab_to_srgb(np.stack([L, 0 * L + 10, 0 * L + 15], axis=-1)).astype(np.float32)


def test_the_reference_itself_is_perfect():
    one = score(ramp(40, 70), ramp(40, 70), FULL, FULL)
    assert one.delta_e00 == pytest.approx(0, abs=1e-3) and one.form == pytest.approx(1)
    assert one.lost == 0 and pytest.approx(55, abs=0.5) == one.L


def test_form_follows_the_shading_and_not_its_level():
    assert score(ramp(10, 20), ramp(40, 70), FULL, FULL).form == pytest.approx(1, abs=1e-3)
    assert score(ramp(70, 40), ramp(40, 70), FULL, FULL).form == pytest.approx(-1, abs=1e-3)
    flat = ramp(50, 50)
    assert score(flat, ramp(40, 70), FULL, FULL).form == 0
    assert np.isnan(score(ramp(40, 70), flat, FULL, FULL).form)


def test_lost_tones_and_noise_are_counted():
    half = ramp(50, 50)
    half[:10], half[10:20] = 0, 1
    assert score(half, ramp(50, 50), FULL, FULL).lost == pytest.approx(0.5)
    smooth, rng = ramp(50, 50), np.random.default_rng(0)
    rough = smooth + rng.normal(0, 0.02, (*SHAPE, 1)).astype(np.float32)
    quiet, loud = (score(p, smooth, FULL, FULL).noise for p in (smooth, rough))
    assert quiet == 0 and 1.5 < loud < 4


def test_bad_input_is_one_sentence():
    good = ramp(40, 70)
    for bad in (
        lambda: score(good, good[:9], FULL, FULL),
        lambda: score(good, good, 0 * FULL, FULL),
        lambda: score(good * np.nan, good, FULL, FULL),
    ):
        with pytest.raises(ParameterError):
            bad()


def test_the_slope_of_form_is_the_share_of_contrast_that_is_kept():
    wanted = np.linspace(40, 70, 90)
    assert form(wanted, wanted) == pytest.approx((1, 1))
    assert form(0.4 * wanted + 20, wanted) == pytest.approx((1, 0.4))
    assert form(100 - wanted, wanted) == pytest.approx((-1, -1))
    in_tones = np.where(wanted > 55, 65.0, 45.0)
    alike, slope = form(in_tones, wanted)
    # Of an even ramp in two tones: correlation sqrt(3) / 2, slope 3 step / (2 range).
    assert (alike, slope) == pytest.approx((np.sqrt(3) / 2, 1.5 * 20 / 30), rel=0.02)
