"""Maps of the plane and resampling: exact positions, nothing aliased, nothing shifted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.geometry.transforms import Square, apply, compose, invert, warp


def ramp(height: int, width: int) -> np.ndarray:
    """A picture whose first two channels say where each pixel is."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x, y, 0 * x]).astype(np.float32)


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.5, 90), st.floats(-4, 4))
def test_inverse_and_composition(x, y, side, angle):
    matrix = Square(x, y, side, angle).matrix()
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.3, 0.8]])
    np.testing.assert_allclose(apply(invert(matrix), apply(matrix, points)), points, atol=1e-9)
    np.testing.assert_allclose(apply(compose(invert(matrix), matrix), points), points, atol=1e-9)
    np.testing.assert_allclose(apply(matrix, [0.5, 0.5]), [x, y], atol=1e-9)


def test_square_turns_clockwise_on_the_screen():
    top_left, top_right = apply(Square(10, 10, 4, np.pi / 2).matrix(), [[0, 0], [1, 0]])
    np.testing.assert_allclose(top_left, [12, 8], atol=1e-9)
    np.testing.assert_allclose(top_right, [12, 12], atol=1e-9)


def test_crop_of_the_whole_picture_is_the_picture():
    picture = np.random.default_rng(0).random((32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(Square(15.5, 15.5, 32).crop(picture, 32), picture, atol=1e-6)


@pytest.mark.parametrize("size", [240, 90, 31, 12])
@pytest.mark.parametrize("angle", [0.0, 0.5, 3.0])
def test_crop_shows_what_lies_there_at_any_reduction(size, angle):
    square = Square(101.3, 97.8, 120, angle)
    crop = square.crop(ramp(200, 210), size)
    v, u = np.mgrid[:size, :size]
    expected = apply(square.matrix(), (np.dstack([u, v]) + 0.5) / size)
    # The outermost pixels mix in the border, which a reduced copy of the picture moves.
    np.testing.assert_allclose(crop[..., :2], expected, atol=2e-3)


def test_reduction_averages_and_does_not_alias():
    stripes = np.zeros((256, 256), np.float32)
    stripes[:, ::2] = 1
    crop = Square(127.5, 127.5, 256).crop(stripes, 16)
    np.testing.assert_allclose(crop, 0.5, atol=1e-5)


@pytest.mark.parametrize(("outside", "value"), [("zero", 0.0), ("edge", 1.0)])
def test_beyond_the_border(outside, value):
    white = np.ones((20, 20, 3), np.float32)
    for side in (40, 400):
        crop = Square(9.5, 9.5, side).crop(white, 40, outside=outside)
        assert crop[0, 0].tolist() == [value] * 3
        assert crop[20, 20].tolist() == [1.0] * 3


def test_warp_through_a_map_and_back_restores_the_picture():
    y, x = np.mgrid[:80, :100]
    smooth = np.dstack([np.sin(x / 15), np.cos(y / 12), np.sin((x + y) / 20)]).astype(np.float32)
    matrix = Square(50, 40, 150, 0.4).matrix() @ np.diag([1 / 300, 1 / 300, 1])
    back = warp(warp(smooth, matrix, (300, 300)), invert(matrix), (80, 100))
    assert np.abs(back - smooth)[5:-5, 5:-5].max() < 5e-3
