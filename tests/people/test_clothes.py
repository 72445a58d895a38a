"""Clothes: cut where they should be, outside the body, and covering the trunk."""

import numpy as np
import pytest

from wbme.geometry.parsing import INDEX
from wbme.people import body, clothes, outfits, rig
from wbme.people.cloth import borders, fabric, limbs
from wbme.people.clothes import Cut
from wbme.people.collars import neck_rim

pytestmark = pytest.mark.slow  # they need a body, some 2 s


@pytest.fixture(scope="module")
def person():
    return body.build(body.BodySpec(gender=0.1))


@pytest.fixture(scope="module")
def tee(person):
    return clothes.tailor(
        person, outfits.CUTS["tee"], "tee", np.array([0.5, 0.2, 0.2]), np.random.default_rng(1)
    )


def test_clip_keeps_the_inside_and_cuts_exactly_on_the_border():
    whole = fabric("tights")
    half = whole.clip(whole.mean()[:, 1] - 1.0)
    mean = half.mean()
    assert mean[:, 1].min() == pytest.approx(1.0, abs=1e-6)
    assert np.isclose(mean[:, 1], 1.0).sum() > 50
    assert np.allclose(np.asarray(half.blend.sum(1)), 1)


def test_a_cut_through_the_trunk_leaves_one_loop_there():
    whole = fabric("tights")
    mean = whole.mean()
    trunk = whole.clip(np.minimum(mean[:, 1] - 1.05, 0.14 - np.abs(mean[:, 0])))
    loops = [loop for loop in borders(trunk.triangles) if np.allclose(trunk.mean()[loop, 1], 1.05, atol=1e-4)]
    assert len(loops) == 1


def test_necklines(person):
    assert person.vertices.shape[1] == 3
    front = np.array([[0.0, 1.33, 0.10]])
    assert clothes.neckline(Cut(front=0.04), front) > 0 > clothes.neckline(Cut(front=0.11, vee=1.0), front)
    side = np.array([[0.045, 1.345, 0.09]])  # beside the middle a V is narrower than a round neckline
    assert clothes.neckline(Cut(front=0.11, vee=1.0), side) > clothes.neckline(Cut(front=0.11), side)


def test_sleeves_end_where_the_cut_says():
    along, arm = limbs()
    mean = body.mean().astype(float)
    inside = clothes.covered(Cut(sleeve=0.3), mean, along, arm) > 0
    assert not inside[(arm > 0.9) & (along > 0.32)].any()
    assert inside[(arm > 0.9) & (along > 0.15) & (along < 0.25)].all()


def test_cloth_is_outside_the_body_and_thick_at_its_borders(person, tee):
    posed = tee.posed(person.pose(rig.Pose()).moves)
    assert np.isfinite(posed.positions).all() and posed.material == "cloth"
    assert set(posed.labels) == {INDEX["cloth"]}
    assert len(tee.points) > tee.count  # the turned-in hems
    skin = person.anatomy.parts["skin"]
    normals = body.normals(person.vertices, skin.source[skin.triangles])
    tree = clothes_tree(person.vertices[skin.source])
    near = skin.source[tree.query(tee.points[: tee.count])[1]]
    depth = ((tee.points[: tee.count] - person.vertices[near]) * normals[near]).sum(1)
    assert np.mean(depth > 0) > 0.98


def clothes_tree(points):
    from scipy.spatial import cKDTree

    return cKDTree(points)


def test_the_neck_rim_starts_in_front_and_goes_round_by_the_left(tee):
    rim = neck_rim(tee)
    assert abs(rim.points[0, 0]) < 0.01 and rim.points[0, 2] > rim.points[64, 2]
    assert rim.points[32, 0] > 0.03 and rim.points[96, 0] < -0.03
    assert rim.back[0] == 0 and rim.back[64] == 1
    assert rim.up[:, 1].mean() > 0.3


@pytest.mark.parametrize("name", outfits._ODDS)
def test_every_outfit_covers_the_trunk(person, name):
    outfit = outfits.make(name, person, np.random.default_rng(3))
    mean = body.mean()
    chest = (np.abs(mean[:, 0]) < 0.10) & (mean[:, 1] > 0.90) & (mean[:, 1] < 1.22)
    chest[13380:] = False
    assert outfit.hides[chest].all()
    assert not outfit.hides[(mean[:, 1] > 1.49) & (np.arange(len(mean)) < 13380)].any()  # never the face
    moves = person.pose(rig.Pose()).moves
    for garment in outfit.garments:
        mesh = garment.posed(moves)
        assert np.isfinite(mesh.positions).all() and np.isfinite(mesh.normals).all()
        assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-3)
        assert mesh.albedo.min() >= 0 and mesh.albedo.max() <= 1


def test_patterns_are_textures_of_full_cover_or_none():
    found = [outfits._pattern(np.random.default_rng(seed), size=64) for seed in range(20)]
    assert any(f is None for f in found) and any(f is not None for f in found)
    for texture in found:
        if texture is not None:
            assert texture.shape == (64, 64, 4) and texture.dtype == np.uint8
            assert (texture[..., 3] == 255).all() and np.ptp(texture[..., 0]) > 20
