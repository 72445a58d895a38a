"""Scores of labels: counted by hand, and what must hold for any labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wbme.base.errors import ParameterError
from wbme.geometry.parsing import INDEX
from wbme.metrics import parsing

LABELS = arrays(np.uint8, (6, 7), elements=st.integers(0, 19))


def test_iou_counted_by_hand():
    truth = np.array([[0, 0, 1, 1], [17, 17, 17, 255]], np.uint8)
    found = np.array([[0, 1, 1, 1], [17, 0, 17, 5]], np.uint8)
    counts = parsing.confusion(found, truth)
    assert counts.sum() == 7  # the pixel that nobody knows does not count
    got = parsing.ious(counts)
    assert got == pytest.approx({"background": 1 / 3, "skin": 2 / 3, "hair": 2 / 3})
    assert parsing.mean(got) == pytest.approx(2 / 3)
    assert np.isnan(parsing.mean({"background": 1.0}))


def test_what_is_called_skin_and_is_none():
    labels = np.zeros((2, 5), np.uint8)
    labels[0, :4] = [INDEX[n] for n in ("skin", "nose", "neck", "body_skin")]
    skin = np.zeros((2, 5), bool)
    skin[0, :3] = True
    assert parsing.leak(labels, skin) == 0.25
    assert parsing.leak(np.zeros((2, 5), np.uint8), skin) == 0.0


@given(LABELS, LABELS)
def test_for_any_labels(one, other):
    counts = parsing.confusion(one, other)
    assert counts.sum() == one.size
    got = parsing.ious(counts)
    assert all(0 <= value <= 1 for value in got.values())
    for name, value in got.items():
        mask = parsing.iou(one == INDEX[name], other == INDEX[name])
        assert value == pytest.approx(mask)
    assert set(parsing.ious(parsing.confusion(other, other)).values()) == {1.0}


def test_sizes_and_labels_that_do_not_fit_are_one_sentence():
    small, large = np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)
    with pytest.raises(ParameterError, match="differ in size"):
        parsing.confusion(small, large)
    with pytest.raises(ParameterError, match="labels hold 20"):
        parsing.confusion(np.full((2, 2), 20, np.uint8), small)
