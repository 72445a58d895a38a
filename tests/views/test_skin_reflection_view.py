from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rendered_set import make_set

from wbme.data import rendered
from wbme.views import skin_reflection as view


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    people, character, rows = make_set(tmp_path_factory.mktemp("set"), views=3, size=96)
    return [view.case(row, rendered.layers(people, character, row["id"])) for row in rows]


@pytest.fixture(scope="module")
def frame(cases):
    return pd.DataFrame([row for one in cases for row in view.measure(one)])


def test_the_albedo_leads_to_the_oracle_and_leaves_the_rest_alone(frame):
    ours = frame[(frame["source"] == "albedo") & (frame["method"] == view.OURS)]
    assert len(ours) == 3
    assert (ours["delta E00"] < 0.5).all() and (ours["elsewhere"] == 0).all()
    assert view.slope(ours) == pytest.approx(1, abs=0.02)


def test_without_reflection_all_skins_are_alike(frame):
    none = frame[(frame["source"] == "albedo") & (frame["method"] == "none")]
    assert view.slope(none) == pytest.approx(0, abs=1e-6)
    assert none["delta E00"].max() > 20


def test_the_shift_on_the_whole_person_changes_what_is_no_skin(frame):
    whole = frame[frame["method"] == "whole person, Lab"]
    assert (whole["elsewhere"] > 1).any()


def test_a_face_that_was_found_gives_the_source_mean_and_nothing_else(cases):
    one = cases[1]
    found = replace(one, predicted=np.where(one.skin, 1.0, 0.0).astype(np.float32))
    rows = pd.DataFrame(view.measure(found)).set_index(["source", "mask", "method"])
    exact, predicted = (rows.loc[("photo", mask, view.OURS)] for mask in ("exact", "predicted"))
    assert predicted["delta E00"] == pytest.approx(exact["delta E00"], abs=1e-3)
    assert len(view.measure(replace(one, predicted=None))) == 2 * len(view.METHODS)


def test_the_table_has_a_row_a_method_with_its_worst_tone(frame):
    table = view.table(frame)
    exact = table[table["mask"] == "exact"]
    assert len(exact) == 2 * len(view.METHODS) and (exact["views"] == 3).all()
    worst = frame[(frame["source"] == "photo") & (frame["mask"] == "exact") & (frame["method"] == view.OURS)]
    worst = worst.sort_values("delta E00").iloc[-1]
    [told] = exact[(exact["source"] == "photo") & (exact["method"] == view.OURS)]["worst tone"]
    assert told == f"{worst['delta E00']:.2f} (Monk {worst['Monk']})"
    assert list(view.by_tone(frame)["Monk"].unique()) == [1, 5, 9]


def test_reflection_leaves_no_rim_at_the_lines(cases):
    """Half-covered pixels of a line lie over the new skin, not over the character's."""
    dark = cases[2]
    made = view.METHODS[view.OURS](dark, dark.pictures["albedo"], dark.skin)
    region = dark.region & (dark.layers.ink < 0.9)
    assert made[region].max() <= max(dark.pictures["oracle"][region].max(), 0.96) + 1e-3
    np.testing.assert_allclose(made[~dark.region], dark.pictures["palette"][~dark.region], atol=1e-6)


def test_one_skin_has_no_slope(frame):
    assert np.isnan(view.slope(frame[:1]))


def test_the_pictures_show_every_tone(cases, frame):
    sheet = view.tones(cases)
    assert sheet.shape[1] == 3 * (192 + 12) + 12
    made = view.closer(cases[0], 1.0, "lab", "albedo")
    assert made.shape[1] == 4 * made.shape[0]
    none = view.closer(cases[0], 0.0, "lab", "photo", stacked=False)
    np.testing.assert_allclose(none[1], none[2], atol=1e-5)
    figure = view.ita_figure(frame)
    assert [axes.get_title() for axes in figure.axes] == ["colour from the photo", "colour from the albedo"]
    summary = view.by_tone(frame)
    labels = view.tone_figure(summary).axes[0].get_legend().get_texts()
    assert len(labels) == len(summary[["source", "mask"]].drop_duplicates())
