"""Clips with exact motion: the flow of a moved model by hand, and what a turning person's flow explains."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.metrics.temporal import warp_error
from wbme.people import clip, context, gbuffer, lights, views
from wbme.people.camera import Camera


def test_the_flow_of_a_moved_head_is_its_shift_in_perspective(ball):
    """A head moved by d across: f d / z pixels, where z is the depth of what a pixel shows."""
    gl, light = context.get(), lights.neutral()
    model = ball()
    shift = np.float32([0.01, 0, 0])
    moved = replace(model, meshes=[replace(m, positions=m.positions + shift) for m in model.meshes])
    seen = Camera((96, 96), np.array([0, 1.5, 1.2]), np.array([0, 1.5, 0.0]))
    first = gbuffer.draw(gl, model, seen, light)
    second = gbuffer.draw(gl, moved, seen, light)
    flow, both = clip._motion(gl, seen, light, (model, first), moved, second)
    depth = second.depth.reshape(96, 2, 96, 2).mean((1, 3))
    on = both & np.isfinite(depth)
    assert on.sum() > 500
    want = -seen.pixels_per_radian * 0.01 / depth[on]
    np.testing.assert_allclose(flow[on][:, 0], want, atol=0.02)
    np.testing.assert_allclose(flow[on][:, 1], 0, atol=0.02)
    # Around it a place that stands still, but for what the head uncovered or covered, and two pixels more.
    empty = both & np.isinf(second.depth[::2, ::2])
    assert (flow[empty] == 0).all() and empty.mean() > 0.5
    silhouette = (views.labels(first.label) > 0) | (views.labels(second.label) > 0)
    assert not (empty & (cv2.dilate(silhouette.astype(np.uint8), np.ones((5, 5))) > 0)).any()


@pytest.fixture(scope="module")
def frames():
    return list(clip.turning(3, 1, frames=3, side=128, step=5.0))


@pytest.mark.slow
def test_the_motion_explains_what_changes_between_two_pictures(frames):
    pictures = [
        one.rgba[..., :3] / 255 * (one.rgba[..., 3:] > 0) + (one.rgba[..., 3:] == 0) for one in frames
    ]
    pictures = [rgb.astype(np.float32) for rgb in pictures]
    assert not frames[0].seen.any()
    for before, after, one in zip(pictures, pictures[1:], frames[1:], strict=False):
        on = one.rgba[..., 3] > 0
        assert (one.seen & on).sum() > 0.5 * on.sum() and np.abs(one.flow[one.seen & on]).max() > 2
        still, moved = (warp_error(before, after, f, one.seen & on) for f in ((0, 0), one.flow))
        assert moved < 0.25 * still


@pytest.mark.slow
def test_the_same_clip_again_is_the_same(frames):
    for one, same in zip(frames, clip.turning(3, 1, frames=3, side=128, step=5.0), strict=True):
        np.testing.assert_array_equal(one.rgba, same.rgba)
        np.testing.assert_array_equal(one.flow[one.seen], same.flow[same.seen])


def test_one_picture_is_no_clip():
    with pytest.raises(ParameterError, match="2 or more"):
        list(clip.turning(0, 0, frames=1))
