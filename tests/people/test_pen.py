"""Strokes and shapes: they cover the area that geometry says, whatever the resolution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.people import pen


def drawn(size, points, width):
    canvas = pen.Canvas(size)
    canvas.stroke(points, width)
    return canvas.coverage()


@given(st.floats(1, 6), st.floats(0, float(np.pi)))
def test_a_straight_stroke_covers_its_length_times_its_width_and_round_ends(width, angle):
    way = np.array([np.cos(angle), np.sin(angle)])
    points = np.array([32.0, 32]) + np.linspace(-20, 20, 41)[:, None] * way
    area = drawn((64, 64), points, width).sum()
    assert area == pytest.approx(40 * width + np.pi * width**2 / 4, abs=11)  # a sub-pixel is a quarter wide


def test_a_filled_square_covers_exactly_its_pixels():
    canvas = pen.Canvas((8, 6))
    canvas.fill([[(2, 1), (5, 1), (5, 4), (2, 4)]])
    cover = canvas.coverage()
    assert cover[2, 3] == 1 and cover[0].max() == 0 and cover[:, 6].max() == 0
    assert cover.sum() == pytest.approx(9, abs=2)


def test_a_stroke_that_crosses_itself_has_no_hole():
    turn = np.linspace(0, 4 * np.pi, 200)
    points = 32 + 12 * np.stack([np.cos(turn), np.sin(turn)], 1)
    ring = drawn((64, 64), points, 4.0)
    radius = np.hypot(*(np.mgrid[:64, :64] - 31.5))
    assert ring[np.abs(radius - 12) < 1].min() == 1


def test_a_stroke_thins_out_towards_its_ends():
    points = np.stack([np.linspace(4, 60, 57), np.full(57, 16.0)], 1)
    cover = drawn((64, 32), points, 6 * pen.tapered(57, 0.4, 0.4))
    across = cover.sum(0)
    assert across[32] == pytest.approx(6, abs=0.5)
    assert across[32] > across[16] > across[8] > across[5]


def test_a_single_point_or_a_line_off_the_paper_draws_nothing():
    assert drawn((16, 16), [[3, 3]], 2.0).max() == 0
    assert drawn((16, 16), [[-90, -90], [-40, -90]], 2.0).max() == 0


@given(st.integers(2, 40), st.floats(0.3, 8), st.integers(0, 99))
def test_smoothing_keeps_the_ends_of_an_open_line(count, sigma, seed):
    points = np.random.default_rng(seed).normal(size=(count, 2))
    smoothed = pen.smooth(points, sigma)
    np.testing.assert_allclose(smoothed[[0, -1]], points[[0, -1]], atol=1e-9)


def test_a_spline_goes_through_its_points_and_closes():
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4.0]])
    ring = pen.spline(square, 400, closed=True)
    away = np.linalg.norm(ring[:, None] - square, axis=2).min(0)
    assert away.max() < 0.05
    assert np.linalg.norm(ring[0] - ring[-1]) < 0.1


def test_points_that_coincide_make_a_dot_and_no_error():
    np.testing.assert_array_equal(pen.spline([[2, 3], [2, 3]], 5), np.tile([2.0, 3.0], (5, 1)))


def test_outlines_follow_a_mask_in_final_pixels():
    y, x = np.mgrid[:200, :200] + 0.5
    disc = np.hypot(x - 100, y - 100) < 60
    disc[0:3, 0:3] = True  # a speck
    (ring,) = pen.outlines(disc, 2, 2.0, 50)
    radius = np.linalg.norm(ring - 50, axis=1)
    assert abs(radius - 30).max() < 0.7
