import numpy as np
import pytest

from wbme.color import skin
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import wrap

# Number, hex, L, a, b, ITA and hue of the Monk Skin Tone swatches, to one decimal.
MONK = """
1 f6ede4 94.2 1.5 5.4 83.0 74.6
2 f3e7db 92.3 2.1 7.3 80.2 74.2
3 f7ead0 93.1 .2 14.2 71.7 89.1
4 eadaba 87.6 .5 17.8 64.7 88.5
5 d7bd96 77.9 3.5 23.1 50.3 81.5
6 a07e56 55.1 7.8 26.8 10.9 73.8
7 825c43 42.5 12.3 20.5 -20.1 59.0
8 604134 30.7 11.7 13.3 -55.4 48.8
9 3a312a 21.1 2.7 6.0 -78.3 65.7
10 292420 14.6 1.5 3.5 -84.3 67.2
"""


def test_monk_swatches_match_the_table():
    rows = [line.split() for line in MONK.split("\n") if line]
    assert [(str(tone.number), tone.hex) for tone in skin.MONK] == [(r[0], "#" + r[1]) for r in rows]
    found = np.array([[t.L, t.a, t.b, t.ita, t.hue] for t in skin.MONK])
    off = np.abs(found - np.array([r[2:] for r in rows], float))
    # Two of the fifty numbers lie just beyond a rounding limit (26.74 for 26.8, 74.53 for 74.6).
    assert (off <= 0.05 + 1e-9).sum() >= 48
    assert off.max() < 0.08


def test_ita_and_hue_of_known_colours():
    assert skin.ita(60, 10) == pytest.approx(45)
    assert skin.ita(50, 20) == pytest.approx(0)
    assert skin.ita(30, 20) == pytest.approx(-45)
    assert skin.hue(10, 10) == pytest.approx(45)
    assert skin.hue(0, 5) == pytest.approx(90)
    assert skin.hue(5, -5) == pytest.approx(-45)
    assert skin.hue(-5, 0) == pytest.approx(180)
    assert skin.hue(0, 0) == 0


def test_ita_does_not_jump_where_b_changes_its_sign():
    assert skin.ita(80, 0) == pytest.approx(90)
    assert skin.ita(80, -0.1) - skin.ita(80, 0.1) < 1


def test_ita_equals_the_published_quotient_for_yellowish_colours():
    L, b = np.meshgrid(np.linspace(0, 100, 41), np.linspace(0.5, 40, 41))
    np.testing.assert_allclose(skin.ita(L, b), np.degrees(np.arctan((L - 50) / b)), atol=1e-10)


def test_ita_classes_lie_strictly_above_their_bounds():
    assert list(skin.ita_class([90, 55.1, 55, 41, 28, 10, -30, -31])) == [
        *("very light", "very light", "light", "intermediate", "tan", "brown", "dark", "dark")
    ]
    assert [str(skin.ita_class(t.ita)) for t in skin.MONK] == (
        ["very light"] * 4 + ["light", "tan", "brown"] + ["dark"] * 3
    )


def test_quadrants():
    assert list(skin.quadrant([61, 61, 60, 59], [56, 55, 56, 54])) == [
        *("light yellow", "light red", "dark yellow", "dark red")
    ]


def test_monk_class_of_the_swatches_and_of_neighbours():
    lab = np.array([[t.L, t.a, t.b] for t in skin.MONK])
    assert list(skin.monk_class(lab)) == list(range(1, 11))
    assert skin.monk_class(srgb_to_lab(np.array([0.62, 0.49, 0.34]))) == 6
    assert skin.monk_class([0, 0, 0]) == 10
    assert skin.monk_class(np.tile(lab[2], (4, 5, 1)).astype(np.float32)).tolist() == [[3] * 5] * 4


def test_wrap():
    np.testing.assert_allclose(wrap([0, 180, -180, 181, 540, -190, 359]), [0, 180, 180, -179, 180, 170, -1])


def test_nothing_measured_has_no_name():
    nan = np.nan
    assert skin.ita_class(nan) == "" and list(skin.ita_class([nan, 60])) == ["", "very light"]
    assert skin.quadrant(nan, nan) == ""
    assert list(skin.quadrant([nan, 61, 61], [56, nan, 56])) == ["", "", "light yellow"]
    assert skin.monk_class([nan, 0, 0]) == 0
    assert list(skin.monk_class([[50, nan, 3], [0, 0, 0]])) == [0, 10]
