"""Views of an evaluation: what stands in the figures is what was measured."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from wbme.metrics import perceptual
from wbme.metrics.fairness import UNKNOWN
from wbme.metrics.scores import ALL, BACKGROUND
from wbme.views import evaluation as view
from wbme.views import speed
from wbme.views.style import BLUE, INK, VERMILION

ZEROS = {"perceptual": 0.0, "flat": 0.0}


def means():
    rows = []
    for method, shift in (("input", 0.0), ("student", 0.2), ("target", np.nan)):
        for measure in ("line F1", "flat share", perceptual.NAME, "eyes L1", "mouth L1"):
            mean = 0.9 if (method, measure) == ("target", "flat share") else 0.4 + shift
            rows.append(
                {"method": method, "measure": measure, "mean": mean, "low": mean - 0.1, "high": mean + 0.1}
            )
    return pd.DataFrame(rows)


def test_intervals_show_each_method_on_its_line_and_the_target_across():
    figure = view.intervals(means())
    line_f1, flat, features = figure.axes[:3]
    assert "MobileNetV2" in features.get_title()
    dots = {
        (round(line.get_xdata()[0], 6), line.get_ydata()[0])
        for line in line_f1.lines
        if len(line.get_xdata()) == 1
    }
    assert dots == {(0.4, 0), (0.6, 1)}
    bar = next(line for line in line_f1.lines if list(line.get_ydata()) == [1, 1])
    np.testing.assert_allclose(bar.get_xdata(), [0.5, 0.7])
    assert [line.get_xdata()[0] for line in flat.lines if line.get_linestyle() == ":"] == [0.9]


def test_skin_tones_show_groups_in_the_order_of_the_scale_and_one_person_without_a_bar():
    tones = pd.DataFrame(
        [
            {"method": "student", "monk": "9-10", "mean": 5.0, "low": np.nan, "high": np.nan},
            {"method": "student", "monk": "1-2", "mean": 2.0, "low": 1.0, "high": 4.0},
        ]
    )
    rows = pd.DataFrame(
        {"method": "student", "monk": [9, 1], "ita_oracle": [-60.0, 70], "ita_out": [-30.0, 70]}
    )
    left, right = view.skin_tones(tones, rows, ["student"]).axes
    assert [t.get_text() for t in left.get_xticklabels()] == ["1-2", "9-10"]
    bars = next(c for c in left.collections).get_segments()
    assert [np.ptp(s[:, 1]) for s in bars] == [0, 3]
    line = right.lines[1]
    np.testing.assert_allclose(line.get_ydata(), [-30, 70])


def picture(*rows, size=64):
    rgb = np.full((size, size, 3), 0.8, np.float32)
    for row in rows:
        rgb[row - 1 : row + 2, 10:54] = 0.1
    return rgb


def colours(image):
    return {tuple(np.round(c, 3)) for c in image.reshape(-1, 3)}


def test_line_errors_are_black_red_and_blue():
    ink, red, blue = (tuple(np.round(np.float32(to_rgb(c)), 3)) for c in (INK, VERMILION, BLUE))
    assert colours(view.line_errors(picture(20), picture(20))) & {ink, red, blue} == {ink}
    found = view.line_errors(picture(20, 40), picture(20, 55))
    assert colours(found) & {ink, red, blue} == {ink, red, blue}
    assert np.allclose(found[40, 30], to_rgb(VERMILION)) and np.allclose(found[55, 30], to_rgb(BLUE))


@pytest.mark.parametrize("layer", view.LAYERS)
def test_closer_shows_input_drawing_and_target(layer):
    versions = {"input": picture(), "student": picture(20), "target": picture(20)}
    sheet = view.closer(versions, "student", layer, cell=64)
    assert sheet.shape[1] == 3 * (64 + 12) + 12
    if layer == "difference":  # of equal pictures: white
        assert sheet[12 + 32, 2 * 12 + 64 + 32] == pytest.approx(1)


def test_examples_have_a_row_a_picture():
    versions = {"input": picture(), "student": picture(20), "target": picture(20)}
    sheet = view.examples([("best", versions, {"student": "0.1"}), ("worst", versions, {})], cell=64)
    assert sheet.shape == (2 * (64 + 15 + 12) + 12, 3 * (64 + 12) + 12, 3)


def test_pixels_fill_the_panel_and_say_the_shares():
    shares = np.array([[0.2, 0.0, 0.8], [0.4, 0.4, 0.2]])
    figure = view.pixels({"pairs": shares})
    title = figure.axes[0].get_title()
    assert title == "pairs\nhead 30 %, body 20 %, background 50 %"
    bars = figure.axes[0].patches
    assert [round(bar.get_width()) for bar in bars] == [20, 40, 0, 40, 80, 20]
    assert {round(bar.get_x() + bar.get_width()) for bar in bars[4:]} == {100}


def test_bars_of_speed_are_medians_with_their_ratio():
    rows = pd.DataFrame(
        {
            "runtime": ["torch eager", "OpenVINO"],
            "size": "854 x 480",
            "p50 ms": [100.0, 40.0],
            "p95 ms": [120.0, 44.0],
            "ratio to eager": [1.0, 2.5],
        }
    )
    [axes] = speed.bars(rows).axes
    assert [bar.get_width() for bar in axes.patches] == [100, 40]
    assert [t.get_text() for t in axes.texts] == ["100 ms, x1.0", "40 ms, x2.5"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["torch eager", "OpenVINO"]


def test_skin_tones_of_nobody_are_empty_panels():
    tones = pd.DataFrame(columns=["method", "monk", "mean", "low", "high"])
    rows = pd.DataFrame({"method": ["student"], "monk": [0], "ita_oracle": [np.nan], "ita_out": [np.nan]})
    left, _ = view.skin_tones(tones, rows, ["student"]).axes
    assert not left.get_xticklabels()


def test_panels_of_what_nobody_measured_are_left_out_and_equal_values_get_an_axis():
    found = means()
    assert len([a for a in view.intervals(found).axes if a.get_visible()]) == 5
    ghosts = [
        {"method": m, "measure": BACKGROUND["ghosts"], "mean": 0.0, "low": 0.0, "high": 0.0} for m in "ab"
    ]
    [axes] = [a for a in view.intervals(pd.DataFrame(ghosts)).axes if a.get_visible()]
    assert "ghost" in axes.get_title() and axes.get_xlim() == (-0.5, 0.5)


def test_numbers_have_mean_interval_and_cases_and_leave_out_what_is_not_known():
    rows = pd.DataFrame({"method": "student", "identity": ["a", "a", "b"], "line_f1": [0.2, 0.4, 0.5]})
    found = {name: rest for name, *rest in view.numbers(means(), rows.assign(**ZEROS), ["student"])}
    assert set(found) == {"perceptual/student", "line_f1/student", "flat/student"}
    mean, ends, cases = found["line_f1/student"]
    assert mean == pytest.approx(0.6) and ends == pytest.approx((0.5, 0.7))
    assert cases == pytest.approx({"a": 0.3, "b": 0.5})


def test_tables_with_intervals_keep_the_order_of_methods_and_measures():
    table = view.with_intervals(means(), ["line F1", "no such", "flat share"])
    assert list(table) == ["method", "line F1", "flat share"]
    assert list(table["method"]) == ["input", "student", "target"]
    assert list(table["line F1"]) == ["0.40 (0.30 to 0.50)", "0.60 (0.50 to 0.70)", UNKNOWN]


def test_groups_are_rows_with_their_people():
    rows = [
        {"method": m, "identity": who, "line_f1": value, "tones": tones, "character": "c"}
        for m in ("input", "student")
        for who, value, tones in (("a", 0.2, "1-2"), ("b", 0.4, "1-2"), ("d", 0.9, ""))
    ]
    table = view.by_groups(rows, {"Monk": "tones", "character": "character"})
    assert list(table["group"]) == ["Monk 1-2"] * 2 + ["character c"] * 2
    assert list(table["people"]) == [2, 2, 3, 3]
    assert list(table["line F1"])[::2] == ["0.30 (0.20 to 0.40)", "0.50 (0.20 to 0.90)"]
    assert view.by_groups([], {"Monk": "tones"}).empty


def test_findings_tell_identity_only_where_it_was_asked():
    wide = pd.DataFrame(0.5, index=["input", "student", "target"], columns=[*ALL.values()])
    lines = pd.DataFrame(
        {"ITA slope (oracle)": 0.9, "worst-group gap (delta E00)": np.nan}, index=["student"]
    )
    said = "\n".join(view.findings(wide, lines, ["student"]))
    assert "0.50 of the drawings" in said and "too few people" in said
    wide[ALL["chance"]] = np.nan
    said = "\n".join(view.findings(wide, lines, ["student"]))
    assert "of the drawings" not in said and "background ΔE00 0.5" in said and "nan" not in said
