import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.synth.texture import Texture, flatten, grade, in_steps, l0_smooth, soft_steps

PLAIN = Texture(lift=1, contrast=0, saturation=1)


def noisy_step(size=64, noise=0.03):
    rgb = np.full((size, size, 3), 0.3, np.float32)
    rgb[:, size // 2 :] = 0.7
    return rgb + np.random.default_rng(0).normal(0, noise, rgb.shape).astype(np.float32)


def test_l0_keeps_the_edge_and_drops_the_noise():
    out = l0_smooth(np.clip(noisy_step(), 0, 1), 0.01)
    left, right = out[8:-8, 4:28], out[8:-8, 36:60]
    assert left.std() < 0.005 and right.std() < 0.005
    assert right.mean() - left.mean() == pytest.approx(0.4, abs=0.02)
    jump = np.abs(np.diff(out[:, :, 0], axis=1))[8:-8]
    assert (jump.argmax(axis=1) == 31).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (37, 41)])
def test_any_size_comes_back_with_its_colours(shape):
    rgb = np.broadcast_to(np.float32([0.2, 0.5, 0.8]), (*shape, 3)).copy()
    np.testing.assert_allclose(flatten(rgb, PLAIN), rgb, atol=0.01)


def test_flat_pixels_become_more():
    rgb = np.clip(noisy_step(), 0, 1)
    for settings in (Texture(), PLAIN):
        change = np.abs(np.diff(flatten(rgb, settings), axis=1)).max(2)
        assert (change < 0.01).mean() > 0.85 > (np.abs(np.diff(rgb, axis=1)).max(2) < 0.01).mean()


def test_grade_lifts_lightness_and_chroma_and_keeps_black_and_white():
    rgb = np.array([[[0, 0, 0], [1, 1, 1], [0.4, 0.3, 0.25]]], np.float32)
    out = grade(rgb, Texture())
    np.testing.assert_allclose(out[0, :2], rgb[0, :2], atol=2e-3)
    assert out[0, 2].mean() > rgb[0, 2].mean() and np.ptp(out[0, 2]) > np.ptp(rgb[0, 2])
    np.testing.assert_allclose(grade(rgb, PLAIN), rgb, atol=2e-3)


@given(levels=st.floats(1, 20), softness=st.floats(0, 1), phase=st.floats(0, 1), seed=st.integers(0, 99))
def test_steps_stay_near_rise_with_their_input_and_rest_on_the_levels(levels, softness, phase, seed):
    y = np.sort(np.random.default_rng(seed).random(200)).astype(np.float32)
    out = soft_steps(y, levels, softness, phase)
    assert np.abs(out - y).max() <= 0.5 / levels + 1e-4
    assert (np.diff(out) >= -1e-5).all()
    k = np.arange(0, int(levels))
    on = ((k + phase) / levels).astype(np.float32)
    np.testing.assert_allclose(soft_steps(on + np.float32(1e-5), levels, softness, phase), on, atol=1e-3)


def test_a_sky_gets_no_contours_and_a_rough_place_gets_them():
    ramp = np.repeat(np.linspace(0.3, 0.6, 400, dtype=np.float32)[:, None], 80, axis=1)
    sky = np.repeat(ramp[..., None], 3, axis=2)
    assert np.abs(in_steps(sky, Texture()) - sky).max() < 0.01
    steep = np.repeat(np.linspace(0.0, 1.0, 80, dtype=np.float32)[None], 80, axis=0)
    steep = np.repeat(steep[..., None], 3, axis=2)
    out = in_steps(steep, Texture(levels=4))
    assert np.abs(out - steep).max() > 0.05
    assert in_steps(sky, Texture(levels=0)) is sky


@pytest.mark.parametrize("wrong", [{"flat": 0}, {"levels": -1}, {"softness": 2}, {"lift": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match="Texture"):
        Texture(**wrong)


def test_no_picture_is_refused():
    with pytest.raises(ParameterError):
        flatten(np.zeros((4, 4), np.float32))
