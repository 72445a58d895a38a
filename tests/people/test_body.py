"""The bare person: shapes, surface, poses, landmarks."""

import dataclasses
from unittest.mock import Mock

import numpy as np
import pytest

from wbme.base.errors import StoreError
from wbme.base.seeds import generator
from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import MONK
from wbme.geometry import landmarks as names
from wbme.geometry.parsing import INDEX
from wbme.people import anatomy, body, context, expression, gbuffer, lights, phenotype, poses, rig
from wbme.people.camera import Camera
from wbme.people.skin import Complexion

pytestmark = pytest.mark.slow  # all of them need the body's data, some 0.1 to 2 s each


@pytest.fixture(scope="module")
def mean():
    return body.build(body.BodySpec())


@pytest.fixture(scope="module")
def neutral(mean):
    return mean.pose(rig.Pose())


def mirrored(base: anatomy.Anatomy) -> np.ndarray:
    """The vertex on the other side of each vertex of the body."""
    from scipy.spatial import cKDTree

    own = base.groups["body"]
    return own[cKDTree(base.positions[own]).query(base.positions[own] * [-1, 1, 1])[1]]


def test_the_arrays_of_the_body_fit_together():
    base = anatomy.load()
    assert base.positions.shape == (19158, 3) and base.bone.shape == base.weight.shape == (19158, 4)
    np.testing.assert_allclose(base.weight.sum(1), 1, atol=1e-5)
    assert all(parent < index for index, parent in enumerate(base.parents))
    skin = base.parts["skin"]
    assert skin.uv.min() >= 0 and skin.uv.max() <= 1 and len(base.island) == len(skin.triangles)
    np.testing.assert_allclose(base.barycentric.sum(1), 1, atol=1e-4)
    place = (skin.uv[skin.triangles[base.texel_triangle]] * base.barycentric[..., None]).sum(1)
    texel = np.stack(np.divmod(base.texels, anatomy.TEXTURE), 1)[:, ::-1] + 0.5
    far = np.abs(np.stack([place[:, 0], 1 - place[:, 1]], 1) * anatomy.TEXTURE - texel).max(1)
    assert (far < 0.01).mean() > 0.9 and far.max() < 8  # the rest is the margin of the sheets


def test_a_damaged_cache_is_made_anew(tmp_path, monkeypatch):
    good = anatomy.assets.get("human_shapes")
    copy = tmp_path / good.name
    copy.symlink_to(good)
    monkeypatch.setattr(anatomy.assets, "get", lambda name: copy)
    anatomy.load.cache_clear()
    try:
        found = anatomy.load()
        (cache,) = tmp_path.glob("*.npz")
        cache.write_bytes(cache.read_bytes()[:5000])
        anatomy.load.cache_clear()
        np.testing.assert_array_equal(anatomy.load().positions, found.positions)
        cache.unlink()
        monkeypatch.setattr(anatomy, "write_atomic", Mock(side_effect=StoreError("the disk is full")))
        anatomy.load.cache_clear()
        np.testing.assert_array_equal(anatomy.load().positions, found.positions)
    finally:
        anatomy.load.cache_clear()


@pytest.mark.parametrize("name", ["gender", "muscle", "weight", "height", "proportions", "cup"])
@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("age", [18, 80])
def test_extreme_people_are_whole_and_symmetric(name, value, age):
    base = anatomy.load()
    spec = dataclasses.replace(body.BodySpec(age=age), **{name: value})
    shaped = body._moved(base.positions, base, phenotype.shape(spec))
    assert np.isfinite(shaped).all()
    own = base.groups["body"]
    far = np.abs(shaped[mirrored(base)] * [-1, 1, 1] - shaped[own])
    assert np.quantile(far, 0.99) < 0.002
    assert 1.2 < np.ptp(shaped[own, 1]) < 2.4


