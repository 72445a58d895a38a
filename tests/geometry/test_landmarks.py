"""Index sets of the face mesh."""

import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.geometry import landmarks as sets

LOOPS = [
    *(sets.FACE_OVAL, sets.RIGHT_EYE, sets.LEFT_EYE, sets.RIGHT_BROW, sets.LEFT_BROW),
    *(sets.LIPS_OUTER, sets.LIPS_INNER, sets.RIGHT_NOSTRIL, sets.LEFT_NOSTRIL),
]


def test_loops_name_points_of_the_mesh_once_and_share_none():
    every = [index for loop in LOOPS for index in loop]
    assert len(every) == len(set(every))
    assert all(0 <= index < sets.MESH_POINTS for index in every)


def test_parts_come_in_pairs_of_one_size():
    assert len(sets.RIGHT_EYE) == len(sets.LEFT_EYE) == 16
    assert len(sets.RIGHT_BROW) == len(sets.LEFT_BROW)
    assert len(sets.LIPS_OUTER) == len(sets.LIPS_INNER) == 20


def test_the_68_points_lie_on_the_parts_they_belong_to():
    points = sets.MESH_TO_68
    assert len(points) == len(set(points)) == 68
    assert set(points[36:42]) <= set(sets.RIGHT_EYE)
    assert set(points[42:48]) <= set(sets.LEFT_EYE)
    assert set(points[17:22]) <= set(sets.RIGHT_BROW)
    assert set(points[22:27]) <= set(sets.LEFT_BROW)
    assert set(points[48:60]) <= set(sets.LIPS_OUTER)
    assert set(points[60:68]) <= set(sets.LIPS_INNER)
    assert len(set(points[:17]) & set(sets.FACE_OVAL)) >= 16


def test_other_counts_of_points_are_refused():
    with pytest.raises(ParameterError, match="3, 4, 68, 468 or 478"):
        sets.eyes_and_mouth([[0, 0]] * 5)


def test_sets_for_a_warp_are_points_of_the_mesh():
    mesh = np.random.default_rng(0).random((468, 3))
    visible = np.ones(468, bool)
    visible[[33, 200]] = False
    assert sets.subset(mesh, "468", visible).shape == (466, 2)
    assert sets.subset(mesh, "68", visible).shape == (67, 2)
    np.testing.assert_array_equal(sets.subset(mesh, "68"), mesh[list(sets.MESH_TO_68), :2])
    five = sets.subset(mesh, "5")
    np.testing.assert_allclose(five[0], mesh[list(sets.RIGHT_EYE), :2].mean(0))
    np.testing.assert_array_equal(five[2:], mesh[[1, 61, 291], :2])
    with pytest.raises(ParameterError, match="no landmark set is called '7'"):
        sets.subset(mesh, "7")
    with pytest.raises(ParameterError, match="no mesh of 468"):
        sets.subset(mesh[:68], "68")
