from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered_set import make_set

from wbme.base.errors import ParameterError
from wbme.color.reflection import mean_lab
from wbme.data import rendered
from wbme.synth import composite
from wbme.synth.composite import Drawing


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    people, character, _ = make_set(tmp_path_factory.mktemp("set"), views=2, size=96)
    return rendered.layers(people, character, "0002")


@pytest.fixture(scope="module")
def source(layers):
    return composite.over(layers.photo, np.full((96, 96, 3), 0.8, np.float32))


def test_over_keeps_both_ends():
    below, top = np.full((2, 2, 3), 0.2, np.float32), np.full((2, 2, 4), 0.8, np.float32)
    top[0, :, 3], top[1, :, 3] = 0, 1
    out = composite.over(top, below)
    np.testing.assert_allclose(out[0], 0.2)
    np.testing.assert_allclose(out[1], 0.8)


def test_the_background_is_kept_and_its_light_falls_round_the_edge_only(layers):
    behind = np.full((96, 96, 3), 0.9, np.float32)
    plain, wrapped = (composite.before(layers.photo, behind, wrap) for wrap in (0, 1))
    np.testing.assert_array_equal(plain[layers.heads == 0], behind[layers.heads == 0])
    np.testing.assert_array_equal(wrapped[layers.heads == 0], behind[layers.heads == 0])
    change = (wrapped - plain).max(2)
    assert change.max() > 0.05 and change.min() >= 0
    assert change[40:48, 44:52].max() == 0  # the middle of the face


def test_m_head_shrinks_with_erode_and_softens_with_feather(layers):
    areas = [composite.head_mask(layers.labels, e, 0).sum() for e in (0, 1, 3)]
    assert (
        areas == sorted(areas, reverse=True)
        and areas[0] == np.isin(layers.labels, list(composite.HEAD)).sum()
    )
    soft = composite.head_mask(layers.labels, 0, 2)
    assert ((soft > 0.01) & (soft < 0.99)).sum() > 200
    assert composite.head_mask(np.zeros((9, 9), np.uint8), 1, 1).max() == 0


@given(m=st.floats(0, 1), a=st.floats(0, 1), b=st.floats(0, 1))
def test_the_composite_is_the_papers_formula(m, a, b):
    toon, styled = (np.full((1, 1, 3), v, np.float32) for v in (a, b))
    out = composite.full_body_aware(toon, styled, np.full((1, 1), m, np.float32))
    np.testing.assert_allclose(out, a * m + b * (1 - m), atol=1e-6)


def two_tones(lit, shade):
    rgb = np.empty((40, 80, 3), np.float32)
    rgb[:, :50], rgb[:, 50:] = lit, shade
    return rgb, np.ascontiguousarray(rgb.mean(2))


def test_tones_are_few_and_take_the_photographs_own_colours():
    lit, shade = np.float32([0.8, 0.6, 0.5]), np.float32([0.5, 0.35, 0.3])
    rgb, light = two_tones(lit, shade)
    noise = np.random.default_rng(0).normal(0, 0.01, rgb.shape).astype(np.float32)
    region = np.ones((40, 80), bool)
    region[:, 78:] = False
    edge, found, colours = composite.tones(rgb + noise, light + noise[..., 0], region, 1.5, Drawing())
    assert (found[0], found[-1]) == (-2, 0)
    np.testing.assert_allclose(colours[-1], lit, atol=0.01)
    assert colours[0] @ [0.299, 0.587, 0.114] == pytest.approx(shade @ [0.299, 0.587, 0.114], abs=0.02)
    assert (edge[:, :46] == 0).all() and (edge[:, 54:78] < -0.99).all()


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_dim_light_makes_the_same_tones(scale):
    rgb, light = two_tones(np.float32([0.9, 0.8, 0.7]), np.float32([0.5, 0.45, 0.4]))
    region, settings = np.ones((40, 80), bool), Drawing(softness=0)
    one, other = (
        composite.tones(rgb * s, light * np.float32(s), region, 1.0, settings) for s in (1.0, scale)
    )
    np.testing.assert_array_equal(one[0][:, :46], other[0][:, :46])
    assert (one[0][:, 54:] < 0).all() and (other[0][:, 54:] < 0).all()


def test_even_light_gives_one_tone():
    rgb = np.full((30, 30, 3), 0.6, np.float32)
    region = np.ones((30, 30), bool)
    edge, found, colours = composite.tones(rgb, rgb[..., 0].copy(), region, 2.0, Drawing())
    assert found == [0] and (edge == 0).all()
    np.testing.assert_allclose(colours, [[0.6, 0.6, 0.6]], atol=1e-3)


