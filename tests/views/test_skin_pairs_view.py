"""Pair sets: what the target was before colour reflection is found again, and the curves say what is."""

import json
from dataclasses import replace

import numpy as np
import pytest
import small_pairs
from small_pairs import SETTINGS, composed

from wbme.base.errors import ParameterError
from wbme.color.reflection import mean_lab
from wbme.metrics.skin import face_skin, whitewash
from wbme.synth import compose
from wbme.synth.compose import Drawing
from wbme.views import skin_pairs as view


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return small_pairs.material(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def made(material, tmp_path_factory):
    return composed(tmp_path_factory.mktemp("pairs"), material)


@pytest.fixture(scope="module")
def found(made):
    return view.measured(made, made.rows)


def test_the_target_before_reflection_is_that_of_a_set_composed_without(material, found, tmp_path):
    without = replace(SETTINGS, drawing=replace(SETTINGS.drawing, reflection=False))
    bare = composed(tmp_path / "bare", material, without)
    before = found.faces[found.faces["stage"] == "before"]
    for row, (_, one) in zip(bare.rows, before.iterrows(), strict=True):
        got = bare.load(row, ("tgt", "labels"))
        mask = face_skin(got["labels"])
        inside = np.zeros(mask.shape)
        inside[mask] = 1
        np.testing.assert_allclose(
            one[["L*", "a", "b"]].to_numpy(float), mean_lab(got["tgt"], inside), atol=0.6
        )
    assert [row["lineage"]["reflection"] for row in bare.rows] == [[]] * 3
    same = view.measured(bare, bare.rows).faces
    assert same[same["stage"] == "before"]["L*"].tolist() == same[same["stage"] == "after"]["L*"].tolist()


def test_reflection_takes_one_palette_to_three_skins(found):
    shown = view.table(found).set_index("stage")
    assert float(shown.loc["before", "ITA slope"]) == pytest.approx(0, abs=0.03)
    assert float(shown.loc["after", "ITA slope"]) > 0.8
    error = found.faces.groupby("stage")[view.ERROR].mean()
    assert error["oracle"] == 0 and error["after"] < error["before"] / 2
    [line] = view.findings(found)
    assert shown.loc["before", "ITA slope"] in line and view.findings(None) == []


@pytest.mark.parametrize("drawing", [Drawing("flat"), Drawing("toon")])
def test_a_pair_tells_the_shift_of_its_head(material, drawing):
    row, arrays = compose.pair(material, 0, replace(SETTINGS, drawing=drawing))
    [shift] = row["lineage"]["reflection"]
    assert arrays["shifts"].shape == (1, 3) and shift == pytest.approx(arrays["shifts"][0], abs=1e-3)
    json.dumps(row, allow_nan=False)


def test_lines_have_the_slope_of_their_marks(found):
    left, right = view.slope(found).axes
    faces = found.faces.set_index("stage")
    wanted = whitewash(faces.loc["oracle", "ITA"], faces.loc["after", "ITA"]).slope
    assert f"after: {wanted:.2f}" in [t.get_text() for t in left.get_legend().get_texts()]
    marks = [line for line in right.lines if line.get_marker() != "None"]
    np.testing.assert_allclose(marks[0].get_ydata(), faces.loc["photograph", "L*"])


def test_curves_rise_to_the_share_that_lies_below(found):
    error, ita, _ = view.cdf(found).axes
    assert len(error.lines) == 3 and len(ita.lines) == 4
    own = found.pixels[found.pixels["stage"] == "before"]["ITA"].to_numpy()
    line = next(line for line in ita.lines if "before" in line.get_label())
    x, y = line.get_data()
    np.testing.assert_allclose(y, [100 * np.mean(own <= at) for at in x], atol=1e-6)
    assert (np.diff(y) >= 0).all()


def test_equal_seeds_draw_equal_pixels_and_every_face_as_many(made, found):
    again = view.measured(made, made.rows)
    assert again.pixels.equals(found.pixels)
    assert set(found.pixels.groupby(["pair", "stage"]).size()) == {400}


@pytest.mark.parametrize("name", view.VIEWS)
@pytest.mark.parametrize("tones", list(view.TONES))
def test_any_choice_of_the_cell_is_drawn(found, name, tones):
    figure = view.chosen(found, name, "hue", "photograph", tones)
    figure.canvas.draw()
    assert len(figure.axes) == (1 if name == "slope" else 2)


def test_wrong_names_are_refused_in_a_sentence(found):
    for wrong in (("bars", "ITA", "oracle", "all"), ("slope", "x", "oracle", "all"), ("CDF", "x", "", "all"),
                  ("slope", "ITA", "x", "all"), ("slope", "ITA", "oracle", "11")):  # fmt: skip
        with pytest.raises(ParameterError, match="choose of"):
            view.chosen(found, *wrong)


def test_what_tells_nothing_is_left_out_with_its_reason(made):
    old, photo, pasted = (json.loads(json.dumps(row)) for row in made.rows)
    del old["lineage"]["reflection"]
    photo["oracle"] = None
    pasted["lineage"]["cutface"] = [None, None]
    with pytest.raises(ParameterError, match="1 composed before the shift was kept"):
        view.measured(made, [old, photo, pasted])
    some = view.measured(made, [made.rows[0], photo])
    assert some.left_out == {"without labels or oracle": 1} and some.faces["pair"].nunique() == 1
