"""Polygon masks: exact areas, holes, soft edges, pictures' borders."""

import numpy as np
import pytest

from wbme.geometry.masks import polygon_mask


def square(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def circle(x: float, y: float, radius: float) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1)


def test_full_inside_empty_outside():
    mask = polygon_mask((40, 50, 3), [square(9.5, 9.5, 29.5, 19.5)])
    assert mask.shape == (40, 50)
    assert mask.dtype == np.float32
    assert (mask[11:19, 11:29] == 1).all()
    assert mask[:9].max() == mask[21:].max() == mask[:, :9].max() == mask[:, 31:].max() == 0
    assert mask.sum() == pytest.approx(200, rel=0.06)


@pytest.mark.parametrize("radius", [5.0, 20.0, 60.0])
def test_area_of_a_circle(radius):
    area = polygon_mask((160, 160), [circle(80.3, 79.6, radius)]).sum()
    # Sub-pixels on the outline count as covered: about an eighth of a pixel all around.
    assert area == pytest.approx(np.pi * (radius + 0.125) ** 2, rel=0.01)


def test_edges_are_antialiased():
    mask = polygon_mask((60, 60), [circle(30, 30, 20)])
    soft = (mask > 0.05) & (mask < 0.95)
    assert 60 < soft.sum() < 250


def test_overlapping_polygons_unite():
    mask = polygon_mask((40, 40), [square(5, 5, 25, 25), square(15, 15, 35, 35)])
    assert mask[20, 20] == mask[8, 8] == mask[32, 32] == 1
    assert mask[8, 32] == 0


def test_holes_and_their_margin():
    outline, hole = [square(5, 5, 75, 75)], [square(30, 30, 50, 50)]
    plain = polygon_mask((80, 80), outline, hole)
    wide = polygon_mask((80, 80), outline, hole, margin=6)
    assert plain[40, 40] == wide[40, 40] == 0
    assert plain[40, 26] == 1
    assert wide[40, 26] == 0
    assert wide[40, 22] == 1


def test_feather_is_half_on_the_edge_and_keeps_the_area():
    hard = polygon_mask((120, 120), [circle(60, 60, 30)])
    soft = polygon_mask((120, 120), [circle(60, 60, 30)], feather=4)
    assert soft.sum() == pytest.approx(hard.sum(), rel=0.01)
    assert soft[60, 90] == pytest.approx(0.5, abs=0.06)
    assert 0.7 < soft[60, 86] < 0.95
    assert soft.min() >= 0
    assert soft.max() <= 1


def test_a_picture_cuts_a_mask_without_changing_it():
    big = polygon_mask((200, 200), [circle(100, 100, 40)], feather=3)
    part = polygon_mask((50, 60), [circle(100, 100, 40) - (80, 90)], feather=3)
    np.testing.assert_allclose(part, big[90:140, 80:140], atol=0.01)


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (30, 8)])
def test_small_pictures_and_polygons_elsewhere(shape):
    assert polygon_mask(shape, [square(-90, -90, -20, -20)]).max() == 0
    assert polygon_mask(shape, [square(500, 3, 600, 90)], feather=2).max() == 0
    assert polygon_mask(shape, [square(-90, -90, 900, 900)], feather=2).min() > 0.99
    assert polygon_mask(shape, []).shape == shape
