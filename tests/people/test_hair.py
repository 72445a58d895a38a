"""Hair: it covers the scalp, stays off the eyes, and is the same for the same seed."""

import numpy as np
import pytest

from wbme.geometry.parsing import INDEX
from wbme.people import body, clumps, hair, hairstyles, scalp

pytestmark = pytest.mark.slow  # they need a body, some 2 s

VOLUMES = ("bald", "buzz", "afro", "short curls")  # without masses
LONG = ("bob", "medium", "long straight", "long wavy", "curly")


@pytest.fixture(scope="module")
def head():
    return scalp.skull(body.build(body.BodySpec(gender=0.9)), [])


@pytest.fixture(scope="module")
def wigs(head):
    return {style: hairstyles.make(head, style, (0.3, 0.2, 0.1), 4, style)[0] for style in hairstyles.STYLES}


def test_hairline_goes_over_the_ears_and_recedes_at_the_temples():
    assert scalp.hairline(0) == pytest.approx(30)
    assert scalp.hairline(90) > 0 > scalp.hairline(75)
    assert scalp.hairline(180) < -50
    assert scalp.hairline(40, receding=1.0) - scalp.hairline(40) > 20
    assert scalp.hairline(-130) == scalp.hairline(130)


def test_scalp_directions_hit_the_head(head):
    points, normals = head.at(np.array([0.0, 90.0, 180.0]), np.array([40.0, 40.0, 0.0]))
    assert 0.07 < np.linalg.norm(points - head.centre, axis=1).min() < 0.14
    assert points[0, 2] > head.centre[2] and points[1, 0] > 0.05 and points[2, 2] < head.centre[2]
    assert np.all((normals * (points - head.centre)).sum(1) > 0.05)


def test_push_out_moves_points_to_the_margin_and_no_farther(head):
    surface, normals = head.at(np.array([10.0]), np.array([60.0]))
    inside = scalp.push_out(head, surface - 0.005 * normals, 0.010)
    outside = scalp.push_out(head, surface + 0.030 * normals, 0.010)
    assert ((inside - surface) * normals).sum() == pytest.approx(0.010, abs=0.004)
    assert ((outside - surface) * normals).sum() == pytest.approx(0.030, abs=1e-6)


def test_cut_stops_at_the_height_and_keeps_the_root():
    guide = np.stack([np.zeros(41), np.linspace(2, 1, 41), np.zeros(41)], 1)[None]
    short = hair.cut(guide, np.array([1.5]), 11)
    assert short.shape == (1, 11, 3)
    assert short[0, 0, 1] == 2
    assert short[0, -1, 1] == pytest.approx(1.5, abs=0.03)
    assert np.ptp(np.diff(short[0, :, 1])) < 1e-9  # evenly


def test_loft_is_closed_pointed_and_faces_outwards():
    guide = np.stack([np.zeros(12), np.zeros(12), np.linspace(0, 0.1, 12)], 1)[None]
    away = np.broadcast_to([0.0, 1.0, 0.0], guide.shape)
    piece = hair.loft(guide, away, 0.02, thick=1.0)
    a, b, c = (piece.points[piece.triangles[:, k]] for k in range(3))
    centre = np.stack([np.zeros(len(a)), np.zeros(len(a)), (a + b + c)[:, 2] / 3], 1)
    facing = (np.cross(b - a, c - a) * ((a + b + c) / 3 - centre)).sum(1)
    assert np.mean(facing > 0) > 0.95
    assert np.linalg.norm(piece.points[-8:] - piece.points[-8:].mean(0), axis=1).max() < 0.001
    assert np.allclose(np.linalg.norm(piece.tangents, axis=1), 1, atol=1e-5)
    assert piece.uv.min() >= 0 and piece.uv.max() <= 1


@pytest.mark.parametrize("style", hairstyles.STYLES)
def test_every_style_is_sound(wigs, style):
    for mesh in wigs[style]:
        assert mesh.material == "hair" and mesh.part.startswith("hair")
        assert np.isfinite(mesh.positions).all() and np.isfinite(mesh.normals).all()
        assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-3)
        assert mesh.tangents is not None and mesh.tangents.shape == mesh.positions.shape
        assert mesh.triangles.min() >= 0 and mesh.triangles.max() < len(mesh.positions)
        assert set(mesh.labels) == {INDEX["hair"]}
        assert mesh.uv.min() >= 0 and mesh.uv.max() <= 1
    assert bool(wigs[style]) == (style != "bald")


