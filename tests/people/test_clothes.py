"""Clothes: cut where they should be, outside the body, and covering the trunk."""

import numpy as np
import pytest

from wbme.geometry.parsing import INDEX
from wbme.people import body, clothes, hats, outfits, patterns, rig, scalp, skirts
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


@pytest.mark.parametrize("name", ["top", "hoodie", "suit", "uniform", "dress", "coat", "vest"])
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


@pytest.mark.parametrize("name", ["stripes", "pinstripes", "check", "tartan", "dots"])
def test_patterns_are_textures_of_full_cover(name):
    texture = patterns.draw(name, np.array([0.8, 0.6, 0.5]), np.random.default_rng(3))
    assert texture.shape == (1024, 1024, 4) and texture.dtype == np.uint8
    assert (texture[..., 3] == 255).all() and np.ptp(texture[..., 0]) > 20
    assert patterns.draw("plain", np.ones(3), np.random.default_rng(3)) is None


def test_a_pleated_skirt_is_a_closed_tube_outside_the_legs(person):
    drop = outfits.DROPS["pleated skirt"]
    made = skirts.make(person, drop, "skirt", np.array([0.4, 0.2, 0.2]), np.random.default_rng(1))
    outer = made.triangles[(made.triangles < made.count).all(1)]
    assert len(borders(outer)) == 2  # waist and hem
    assert made.rest[:, 1].min() == pytest.approx(drop.hem, abs=0.02)
    assert len(made.folds) == drop.pleats
    legs = person.vertices[person.anatomy.groups["body"]]
    legs = legs[
        (body.mean()[person.anatomy.groups["body"], 1] > drop.hem) & (np.abs(legs[:, 1] - 0.7) < 0.05)
    ]
    ring = made.points[np.abs(made.points[:, 1] - 0.7) < 0.05]
    legs = legs[np.abs(legs[:, 0]) < 0.2]  # not the hands
    assert ring[:, 0].max() > legs[:, 0].max() and ring[:, 2].max() > legs[:, 2].max()


def test_a_coats_tails_are_open_in_front(person):
    made = skirts.make(
        person, outfits.DROPS["coat tails"], "tails", np.array([0.4, 0.2, 0.2]), np.random.default_rng(1)
    )
    outer = made.triangles[(made.triangles < made.count).all(1)]
    assert len(borders(outer)) == 1


def test_folds_are_lines_on_the_posed_cloth(person, tee):
    mesh = tee.posed(person.pose(rig.Pose()).moves)
    lines = tee.lines(mesh)
    assert len(lines) > 5
    tree = clothes_tree(mesh.positions)
    for line in lines:
        assert line.kind == "fold" and len(line.points) == len(line.width) > 3
        assert tree.query(line.points)[0].max() < 0.02 and line.width[-1] < 0.1


@pytest.mark.parametrize("kind", ["beanie", "cap", "bucket", "straw"])
def test_a_hat_covers_the_crown_and_lays_the_hair_flat(person, kind):
    skull = scalp.skull(person, [])
    hat = hats.make(skull, kind, np.random.default_rng(1))
    assert all(set(mesh.labels) == {INDEX["hat"]} for mesh in hat)
    crown, _ = skull.at(np.arange(-180, 180, 20.0), np.full(18, 75.0))
    out = crown - skull.centre
    d = hat[0].positions - skull.centre
    far = np.linalg.norm(d, axis=1)
    scalp_there, _ = skull.at(np.degrees(np.arctan2(d[:, 0], d[:, 2])), np.degrees(np.arcsin(d[:, 1] / far)))
    assert (far > np.linalg.norm(scalp_there - skull.centre, axis=1) + 0.004).mean() > 0.97
    wild = (skull.centre + 1.8 * out).astype(np.float32)
    flat = hats.pressed(wild, skull, hat)
    assert (np.linalg.norm(flat - crown, axis=1) < 0.007).all()
    low = np.array([[0.0, person.vertices[:, 1].max() - 0.3, -0.12]], np.float32)
    np.testing.assert_array_equal(hats.pressed(low, skull, hat), low)
