"""A character's proportions on a face's mesh, and the picture that follows it."""

import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.geometry.landmarks import FACE_OVAL, LEFT_EYE, LIPS_OUTER, RIGHT_EYE
from wbme.people import anatomy, body, landmarks
from wbme.people.sheet import Deformation
from wbme.synth import deformation


@pytest.fixture(scope="module")
def mesh():
    """The mean face in a picture of 300 x 300, z less towards the viewer."""
    points = landmarks.surface(anatomy.load(), body.mean().astype(np.float32)).astype(float)
    points = (points - points.mean(0)) * [1, -1, -1]
    return points * 110 / np.ptp(points[:, 0]) + [150, 150, 0]


def area(mesh, loop):
    x, y = mesh[list(loop), :2].T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def test_no_deformation_and_no_strength_change_nothing(mesh):
    np.testing.assert_allclose(deformation.moved(mesh, Deformation(), 1.0), mesh, atol=1e-6)
    np.testing.assert_allclose(deformation.moved(mesh, deformation.of("chibi"), 0.0), mesh, atol=1e-9)


def test_strength_is_the_share_of_the_way(mesh):
    form = deformation.of("slender")
    half, whole = (deformation.moved(mesh, form, s) for s in (0.5, 1.0))
    np.testing.assert_allclose(half, (mesh + whole) / 2, atol=1e-9)


def test_a_face_gets_the_character(mesh):
    form = deformation.of("chibi")
    after = deformation.moved(mesh, form, 1.0)
    for loop in (RIGHT_EYE, LEFT_EYE):
        assert area(after, loop) > 2 * area(mesh, loop)
    small = deformation.moved(mesh, Deformation(mouth=0.7, chin=0.6), 1.0)
    assert area(small, LIPS_OUTER) < 0.75 * area(mesh, LIPS_OUTER)
    assert area(small, FACE_OVAL) < area(mesh, FACE_OVAL)
    np.testing.assert_allclose(area(small, LEFT_EYE), area(mesh, LEFT_EYE), rtol=0.1)


def test_the_character_follows_the_head(mesh):
    """A face turned in the picture, farther away and elsewhere is given the same proportions."""
    turn = 0.5 * np.array([[np.cos(0.6), -np.sin(0.6), 0], [np.sin(0.6), np.cos(0.6), 0], [0, 0, 1]])
    form = deformation.of("chibi")
    there = deformation.moved(mesh @ turn.T + [40, -20, 0], form, 0.8)
    np.testing.assert_allclose(there, deformation.moved(mesh, form, 0.8) @ turn.T + [40, -20, 0], atol=1e-6)


def test_the_picture_follows_and_what_is_far_stays_to_the_bit(mesh):
    y, x = np.mgrid[:400, :500].astype(np.float32)
    ramp = np.dstack([x / 500, y / 400, 0 * x])
    after = deformation.moved(mesh, deformation.of("chibi"), 0.7)
    out = deformation.reshaped(ramp, mesh, after)
    row, column = np.rint(after[:, 1]).astype(int), np.rint(after[:, 0]).astype(int)
    shown = out[row, column][:, :2] * [500, 400]
    assert np.median(np.linalg.norm(shown - mesh[:, :2], axis=1)) < 1.5
    assert (out[:, 330:] == ramp[:, 330:]).all() and (out[345:] == ramp[345:]).all()
    assert not (out == ramp).all()


def test_a_face_that_leaves_the_picture_is_reshaped_where_it_is_seen(mesh):
    rgb = np.random.default_rng(0).random((300, 300, 3)).astype(np.float32)
    for shift in ([-110, 0, 0], [0, 120, 0]):
        there = mesh + np.array(shift)
        out = deformation.reshaped(rgb, there, deformation.moved(there, deformation.of("slender"), 1))
        assert out.shape == rgb.shape and np.isfinite(out).all() and (out != rgb).any()


def test_a_mesh_that_is_no_face_stays(mesh):
    wild = np.random.default_rng(0).random((468, 3)) * 100
    after = deformation.moved(wild, deformation.of("chibi"), 1)
    assert np.isfinite(after).all()


def test_a_face_outside_the_picture_changes_nothing(mesh):
    rgb = np.random.default_rng(0).random((60, 60, 3)).astype(np.float32)
    away = mesh + np.array([400, 0, 0])
    assert deformation.reshaped(rgb, away, deformation.moved(away, deformation.of("chibi"), 1)) is rgb


def test_bad_input_is_one_sentence(mesh):
    form = deformation.of("chibi")
    with pytest.raises(ParameterError, match="romance keeps the person's own geometry"):
        deformation.of("romance")
    with pytest.raises(ParameterError, match="finite mesh of 468 x 3"):
        deformation.moved(np.full((468, 3), np.nan), form, 0.5)
    with pytest.raises(ParameterError, match="strength is 2"):
        deformation.moved(mesh, form, 2)
