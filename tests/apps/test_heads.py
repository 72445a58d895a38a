"""Heads: width, square, soft mask, and the luma of the skin."""

from dataclasses import replace

import numpy as np
import pytest

from wbme.apps import heads
from wbme.apps.heads import Head
from wbme.perception.faces import Face, detect


def face(x=100.0, y=120.0, size=60.0, roll=0.0):
    turn = np.radians(roll)
    eyes = np.array([[-0.3, -0.2], [0.3, -0.2], [0, 0], [0, 0.2], [-0.5, 0], [0.5, 0]]) * size
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return Face(np.array([x, y, x, y]) + np.array([-1, -1, 1, 1]) * size / 2, 0.9, eyes @ matrix.T + [x, y])


@pytest.mark.parametrize(("roll", "to"), [(0, (0, -9)), (90, (9, 0)), (180, (0, 9)), (-90, (-9, 0))])
def test_a_head_reaches_above_its_face(roll, to):
    head = heads.head_of(face(roll=roll))
    np.testing.assert_allclose((head.x - 100, head.y - 120), to, atol=1e-9)
    assert (head.face, head.weight) == (60, 1)


def test_the_width_is_that_of_the_mesh_in_space():
    mesh = np.zeros((468, 3))
    mesh[234], mesh[454] = (10, 0, 0), (40, 0, 40)
    assert heads.head_of(replace(face(), landmarks=mesh)).face == 50


def test_the_mask_is_one_on_the_face_and_zero_at_the_edge():
    head = Head(200, 150, 80)
    rows, columns = heads.window(head, (400, 500, 3))
    share = heads.mask(head, rows, columns)
    assert share.shape == (rows.stop - rows.start, columns.stop - columns.start)
    assert share[150 - rows.start, 200 - columns.start] == 1
    assert share[120 - rows.start : 180 - rows.start, 160 - columns.start : 240 - columns.start].min() == 1
    assert max(share[0].max(), share[-1].max(), share[:, 0].max(), share[:, -1].max()) == 0
    assert np.abs(np.diff(share, axis=1)).max() < 0.08  # no step that could be seen


def test_a_head_beyond_the_border_has_a_window_inside_or_none():
    rows, columns = heads.window(Head(0, 0, 50), (100, 100))
    assert (rows.start, columns.start) == (0, 0)
    assert heads.mask(Head(0, 0, 50), rows, columns)[0, 0] == 1
    rows, columns = heads.window(Head(-500, 20, 50), (100, 100))
    assert columns.stop <= columns.start


def test_skin_luma_is_that_of_the_face_not_of_the_picture(astronaut):
    found = detect(astronaut, irises=False)
    luma = heads.skin_luma(astronaut, found)
    assert 0.6 < luma < 0.8
    dark = astronaut.copy()
    dark[250:] = 0  # far from the face
    assert heads.skin_luma(dark, found) == luma
    assert heads.skin_luma(dark, []) < 0.3


def test_skin_luma_of_no_face_is_the_median_luma():
    picture = np.zeros((4, 5, 3), np.float32)
    picture[:, 1:] = 0.2, 0.4, 0.6
    assert heads.skin_luma(picture, []) == pytest.approx(0.299 * 0.2 + 0.587 * 0.4 + 0.114 * 0.6, abs=1e-6)


def test_a_face_beyond_the_border_has_no_luma_of_its_own(astronaut):
    (found,) = detect(astronaut, irises=False)
    gone = replace(found, landmarks=found.landmarks - [-5000, 5000, 0])
    assert heads.skin_luma(astronaut, [gone]) == heads.skin_luma(astronaut, [])
    half = replace(found, landmarks=found.landmarks - [225, 0, 0])
    assert 0 < heads.skin_luma(astronaut, [half]) < 1
