"""Whole persons: even over tones and genders, the same for the same numbers, complete for the renderer."""

import numpy as np
import pytest

from wbme.geometry.parsing import INDEX
from wbme.people import person
from wbme.people.mesh import MATERIALS

pytestmark = pytest.mark.slow  # they need a body, some 2 s


@pytest.fixture(scope="module")
def someone():
    return person.sample(5, 3)


def test_tones_are_even_in_every_ten_and_genders_in_every_two():
    people = [person.sample(5, n) for n in range(20)]
    for ten in (people[:10], people[10:]):
        assert sorted(p.choice.spec.complexion.monk for p in ten) == list(range(1, 11))
    female = [p.choice.spec.gender > 0.5 for p in people]
    assert all(a != b for a, b in zip(female[::2], female[1::2], strict=True))


def test_a_given_tone_is_kept():
    assert all(person.sample(1, n, monk=8).choice.spec.complexion.monk == 8 for n in range(4))


def test_people_differ():
    people = [person.sample(5, n).choice for n in range(40)]
    assert len({p.style for p in people}) > 8
    assert len({p.outfit for p in people}) > 5
    assert len({p.colour for p in people}) > 5
    assert 0 < sum(p.glasses for p in people) < 20


def test_old_people_are_greyer():
    rng = np.random.default_rng(0)
    young = [person._colour(rng, 3, 25.0) for _ in range(200)]
    old = [person._colour(rng, 3, 72.0) for _ in range(200)]
    assert sum(c in ("grey", "white") for c in young) < 5
    assert sum(c in ("grey", "white") for c in old) > 120


def test_the_same_numbers_give_the_same_bytes(someone):
    one, two = someone.shoot(1), person.sample(5, 3).shoot(1)
    assert [m.part for m in one.meshes] == [m.part for m in two.meshes]
    for a, b in zip(one.meshes, two.meshes, strict=True):
        assert a.positions.tobytes() == b.positions.tobytes() and a.albedo.tobytes() == b.albedo.tobytes()
    assert one.facts == two.facts
    other = someone.shoot(2)
    assert not np.array_equal(one.head, other.head)


def test_a_shot_is_complete(someone):
    model = someone.shoot(0, "full")
    parts = [m.part for m in model.meshes]
    assert parts[0] == "skin" and "l_eye" in parts and len(parts) > 8
    for mesh in model.meshes:
        assert mesh.material in MATERIALS
        assert np.isfinite(mesh.positions).all() and np.isfinite(mesh.normals).all()
        count = len(mesh.positions)
        assert mesh.triangles.max() < count
        assert all(len(a) == count for a in (mesh.normals, mesh.rest, mesh.uv, mesh.labels, mesh.albedo))
    assert {m.labels[0] for m in model.meshes if m.material == "cloth"} == {INDEX["cloth"]}
    assert {"monk", "age", "gender", "hair", "hair_colour", "clothes", "glasses", "expression", "yaw"} <= set(
        model.facts
    )
    assert all(np.isfinite(c.points).all() and len(c.points) == len(c.width) for c in model.curves)


def test_clothes_hide_the_skin_below(someone):
    full, bare = someone.shoot(0).meshes[0], someone.body.pose(person.rig.Pose()).model.meshes[0]
    assert len(full.triangles) < 0.8 * len(bare.triangles)


def test_glasses_sit_before_the_eyes_and_are_clear():
    number = next(n for n in range(60) if person.sample(5, n).choice.glasses)
    model = person.sample(5, number).shoot(0)
    frame = next(m for m in model.meshes if m.part == "glasses")
    lenses = next(m for m in model.meshes if m.part == "lenses")
    assert set(frame.labels) == {INDEX["eye_g"]} and lenses.material == "glass"
    for iris in model.irises[:, 0]:
        ahead = (lenses.positions - iris) @ model.head[:3, 2]
        assert ahead.min() > 0.004
        assert np.linalg.norm(lenses.positions - iris, axis=1).min() < 0.05


def test_hair_over_the_ears_presses_them_flat():
    number = next(n for n in range(60) if person.sample(5, n).choice.style == "long straight")
    someone = person.sample(5, number)
    corner, press = someone._ears
    assert len(corner) > 50
    source = someone.body.anatomy.parts["skin"].source[corner]
    moved = np.abs(someone.body.vertices[source][:, 0] + press[:, 0])
    assert moved.max() < np.abs(someone.body.vertices[source][:, 0]).max() - 0.005
