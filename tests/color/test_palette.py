import cv2
import numpy as np
import pytest

from wbme.color.palette import flat, hexadecimal, median, palette
from wbme.color.spaces import srgb_to_lab


def lab_of(rgb):
    return srgb_to_lab(np.asarray(rgb, np.float64)).reshape(-1, 3)


def test_fills_come_back_exactly_with_their_shares_through_soft_edges():
    rgb = np.empty((100, 100, 3))
    rgb[:50] = np.array([251, 224, 207]) / 255
    rgb[50:80] = np.array([32, 18, 26]) / 255
    rgb[80:] = np.array([47, 111, 159]) / 255
    soft = cv2.GaussianBlur(rgb, (0, 0), 1)
    weights = np.where(flat(soft.astype(np.float32)), 1, 0.1).ravel()
    found = palette(lab_of(soft), weights)
    assert [one.hex for one in found[:3]] == ["#fbe0cf", "#20121a", "#2f6f9f"]
    assert [one.share for one in found[:3]] == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert found == palette(lab_of(soft), weights)
    assert palette(lab_of(soft), np.zeros(10_000)) == []


def test_near_colours_are_one_and_rare_ones_are_left_out():
    rgb = np.full((1000, 3), 0.5)
    rgb[:400] += 2 / 255
    rgb[:3] = 1, 0, 0
    [one] = palette(lab_of(rgb), np.ones(1000), least=0.01)
    assert one.share == pytest.approx(0.997)
    assert all(level in (127, 128) for level in bytes.fromhex(one.hex[1:]))


def test_flat_is_within_a_fill_not_on_its_edge():
    rgb = np.zeros((6, 8, 3), np.float32)
    rgb[:, 4:] = 1
    rgb[2, 1] += 2 / 255
    expected = np.ones((6, 8), bool)
    expected[:, 3:5] = False
    assert np.array_equal(flat(rgb), expected)


def test_the_median_is_weighted_by_column_and_hex_is_cut_to_srgb():
    values = np.array([[1.0, 9], [2, 8], [3, 7]])
    assert median(values, np.array([1, 1, 1])).tolist() == [2, 8]
    assert median(values, np.array([5, 1, 1])).tolist() == [1, 9]
    assert hexadecimal([100, 0, 0]) == "#ffffff" and hexadecimal([50, 200, 0])[1:3] == "ff"
