"""The photo look: alpha, light and colour behave as in a photograph."""

from dataclasses import replace

import numpy as np
import pytest

from wbme.color.spaces import srgb_to_lab, srgb_to_linear
from wbme.people import context, gbuffer, lights, photo
from wbme.people.camera import Camera, towards

VIEW = Camera((64, 64), np.array([0, 1.5, 1.0]), np.array([0, 1.5, 0.0]), 70.0)


def shoot(model, light=None, view=VIEW) -> photo.Photo:
    light, gl = light or lights.neutral(), context.get()
    return photo.shade(gl, model, view, light, gbuffer.draw(gl, model, view, light))


def level(picture: photo.Photo) -> float:
    opaque = picture.rgba[..., 3] == 255
    return float(srgb_to_linear(picture.rgba[opaque][:, :3] / 255).mean())


def test_alpha_is_the_share_that_the_person_covers(ball):
    model = ball()
    alpha = shoot(model).rgba[..., 3] / 255
    samples = gbuffer.draw(context.get(), model, VIEW, lights.neutral()).part == 0
    share = samples.reshape(64, 2, 64, 2).mean((1, 3))
    assert alpha[share == 0].max() < 0.15 and alpha[32, 32] == 1 and alpha[0, 0] == 0
    assert abs(alpha - share).max() < 0.3 and alpha.sum() == pytest.approx(share.sum(), rel=0.01)


def test_colours_run_on_without_a_fringe(ball, sphere):
    model = ball(sphere("skin", "cloth", "cloth", (0, 1.5, 0), 0.1, (0.9, 0.2, 0.2)))
    rgba = shoot(model).rgba
    # Nowhere a grey, black or white rim: all is as red as the ball, beside it too.
    assert ((rgba[..., 0] > 1.5 * rgba[..., 1]) & (rgba[..., 0] > 60)).all()


def test_neutral_light_shows_about_the_albedo(ball):
    picture = shoot(ball(), lights.neutral())
    middle = picture.rgba[28:36, 28:36, :3].reshape(-1, 3) / 255
    seen, true = srgb_to_lab(middle).mean(0), srgb_to_lab(np.array([0.8, 0.6, 0.5]))
    assert abs(seen[0] - true[0]) < 12 and np.linalg.norm(seen[1:] - true[1:]) < 8
    np.testing.assert_allclose(picture.albedo[32, 32] / 255, [0.8, 0.6, 0.5], atol=0.01)


def test_a_stop_doubles_the_light(ball):
    light = lights.neutral()
    levels = [level(shoot(ball(), replace(light, exposure_ev=ev))) for ev in (-3.0, -2.0)]
    assert levels[1] / levels[0] == pytest.approx(2, rel=0.03)


def test_the_side_of_the_key_is_brighter(ball):
    light = replace(lights.neutral(), direction=towards(60, 10))
    rgba = shoot(ball(), light).rgba
    assert rgba[32, 38:42, 1].mean() > rgba[32, 22:26, 1].mean() + 20


def test_shading_is_the_light_alone(ball, sphere):
    pictures = [
        shoot(ball(sphere("skin", "cloth", "cloth", (0, 1.5, 0), 0.1, colour)))
        for colour in ((0.9, 0.9, 0.9), (0.1, 0.2, 0.4))
    ]
    np.testing.assert_array_equal(pictures[0].shading, pictures[1].shading)
    assert pictures[0].shading[32, 32] > 120


def test_light_wanders_under_skin_more_in_red(ball, sphere):
    nothing = {"ambient": np.zeros((2, 3)), "fill": np.zeros(3)}
    hard = replace(lights.neutral(), direction=towards(90, 0), radius=0.01, **nothing)
    white = (0.8, 0.8, 0.8)
    ratios = {}
    for material in ("skin", "cloth"):
        rgba = shoot(ball(sphere("skin", material, "skin", (0, 1.5, 0), 0.1, white)), hard).rgba
        dim = rgba[24:40, 24:40, :3].astype(float).reshape(-1, 3)
        dim = dim[(dim.max(1) > 20) & (dim.max(1) < 110)]
        ratios[material] = float((dim[:, 0] / dim[:, 2].clip(1)).mean())
    assert ratios["skin"] > ratios["cloth"] * 1.1


def test_clear_glass_only_reflects(ball, sphere):
    head = sphere("skin", "skin", "skin", (0, 1.5, 0), 0.1, (0.8, 0.6, 0.5))
    lens = sphere("lens", "glass", "eye_g", (0, 1.5, 0.12), 0.05, (0.9, 0.9, 0.9))
    bare, worn = (shoot(ball(*meshes)).rgba.astype(int) for meshes in ((head,), (head, lens)))
    change = abs(worn - bare)[..., :3].max(2)
    assert change.max() > 5 and change[31:33, 31:33].max() < 60


def test_a_view_without_a_person_is_empty(ball):
    away = replace(VIEW, target=np.array([0, 1.5, 5.0]), eye=np.array([0, 1.5, 3.0]))
    assert not shoot(ball(), view=away).rgba[..., 3].any()


def test_the_same_model_gives_the_same_photo_whatever_was_drawn_between(ball, sphere):
    first = shoot(ball())
    shoot(ball(sphere("hair", "hair", "hair", (0, 1.5, 0), 0.1, (0.3, 0.2, 0.1))), lights.neutral())
    np.testing.assert_array_equal(first.rgba, shoot(ball()).rgba)


def test_a_photo_of_older_samples_is_drawn_again(ball, sphere):
    gl, light, model = context.get(), lights.neutral(), ball()
    samples = gbuffer.draw(gl, model, VIEW, light)
    expected = photo.shade(gl, model, VIEW, light, samples).rgba
    gbuffer.draw(gl, ball(sphere("hair", "hair", "hair", (0, 1.5, 0), 0.1, (0, 0, 0))), VIEW, light)
    np.testing.assert_array_equal(photo.shade(gl, model, VIEW, light, samples).rgba, expected)
