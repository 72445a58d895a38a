"""Views of a sweep: a line a setting, where its numbers say; verdicts in words."""

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from wbme.views import ablations as view
from wbme.views.style import GREEN, VERMILION

NAN = float("nan")


def rows():
    columns = ("metric", "setting", "mean", "low", "high", "difference", "difference low", "difference high")
    found = [
        ("m/a", "base", 1.0, 0.9, 1.1, 0.0, 0.0, 0.0, "the base"),
        ("m/a", "more", 0.5, 0.4, 0.6, -0.5, -0.7, -0.3, "better"),
        ("m/a", "less", 1.5, 1.4, 1.6, 0.5, 0.2, 0.8, "worse"),
        ("m/a", "once", 1.2, NAN, NAN, 0.2, NAN, NAN, "too few repeats"),
        ("m/a", "never", NAN, NAN, NAN, NAN, NAN, NAN, "too few repeats"),
    ]
    both = [*found, *(("m/b", *row[1:]) for row in found)]
    return pd.DataFrame(both, columns=[*columns, "verdict"])


@pytest.fixture
def figure():
    points = pd.DataFrame({"setting": ["base", "base", "more"], "m/a": [0.9, 1.1, 0.5]})
    return view.settings(rows(), points, {"m/a": "lower"}, "base")


def drawn(axes, marks=("o", "^", "v")):
    return {line.get_ydata()[0]: line for line in axes.lines if line.get_marker() in marks}


def test_every_metric_has_its_panels_and_says_which_way_is_better(figure):
    assert [axes.get_title() for axes in figure.axes] == [
        "m/a (lower is better)", "difference to: base", "m/b", "difference to: base"
    ]  # fmt: skip
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == [
        "base",
        "more",
        "less",
        "once",
        "never",
    ]
    assert figure.axes[0].get_ylim() == (4.5, -0.5), "the first setting is on top"


def test_means_and_differences_lie_where_they_should_and_verdicts_look_unlike(figure):
    left, right = drawn(figure.axes[0]), drawn(figure.axes[1])
    assert {place: line.get_xdata()[0] for place, line in left.items()} == {0: 1.0, 1: 0.5, 2: 1.5, 3: 1.2}
    assert {place: line.get_xdata()[0] for place, line in right.items()} == {1: -0.5, 2: 0.5, 3: 0.2}
    assert (to_hex(right[1].get_color()), right[1].get_marker()) == (GREEN.lower(), "^")
    assert (to_hex(right[2].get_color()), right[2].get_marker()) == (VERMILION.lower(), "v")
    assert [text.get_text() for text in figure.axes[1].texts] == ["better", "worse", *["too few repeats"] * 2]
    spans = [
        list(line.get_xdata())
        for line in figure.axes[1].lines
        if len(set(line.get_ydata())) == 1 and len(line.get_xdata()) == 2
    ]
    assert spans == [[-0.7, -0.3], [0.2, 0.8]]


def test_every_repeat_is_marked(figure):
    marks = {tuple(line.get_xdata()) for line in figure.axes[0].lines if line.get_marker() == "|"}
    assert {(0.9, 1.1), (0.5,)} <= marks
