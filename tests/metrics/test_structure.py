"""Structure: exact values on pictures whose lines are known, and what holds for any line maps."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wbme.base.errors import ParameterError
from wbme.metrics import structure

MAPS = arrays(np.bool_, (12, 17))


def paper(level: float = 0.8, size: int = 96) -> np.ndarray:
    return np.full((size, size, 3), level, np.float32)


def stroke(rgb: np.ndarray, *, row: int, width: int = 3, level: float = 0.1) -> np.ndarray:
    drawn = rgb.copy()
    drawn[row - width // 2 : row - width // 2 + width, 16:80] = level
    return drawn


def test_flat_share_of_one_colour_is_one_and_a_step_takes_two_columns():
    assert structure.flat_share(paper()) == 1.0
    step = paper()
    step[:, 48:] = 0.3
    assert structure.flat_share(step) == pytest.approx(1 - 2 / 96)


def test_flat_share_counts_a_gradient_by_its_slope():
    # Sobel's weights add up to 8 a pixel of a ramp: a slope of 1 level gives 8, which is not below 8.
    ramp = np.arange(96, dtype=np.float32) / 255
    for slope, share in ((0.9, 1.0), (1.1, 2 / 96)):
        picture = np.broadcast_to((slope * ramp)[None, :, None], (96, 96, 3))
        assert structure.flat_share(picture) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize(("ground", "ink"), [(0.8, 0.1), (0.3, 0.1)])
def test_a_stroke_is_found_on_its_centre_line_on_light_and_on_dark_skin(ground, ink):
    found = structure.lines(stroke(paper(ground), row=40, level=ink))
    rows, columns = np.nonzero(found)
    assert (rows == 40).mean() > 0.95 and np.abs(rows - 40).max() <= 1  # thinning may bend its last pixel
    assert columns.min() in range(16, 19) and columns.max() in range(77, 80)


def test_wide_bright_short_and_one_sided_things_are_no_lines():
    assert not structure.lines(stroke(paper(), row=40, width=12)).any()
    assert not structure.lines(stroke(paper(0.4), row=40, level=0.9)).any()
    speck = paper()
    speck[40:43, 40:45] = 0.1
    assert not structure.lines(speck).any()
    step = paper()
    step[:, 48:] = 0.1
    assert not structure.lines(step).any()


@pytest.mark.parametrize(("shift", "f1"), [(0, 1.0), (1, 1.0), (2, 1.0), (3, 0.0)])
def test_a_line_counts_within_the_tolerance_and_not_beyond(shift, f1):
    one, two = (structure.lines(stroke(paper(), row=row)) for row in (40, 40 + shift))
    assert structure.line_f1(one, two, 2.0).f1 == f1


def test_precision_is_of_what_is_drawn_and_recall_of_what_is_wanted():
    wanted = structure.lines(stroke(stroke(paper(), row=20), row=60))
    drawn = structure.lines(stroke(paper(), row=20))
    score = structure.line_f1(drawn, wanted)
    assert (score.precision, score.recall) == (1.0, 0.5)
    assert score.f1 == pytest.approx(2 / 3)
    nothing = structure.line_f1(np.zeros_like(wanted), wanted)
    assert (nothing.precision, nothing.recall, nothing.f1) == (1.0, 0.0, 0.0)


@given(MAPS, MAPS, st.sampled_from([0.0, 1.0, 1.5, 3.0]))
@settings(max_examples=60)
def test_swapping_the_maps_swaps_precision_and_recall(one, two, tolerance):
    there, back = structure.line_f1(one, two, tolerance), structure.line_f1(two, one, tolerance)
    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert there.f1 == pytest.approx(back.f1)
    assert structure.line_f1(one, one, tolerance).f1 == 1.0
    assert there.f1 <= structure.line_f1(one, two, tolerance + 1).f1 + 1e-12


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(ParameterError, match="cannot be compared"):
        structure.line_f1(np.zeros((4, 4), bool), np.zeros((4, 5), bool))


def mesh(left: float, top: float, width: float) -> np.ndarray:
    """A mesh whose every point lies in the box of that corner and width, some at its ends."""
    points = np.full((468, 2), [left, top], float)
    points[::2] = [left + width, top + width / 2]
    return points


def test_crops_hold_the_part_and_stop_at_the_picture():
    [left, right] = structure.crops(mesh(100, 100, 40), "eyes", (300, 300))
    assert left == right == (82, 82, 159, 139)
    assert structure.crops(mesh(100, 100, 40), "mouth", (300, 300)) == [(90, 90, 151, 131)]
    assert structure.crops(mesh(-20, -20, 30), "mouth", (300, 300)) == [(0, 0, 19, 4)]
    assert structure.crops(mesh(400, 100, 40), "eyes", (300, 300)) == []
    assert structure.crops(mesh(np.nan, 100, 40), "eyes", (300, 300)) == []


def test_l1_and_psnr_within_boxes_and_over_the_whole():
    one, two = paper(0.5), paper(0.5)
    two[:10, :10] += 0.1
    l1, psnr = structure.distance(one, two, [(0, 0, 10, 10)])
    assert l1 == pytest.approx(0.1, rel=1e-5) and psnr == pytest.approx(20.0, abs=1e-3)
    assert structure.distance(one, two)[0] == pytest.approx(0.1 * 100 / 96**2, rel=1e-5)
    assert structure.distance(one, one) == (0.0, 100.0)
    assert np.isnan(structure.distance(one, two, [])).all()
    with pytest.raises(ParameterError, match="cannot be compared"):
        structure.distance(one, two[:-1])


def test_noise_of_a_photograph_lowers_flat_share_and_is_no_line():
    noisy = np.clip(paper(0.5) + np.random.default_rng(0).normal(0, 0.02, (96, 96, 3)), 0, 1).astype(
        np.float32
    )
    assert structure.flat_share(noisy) < 0.3
    assert not structure.lines(noisy).any()
    blurred = cv2.GaussianBlur(noisy, (0, 0), 4)
    assert structure.flat_share(blurred) > 0.95
