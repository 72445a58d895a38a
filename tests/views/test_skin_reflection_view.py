from dataclasses import replace

import pandas as pd
import pytest
from rendered_set import make_set

from wbme.base.errors import ParameterError
from wbme.views import skin_reflection as view
from wbme.views import skin_reflection_figures as figures

pytestmark = pytest.mark.slow
LIGHTS = ["albedo", "neutral", "dim"]


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    people, drawing, rows = make_set(tmp_path_factory.mktemp("set"), views=3, size=96)
    found = [one for row in rows for one in view.cases(people, {"plain": drawing}, row, None, LIGHTS)]
    # What a parser that errs by a stripe of hair would say.
    parsed = {light: found[0].layers.labels.copy() for light in ("neutral", "dim")}
    for labels in parsed.values():
        labels[20:26, 30:60] = 1
    return [replace(one, parsed=parsed) for one in found]


@pytest.fixture(scope="module")
def frame(cases):
    return pd.DataFrame([row for one in cases for row in view.measure(one)])


def of(frame, method, light="albedo", mask="exact"):
    return frame[(frame["method"] == method) & (frame["light"] == light) & (frame["mask"] == mask)]


def test_the_albedo_leads_to_the_oracle_and_leaves_the_rest_alone(frame):
    for method in (view.TALK, view.OURS, "Reinhard"):
        ours = of(frame, method)
        assert len(ours) == 3 and (ours["delta E00"] < 0.7).all()
        assert (ours["touched"] < 6).all()  # the lips, which go along
        assert view.slope(ours) == pytest.approx(1, abs=0.03)


def test_without_reflection_all_skins_are_alike(frame):
    assert view.slope(of(frame, view.NONE)) == pytest.approx(0, abs=1e-6)
    assert of(frame, view.NONE)["delta E00"].max() > 20


def test_the_shift_on_the_whole_person_changes_what_is_no_skin(frame):
    assert (of(frame, "Lab mean, region")["touched"] > 20).any()


def test_a_mask_that_errs_leaks(frame):
    exact, predicted = (of(frame, view.TALK, "neutral", mask) for mask in ("exact", "predicted"))
    assert (predicted["touched"].to_numpy() > exact["touched"].to_numpy() + 2).all()


def test_dim_light_makes_skins_darker_than_the_meter_lets_them_be(frame):
    plain, metered = (of(frame, method, "dim")["ITA out"].mean() for method in (view.OURS, view.METERED))
    assert plain < metered


def test_the_table_has_a_row_a_method_and_mask_with_its_worst_tone(frame):
    table = view.table(frame, ["neutral"])
    assert len(table) == 2 * len(view.ALL) and not table.isna().any().any()
    part = of(frame, view.OURS, "neutral").sort_values("delta E00").iloc[-1]
    [told] = table[(table["method"] == view.OURS) & (table["mask"] == "exact")]["worst tone"]
    assert told == f"{part['delta E00']:.1f} (Monk {part['Monk']})"
    assert sorted(view.by_group(frame, "Monk")["Monk"].unique()) == [1, 5, 9]
    one_skin = view.table(frame[frame["Monk"] == 1], ["neutral"])
    assert set(one_skin["slope"]) == {"one skin"}


def test_the_figures_show_every_tone_method_and_light(cases, frame):
    assert figures.tones(cases, "neutral").shape[1] == 3 * (192 + 12) + 12
    assert figures.methods(cases[0], "neutral").shape[0] == 2 * (240 + 12 + 22) + 12
    assert figures.lights(cases[0]).shape[1] == 3 * (200 + 12) + 12
    made = figures.closer(cases[0], "neutral", view.TALK, "predicted", 1.0)
    assert made.shape[1] == 4 * made.shape[0]
    lights = view.by_group(frame, "light")
    figure = figures.curve(lights, "light")
    assert [axes.get_title() for axes in figure.axes] == ["exact mask", "predicted mask"]
    assert len(figures.ita_figure(frame, ["neutral", "dim"]).axes) == 2
    told = " ".join(figures.findings(frame))
    assert "whitewash slope" in told and "nan" not in told


def test_a_character_in_its_own_proportions_and_unknown_lights_are_left_out(tmp_path):
    people, drawing, rows = make_set(tmp_path, views=1, size=64)
    (drawing / rows[0]["id"] / "correspondence.npz").write_bytes(b"")
    assert view.cases(people, {"plain": drawing}, rows[0], None, ["albedo"]) == []
    with pytest.raises(ParameterError, match="unknown light 'noon'"):
        view.cases(people, {"plain": drawing}, rows[0], None, ["noon"])
