"""Fields: pictures through them, folds, and the numerical inverse."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.geometry import fields
from wbme.geometry.inversion import inverse
from wbme.geometry.warps import METHODS, fit

SHAPE = (128, 128)


def scattered(seed, count=9, size=128):
    """Landmarks no nearer to each other than a tenth of the picture, and where they go."""
    rng = np.random.default_rng(seed)
    cells = rng.permutation(25)[:count]
    source = (np.stack(np.divmod(cells, 5), 1) + rng.uniform(0.25, 0.75, (count, 2))) * size / 5
    return source, source + rng.uniform(-0.04, 0.04, (count, 2)) * size


@given(st.integers(0, 10**6), st.sampled_from(METHODS), st.floats(0, 1))
@settings(max_examples=16, deadline=None)
def test_a_point_through_the_inverse_and_back_is_where_it_was(seed, method, strength):
    source, target = scattered(seed)
    field = fields.field(fit(method, source, target, strength), SHAPE)[0]
    back, found = inverse(field)
    there = fields.at(field[None], back.reshape(1, -1, 2))[0].reshape(*SHAPE, 2)
    apart = (there - fields.places(SHAPE)).norm(dim=-1)
    assert apart[found].max() < 0.1
    # What the field reaches without folding is found: the places of its own pixels, away from the border.
    if not fields.folds(field[None]).any():
        reached = field.round().long()[2:-2:5, 2:-2:5].reshape(-1, 2)
        inside = ((reached > 2) & (reached < 125)).all(1)
        assert found[reached[inside, 1], reached[inside, 0]].float().mean() > 0.999


def test_the_inverse_of_a_shift_and_scale_is_exact_and_what_is_not_reached_is_said():
    field = 0.5 * fields.places((64, 64)) + torch.tensor([10.0, 4.0])
    back, found = inverse(field)
    v = (fields.places((64, 64)) - torch.tensor([10.0, 4.0])) * 2
    reached = ((v >= 0) & (v <= 63)).all(-1)
    assert (found == reached).float().mean() > 0.98
    assert (back - v)[found].abs().max() < 0.1


def test_the_inverse_of_a_field_with_gaps():
    field = fields.places((64, 64)) + 3.0
    field[20:30, 20:30] = np.nan
    back, found = inverse(field)
    assert not found[24:31, 24:31].any()
    assert found[5:20, 5:60].all()
    assert torch.isfinite(back).all()


def test_folds_are_where_the_picture_turns_over():
    field = fields.places((40, 40)).clone()
    assert not fields.folds(field[None]).any()
    field[:, 20:, 0] = 40 - field[:, 20:, 0]  # its right half is mirrored
    folded = fields.folds(field[None])[0]
    assert folded[:, 22:].all() and not folded[:, :19].any()


def test_a_picture_through_the_identity_is_itself_and_through_a_shift_shifted():
    picture = torch.rand(1, 3, 30, 40)
    grid = fields.places((30, 40))[None]
    for mode in ("bilinear", "bicubic"):
        torch.testing.assert_close(fields.resampled(picture, grid, mode), picture, atol=2e-5, rtol=0)
        moved = fields.resampled(picture, grid + torch.tensor([2.0, 1.0]), mode)
        torch.testing.assert_close(moved[:, :, 3:-3, 3:-3], picture[:, :, 4:-2, 5:-1], atol=2e-5, rtol=0)


@given(st.integers(0, 10**6), st.sampled_from(("hybrid", "rbf")), st.floats(0, 1))
@settings(max_examples=12, deadline=None)
def test_single_precision_makes_no_difference_that_could_be_seen(seed, method, strength):
    warp = fit(method, *scattered(seed), strength)
    assert warp.single
    exact = fields.field(replace(warp, single=False), SHAPE)
    assert (fields.field(warp, SHAPE) - exact).abs().max() < 2e-3


@given(st.integers(0, 10**6), st.floats(-0.4, 0.4), st.floats(0.1, 3), st.integers(3, 9))
@settings(max_examples=30, deadline=None)
def test_triangles_written_row_by_row_are_those_found_at_each_pixel(seed, shift, size, count):
    """Also where the frame around the landmarks lies partly or wholly outside the picture."""
    pairs = [scattered(seed + n, count) for n in range(2)]
    source, target = (np.stack([size * (one[k] - 64) + 64 + 128 * shift for one in pairs]) for k in (0, 1))
    source, target = (np.clip(points, -45, 145) for points in (source, target))
    try:
        warp = fit("piecewise", source, target)
    except ParameterError:  # what was clipped fell on one place
        return
    off = fields.field(warp, (100, 128)) - fields.dense(warp, (100, 128))
    # A pixel on an edge, within rounding, may be given to either of its triangles.
    assert off.abs().max() < 2e-3


def test_gradients_of_triangles_are_those_of_their_pixels():
    points, ways = (torch.tensor(part) for part in scattered(3))
    found = []
    for draw in (fields.field, fields.dense):
        source, target = points.clone().requires_grad_(), ways.clone().requires_grad_()
        loss = (draw(fit("piecewise", source, target, base="similarity"), SHAPE) / 64).square().sum()
        found.append(torch.autograd.grad(loss, (source, target)))
    for quick, exact in zip(*found, strict=True):
        torch.testing.assert_close(quick, exact, rtol=1e-3, atol=1e-3 * float(exact.abs().max()))
