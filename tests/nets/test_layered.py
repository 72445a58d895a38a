"""The tone graph: levels where they are promised, flats that stay flat, ink where the logit says."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wbme.nets import layered


@given(st.floats(0, 1), st.sampled_from([3.0, 6.0, 8.5]))
def test_the_phase_puts_a_level_on_the_skin(skin, levels):
    phase = layered.phase_of(skin, levels)
    assert 0 <= phase < 1
    y = torch.full((1, 1, 8, 8), skin)
    assert torch.allclose(layered.quantised(y, levels, phase, 0.3), y, atol=1e-5)


@given(st.floats(0, 1), st.floats(0.02, 1))
def test_quantising_is_monotone_and_never_moves_more_than_half_a_step(phase, softness):
    y = torch.linspace(0, 1, 2001).reshape(1, 1, 1, -1)
    out = layered.quantised(y, 5.0, phase, softness)
    assert (out.diff(dim=-1) >= -1e-5).all()
    assert (out - y).abs().max() <= 0.5 / 5 + 1e-4


def test_hard_tones_are_flat():
    y = torch.linspace(0, 1, 4001).reshape(1, 1, 1, -1)
    out = layered.quantised(y, 6.0, 0.25, 0.2)
    assert (out.diff(dim=-1).abs() < 1e-6).float().mean() > 0.75


def test_smoothing_keeps_a_flat_and_an_edge_and_removes_a_texture():
    flat = torch.full((1, 1, 64, 64), 0.4)
    assert torch.allclose(layered.smoothed(flat), flat, atol=1e-5)
    texture = flat + 0.01 * torch.randn(1, 1, 64, 64, generator=torch.manual_seed(0))
    assert layered.smoothed(texture).std() < 0.4 * texture.std()
    edge = torch.cat([flat, flat + 0.5], 3)
    kept = layered.smoothed(edge)[..., 48:80]
    assert kept[..., -1].mean() - kept[..., 0].mean() > 0.45


@given(st.integers(0, 2**16), st.floats(0.001, 1))
def test_what_is_crisp_stays_within_what_was_around_it(seed, contrast):
    y = contrast * torch.rand(1, 1, 32, 40, generator=torch.manual_seed(seed))
    out = layered.crisp(y)
    assert y.min() - 1e-5 <= out.min() and out.max() <= y.max() + 1e-5
    flat = torch.full_like(y, contrast)
    assert torch.allclose(layered.crisp(flat), flat, atol=1e-6)


def test_steps_are_sharpened_and_what_is_faint_is_flattened():
    places = torch.arange(64.0)
    blurred = (0.3 + 0.4 * torch.sigmoid((places - 31.5) / 2)).expand(1, 1, 64, 64)
    steepest = [y[0, 0, 32].diff().max() for y in (blurred, layered.crisp(blurred))]
    assert steepest[1] > 1.3 * steepest[0]
    faint = 0.5 + 0.008 * torch.sin(places).expand(1, 1, 64, 64)
    assert layered.crisp(faint).std() < 0.5 * faint.std()


def test_ink_follows_logit_threshold_and_gain():
    z = torch.zeros(1, 1, 8, 8)
    assert torch.allclose(layered.ink_alpha(z), torch.full_like(z, 0.5))
    assert layered.ink_alpha(z, 2.0, 3.0).max() < 0.01
    assert layered.ink_alpha(z, -2.0, 3.0).min() > 0.99
    z[0, 0, 4, 4] = 16
    around = layered.ink_alpha(z)[0, 0, 3:6, 3:6].logit()
    assert torch.allclose(around, torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]), atol=1e-4)


def test_tone_keeps_grey_grey_and_saturation_scales_chroma():
    base = torch.full((1, 3, 32, 32), 0.5)
    out = layered.tone(base, 6.0, layered.phase_of(0.5, 6.0), 0.3, 1.0, 1.0)
    assert torch.allclose(out, base, atol=1e-4)
    base[:, 0] += 0.2
    values = [layered.tone(base, 64.0, 0.0, 1.0, s, 1.0) for s in (0.0, 1.0)]
    assert (values[0][:, 0] - values[0][:, 2]).abs().max() < 1e-5
    assert (values[1][:, 0] - values[1][:, 2]).mean() == pytest.approx(0.2, abs=1e-4)


def test_a_batch_with_a_phase_and_levels_for_each_picture_equals_the_pictures_one_by_one():
    torch.manual_seed(0)
    base, logit = torch.rand(3, 3, 16, 24), torch.randn(3, 1, 16, 24)
    phase, levels = torch.tensor([0.1, 0.5, 0.8]), torch.tensor([4.0, 6.0, 9.0])
    each = (value[:, None, None, None] for value in (levels, phase))
    together = layered.tone(base, *each, 0.3, 1.2, 0.8)
    alpha = layered.ink_alpha(logit, phase[:, None, None, None], 2.0)
    for k in range(3):
        alone = layered.tone(base[k : k + 1], levels[k], phase[k], 0.3, 1.2, 0.8)
        assert torch.allclose(together[k], alone[0], atol=1e-6)
        assert torch.allclose(alpha[k], layered.ink_alpha(logit[k : k + 1], phase[k], 2.0)[0], atol=1e-6)


def test_composing_is_a_straight_mix():
    base, ink = torch.full((1, 3, 4, 4), 0.8), torch.tensor([0.1, 0.2, 0.3]).reshape(1, 3, 1, 1)
    assert torch.allclose(layered.compose(base, torch.ones(1, 1, 4, 4), ink), ink.expand(1, 3, 4, 4))
    assert torch.allclose(layered.compose(base, torch.zeros(1, 1, 4, 4), ink), base)
