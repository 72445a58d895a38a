"""The fairness report: a model that whitens is caught on drawn people, mending helps, figures say what is."""

import numpy as np
import pandas as pd
import pytest
from rendered_set import make_set

from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.color.tones import ita
from wbme.metrics import fairness
from wbme.synth.composite import UNDER
from wbme.views import fairness as fair
from wbme.views import fairness_figures as figures
from wbme.views.skin_reflection import cases

pytestmark = pytest.mark.slow


def whitened(rgb):
    """All ITA drawn half-way towards 40 degrees, by L* alone: b* and so the colour's name stay."""
    lab = srgb_to_lab(rgb).astype(np.float64)
    b = np.maximum(lab[..., 2], 1e-3)
    lab[..., 0] = 50 + b * np.tan(np.radians(40 + 0.5 * (ita(lab[..., 0], b) - 40)))
    return np.clip(lab_to_srgb(lab), 0, 1).astype(np.float32)


DRAWS = {"input": lambda rgb: rgb, "whitener": whitened}


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    people, drawing, rows = make_set(tmp_path_factory.mktemp("set"), views=6, size=96)
    lights = ["albedo", "neutral", "dim"]
    return [cases(people, {"plain": drawing}, row, None, lights) for row in rows]


@pytest.fixture(scope="module")
def rows(views):
    return [row for seen in views for row in fair.measure(seen, DRAWS, ["whitener"])]


@pytest.fixture(scope="module")
def summary(rows):
    return fairness.summary(rows, fewest=2)


def of(summary, method, light="albedo"):
    return next(r for r in summary if (r["method"], r["light"]) == (method, light))


def test_who_keeps_the_skin_passes_and_who_whitens_by_half_has_slope_one_half(summary):
    kept, white = of(summary, "input"), of(summary, "whitener")
    assert kept["median"] < 0.5 and kept["slope"] == pytest.approx(1, abs=0.02) and kept["gap"] < 0.5
    assert white["slope"] == pytest.approx(0.5, abs=0.03)
    assert white["tone"] == 9 and white["worst"] > 15 and white["gap"] > 10
    assert set(fairness.verdicts(white).values()) == {fairness.MISSED}


def test_colouring_by_the_exact_mask_mends_it_and_without_a_parser_nothing_is_touched(summary):
    white = of(summary, "whitener")
    mended = of(summary, "whitener" + fair.COLOURED_EXACTLY)
    assert mended["median"] < 1 and mended["slope"] == pytest.approx(1, abs=0.03)
    for way in (fair.COLOURED, fair.COLOURED_METERED, fair.EVENED):
        assert of(summary, "whitener" + way)["median"] == white["median"]


def test_dim_light_shows_in_the_photograph_and_in_what_is_learnt_from_it(summary):
    for method in ("input", fair.TARGET):
        assert of(summary, method, "dim")["median"] > of(summary, method, "neutral")["median"] + 5


def test_beside_the_target_stands_what_its_recipes_rival_would_have_made(views, summary):
    toned, mean = (of(summary, fair.TARGET + way, "neutral") for way in ("", fair.BY_MEAN))
    assert toned["median"] != mean["median"]
    one = views[0][0]
    target, rival = (fair.targets(one, "neutral")[fair.TARGET + way] for way in ("", fair.BY_MEAN))
    np.testing.assert_array_equal(rival, fair.target(one, "neutral", "Lab mean"))
    away = ~np.isin(one.layers.labels, list(UNDER))
    np.testing.assert_array_equal(target[away], rival[away])


def test_measuring_twice_gives_the_same(views, rows):
    again = [row for seen in views[::-1] for row in fair.measure(seen, DRAWS, ["whitener"])]
    of_both = [pd.DataFrame(fairness.summary(some, fewest=2)) for some in (rows, again)]
    pd.testing.assert_frame_equal(*of_both)


def test_tables_say_who_is_too_few_and_what_is_met(rows, summary):
    tones = pd.DataFrame(fairness.by_tone(rows, fewest=3))
    shown = figures.tone_table(tones)
    assert set(shown["neutral"]) == {fairness.UNKNOWN} and set(shown["people"]) == {2}
    table = figures.summary_table(summary).set_index(["method", "light"])
    assert table.loc[("whitener", "neutral"), "goal 1 ± 0.05"] == fairness.MISSED
    assert table.loc[("whitener", "dim"), "goal ≤ 2"] == "-"
    assert "Monk 9" in table.loc[("whitener", "neutral"), "worst tone"]
    names = [name for name, *_ in figures.numbers(summary, ["whitener"])]
    assert names == [f"fairness_{what}/whitener" for what in ("median", "worst", "gap", "slope")]
    lines = figures.findings(summary, ["whitener"], "whitener")
    assert "by tone, exact mask" in lines[-1] and len(lines) == 2


def test_the_heat_map_writes_numbers_where_there_are_any_and_hatches_the_rest(rows):
    tones = pd.DataFrame(fairness.by_tone(rows, fewest=2))
    panel = figures.heat(tones, ["input", "whitener"]).axes[1]
    wanted = tones[tones["method"] == "whitener"]["median"]
    assert sorted(t.get_text() for t in panel.texts) == sorted(f"{v:.1f}" for v in wanted)
    assert len(panel.patches) == 30 - len(wanted)


def test_the_forest_shows_each_tone_with_its_interval(rows, summary):
    tones = pd.DataFrame(fairness.by_tone(rows, fewest=2))
    left, right = figures.forest(tones, pd.DataFrame(summary), ["input", "whitener"], "plain").axes
    own = tones[(tones["method"] == "whitener") & (tones["light"] == "neutral")]
    marks = left.containers[1].lines[0].get_xdata()
    np.testing.assert_allclose(marks[:-1], own["median"])
    bars = left.containers[1].lines[2][0].get_segments()
    np.testing.assert_allclose([s[:, 0] for s in bars][:3], own[["low", "high"]].to_numpy())
    assert [t.get_text() for t in right.get_yticklabels()] == ["albedo", "neutral", "dim"]


def test_one_person_is_shown_with_every_way_to_mend(views):
    sheet = figures.closer(views[0][0], "neutral", "whitener", whitened)
    assert sheet.ndim == 3 and np.isfinite(sheet).all() and sheet.shape[1] > 5 * 230
