import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.synth.abstraction import Abstraction, texture_teacher


def place(size=240, noise=0.04, seed=0):
    """A house with a window before a sky, and grain."""
    rgb = np.linspace([0.5, 0.7, 1.0], [0.8, 0.9, 1.0], size, dtype=np.float32)[:, None].repeat(size, 1)
    side = size / 240
    for x0, y0, x1, y1, colour in (
        (60, 90, 180, 240, (0.75, 0.35, 0.25)),
        (95, 120, 145, 180, (0.15, 0.2, 0.3)),
    ):
        rgb[round(y0 * side) : round(y1 * side), round(x0 * side) : round(x1 * side)] = colour
    grain = np.random.default_rng(seed).normal(0, noise, rgb.shape).astype(np.float32)
    return np.clip(rgb + grain, 0, 1)


def test_grain_goes_edges_stay_sharp_and_where_they_were():
    base, ink = texture_teacher(place(), Abstraction(tones=0))
    assert base.shape == (240, 240, 3) and ink.shape == (240, 240) and base.dtype == ink.dtype == np.float32
    for y, x in ((30, 120), (200, 70), (150, 120)):  # sky, wall, window
        assert base[y - 8 : y + 8, x - 4 : x + 4].std(axis=(0, 1)).max() < 0.015
    red = base[200, :, 0]
    blue = base[140, :, 2]
    assert abs(int(np.abs(np.diff(red[40:80])).argmax()) + 40 - 59) <= 1
    assert np.ptp(blue[92:94]) < 0.04 > np.ptp(blue[97:99])  # two pixels from the window's edge it is flat


def test_lines_lie_on_the_contours_and_nowhere_else():
    ink = texture_teacher(place()).ink
    edges = np.zeros((240, 240), np.uint8)
    cv2.rectangle(edges, (60, 90), (180, 250), 1)
    cv2.rectangle(edges, (95, 120), (145, 180), 1)
    near = cv2.dilate(edges, np.ones((9, 9), np.uint8)) > 0
    assert ink[~near].max() < 0.05
    assert (cv2.dilate(ink, np.ones((9, 9)))[edges > 0] > 0.5).mean() > 0.8
    assert texture_teacher(place(), Abstraction(lines=0)).ink.max() == 0
    opaque = Abstraction(opacity=0.5)
    np.testing.assert_allclose(texture_teacher(place(), opaque).ink, ink * (0.5 / 0.9), atol=1e-6)


def test_a_sky_gets_neither_lines_nor_contours():
    ramp = np.linspace(0.4, 0.7, 300, dtype=np.float32)[:, None, None].repeat(200, 1).repeat(3, 2)
    base, ink = texture_teacher(ramp)
    assert ink.max() == 0
    assert np.abs(np.diff(base[20:-20, 100, 0])).max() < 2 / 255


def test_stroke_and_abstraction_take_detail_away_and_tones_make_steps():
    rng = np.random.default_rng(3)
    leaves = place(480, noise=0)
    for _ in range(2000):
        at = tuple(int(v) for v in rng.integers(0, 480, 2))
        cv2.circle(leaves, at, int(rng.integers(2, 6)), tuple(rng.uniform(0.1, 0.7, 3).tolist()), -1)

    def detail(**knobs):
        return np.abs(
            np.diff(texture_teacher(leaves, Abstraction(**{"tones": 0, **knobs})).base, axis=1)
        ).mean()

    assert detail(abstraction=1) > 1.1 * detail(abstraction=2.5) > 1.2 * detail(abstraction=5)
    assert detail(stroke=1) > detail(stroke=3) > detail(stroke=5)
    assert detail(tones=4) > detail(tones=0)


def test_the_size_of_the_picture_changes_little():
    small, large = (texture_teacher(place(size, 0), Abstraction(5, 1)).base for size in (480, 960))
    halved = cv2.resize(large, (480, 480), interpolation=cv2.INTER_AREA)
    assert np.abs(halved - small).mean() < 0.01


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    stroke=st.floats(1, 5),
    abstraction=st.floats(1, 5),
    colour=st.tuples(*[st.floats(0.05, 0.95)] * 3),
)
def test_any_size_is_drawn_and_one_colour_stays_one(shape, stroke, abstraction, colour):
    rgb = np.broadcast_to(np.float32(colour), (*shape, 3)).copy()
    base, ink = texture_teacher(rgb, Abstraction(stroke, abstraction))
    assert base.shape == rgb.shape and ink.shape == shape and ink.max() == 0
    assert np.ptp(base.reshape(-1, 3), axis=0).max() < 2e-3
    again = texture_teacher(rgb, Abstraction(stroke, abstraction))
    assert np.array_equal(base, again.base)


@pytest.mark.parametrize(
    "wrong", [{"stroke": 0.5}, {"abstraction": 6}, {"lines": -1}, {"opacity": 2}, {"tones": 100}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match="Abstraction"):
        Abstraction(**wrong)


def test_no_picture_is_refused():
    with pytest.raises(ParameterError, match="height x width x 3"):
        texture_teacher(np.zeros((4, 4), np.float32))
