"""Damage behind people: on pictures whose every pixel is known."""

import numpy as np
import pytest

from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.metrics import background

SKIN = np.array([0.8, 0.6, 0.5], np.float32)
BLUE = np.array([0.3, 0.4, 0.7], np.float32)


@pytest.fixture
def scene():
    """A face of skin at the left of a blue place, and its labels."""
    rgb, labels = np.tile(BLUE, (80, 120, 1)), np.zeros((80, 120), np.uint8)
    rgb[20:60, 10:50], labels[20:60, 10:50] = SKIN, 1
    return rgb, labels


def test_the_target_itself_is_unharmed(scene):
    rgb, labels = scene
    assert background.score(rgb, rgb, labels) == {"ground_delta": 0, "ground_lines": 0, "ground_skin": 0}


def test_what_happens_on_people_or_beside_their_outline_does_not_count(scene):
    rgb, labels = scene
    drawn = rgb.copy()
    drawn[17:63, 7:53] = 0.5
    found = background.score(drawn, rgb, labels)
    assert (found["ground_delta"], found["ground_lines"]) == (0, 0)


def test_a_changed_colour_counts_by_its_share(scene):
    rgb, labels = scene
    drawn = rgb.copy()
    drawn[:, 100:] = [0.3, 0.5, 0.7]
    inner = labels.size - (40 + 2 * background.INSET) ** 2
    step = delta_e00(*srgb_to_lab(np.stack([BLUE, [0.3, 0.5, 0.7]])))
    found = background.score(drawn, rgb, labels)
    assert found["ground_delta"] == pytest.approx(float(step) * 80 * 20 / inner, rel=1e-3)
    assert found["ground_skin"] == 0


def test_a_patch_of_skin_counts_where_the_target_has_none(scene):
    rgb, labels = scene
    drawn = rgb.copy()
    drawn[5:15, 80:100] = SKIN
    inner = labels.size - (40 + 2 * background.INSET) ** 2
    assert background.score(drawn, rgb, labels)["ground_skin"] == pytest.approx(100 * 200 / inner)
    assert background.score(drawn, drawn, labels)["ground_skin"] == 0


def test_stray_lines_are_counted_and_wanted_ones_are_not(scene):
    rgb, labels = scene
    drawn = rgb.copy()
    drawn[68:71, 20:100] = 0.05
    inner = labels.size - (40 + 2 * background.INSET) ** 2
    assert background.score(drawn, rgb, labels)["ground_lines"] == pytest.approx(80_000 / inner, rel=0.05)
    moved = np.roll(drawn, 1, axis=0)
    assert background.score(drawn, moved, labels, tolerance=2)["ground_lines"] == 0


def test_without_background_or_a_face_nothing_is_told(scene):
    rgb, labels = scene
    assert all(np.isnan(v) for v in background.score(rgb, rgb, np.ones_like(labels)).values())
    told = background.score(rgb, rgb, 0 * labels)
    assert np.isnan(told["ground_skin"]) and told["ground_delta"] == 0
