"""Labels as pictures and tables."""

import numpy as np
import pytest

from wbme.data.parser_truth import Truth
from wbme.geometry.parsing import INDEX
from wbme.metrics import parsing as metrics
from wbme.views import parsing


def halves(left: str, right: str) -> np.ndarray:
    labels = np.full((10, 10), INDEX[left], np.uint8)
    labels[:, 5:] = INDEX[right]
    return labels


def test_paint_lies_on_people_alone():
    rgb = np.full((10, 10, 3), 0.5, np.float32)
    out = parsing.painted(rgb, halves("background", "hair"))
    assert (out[:, :5] == 0.5).all()
    assert np.abs(out[:, 5:] - 0.5).max() > 0.1
    assert np.array_equal(parsing.painted(rgb, halves("skin", "hair"), 0.0), rgb)


def test_the_table_counts_people_and_pixels():
    truth = halves("background", "hair")
    counts = {
        "a": metrics.confusion(truth, truth),
        "b": metrics.confusion(halves("hair", "hair"), truth),
    }
    rows = {row["class"]: row for row in parsing.classes(counts)}
    assert list(rows) == ["background", "hair", "mean without background"]
    hair = rows["hair"]
    assert hair["IoU"] == pytest.approx(100 / 150)
    assert hair["mean over people"] == pytest.approx((1.0 + 0.5) / 2)
    assert hair["low"] <= hair["mean over people"] <= hair["high"]
    assert hair["people"] == 2
    assert rows["mean without background"]["IoU"] == pytest.approx(hair["IoU"])


def test_against_masks_drawn_by_hand():
    labels = halves("skin", "hair")
    labels[0, :5] = INDEX["l_eye"]
    labels[9, 5:] = INDEX["neck"]
    skin, hair, fine = (np.zeros((10, 10), bool) for _ in range(3))
    skin[:, :5], hair[:, 5:], fine[0, :5] = True, True, True
    got = parsing.against(labels, Truth(skin, hair, fine))
    assert got["skin IoU"] == pytest.approx(50 / 55)
    assert got["skin IoU without brows, eyes, mouth"] == pytest.approx(45 / 50)
    assert got["hair IoU"] == pytest.approx(45 / 50)
    assert got["skin that is none"] == pytest.approx(5 / 50)


def test_a_sheet_has_a_legend_of_what_it_shows():
    rgb = np.full((10, 10, 3), 0.5, np.float32)
    figure = parsing.sheet([[rgb, halves("cloth", "hat")]], ["picture", "labels"], cell=32)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cloth", "hat"]