def test_the_shares_of_a_phenotype_are_whole():
    weights = phenotype.shape(body.BodySpec(gender=0.3, age=50, muscle=0.8, weight=0.2))
    assert sum(w for n, w in weights.items() if n.startswith("universal")) == pytest.approx(1)
    races = [w for n, w in weights.items() if n.split("-")[0] in ("african", "asian", "caucasian")]
    assert sum(races) == pytest.approx(1)
    woman = phenotype.shape(body.BodySpec(gender=1.0))
    assert not any("male" in name.split("-") for name in woman)


def test_a_woman_has_the_wider_hips_and_the_narrower_shoulders():
    ratios = []
    for gender in (0.0, 1.0):
        person = anatomy.load()
        shaped = body._moved(person.positions, person, phenotype.shape(body.BodySpec(gender=gender)))
        joint = dict(zip(person.bones, person.joints(shaped), strict=True))
        ratios.append(joint["upperarm01.L"][0] / joint["upperleg01.L"][0])
    assert ratios[0] > 1.05 * ratios[1]


def test_sampled_people_differ_and_keep_to_the_tone_asked_for():
    people = [phenotype.sample(generator(0, "test", k), monk=k % 10 + 1) for k in range(60)]
    assert [p.complexion.monk for p in people] == [k % 10 + 1 for k in range(60)]
    assert all(18 <= p.age <= 75 and 0 <= p.gender <= 1 for p in people)
    assert 0.3 < np.mean([p.gender > 0.5 for p in people]) < 0.7
    known = anatomy.load().targets
    assert all(set(phenotype.shape(p)) <= set(known) for p in people)
    sides = [p.details for p in people]
    left = np.array([d.get("l-eye-scale-incr", 0) - d.get("l-eye-scale-decr", 0) for d in sides])
    right = np.array([d.get("r-eye-scale-incr", 0) - d.get("r-eye-scale-decr", 0) for d in sides])
    assert np.corrcoef(left, right)[0, 1] > 0.8 and np.abs(left - right).max() > 0


@pytest.mark.parametrize("tone", range(1, 11))
def test_the_face_has_the_tone_asked_for_on_the_texture_and_in_the_picture(tone):
    person = body.build(phenotype.sample(generator(1, "tone", tone), monk=tone))
    made = person.skin
    face = np.isin(made.label_map, [INDEX["skin"], INDEX["nose"]])
    median = np.median(srgb_to_lab(made.texture[face][:, :3] / 255), axis=0)
    swatches = [[m.L, m.a, m.b] for m in MONK]
    assert delta_e00(median, swatches[tone - 1]) < 3
    np.testing.assert_allclose(made.facts["skin_lab"], median, atol=0.6)
    model = person.pose(rig.Pose()).model
    middle = model.landmarks.mean(0).astype(float)
    seen = Camera((96, 96), middle + np.array([0, 0, 1.0]), middle, 110.0)
    drawn = gbuffer.draw(context.get(), model, seen, lights.neutral())
    here = np.isin(drawn.label, [INDEX["skin"], INDEX["nose"]])
    assert here.mean() > 0.1
    lab = np.median(srgb_to_lab(drawn.albedo[here]), axis=0)
    assert int(np.argmin([delta_e00(lab, swatch) for swatch in swatches])) == tone - 1


def test_ages_and_the_shapes_of_faces_are_spread():
    people = [phenotype.sample(generator(2, "spread", k)) for k in range(200)]
    ages = np.histogram([p.age for p in people], (18, 35, 55, 76))[0] / len(people)
    assert (ages > 0.1).all() and ages[0] < 0.65
    heads = [name for p in people for name in p.details if name.startswith("head-") and name.count("-") == 1]
    counts = {name: heads.count(name) / len(people) for name in heads}
    assert len(counts) == 7 and min(counts.values()) > 0.05
    shares = np.array([(p.african, p.asian, p.caucasian) for p in people])
    assert ((shares / shares.sum(1, keepdims=True) > 0.6).mean(0) > 0.1).all()


