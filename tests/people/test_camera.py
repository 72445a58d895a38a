"""The camera: one projection for points and pictures, and framings that show what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.people import camera
from wbme.people.camera import Camera


def at(eye, target=(0, 1.5, 0), **more) -> Camera:
    return Camera((640, 480), np.array(eye, float), np.array(target, float), **more)


def test_the_target_is_in_the_middle_and_its_depth_is_the_distance():
    np.testing.assert_allclose(at((0, 1.5, 2)).project([0, 1.5, 0]), [320, 240, 2])


def test_x_is_right_and_y_is_down():
    x, y, _ = at((0, 1.5, 2)).project([0.1, 1.6, 0])
    assert x > 320 and y < 240


def test_the_focal_length_is_of_a_36_mm_sensor():
    # At 2 m a 50 mm lens sees 2 * 36 / 50 metres over the longer side.
    x, _, _ = at((0, 1.5, 2), focal=50).project([36 / 50, 1.5, 0])
    assert x == pytest.approx(640)


@given(st.tuples(*[st.floats(-0.4, 0.4)] * 3), st.floats(-10, 10), st.floats(35, 100))
def test_points_are_projected_as_the_matrices_of_the_picture_do(offset, roll, focal):
    view = at((0.5, 1.7, 2.5), roll=roll, focal=focal)
    point = np.array([0, 1.5, 0]) + offset
    clip = view.projection @ view.view @ np.append(point, 1)
    x, y, _ = clip[:3] / clip[3]
    expected = [(x + 1) * 320, (1 - y) * 240, clip[3]]
    np.testing.assert_allclose(view.project(point), expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_a_portrait_has_a_face_of_the_promised_width(ball, seed):
    model = ball()
    view = camera.sample(np.random.default_rng(seed), model, "portrait")
    seen = view.project(model.landmarks)
    # The face lies nearer than the plane that is sized, and turns away by up to 26 degrees.
    assert 130 < camera.face_width(seen[:, :2]) < 300
    assert (seen[:, 1] < 512).all() and 35 <= view.focal <= 100


def test_full_shows_all(ball):
    view = camera.sample(np.random.default_rng(1), ball(), "full")
    points = view.project(np.concatenate([mesh.positions for mesh in ball().meshes]))
    assert (points[:, :2] > 0).all() and (points[:, :2] < 512).all()


def test_an_unknown_framing_is_refused(ball):
    with pytest.raises(ParameterError, match="'wide'; choose one of portrait, half, full"):
        camera.sample(np.random.default_rng(0), ball(), "wide")


def test_a_seed_gives_the_same_camera(ball):
    rows = [camera.sample(np.random.default_rng(3), ball(), "half").row() for _ in range(2)]
    assert rows[0] == rows[1]
