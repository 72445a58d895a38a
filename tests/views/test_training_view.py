"""Curves and strips of a training: what is drawn is what was told."""

import cv2
import numpy as np
import pytest
import torch

from wbme.views import training as view

HISTORY = [
    ("loss/train", 0.5, 25),
    ("loss/train", 0.3, 50),
    ("held_out/psnr", 20.0, 50),
    ("held_out/flat", 0.4, 50),
]


def test_curves_hold_the_points_of_every_training():
    figure = view.curves({"layered": HISTORY, "plain": HISTORY[:2]})
    loss, psnr, structure = figure.axes
    assert [line.get_xydata().tolist() for line in loss.lines] == [[[25, 0.5], [50, 0.3]]] * 2
    assert loss.lines[0].get_linestyle() != loss.lines[1].get_linestyle(), "two trainings, two line styles"
    assert psnr.lines[0].get_ydata().tolist() == [20]
    assert structure.lines[0].get_label() == "flat share, layered"
    assert loss.get_yscale() == "log"
    assert view.rows({"a": HISTORY})[2] == {
        "training": "a",
        "series": "held_out/psnr",
        "step": 50,
        "value": 20.0,
    }
    assert view.curves({"nothing yet": []}).axes


def test_a_strip_shows_the_first_and_the_last_check_between_photograph_and_target(tmp_path):
    for step in (10, 20, 30, 40, 50):
        sheet = np.zeros((32, 48, 3), np.uint8)
        sheet[:, 16:32] = 5 * step
        sheet[:, 32:] = 255
        cv2.imwrite(str(tmp_path / f"held-out-{step:06d}.png"), sheet)
    picture = view.strip({"layered": tmp_path}, cell=32)
    # Six columns, two pairs: photograph, four checks, target.
    assert picture.shape[1] == 12 + 6 * (32 + 12)
    row = picture[28]
    for value in (50, 250):
        assert np.isclose(row, value / 255, atol=0.01).all(1).sum() >= 14


def test_examples_put_ink_over_the_base():
    photo, base, ink = torch.zeros(2, 3, 16, 16), torch.ones(2, 3, 16, 16), torch.ones(2, 1, 16, 16)
    picture = view.examples(photo, base, ink, cell=16)
    assert picture[-10, 10] == pytest.approx([0.06, 0.05, 0.07], abs=0.005)
    assert picture.shape[0] > picture.shape[1]