def test_every_part_of_the_face_has_its_label(mean):
    found = np.unique(mean.skin.label_map)
    wanted = (
        "skin",
        "l_brow",
        "r_brow",
        "l_ear",
        "r_ear",
        "nose",
        "mouth",
        "u_lip",
        "l_lip",
        "neck",
        "body_skin",
    )
    assert {INDEX[name] for name in wanted} <= set(found)
    assert (mean.skin.label_map.ravel()[mean.anatomy.texels] > 0).all()
    assert (mean.skin.texture.reshape(-1, 4)[mean.anatomy.texels, 3] == 255).all()
    skin = mean.anatomy.parts["skin"]
    x = (mean.vertices[skin.source][skin.triangles[mean.anatomy.texel_triangle]]).mean(1)[:, 0]
    label = mean.skin.label_map.ravel()[mean.anatomy.texels]
    assert (x[label == INDEX["l_ear"]] > 0).all() and (x[label == INDEX["r_brow"]] < 0).all()


def test_the_same_spec_gives_the_same_bytes():
    spec = phenotype.sample(generator(3, "same"), monk=4)
    one, other = body.build(spec), body.build(spec)
    np.testing.assert_array_equal(one.vertices, other.vertices)
    np.testing.assert_array_equal(one.skin.texture, other.skin.texture)
    np.testing.assert_array_equal(one.irises, other.irises)
    pose = poses.sample(np.random.default_rng(5), full=True)
    for a, b in zip(one.pose(pose).model.meshes, other.pose(pose).model.meshes, strict=True):
        np.testing.assert_array_equal(a.positions, b.positions)


def test_a_model_is_sound(mean, neutral):
    model = neutral.model
    assert [mesh.part for mesh in model.meshes][:1] == ["skin"] and len(model.meshes) == 7
    for mesh in model.meshes:
        count = len(mesh.positions)
        assert mesh.positions.dtype == np.float32 and mesh.triangles.dtype == np.int32
        assert mesh.triangles.min() >= 0 and mesh.triangles.max() < count
        for array in (mesh.normals, mesh.rest, mesh.uv, mesh.labels, mesh.albedo):
            assert len(array) == count
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-3)
        assert mesh.uv.min() >= 0 and mesh.uv.max() <= 1
        a, b, c = (mesh.positions[mesh.triangles[:, k]] for k in range(3))
        outward = (np.cross(b - a, c - a) * mesh.normals[mesh.triangles[:, 0]]).sum(1)
        assert (outward >= -1e-9).mean() > (0.65 if "teeth" in mesh.part else 0.95), mesh.part
    assert -0.01 < mean.vertices[mean.anatomy.groups["body"], 1].min() < 0.01
    kinds = sorted(curve.kind for curve in model.curves)
    assert kinds == ["brow"] * 2 + ["crease"] * 2 + ["ear"] * 2 + ["ear fold"] * 4 + ["jaw"]
    assert all(len(c.points) == len(c.width) and np.isfinite(c.points).all() for c in model.curves)


def test_arms_hang_and_wrists_come_where_they_are_sent(mean):
    joints = mean.pose(rig.Pose()).model.joints
    assert joints["wrist.L"][1] < joints["lowerarm01.L"][1] < joints["upperarm01.L"][1] - 0.15
    assert joints["wrist.L"][0] > 0.1 > -0.1 > joints["wrist.R"][0]
    wave = rig.Pose(arms={"L": poses.ARMS["wave"]})
    raised = mean.pose(wave).model.joints
    assert raised["wrist.L"][1] > raised["upperarm01.L"][1] + 0.1
    for bone, end in (("upperarm01.L", "lowerarm01.L"), ("lowerarm01.L", "wrist.L")):
        rest = dict(zip(mean.anatomy.bones, mean.joints, strict=True))
        assert np.linalg.norm(raised[end] - raised[bone]) == pytest.approx(
            np.linalg.norm(rest[end] - rest[bone]), rel=1e-4
        )


