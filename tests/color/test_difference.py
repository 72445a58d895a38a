import colour
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wbme.base.errors import ParameterError
from wbme.color.difference import delta_e00

# L, a, b of two colours and the difference: table 1 of Sharma, Wu, Dalal (2005).
TABLE = """
50.0000   2.6772 -79.7751  50.0000   0.0000 -82.7485   2.0425
50.0000   3.1571 -77.2803  50.0000   0.0000 -82.7485   2.8615
50.0000   2.8361 -74.0200  50.0000   0.0000 -82.7485   3.4412
50.0000  -1.3802 -84.2814  50.0000   0.0000 -82.7485   1.0000
50.0000  -1.1848 -84.8006  50.0000   0.0000 -82.7485   1.0000
50.0000  -0.9009 -85.5211  50.0000   0.0000 -82.7485   1.0000
50.0000   0.0000   0.0000  50.0000  -1.0000   2.0000   2.3669
50.0000  -1.0000   2.0000  50.0000   0.0000   0.0000   2.3669
50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0009   7.1792
50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0010   7.1792
50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0011   7.2195
50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0012   7.2195
50.0000  -0.0010   2.4900  50.0000   0.0009  -2.4900   4.8045
50.0000  -0.0010   2.4900  50.0000   0.0010  -2.4900   4.8045
50.0000  -0.0010   2.4900  50.0000   0.0011  -2.4900   4.7461
50.0000   2.5000   0.0000  50.0000   0.0000  -2.5000   4.3065
50.0000   2.5000   0.0000  73.0000  25.0000 -18.0000  27.1492
50.0000   2.5000   0.0000  61.0000  -5.0000  29.0000  22.8977
50.0000   2.5000   0.0000  56.0000 -27.0000  -3.0000  31.9030
50.0000   2.5000   0.0000  58.0000  24.0000  15.0000  19.4535
50.0000   2.5000   0.0000  50.0000   3.1736   0.5854   1.0000
50.0000   2.5000   0.0000  50.0000   3.2972   0.0000   1.0000
50.0000   2.5000   0.0000  50.0000   1.8634   0.5757   1.0000
50.0000   2.5000   0.0000  50.0000   3.2592   0.3350   1.0000
60.2574 -34.0099  36.2677  60.4626 -34.1751  39.4387   1.2644
63.0109 -31.0961  -5.8663  62.8187 -29.7946  -4.0864   1.2630
61.2901   3.7196  -5.3901  61.4292   2.2480  -4.9620   1.8731
35.0831 -44.1164   3.7933  35.0232 -40.0716   1.5901   1.8645
22.7233  20.0904 -46.6940  23.0331  14.9730 -42.5619   2.0373
36.4612  47.8580  18.3852  36.2715  50.5065  21.2231   1.4146
90.8027  -2.0831   1.4410  91.1528  -1.6435   0.0447   1.4441
90.9257  -0.5406  -0.9208  88.6381  -0.8985  -0.7239   1.5381
 6.7747  -0.2908  -2.4247   5.8714  -0.0985  -2.2286   0.6377
 2.0776   0.0795  -1.1350   0.9033  -0.0636  -0.5514   0.9082
"""
SHARMA = np.array(TABLE.split(), float).reshape(34, 7)

lab = arrays(
    np.float64, (6, 3), elements=st.floats(-100, 100, allow_subnormal=False).map(lambda v: round(v, 3))
).map(lambda v: np.abs(v) * [1, 0, 0] + v * [0, 1, 1])


def test_published_pairs():
    np.testing.assert_allclose(delta_e00(SHARMA[:, :3], SHARMA[:, 3:6]), SHARMA[:, 6], atol=5e-5)
    np.testing.assert_allclose(delta_e00(SHARMA[:, 3:6], SHARMA[:, :3]), SHARMA[:, 6], atol=5e-5)


def hard_pairs():
    """Neutral axis, hues on either side of 0/360, opposite hues, tiny and huge differences."""
    rng = np.random.default_rng(2)
    one = rng.uniform([0, -110, -110], [100, 110, 110], (6000, 3))
    two = rng.uniform([0, -110, -110], [100, 110, 110], (6000, 3))
    one[:1000, 1:] = 0
    two[500:1500, 1:] *= 1e-4
    angle = rng.normal(0, 3, (2, 1000))
    for colours, h in zip((one, two), np.radians(angle), strict=True):
        colours[1500:2500, 1:] = 40 * np.stack([np.cos(h), np.sin(h)], axis=1)
    two[2500:3500, 1:] = -one[2500:3500, 1:] * rng.uniform(0.5, 1.5, (1000, 1)) + 0.01
    two[3500:4500] = one[3500:4500] + rng.normal(0, 0.1, (1000, 3))
    return one, two


def test_hard_cases_agree_with_colour_science():
    one, two = hard_pairs()
    expected = colour.difference.delta_E_CIE2000(one, two)
    np.testing.assert_allclose(delta_e00(one, two), expected, atol=1e-6)


def test_float32_is_kept_and_close():
    one, two = (v.astype(np.float32) for v in hard_pairs())
    found = delta_e00(one, two)
    assert found.dtype == np.float32
    exact = delta_e00(one.astype(float), two.astype(float))
    steady = np.r_[:2500, 3500:6000]  # between lie opposite hues, where the formula itself jumps
    np.testing.assert_allclose(found[steady], exact[steady], atol=1e-3)


@given(lab, lab)
@settings(deadline=None)
def test_a_difference_is_symmetric_and_not_negative(one, two):
    forth, back = delta_e00(one, two), delta_e00(two, one)
    # At exactly opposite hues the formula itself jumps; elsewhere it is symmetric.
    hues = np.degrees(np.arctan2(one[:, 2], one[:, 1]) - np.arctan2(two[:, 2], two[:, 1])) % 360
    plain = np.abs(hues - 180) > 1
    np.testing.assert_allclose(forth[plain], back[plain], atol=1e-8)
    assert (forth >= 0).all() and np.isfinite(forth).all()
    np.testing.assert_array_equal(delta_e00(one, one), 0)


def test_broadcasting():
    picture = np.zeros((4, 5, 3))
    assert delta_e00(picture, [50, 0, 0]).shape == (4, 5)
    assert delta_e00(picture[..., None, :], np.zeros((10, 3))).shape == (4, 5, 10)
    assert delta_e00([50, 0, 0], [50, 0, 0]) == 0


@pytest.mark.parametrize("one, two", [((4, 3), (5, 3)), ((4, 2), (4, 2)), ((), ())])
def test_shapes_that_do_not_fit_are_named(one, two):
    with pytest.raises(ParameterError, match="delta_e00 wants"):
        delta_e00(np.zeros(one), np.zeros(two))
