"""FFHQ alignment against cases computed by hand, to 1e-3 pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.geometry.alignment import ffhq_crop, ffhq_quad
from wbme.geometry.transforms import apply, invert, warp

# Eyes 20 apart on y = 50, mouth 20 below: x = (40, 0), centre (50, 52).
FRONTAL = np.array([[40.0, 50.0], [60.0, 50.0], [50.0, 70.0]])
FRONTAL_QUAD = np.array([[10.0, 12.0], [10.0, 92.0], [90.0, 92.0], [90.0, 12.0]])


def turned(points: np.ndarray, degrees: float, about=(0.0, 0.0)) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (points - about) @ np.array([[c, s], [-s, c]]) + about


def ramp(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.dstack([x / 2048, y / 2048, 0 * x]).astype(np.float32)


def positions(crop) -> np.ndarray:
    """What the crop of a ramp says about where its pixels come from."""
    return crop.rgb[..., :2].astype(float) * 2048


def grid(size: int) -> np.ndarray:
    v, u = np.mgrid[:size, :size]
    return np.dstack([u, v])


def test_frontal_face_by_hand():
    np.testing.assert_allclose(ffhq_quad(FRONTAL), FRONTAL_QUAD, atol=1e-9)


def test_turned_by_180_by_hand():
    points = np.array([[60.0, 50.0], [40.0, 50.0], [50.0, 30.0]])
    expected = [[90, 88], [90, 8], [10, 8], [10, 88]]
    np.testing.assert_allclose(ffhq_quad(points), expected, atol=1e-9)


def test_turned_by_30_by_hand():
    # The frontal case turned about the eyes' midpoint (50, 50): cos 30 = 0.8660254, sin 30 = 0.5.
    points = [[41.339746, 45.0], [58.660254, 55.0], [40.0, 67.320508]]
    # Centre (50 - 0.1 * 10, 50 + 0.1 * 17.320508); x = (34.641016, 20), y = (-20, 34.641016).
    centre, x, y = np.array([49.0, 51.732051]), np.array([34.641016, 20.0]), np.array([-20.0, 34.641016])
    expected = [centre - x - y, centre - x + y, centre + x + y, centre + x - y]
    np.testing.assert_allclose(ffhq_quad(points), expected, atol=1e-3)
    np.testing.assert_allclose(ffhq_quad(points), turned(FRONTAL_QUAD, 30, (50, 50)), atol=1e-3)


def test_far_mouth_decides_the_size_by_hand():
    # Eyes 20 apart, mouth 30 below: x = (20 + 30, 0) normalised, times max(40, 54).
    quad = ffhq_quad([[40, 50], [60, 50], [50, 80]])
    np.testing.assert_allclose(quad, [[-4, -1], [-4, 107], [104, 107], [104, -1]], atol=1e-9)


def test_mouth_to_the_side_turns_the_quad_by_hand():
    # E = (20, 0), M = (10, 20): x = (20 + 20, -10) / sqrt(1700), times max(40, 1.8 sqrt(500)) = 40.2492.
    quad = ffhq_quad([[40, 50], [60, 50], [60, 70]])
    x = np.array([40.0, -10.0]) / 41.231056 * 40.249224
    y, centre = np.array([-x[1], x[0]]), np.array([51.0, 52.0])
    np.testing.assert_allclose(
        quad, [centre - x - y, centre - x + y, centre + x + y, centre + x - y], atol=1e-3
    )


def test_scale_moves_the_centre():
    np.testing.assert_allclose(ffhq_quad(FRONTAL, scale=0.0), FRONTAL_QUAD - [0, 2], atol=1e-9)


@given(st.floats(-180, 180), st.floats(0.2, 20), st.floats(-300, 300), st.floats(-300, 300), st.floats(-8, 8))
def test_quad_moves_turns_and_scales_with_the_face(degrees, scale, dx, dy, skew):
    points = FRONTAL + np.array([[0, 0], [0, skew], [skew / 2, 0]])
    moved = turned(points, degrees) * scale + [dx, dy]
    expected = turned(ffhq_quad(points), degrees) * scale + [dx, dy]
    np.testing.assert_allclose(ffhq_quad(moved), expected, atol=1e-3)


def test_all_point_sets_agree():
    corners = [[45.0, 70.0], [55.0, 70.0]]
    np.testing.assert_allclose(ffhq_quad([*FRONTAL[:2], *corners]), FRONTAL_QUAD, atol=1e-9)
    sixty_eight = np.zeros((68, 2))
    ring = 3 * np.array([[np.cos(t), np.sin(t)] for t in np.arange(6) * np.pi / 3])
    sixty_eight[36:42], sixty_eight[42:48] = FRONTAL[0] + ring, FRONTAL[1] + ring
    sixty_eight[48], sixty_eight[54] = corners
    np.testing.assert_allclose(ffhq_quad(sixty_eight), FRONTAL_QUAD, atol=1e-9)


@pytest.mark.parametrize("degrees", [0, 30, 180, -75])
@pytest.mark.parametrize("size", [160, 80, 64])
def test_crop_within_the_picture_is_exact(degrees, size):
    points = turned(FRONTAL, degrees) - turned(FRONTAL, degrees).mean(0) + [150, 160]
    crop = ffhq_crop(ramp(320, 310), points, size)
    quad = ffhq_quad(points)
    across, down = (quad[3] - quad[0]) / size, (quad[1] - quad[0]) / size
    expected = quad[0] + (grid(size)[..., :1] + 0.5) * across + (grid(size)[..., 1:] + 0.5) * down
    np.testing.assert_allclose(positions(crop), expected, atol=1e-3)
    np.testing.assert_allclose(apply(crop.to_picture, grid(size)), expected, atol=1e-3)


def test_shrunk_crop_says_where_it_comes_from():
    # A quad of 1600 pixels at 128: the picture is shrunk int(1600 / 128 / 2) = 6 times first.
    points = FRONTAL * 20
    crop = ffhq_crop(ramp(2000, 2001), points, 128)
    np.testing.assert_allclose(positions(crop), apply(crop.to_picture, grid(128)), atol=0.02)
    ideal = ffhq_quad(points)[0] + (grid(128) + 0.5) * 12.5
    assert np.abs(apply(crop.to_picture, grid(128)) - ideal).max() < 6, "off by a shrunk pixel or more"


def test_padding_mirrors_the_picture_at_its_border_and_softens_it():
    picture = ramp(100, 100)
    crop = ffhq_crop(picture, FRONTAL - [30, 0], 80)  # the quad's left edge lies at x = -20
    where = apply(crop.to_picture, grid(80))
    np.testing.assert_allclose(where[0, 0], [-19.5, 12.5], atol=1e-3)
    inside = where[..., 0] > 9  # beyond a third of the padding (24) nothing is blurred
    np.testing.assert_allclose(positions(crop)[inside], where[inside], atol=1e-3)
    x = positions(crop)[40, :20, 0]
    assert (np.diff(x) < 0).all(), "the mirrored side does not run backwards"
    assert 2 < x[10] < 25  # about 9 before the fade to the median colour


def test_a_face_close_to_every_border_keeps_its_size():
    picture = np.full((60, 50, 3), 0.25, np.float32)
    crop = ffhq_crop(picture, FRONTAL - [25, 25], 256)
    assert crop.rgb.shape == (256, 256, 3)
    np.testing.assert_allclose(crop.rgb, 0.25, atol=1e-5)


def test_paste_back_through_the_inverse_restores_the_picture():
    y, x = np.mgrid[:300, :300]
    picture = np.dstack([np.sin(x / 30), np.cos(y / 25), np.sin((x + y) / 40)]).astype(np.float32) / 2 + 0.5
    crop = ffhq_crop(picture, turned(FRONTAL, 30) + np.array([120, 60]), 256)
    back = warp(crop.rgb, invert(crop.to_picture), (300, 300))
    middle = np.rint(crop.quad.mean(0)).astype(int)
    part = np.s_[middle[1] - 25 : middle[1] + 25, middle[0] - 25 : middle[0] + 25]
    assert np.abs(back - picture)[part].max() < 2e-3


@pytest.mark.parametrize(
    "points",
    [np.ones((3, 2)), [[1, 2], [3, 4]], np.zeros(6), [[0, 0], [np.nan, 1], [1, 1]], FRONTAL + 5000],
)
def test_what_cannot_be_aligned_is_told_in_a_sentence(points):
    with pytest.raises(ParameterError):
        ffhq_crop(np.zeros((100, 100, 3), np.float32), points, 64)
