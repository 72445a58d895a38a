"""Skin against the oracle: known differences, slopes and groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.color.difference import delta_e00
from wbme.color.spaces import lab_to_srgb
from wbme.color.tones import MONK, ita
from wbme.geometry.parsing import INDEX
from wbme.metrics import scores, skin


def flat(lab, size=40):
    return np.broadcast_to(lab_to_srgb(np.asarray(lab, float)), (size, size, 3)).astype(np.float32)


def swatch(number):
    tone = MONK[number - 1]
    return np.array([tone.L, tone.a, tone.b])


MASK = np.ones((40, 40), bool)


def test_the_difference_is_ciede2000_of_the_medians_and_lines_do_not_move_it():
    one, two = swatch(4), swatch(5)
    drawn = flat(one).copy()
    found = skin.compare(drawn, flat(two), MASK)
    assert found.median == pytest.approx(float(delta_e00(one, two)), abs=0.01)
    assert found.mean == pytest.approx(found.median, abs=0.01)
    assert found.ita == pytest.approx(float(ita(one[0], one[2])), abs=0.05)
    drawn[::8] = 0.05
    lined = skin.compare(drawn, flat(two), MASK)
    assert lined.median == pytest.approx(found.median, abs=0.01)
    assert lined.mean > found.mean + 5


def test_equal_skin_is_at_distance_zero_and_what_does_not_fit_is_refused():
    assert skin.compare(flat(swatch(7)), flat(swatch(7)), MASK).median == 0
    for mask in (~MASK, MASK[:-1]):
        with pytest.raises(ParameterError, match="do not fit"):
            skin.compare(flat(swatch(7)), flat(swatch(7)), mask)


def test_face_skin_leaves_out_the_border_the_lips_and_the_neck():
    labels = np.zeros((40, 40), np.uint8)
    labels[10:30, 10:30] = INDEX["skin"]
    labels[18:22, 18:22] = INDEX["u_lip"]
    labels[30:, :] = INDEX["neck"]
    mask = skin.face_skin(labels)
    assert mask[12:28, 12:28].sum() == mask.sum() == 16 * 16 - 8 * 8
    labels[:] = 0
    labels[3, 3:9] = INDEX["nose"]
    assert skin.face_skin(labels).sum() == 6


@given(st.floats(0.1, 1.5), st.floats(-30, 30), st.lists(st.floats(-60, 80), min_size=3, max_size=9))
def test_the_slope_of_a_line_is_found(slope, shift, before):
    before = np.array(before)
    found = skin.whitewash(before, slope * before + shift)
    assert found.shift == pytest.approx((slope - 1) * before.mean() + shift, abs=1e-6)
    if before.std() < 1:
        assert np.isnan(found.slope)
    else:
        assert found.slope == pytest.approx(slope, abs=1e-6)
        assert found.intercept == pytest.approx(shift, abs=1e-4)


def test_everyone_at_one_tone_has_slope_zero_and_gaps_are_refused():
    assert skin.whitewash([60, 20, -40], [50, 50, 50]).slope == 0
    with pytest.raises(ParameterError, match="two finite columns"):
        skin.whitewash([60, np.nan], [1, 2])


def test_a_row_of_skin_names_the_tone_of_the_oracle_and_a_picture_without_a_face_has_none():
    labels = np.full((40, 40), INDEX["skin"], np.uint8)
    row = scores.skin_score(flat(swatch(3)), flat(swatch(6)), flat(swatch(7)), labels)
    assert row["monk"] == 7
    assert row["delta_e00"] == pytest.approx(float(delta_e00(swatch(3), swatch(7))), abs=0.02)
    assert row["ita_in"] == pytest.approx(MONK[5].ita, abs=0.1)
    assert row["ita_out"] == pytest.approx(MONK[2].ita, abs=0.1)
    empty = np.zeros_like(labels)
    none = scores.skin_score(flat(swatch(3)), flat(swatch(6)), flat(swatch(7)), empty)
    assert none.keys() == row.keys() and none["monk"] == 0 and np.isnan(none["delta_e00"])
