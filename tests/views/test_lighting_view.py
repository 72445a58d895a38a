import numpy as np
import pandas as pd
import pytest
from rendered_set import make_set

from wbme.base.errors import ParameterError
from wbme.data import rendered
from wbme.data.relit import Lamp
from wbme.views import lighting as view
from wbme.views import lighting_figures as figures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    people, drawing, rows = make_set(tmp_path_factory.mktemp("set"), views=3, size=96)
    return [view.scene(row, rendered.layers(people, drawing, row["id"])) for row in rows]


LAMPS = view.lamps([-2.0, 0.0])


@pytest.fixture(scope="module")
def frame(scenes):
    return pd.DataFrame([row for one in scenes for row in view.measure(one, LAMPS)])


def of(frame, recipe, light):
    return frame[(frame["recipe"] == recipe) & (frame["light"] == light)]


def test_neutral_light_needs_nothing(frame):
    assert of(frame, "none", "0 EV")["delta_e00"].max() < 1
    assert (of(frame, "none", "-2 EV")["delta_e00"] > 10).any()


def test_absolute_makes_all_skins_alike_and_adaptive_keeps_them_apart(frame):
    white = frame[frame["light"].str.endswith("EV")]
    spread = {
        r: white[white["recipe"] == r].groupby("Monk")["L"].mean().std() for r in ("absolute", "adaptive")
    }
    assert spread["absolute"] < 0.5 * spread["adaptive"]


def test_adaptive_brings_a_dim_drawing_nearer(frame):
    for recipe in ("adaptive", view.BEFORE):
        dim = of(frame, recipe, "-2 EV")["delta_e00"].mean()
        assert dim < 0.7 * of(frame, "none", "-2 EV")["delta_e00"].mean()


def test_tables_and_figures_hold_every_recipe(scenes, frame):
    table = view.table(frame)
    assert list(table["recipe"]) == list(view.ALL) and not table.isna().any().any()
    worst = view.worst(frame)
    assert set(worst["light"]) <= set(LAMPS)
    kept = {one.monk: one for one in scenes}
    assert figures.failures(kept, LAMPS, worst).shape[1] == len(view.ALL) * 232 + 12
    assert figures.sheet(scenes[0], {"0 EV": Lamp()}).shape[1] == 200 + 24
    assert len(figures.sweep(frame).axes) == 2
    assert len(figures.by_tone(frame).axes) == len(figures.SHOWN) + 1
    assert figures.closer(scenes[0], "absolute", -1.0, "warm", 0.5).shape == (96, 288, 3)
    told = " ".join(view.findings(frame))
    assert "Absolute" in told and "nan" not in told


def test_a_photograph_in_which_nothing_is_seen_is_one_row(scenes):
    rows = view.measure(scenes[2], {"sun": Lamp(ev=30.0)})
    assert [row["blind"] for row in rows] == [True]


def test_exposures_must_hold_what_all_is_compared_with():
    for stops in ([-1.0, 1.0], [0.0, 9.0], [0.0, float("nan")]):
        with pytest.raises(ParameterError, match="exposures"):
            view.lamps(stops)


def test_a_view_without_skin_is_refused(scenes):
    from dataclasses import replace

    bare = replace(scenes[0].layers, labels=np.zeros_like(scenes[0].layers.labels))
    assert not view.shows_skin(bare)
    with pytest.raises(ParameterError, match="shows no skin"):
        view.scene({"id": "0001", "identity": "p", "facts": {"monk": 1}}, bare)
