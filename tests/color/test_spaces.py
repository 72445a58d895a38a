import colour
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wbme.base.errors import ParameterError
from wbme.color import spaces

D65 = np.array([0.3127, 0.3290])
SRGB = colour.RGB_COLOURSPACES["sRGB"].copy()
SRGB.use_derived_transformation_matrices(True)


def colours(n=20_000):
    """Random sRGB with plenty of dark, bright, grey and saturated colours."""
    rng = np.random.default_rng(1)
    rgb = rng.random((n, 3))
    rgb[: n // 4] **= 4
    rgb[n // 4 : n // 3] = rgb[n // 4 : n // 3, :1]
    rgb[n // 3 : n // 2] = np.round(rgb[n // 3 : n // 2])
    return rgb


unit_rgb = arrays(np.float64, (5, 3), elements=st.floats(0, 1))


def test_every_step_agrees_with_colour_science():
    rgb = colours()
    linear = spaces.srgb_to_linear(rgb)
    np.testing.assert_allclose(linear, colour.models.eotf_sRGB(rgb), atol=1e-12)
    xyz = spaces.linear_to_xyz(linear)
    np.testing.assert_allclose(xyz, linear @ SRGB.matrix_RGB_to_XYZ.T, atol=1e-12)
    lab = spaces.xyz_to_lab(xyz)
    np.testing.assert_allclose(lab, colour.XYZ_to_Lab(xyz, D65), atol=1e-9)
    np.testing.assert_allclose(spaces.srgb_to_lab(rgb), lab, atol=1e-9)
    np.testing.assert_allclose(
        spaces.linear_to_srgb(linear), colour.models.eotf_inverse_sRGB(linear), atol=1e-4
    )


def test_float32_stays_float32_and_within_a_thousandth_of_colour_science():
    rgb = colours().astype(np.float32)
    lab = spaces.srgb_to_lab(rgb)
    assert lab.dtype == np.float32
    expected = colour.XYZ_to_Lab(colour.models.eotf_sRGB(rgb.astype(float)) @ SRGB.matrix_RGB_to_XYZ.T, D65)
    np.testing.assert_allclose(lab, expected, atol=1e-3)
    back = spaces.lab_to_srgb(lab)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, rgb, atol=1e-4)


def test_published_four_digit_matrix_is_met_to_its_digits():
    iec = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    np.testing.assert_allclose(spaces.RGB_TO_XYZ, iec, atol=5e-5)


def test_known_colours():
    rgb = [[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 0, 1]]
    lab = spaces.srgb_to_lab(np.array(rgb, float))
    expected = [[0, 0, 0], [100, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(lab, expected, atol=0.015)


@pytest.mark.parametrize("dtype, limit", [(np.float32, 2e-4), (np.float64, 1e-10)])
def test_grey_is_neutral(dtype, limit):
    grey = np.repeat(np.linspace(0, 1, 256, dtype=dtype)[:, None], 3, axis=1)
    lab = spaces.srgb_to_lab(grey)
    assert np.abs(lab[:, 1:]).max() < limit
    assert (np.diff(lab[:, 0]) > 0).all()


@given(unit_rgb)
@settings(deadline=None)
def test_round_trips(rgb):
    linear = spaces.srgb_to_linear(rgb)
    np.testing.assert_allclose(spaces.linear_to_srgb(linear), rgb, atol=1e-9)
    np.testing.assert_allclose(spaces.lab_to_srgb(spaces.srgb_to_lab(rgb)), rgb, atol=1e-7)


@given(arrays(np.float64, (4, 3), elements=st.floats(-60, 60)))
@settings(deadline=None)
def test_unclipped_lab_survives_outside_the_gamut(ab):
    lab = ab + np.array([40, 0, 0])  # L* from -20 to 100
    back = spaces.srgb_to_lab(spaces.lab_to_srgb(lab, clip=False))
    np.testing.assert_allclose(back, lab, atol=1e-6)


def test_clip_is_the_default_and_only_touches_what_is_outside():
    lab = np.array([[50, 10, 20], [50, 120, -120]], float)
    clipped, free = spaces.lab_to_srgb(lab), spaces.lab_to_srgb(lab, clip=False)
    assert free[1].max() > 1 or free[1].min() < 0
    assert clipped.min() >= 0 and clipped.max() <= 1
    np.testing.assert_array_equal(clipped[0], free[0])


@pytest.mark.parametrize("shape", [(3,), (2, 3), (4, 5, 3), (2, 3, 4, 3), (0, 3)])
def test_any_leading_shape(shape):
    assert spaces.srgb_to_lab(np.full(shape, 0.5, np.float32)).shape == shape
    assert spaces.lab_to_srgb(np.full(shape, 50, np.float32)).shape == shape


@pytest.mark.parametrize(
    "value, words",
    [(np.zeros((4, 4, 3), np.uint8), "divide by 255"), (np.zeros((4, 4)), "(4, 4)"), (0.5, "last axis")],
)
def test_bad_input_is_named(value, words):
    with pytest.raises(ParameterError) as error:
        spaces.srgb_to_lab(value)
    assert words in str(error.value)
