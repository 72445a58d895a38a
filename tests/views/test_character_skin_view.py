from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rendered_set import make_set

from wbme.base.errors import ParameterError
from wbme.color.spaces import srgb_to_lab
from wbme.views import character_skin as view
from wbme.views import skin_reflection

LIGHT = "neutral"


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    people, drawing, rows = make_set(tmp_path_factory.mktemp("set"), views=3, size=96)
    found = [
        one for row in rows for one in skin_reflection.cases(people, {"plain": drawing}, row, None, [LIGHT])
    ]
    labels = found[0].layers.labels.copy()
    labels[70:, 40:56] = 17  # the parser takes the neck for hair,
    labels[20:26, 30:60] = 1  # and a stripe of hair for skin
    return [replace(one, parsed={LIGHT: labels}) for one in found]


def test_face_and_body_take_the_characters_skin_and_nothing_else_does(cases):
    frame = pd.DataFrame([row for one in cases for row in view.measure(one, LIGHT)])
    assert set(frame["part"]) == {"face", "body"}
    ours = frame[(frame["method"] == "by tone") & (frame["mask"] == "exact")]
    assert (ours["delta E00"] < 1).all() and (ours["missed"] == 0).all() and (ours["touched"] < 6).all()
    before = frame[(frame["method"] == "none") & (frame["mask"] == "exact")]
    assert before["delta E00"].max() > 20
    erring = frame[(frame["method"] == "by tone") & (frame["mask"] == "predicted")]
    assert erring[erring["part"] == "body"]["missed"].max() > 50 and (erring["touched"] > 1).any()
    table = view.table(frame)
    assert len(table) == 2 * 2 * (len(view.CHOSEN) + 1) and not table.isna().any().any()
    exact = view.by_label(cases[2], LIGHT, "exact")
    assert exact.pop("u_lip") > 1 and max(exact.values()) < 0.1  # lips go along with the skin
    leaks = pd.Series(view.by_label(cases[2], LIGHT, "predicted")).drop("u_lip")
    leaks = leaks.sort_values(ascending=False)
    assert leaks.index[0] == "hair" and leaks["cloth"] < 0.1
    assert "hair" in view.findings(frame, leaks)[-2]


def test_the_slider_goes_from_ones_own_skin_to_the_characters(cases):
    one = cases[2]
    at = {a: view.coloured(one, view.OWN, "by tone", LIGHT, amount=a) for a in (0.0, 0.5, 1.0)}
    np.testing.assert_allclose(at[0.0], one.oracle, atol=1e-3)
    own, half, full = (srgb_to_lab(at[a][one.skin]).mean(0) for a in at)
    np.testing.assert_allclose(half, (own + full) / 2, atol=0.5)


def test_any_colour_is_a_skin(cases):
    blue = view.coloured(cases[0], "#8fb0e6", "Lab mean", LIGHT)
    np.testing.assert_array_equal(blue, view.coloured(cases[0], "blue", "Lab mean", LIGHT))
    wanted = srgb_to_lab(np.array([0x8F, 0xB0, 0xE6]) / 255)
    np.testing.assert_allclose(srgb_to_lab(blue[cases[0].skin]).mean(0), wanted, atol=0.5)
    for wrong in ("sky", "#12345", "#12345g"):
        with pytest.raises(ParameterError, match="is no colour"):
            view.coloured(cases[0], wrong, "Lab mean", LIGHT)
    with pytest.raises(ParameterError, match="the parser found no skin"):
        view.coloured(replace(cases[0], parsed={}), view.OWN, "Lab mean", LIGHT, "predicted")


def test_sheets_show_the_most_telling_views(cases):
    few = view.telling(cases, LIGHT, most=2)
    assert len({one.identity for one in few}) == 2
    assert view.sheet(few, LIGHT, "exact").shape[1] == 5 * 252 + 12
    assert view.slider(few[0], [view.OWN, "blue"], LIGHT).shape[1] == 6 * 232 + 12
    made = view.closer(few[0], "blue", 0.5, "by tone", LIGHT, "predicted")
    assert made.shape[1] == 2 * made.shape[0]