def test_the_flat_head_keeps_the_skin_colour_and_the_drawn_eyes(layers, source):
    out = composite.base(source, source, layers, Drawing(), "Lab mean")[0]
    skin = np.isin(layers.labels, [1, 14])
    np.testing.assert_allclose(mean_lab(out, skin), mean_lab(source, skin), atol=1)
    eyes = np.isin(layers.labels, [4, 5])
    assert (out[eyes].mean(0) > source[skin].mean(0)).all()
    np.testing.assert_array_equal(out[layers.heads == 0], source[layers.heads == 0])


def test_the_toon_head_has_the_palette_reflected_to_the_photographed_skin(layers, source):
    skin = np.isin(layers.labels, [1, 14])
    sharp = {"head": "toon", "erode": 0, "feather": 0}
    own = composite.base(source, source, layers, Drawing(**sharp), "Lab mean")[0]
    character = composite.base(source, source, layers, Drawing(**sharp, reflection=False))[0]
    np.testing.assert_allclose(mean_lab(own, skin), mean_lab(source, skin), atol=0.5)
    np.testing.assert_allclose(character[skin], layers.palette[skin][:, :3], atol=1e-6)


def test_drawn_parts_follow_the_light_of_the_photograph(layers, source):
    bright, dim = (composite.relit(layers, source * np.float32(g)) for g in (1.0, 0.5))
    eyes = layers.drawn[..., 3] == 1
    np.testing.assert_allclose(dim[eyes][:, :3], bright[eyes][:, :3] * 0.5**0.7, atol=1e-3)
    np.testing.assert_array_equal(dim[..., 3], layers.drawn[..., 3])


def test_ink_is_the_characters_on_people_and_the_photographs_elsewhere(layers):
    lines = np.full(layers.labels.shape, 0.8, np.float32)
    ink = composite.ink(layers, lines, Drawing(texture_ink=0.25))
    assert (ink >= layers.ink).all() and ink.max() <= 1
    assert ink[2, 2] == pytest.approx(0.8)  # background
    assert ink[45, 48] == 0  # face
    assert ink[90, 48] == pytest.approx(0.2)  # cloth
    edge = layers.ink == 1
    beside = (np.roll(edge, 2, 1) & ~edge & (layers.heads == 0)).nonzero()
    assert ink[beside].max() == 0


def test_full_ink_is_the_ink_colour():
    base = np.random.default_rng(0).random((3, 3, 3), np.float32)
    np.testing.assert_allclose(composite.inked(base, np.zeros((3, 3), np.float32)), base)
    full = composite.inked(base, np.ones((3, 3), np.float32))
    np.testing.assert_allclose(full, np.broadcast_to(composite.INK_COLOUR, (3, 3, 3)), atol=1e-6)


@pytest.mark.parametrize("wrong", [{"head": "cubist"}, {"tone": 0}, {"erode": -1}, {"texture_ink": 2}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match="head is 'flat' or 'toon'"):
        Drawing(**wrong)


def test_nobody_leaves_the_picture_as_it_is(layers, source):
    none = replace(
        layers,
        **{n: np.zeros_like(getattr(layers, n)) for n in ("labels", "heads", "ink", "drawn", "palette")},
        points=layers.points[:0],
        boxes=layers.boxes[:0],
    )
    for head in ("flat", "toon"):
        np.testing.assert_allclose(composite.base(source, source, none, Drawing(head))[0], source, atol=1e-6)


def test_white_spots_on_dark_cloth_in_bright_light_stop_nobody_beside_it(layers, source):
    """Albedo times the light of most of the cloth would be far above white there."""
    heads = layers.heads.copy()
    heads[:, 48:] *= 2
    cloth = np.isin(layers.labels, list(composite._CLOTH)) & (heads == 1)
    assert cloth.sum() > 200
    albedo, bright = layers.albedo.copy(), source.copy()
    albedo[cloth], bright[cloth] = 0.1, 0.4
    spots = cloth & (np.arange(96)[:, None] % 12 < 5)
    albedo[spots], bright[spots] = 0.95, 1.0
    two = replace(layers, heads=heads, albedo=albedo, boxes=np.repeat(layers.boxes, 2, 0))
    made, shifts = composite.base(bright, bright, two, Drawing())
    assert made.min() >= 0 and made.max() == 1 and np.isfinite(shifts).all()