@pytest.mark.parametrize("seed", range(6))
def test_poses_keep_the_body_in_one_piece(mean, seed):
    pose = poses.sample(np.random.default_rng(seed), full=True)
    posed = mean.pose(pose)
    skin = posed.model.meshes[0]
    rest = mean.vertices[mean.anatomy.parts["skin"].source]
    edges = skin.triangles[:, [0, 1]]
    before, after = (np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (rest, skin.positions))
    grown = after / np.maximum(before, 1e-3)
    assert np.quantile(grown, 0.999) < 3 and np.isfinite(skin.positions).all()
    rotation = posed.model.head[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)


def test_expressions_do_what_they_say(mean, neutral):
    def points(name: str, strength: float = 1.0) -> np.ndarray:
        return mean.pose(rig.Pose(expression=expression.named(name, strength))).model.landmarks

    rest = neutral.model.landmarks

    def parted(p: np.ndarray) -> float:
        return float(np.linalg.norm(p[13] - p[14]))

    def opening(p: np.ndarray, side: str) -> float:
        above, below = (159, 145) if side == "R" else (386, 374)
        return float(np.linalg.norm(p[above] - p[below]))

    assert parted(rest) < 0.0015 and parted(points("surprise")) > 0.008
    assert (points("soft smile")[[61, 291], 1] > rest[[61, 291], 1] + 0.002).all()
    assert opening(points("wink"), "L") < 0.3 * opening(rest, "L")
    assert opening(points("wink", 0.5), "L") < 0.3 * opening(rest, "L")
    assert opening(points("wink"), "R") > 0.7 * opening(rest, "R")
    assert points("anger")[[55, 285], 1].mean() < rest[[55, 285], 1].mean() - 0.002
    for name in expression.EXPRESSIONS:
        sampled = expression.sample(np.random.default_rng(0), name)
        assert all(0 <= weight <= 1 for weight in sampled.values())
        assert set(sampled) <= set(mean.anatomy.targets)


def test_lids_meet_the_iris_and_the_eyes_follow_the_gaze(mean, neutral):
    points, irises = neutral.model.landmarks, neutral.model.irises
    for side, loop in enumerate((names.RIGHT_EYE, names.LEFT_EYE)):
        centre, nose, top, outer, bottom = irises[side]
        rim = points[list(loop)]
        assert (
            rim[:, 0].min() < min(nose[0], outer[0]) - 0.004
            and rim[:, 0].max() > max(nose[0], outer[0]) + 0.004
        )
        assert abs(rim[:, 1].max() - top[1]) < 0.0025 and top[1] > centre[1] > bottom[1]
    left = mean.pose(rig.Pose(gaze=(15.0, 0.0))).model.irises
    assert (left[:, 0, 0] > irises[:, 0, 0] + 0.002).all()


def test_closed_lips_touch_for_every_face():
    for k in range(6):
        made = body.build(phenotype.sample(generator(7, "lips", k)))
        points = made.pose(rig.Pose()).model.landmarks
        for above, below in ((13, 14), (82, 87), (312, 317), (80, 88), (310, 318)):
            assert points[above, 1] - points[below, 1] < 0.0012


def test_freckles_are_small_dark_spots_on_the_face():
    clear, freckled = (
        body.build(body.BodySpec(complexion=Complexion(monk=3, freckles=amount, moles=0))).skin
        for amount in (0.0, 1.0)
    )
    face = np.isin(clear.label_map, [INDEX["skin"], INDEX["nose"]])
    L = [srgb_to_lab(made.texture[face][:, :3] / 255)[:, 0] for made in (clear, freckled)]
    assert 0.002 < (L[1] < L[0] - 2.5).mean() < 0.05
    assert abs(np.median(L[1] - L[0])) < 1