@pytest.mark.parametrize("style", [s for s in hairstyles.STYLES if s != "bald"])
def test_no_hair_in_front_of_the_eyes(head, wigs, style):
    eye = head.levels["eye"]
    points = np.concatenate([m.positions for m in wigs[style]])
    front = points[points[:, 2] > head.centre[2] + 0.05]
    over = (np.abs(front[:, 0]) < 0.042) & (np.abs(front[:, 1] - eye) < 0.012)
    assert not over.any()


@pytest.mark.parametrize("style", [s for s in hairstyles.STYLES if s != "bald"])
def test_the_scalp_is_covered(head, wigs, style):
    """Rays through the scalp leave it under hair, everywhere above the hairline."""
    azimuth, elevation = (x.ravel() for x in np.meshgrid(np.arange(-180, 180, 20.0), np.arange(0, 90, 15.0)))
    keep = elevation > scalp.hairline(azimuth) + 12
    points, normals = head.at(azimuth[keep], elevation[keep])
    cloud = np.concatenate([m.positions for m in wigs[style]])
    near = scalp.cKDTree(cloud).query(points + 0.004 * normals)[0]
    assert near.max() < 0.085 if style == "afro" else near.max() < 0.03


@pytest.mark.parametrize("style", LONG)
def test_long_hair_does_not_enter_the_neck(head, wigs, style):
    points = np.concatenate([m.positions for m in wigs[style]]).astype(float)
    points = points[points[:, 1] > head.levels["chin"]]
    moved = scalp.push_out(head, points, 0.0) - points
    assert np.mean(np.linalg.norm(moved, axis=1) > 0.006) < 0.01


@pytest.mark.parametrize("style", [s for s in hairstyles.STYLES if s not in VOLUMES])
def test_a_style_is_some_dozen_masses_known_by_number(wigs, style):
    numbers = np.concatenate([np.unique(m.clump) for m in wigs[style] if m.clump is not None])
    assert len(np.unique(numbers)) == len(numbers)  # no lock has the number of another
    masses = np.unique(numbers // clumps.LOCKS)
    assert 12 <= len(masses) <= 60 and numbers.min() > 0 and numbers.max() < 2048
    for mesh in (m for m in wigs[style] if m.clump is not None):
        corner = mesh.clump[mesh.triangles]
        assert (corner == corner[:, :1]).all()


@pytest.mark.parametrize("style", ["crop", "long straight", "medium", "pixie"])
def test_the_locks_of_a_mass_end_in_one_point(wigs, style):
    """Locks end near the path of the longest one of their mass, though they ran beside it before."""
    closer = []
    for mesh in (m for m in wigs[style] if m.clump is not None):
        for mass in np.unique(mesh.clump // clumps.LOCKS):
            numbers = [n for n in np.unique(mesh.clump) if n // clumps.LOCKS == mass]
            paths = [mesh.positions[mesh.clump == n].reshape(-1, hair.SIDES, 3).mean(1) for n in numbers]
            paths.sort(key=lambda path: np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
            for path in paths[:-1]:
                away = np.linalg.norm(path[:, None] - paths[-1], axis=2).min(1)
                closer.append(away[-1] < 0.8 * away.max())
    assert np.mean(closer) > 0.85


def test_the_same_seed_gives_the_same_hair(head):
    one, lines = hairstyles.make(head, "bob", (0.3, 0.2, 0.1), 4, 7)
    two, again = hairstyles.make(head, "bob", (0.3, 0.2, 0.1), 4, 7)
    other, _ = hairstyles.make(head, "bob", (0.3, 0.2, 0.1), 4, 8)
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(one, two, strict=True))
    assert len(lines) == len(again)
    assert not np.array_equal(one[-1].positions[:50], other[-1].positions[:50])


def test_curves_are_tapered_and_lie_on_the_hair(head):
    meshes, curves = hairstyles.make(head, "long straight", (0.3, 0.2, 0.1), 4, 1)
    cloud = scalp.cKDTree(np.concatenate([m.positions for m in meshes]))
    assert 10 < len(curves) < 120
    for curve in curves:
        assert curve.kind == "hair"
        assert curve.width[0] < curve.width.max() and curve.width[-1] < curve.width.max()
        assert cloud.query(curve.points)[0].max() < 0.02
