"""Line and tone in numbers: the curve of tone against its formula, lines against ink that is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.nets import layered
from wbme.views import tone

unit = st.floats(0, 1, width=32)


@settings(max_examples=40)
@given(y=unit, levels=st.floats(2, 16), phase=unit, softness=st.floats(0.05, 1), lift=st.floats(0.3, 2))
def test_a_flat_field_takes_the_tone_of_the_formula(y, levels, phase, softness, lift):
    flat = torch.full((1, 3, 16, 16), y)
    made = layered.luma(layered.tone(flat, levels, phase, softness, 1.0, lift))[0, 0, 8, 8]
    assert float(made) == pytest.approx(float(tone.response(y, levels, phase, softness, lift)), abs=2e-3)


def test_the_ramp_measures_what_the_formula_says():
    curves = tone.curves()
    assert set(curves["knob"]) == set(tone.CURVES)
    assert (curves["measured"] - curves["exact"]).abs().max() < 1e-4


def test_what_the_controls_promise():
    y = np.linspace(0, 1, 1001)
    assert np.abs(tone.response(y, 16, 0, 1) - y).max() < 1 / 32  # many soft levels change next to nothing
    hard = tone.response(y, 5, 0, 0)
    assert len(np.unique(hard.round(3))) <= 11 and set((5 * hard).round(2)) >= {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}
    for luma in (0.31, 0.5, 0.77):  # a tone lies where the phase puts it
        assert tone.response(luma, 7, layered.phase_of(luma, 7), 0.3) == pytest.approx(luma, abs=1e-6)
    assert (np.diff(tone.response(y, 6, 0.4, 0.5, 0.8)) >= -1e-9).all()


def ring(radius, width=3, size=160):
    """Exact coverage of a ring, its edges one pixel soft."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.clip(width / 2 + 0.5 - np.abs(np.hypot(x, y) - radius), 0, 1).astype(np.float32)


class Pen:
    """Draws a ring of known ink where the threshold is low, and a second, wrong one below it."""

    rgb = np.ones((160, 160, 3), np.float32)

    def ink(self, threshold, gain):
        drawn = ring(50) if threshold < 2 else np.zeros((160, 160), np.float32)
        return np.maximum(drawn, ring(25)) if threshold < -1 else drawn

    def draw(self, controls):
        out = np.full((160, 160, 3), 0.8, np.float32)
        out[:, :: int(controls["levels"])] = 0.2
        return out


@pytest.fixture(scope="module")
def case():
    toon = Pen().draw({"levels": 6})
    return tone.Case("0001", Pen(), {"romance": ring(50)}, {"romance": toon})


def test_lines_are_held_against_the_known_ink(case):
    rows = pd.DataFrame(tone.line_rows(case, 4.0, -0.3))
    known = rows[rows["swept"] == "known"].iloc[0]
    by = rows[rows["swept"] == "threshold"].set_index("value")
    right, more, none = by.loc[0.0], by.loc[-2.0], by.loc[3.0]
    assert (right["precision"], right["recall"], right["F1"]) == (1, 1, 1)
    assert right["density"] == known["density"] == pytest.approx(100 * ring(50).mean())
    assert right["width"] == known["width"] == pytest.approx(3.3, abs=0.4)  # steps aslant count as one pixel
    assert more["recall"] == 1 and more["precision"] == pytest.approx(2 / 3, abs=0.05)
    assert none["recall"] == 0 and none["density"] == 0 and np.isnan(none["width"])
    assert set(rows[rows["swept"] == "gain"]["value"]) == set(tone.GAINS)


def test_the_table_finds_the_setting_that_fits(case):
    lines, flats = pd.DataFrame(tone.line_rows(case, 4.0, -0.3)), pd.DataFrame(tone.flat_rows(case))
    sheet = {"line_threshold": -0.3, "levels": 8.0, "softness": 0.7}
    [row] = tone.fitted(lines, flats, {"romance": sheet}).to_dict("records")
    assert row["best F1"] == 1 and -1 <= row["at threshold"] < 2
    assert -1 <= row["as dense at"] < 2 and row["as flat at"] == 6
    told = tone.findings(tone.curves(), lines, flats, pd.DataFrame([row]))
    assert len(told) == 5 and "nan" not in " ".join(told) and "best F1 1.00" in told[-1]


def test_a_picture_without_a_face_is_shown_whole():
    seen = tone.cut(np.zeros((300, 600, 3), np.float32), [], 256)
    assert seen.rgb.shape == (128, 256, 3) and seen.faces == []
