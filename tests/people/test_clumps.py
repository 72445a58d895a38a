"""Masses of hair: locks lie in their mass, run together, and keep its number."""

import numpy as np
import pytest

from wbme.people import clumps


def body(count=1, gather=0.1, lean=0.0, bulge=0.0):
    z = np.linspace(0, 0.2, 21)
    guide = np.stack([0 * z, 0 * z, z], 1)[None].repeat(count, 0)
    normal = np.broadcast_to([0.0, 1.0, 0.0], guide.shape)
    return clumps.masses(guide, normal, 0.04, np.full(count, lean), root=0.5, gather=gather, bulge=bulge)


def test_locks_lie_side_by_side_and_meet_at_the_tip():
    mass = body(lean=0.5)
    offset = clumps.places(3)[None]
    points, normals = mass.at(offset, np.broadcast_to(np.linspace(0, 1, 11), (1, 3, 11)))
    assert points.shape == normals.shape == (1, 3, 11, 3)
    across = points[0, :, :, 0]
    assert np.ptp(across[:, 3]) > 0.02  # two thirds of the width, where it is full
    assert np.ptp(across[:, -1]) < 0.1 * 0.04
    assert np.allclose(np.abs(across[:, -1]), 0.5 * 0.02, atol=0.003)
    assert np.allclose(np.linalg.norm(normals, axis=-1), 1)


def test_a_mass_is_rounded_across():
    points, normals = body(bulge=0.3).at(np.array([[-0.9, 0.0, 0.9]]), np.full((1, 3, 1), 0.3))
    height, side = points[0, :, 0, 1], normals[0, :, 0, 0]
    assert height[1] > height[0] == pytest.approx(height[2])
    assert abs(side[1]) < 1e-9 and side[0] == pytest.approx(-side[2]) and abs(side[0]) > 0.2


@pytest.mark.parametrize("lean", [-0.7, 0.0, 0.7])
def test_the_lock_at_the_point_reaches_farthest(lean):
    reach = clumps.reaches(np.full(50, lean), 3, 0.4, np.random.default_rng(0))
    assert reach.max() <= 1 and reach.min() >= 0.5
    assert np.argmax(reach.mean(0)) == np.argmin(np.abs(clumps.places(3) - lean))


def test_lines_between_locks_are_long_tapered_and_start_at_the_root_or_end_at_the_tip():
    mass = body(40)
    lines = clumps.seams(mass, np.ones((40, 3)), 1.0, np.random.default_rng(0))
    assert len(lines) == 80
    for line in lines:
        start, end = line.points[0, 2] / 0.2, line.points[-1, 2] / 0.2
        assert end - start > 0.12 and (start < 0.15 or end > 0.85)
        assert line.kind == "hair" and max(line.width[0], line.width[-1]) < 0.5 * line.width.max()
    assert not clumps.seams(mass, np.ones((40, 1)), 1.0, np.random.default_rng(0))
