import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.metrics.temporal import errors, pan, warp_error


def still(height=60, width=90):
    return np.random.default_rng(0).random((height, width, 3), np.float32)


def test_the_pan_shows_the_still_and_its_motion_is_exact():
    rgb = still()
    clip, (dx, dy) = pan(rgb, 40, 50, 5, 0.0, np.random.default_rng(0))
    assert clip.shape == (5, 40, 50, 3) and (dx, dy) == (8, 5)
    np.testing.assert_array_equal(clip[3], rgb[15:55, 24:74])
    assert max(errors(clip, (dx, dy))) == 0
    assert min(errors(clip, (dx + 1, dy))) > 0.01


def test_a_noisy_photograph_has_twice_the_variance_of_its_noise():
    rgb = np.full((200, 260, 3), 0.5, np.float32)
    clip, motion = pan(rgb, 160, 200, 4, 0.02, np.random.default_rng(1))
    np.testing.assert_allclose(list(errors(clip, motion)), 2 * 0.02**2, rtol=0.03)


def test_half_a_pixel_is_interpolated():
    ramp = np.linspace(0, 1, 21, dtype=np.float32)[None, :, None].repeat(8, 0).repeat(3, 2)
    moved = np.clip(ramp + 0.025, 0, 1)  # each pixel shows what lay half a pixel to the right
    assert warp_error(ramp, moved, (0.5, 0)) == pytest.approx(0, abs=1e-9)


def test_what_comes_from_outside_or_is_masked_does_not_count():
    previous = still(20, 20)
    current = np.roll(previous, -3, axis=1)
    assert warp_error(previous, current, (3, 0)) == 0  # the three columns that came round are outside
    broken = current.copy()
    broken[5:9, 5:9] = 1 - broken[5:9, 5:9]
    mask = np.ones((20, 20))
    mask[5:9, 5:9] = 0
    assert warp_error(previous, broken, (3, 0), mask) == 0 < warp_error(previous, broken, (3, 0))
    field = np.broadcast_to(np.float32([3, 0]), (20, 20, 2))
    assert warp_error(previous, current, field) == 0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ParameterError, match="no room"):
        pan(still(), 60, 90, 3, 0.0, np.random.default_rng(0))
    with pytest.raises(ParameterError, match="two pictures or more"):
        pan(still(), 10, 10, 1, 0.0, np.random.default_rng(0))
    with pytest.raises(ParameterError, match="cannot be compared"):
        warp_error(still(10, 10), still(10, 11), (0, 0))
    with pytest.raises(ParameterError, match="no pixel"):
        warp_error(still(10, 10), still(10, 10), (20, 0))


def test_each_picture_of_a_clip_may_have_a_flow_and_a_mask_of_its_own():
    rgb = still(40, 60)
    clip = np.stack([rgb[:, k : k + 40] for k in (0, 2, 5)])
    flows = np.zeros((3, 40, 40, 2), np.float32)
    flows[1, ..., 0], flows[2, ..., 0] = 2, 3
    assert max(errors(clip, flows)) == 0 < min(errors(clip, (1, 0)))
    clip[2, 10:20] = 0
    seen = np.ones((3, 40, 40), bool)
    assert list(errors(clip, flows))[1] > 0
    seen[2, 10:20] = False
    assert max(errors(clip, flows, seen)) == 0
