"""Anchors, windows and the suppression of doubles."""

import numpy as np
import pytest

from wbme.perception import detector as d


@pytest.mark.parametrize(
    ("net", "count"), [(d.FACE_SHORT, 896), (d.FACE_FULL, 2304), (d.PERSON, 2254), (d.PALM, 2016)]
)
def test_there_is_an_anchor_for_every_answer_of_the_network(net, count):
    points = d._anchors(net)
    assert points.shape == (count, 2)
    assert 0 < points.min() < points.max() < 1
    np.testing.assert_allclose(points.mean(0), 0.5)


def test_anchors_stand_in_the_middle_of_their_cells():
    points = d._anchors(d.FACE_SHORT)
    np.testing.assert_allclose(points[:4] * 128, [[4, 4], [4, 4], [12, 4], [12, 4]])
    np.testing.assert_allclose(points[512:518] * 128, [[8, 8]] * 6)
    np.testing.assert_allclose(points[-1] * 128, [120, 120])


@pytest.mark.parametrize("shape", [(512, 512), (900, 300), (300, 900), (1, 1), (8, 4000)])
def test_every_small_square_lies_whole_in_a_window(shape):
    finest = max(shape) / 3
    squares = d.windows(shape, finest)
    assert squares[0].side == max(shape)
    assert squares[-1].side <= finest
    tiles = [s for s in squares if s.side == squares[-1].side]
    rng = np.random.default_rng(1)
    half = 0.19 * tiles[0].side / 2
    for x, y in rng.random((200, 2)) * (shape[1], shape[0]) - 0.5:
        assert any(max(abs(x - t.x), abs(y - t.y)) + half <= t.side / 2 + 1e-6 for t in tiles) or (
            min(x, y, shape[1] - x, shape[0] - y) < half  # cut by the picture's own border
        )


def test_of_overlapping_boxes_the_best_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 0, 30, 10], [22, 2, 25, 5], [8, 0, 18, 10]], float)
    assert d.keep_best(boxes) == [0, 2, 4]
    assert d.keep_best(np.zeros((0, 4))) == []


def test_intersection_over_union_by_hand():
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6], [0, 0, 4, 4]], float)
    np.testing.assert_allclose(d._iou(boxes[0], boxes), [1, 1 / 7, 0, 1 / 4])
