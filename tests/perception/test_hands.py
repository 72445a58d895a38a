"""Hands: a drawn palm with known finger tips, mirrored and turned; pictures without hands."""

import numpy as np
import pytest

from wbme.perception import hands

# Finger tips of the drawing, thumb to little finger, in its own 800 pixels, which begin at 600.
TIPS = np.array([(690, 415), (552, 125), (448, 75), (342, 115), (245, 210)]) + 600


def test_a_drawn_right_palm(drawn_hand):
    (hand,) = hands.detect(drawn_hand)
    assert hand.side == "right"
    assert hand.points.shape == (21, 3)
    assert hand.score > 0.8
    far = np.hypot(*(hand.points[4::4, :2] - TIPS).T)
    assert far.max() < 0.08 * hand.size
    assert hand.points[0, 1] > 1250  # the wrist is below


def test_its_mirror_image_is_a_left_one(drawn_hand):
    (hand,) = hands.detect(drawn_hand[:, ::-1].copy())
    assert hand.side == "left"
    assert np.hypot(*(hand.points[4::4, :2] - (TIPS * [-1, 1] + [1999, 0])).T).max() < 0.08 * hand.size


def test_a_turned_copy_turns_the_points(drawn_hand):
    (hand,) = hands.detect(np.rot90(drawn_hand, 1).copy())
    expected = np.stack([TIPS[:, 1], 1999 - TIPS[:, 0]], axis=1)
    assert np.hypot(*(hand.points[4::4, :2] - expected).T).max() < 0.08 * hand.size
    assert hand.side == "right"


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (8, 600)])
def test_tiny_pictures(shape):
    assert hands.detect(np.full((*shape, 3), 0.5, np.float32)) == []


def test_the_astronaut_shows_no_hand(astronaut):
    assert hands.detect(astronaut) == []
