"""The geometry buffer: every sample agrees with the camera and the meshes."""

from dataclasses import replace

import numpy as np
import pytest

from wbme.geometry.parsing import INDEX
from wbme.people import context, gbuffer, lights
from wbme.people.camera import Camera, towards
from wbme.people.mesh import MATERIALS, Mesh

VIEW = Camera((64, 48), np.array([0.1, 1.55, 1.2]), np.array([0, 1.5, 0.0]), 60.0, 3.0)


def draw(model, light=None, view=VIEW):
    return gbuffer.draw(context.get(), model, view, light or lights.neutral())


def plate(z, label, material="cloth", half=0.3, y=1.5, **more) -> Mesh:
    corners = np.array([[-half, y - half, z], [half, y - half, z], [half, y + half, z], [-half, y + half, z]])
    values = {
        "positions": corners.astype(np.float32),
        "normals": np.tile(np.float32([0, 0, 1]), (4, 1)),
        "rest": corners.astype(np.float32),
        "uv": np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]),
        "triangles": np.int32([[0, 1, 2], [0, 2, 3]]),
        "labels": np.full(4, INDEX[label], np.uint8),
        "albedo": np.ones((4, 3), np.float32),
    }
    return Mesh(part=label, material=material, **(values | more))


def test_a_sample_shows_the_place_that_the_camera_projects_there(ball):
    got = draw(ball())
    lines, columns = np.nonzero(got.part != 255)
    seen = VIEW.project(got.position[lines, columns])
    np.testing.assert_allclose(seen[:, 0] * 2, columns + 0.5, atol=0.01)
    np.testing.assert_allclose(seen[:, 1] * 2, lines + 0.5, atol=0.01)
    np.testing.assert_allclose(seen[:, 2], got.depth[lines, columns], atol=1e-5)


def test_the_sphere_is_where_it_is(ball):
    got = draw(ball())
    there = got.part == 0
    distance = np.linalg.norm(got.position[there] - (0, 1.5, 0), axis=1)
    assert distance.min() > 0.098 and distance.max() < 0.1001
    np.testing.assert_allclose(np.linalg.norm(got.normal[there], axis=1), 1, atol=0.002)
    assert ((VIEW.eye - got.position[there]) * got.normal[there]).sum(1).min() > -0.03
    np.testing.assert_allclose(got.albedo[there], [[0.8, 0.6, 0.5]] * there.sum(), atol=0.003)
    assert set(got.label[there]) == {INDEX["skin"]} and set(got.material[there]) == {MATERIALS.index("skin")}


def test_where_nothing_is_nothing_is_said(ball):
    got = draw(ball())
    empty = got.part == 255
    assert empty.any() and np.isinf(got.depth[empty]).all() and not got.label[empty].any()
    assert (got.material[empty] == 255).all() and not got.normal[empty].any()


def test_the_label_map_overrides_where_it_is_not_0(ball):
    marks = np.zeros((2, 2), np.uint8)
    marks[0, 1] = INDEX["nose"]  # the upper right quarter: u > .5, v > .5
    got = draw(ball(plate(0, "skin", label_map=marks)))
    right, above = got.uv[..., 0] > 0.5, got.uv[..., 1] > 0.5
    there = got.part == 0
    assert set(got.label[there & right & above]) == {INDEX["nose"]}
    assert set(got.label[there & ~(right & above)]) == {INDEX["skin"]}


def test_a_triangle_has_the_label_of_its_last_vertex(ball):
    labels = np.uint8([1, 1, 10, 17])
    got = draw(ball(plate(0, "skin", labels=labels)))
    lower = got.uv[..., 0] - got.uv[..., 1] > 0.02
    upper = got.uv[..., 1] - got.uv[..., 0] > 0.02
    assert set(got.label[lower & (got.part == 0)]) == {10} and set(got.label[upper & (got.part == 0)]) == {17}


def test_coverage_cuts_holes_and_the_texture_colours(ball):
    picture = np.full((64, 64, 4), 255, np.uint8)
    picture[:, :32, 3] = 0
    picture[..., 1] = 51
    got = draw(
        ball(plate(0, "hair", "hair", texture=picture, tangents=np.tile(np.float32([0, 1, 0]), (4, 1))))
    )
    there = got.part == 0
    assert there.any() and got.uv[there][:, 0].min() > 0.48
    np.testing.assert_allclose(got.albedo[there][:, 1], 0.2, atol=0.003)
    np.testing.assert_allclose(got.tangent[there], [[0, 1, 0]] * there.sum(), atol=1e-3)


def test_cloth_that_lies_in_the_skin_wins(ball):
    got = draw(ball(plate(0, "skin", "skin", half=0.2), plate(-0.002, "cloth")))
    assert set(got.part[got.part != 255]) == {1}


def test_clear_glass_hides_nothing_and_dark_glass_does(ball, sphere):
    head = sphere("skin", "skin", "skin", (0, 1.5, 0), 0.1, (0.8, 0.6, 0.5))
    clear = plate(0.2, "eye_g", "glass", half=0.05)
    assert INDEX["eye_g"] not in draw(ball(head, clear)).label
    dark = replace(clear, albedo=clear.albedo * 0.1)
    assert INDEX["eye_g"] in draw(ball(head, dark)).label


def test_what_stands_before_the_light_casts_a_shadow(ball):
    front = Camera((64, 64), np.array([0, 1.5, 1.5]), np.array([0, 1.5, 0.0]), 60.0)
    light = replace(lights.neutral(), direction=towards(0, 45), radius=0.02)
    bar = plate(0.2, "hair", half=0.05, y=1.6)
    got = draw(ball(plate(0, "cloth"), bar), light, front)
    wall = got.part == 0
    # At 45 degrees the shadow of a plate 0.2 m before the wall falls 0.2 m lower.
    inside = wall & (abs(got.position[..., 1] - 1.4) < 0.035) & (abs(got.position[..., 0]) < 0.035)
    outside = wall & ((got.position[..., 1] < 1.33) | (abs(got.position[..., 0]) > 0.07))
    assert inside.any() and got.shadow[inside].max() < 0.05 and got.shadow[outside].min() > 0.95


def test_a_larger_light_has_softer_edges(ball):
    front = Camera((64, 64), np.array([0, 1.5, 1.5]), np.array([0, 1.5, 0.0]), 60.0)
    soft = {}
    for radius in (0.01, 0.15):
        light = replace(lights.neutral(), direction=towards(0, 45), radius=radius)
        shadow = draw(ball(plate(0, "cloth"), plate(0.2, "hair", half=0.05, y=1.6)), light, front).shadow
        soft[radius] = ((shadow > 0.1) & (shadow < 0.9)).sum()
    assert soft[0.15] > 2 * soft[0.01]


def test_the_same_model_gives_the_same_samples(ball):
    one, other = draw(ball()), draw(ball())
    for name in ("depth", "albedo", "shadow", "label"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("size", [(32, 32), (72, 40)])
def test_any_size_works(ball, size):
    got = draw(ball(), view=replace(VIEW, size=size))
    assert got.depth.shape == (size[1] * 2, size[0] * 2) and (got.part == 0).any()
