"""The toon look: two palettes of the same shapes, features where the landmarks say, ink within bounds."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_sphere import EYES, camera, gbuffer, model

from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import MONK
from wbme.geometry.parsing import INDEX
from wbme.people import cel, fills, lights, toon
from wbme.people.camera import Camera
from wbme.people.sheet import Tone, load, srgb

SHEET = load("romance")
ALIGNED = ("romance", "action", "painterly", "ink", "moonborn")
# All that a new character needs: what it leaves out is drawn as in the romance.
SEVENTH = """
sheet: 1
name: pastel
about: chalky outlines in the colours of what they bound, sleepy eyes, freckled pink cheeks
ink: "#5a4a6a"
skin:
  colour: "#ffe9e0"
  shadow: {lightness: -8.0, least: -4.0, a: 6.0, b: -6.0}
eyes: {shape: droopy, iris: 1.3, catchlights: 3}
face: {nose: dot, blush_lines: 3}
lines: {painted: 0.8, silhouette: 2.4}
"""
VIEW = camera()
LIGHT = replace(lights.neutral(), direction=np.array([0.5, 0.5, np.sqrt(0.5)]))


def draw(skin=(0.8, 0.6, 0.5), open_eyes=(True, True), sheet=SHEET, view=VIEW):
    person = model(open_eyes)
    return toon.draw(person, view, LIGHT, gbuffer(view, skin, open_eyes=open_eyes), sheet)


@pytest.fixture(scope="module")
def drawn():
    return draw()


def eye_box(side: int) -> tuple[slice, slice]:
    x, y, _ = VIEW.project([*EYES[side], 0.09])
    return slice(int(y) - 4, int(y) + 5), slice(int(x) - 9, int(x) + 10)


def compose(drawn, ink, which="palette", background=(1.0, 1.0, 1.0)):
    """The finished drawing, H x W x 3 in [0, 1]: ink over ``drawn`` over ``which`` over ``background``."""
    picture = np.broadcast_to(np.float32(background), (*drawn.ink.shape, 3))
    for layer in (getattr(drawn, which), drawn.drawn):
        alpha = layer[..., 3:] / np.float32(255)
        picture = picture + alpha * (layer[..., :3] / np.float32(255) - picture)
    return picture + drawn.ink[..., None] / np.float32(255) * (ink - picture)


def test_layers_have_the_final_size_and_the_person_s_coverage(drawn):
    assert drawn.palette.shape == drawn.oracle.shape == drawn.drawn.shape == (192, 192, 4)
    assert drawn.ink.shape == (192, 192) and drawn.ink.dtype == drawn.palette.dtype == np.uint8
    solid = gbuffer(VIEW).part != 255
    share = solid.reshape(192, 2, 192, 2).mean((1, 3))
    np.testing.assert_allclose(drawn.palette[..., 3] / 255, share, atol=0.01)


def test_palette_and_oracle_differ_in_the_skin_alone(drawn):
    skin = np.isin(gbuffer(VIEW).label, [INDEX[n] for n in ("skin", "u_lip", "l_lip", "l_eye", "r_eye")])
    skin = skin.reshape(192, 2, 192, 2).any((1, 3))
    differs = (drawn.palette != drawn.oracle).any(-1)
    assert not differs[~skin].any()
    assert differs[skin].mean() > 0.9
    np.testing.assert_array_equal(drawn.palette[..., 3], drawn.oracle[..., 3])


def test_the_oracle_s_base_is_the_person_s_skin_and_the_palette_s_the_character_s(drawn):
    person, character = draw_base(drawn.oracle), draw_base(drawn.palette)
    np.testing.assert_allclose(person, np.array([0.8, 0.6, 0.5]) * 255, atol=1.5)
    np.testing.assert_allclose(character, srgb(SHEET.skin.colour) * 255, atol=1.5)


def draw_base(layer):
    """The commonest colour of the face below the eyes."""
    face = layer[100:115, 80:112, :3].reshape(-1, 3)
    colours, counts = np.unique(face, axis=0, return_counts=True)
    return colours[counts.argmax()]


def test_the_same_input_gives_the_same_bytes(drawn):
    again = draw()
    for name in ("palette", "oracle", "ink", "drawn"):
        np.testing.assert_array_equal(getattr(again, name), getattr(drawn, name))


def test_ink_is_bounded(drawn):
    assert 0.005 < drawn.ink.mean() / 255 < 0.08


def test_skin_has_two_tones_and_the_shadow_lies_away_from_the_light(drawn):
    lightness = srgb_to_lab(drawn.oracle[..., :3] / 255)[..., 0]
    assert lightness[110, 50] < lightness[90, 120] - 5
    face = np.rint(lightness[85:125, 45:147])
    levels, counts = np.unique(face, return_counts=True)
    assert counts[np.argsort(counts)[-4:]].sum() > 0.8 * face.size, levels


def test_open_eyes_are_white_with_a_dark_pupil_and_a_bright_catch_light(drawn):
    for side in (0, 1):
        box = eye_box(side)
        assert drawn.drawn[box][..., 3].max() == 255
        assert drawn.ink[box].max() > 200
        shown = compose(drawn, srgb(SHEET.ink))[box]
        assert shown.max() > 0.95 and shown.min() < 0.2


def test_a_shut_eye_has_a_line_and_no_iris():
    winking = draw(open_eyes=(True, False))
    shut, seen = eye_box(1), eye_box(0)
    assert winking.drawn[seen][..., 3].max() == 255
    assert winking.drawn[shut][..., 3].max() == 0
    assert winking.ink[shut].max() > 100


def test_what_lies_before_a_feature_hides_it():
    view = gbuffer(VIEW)
    depth, label, material = view.depth.copy(), view.label.copy(), view.material.copy()
    rows, columns = slice(130, 220), slice(60, 192)  # a hand of hair before the right eye
    depth[rows, columns], label[rows, columns], material[rows, columns] = 1.0, INDEX["hair"], 3
    hidden = toon.draw(
        model(), VIEW, LIGHT, replace(view, depth=depth, label=label, material=material), SHEET
    )
    assert hidden.drawn[eye_box(0)][..., 3].max() == 0
    assert hidden.drawn[eye_box(1)][..., 3].max() == 255


@pytest.mark.parametrize("tone", MONK)
def test_every_skin_keeps_its_features_readable(tone):
    colour = np.array([int(tone.hex[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    drawn = draw(colour)
    shown = srgb_to_lab(compose(drawn, srgb(SHEET.ink), "oracle", (0.9, 0.9, 0.9)))[..., 0]
    for side in (0, 1):
        eye = shown[eye_box(side)]
        assert np.ptp(eye) > 50
    assert srgb_to_lab(srgb(SHEET.ink))[0] < tone.L - 3
    face = srgb_to_lab(drawn.oracle[60:130, 50:140, :3] / 255)[..., 0]
    low, high = np.percentile(face, (2, 98))
    assert high - low > 4  # shadow and light can be told apart


def test_a_seventh_character_is_a_short_file_and_draws_differently(tmp_path, drawn):
    assert len(SEVENTH.splitlines()) < 60
    file = tmp_path / "pastel.yaml"
    file.write_text(SEVENTH)
    mine = load(str(file))
    other = draw(sheet=mine)
    own, romance = (compose(one, srgb(s.ink)) for one, s in ((other, mine), (drawn, SHEET)))
    assert np.abs(own - romance)[40:140, 40:150].mean() > 0.02
    assert other.ink.mean() < 0.8 * drawn.ink.mean()  # painted contours are no ink
    dark = draw((0.25, 0.16, 0.12), sheet=mine)
    assert dark.drawn[eye_box(0)][..., 3].max() == 255


@pytest.mark.parametrize("name", ALIGNED)
def test_every_school_has_features_on_light_and_dark_skin(name):
    for skin in ((0.95, 0.85, 0.78), (0.22, 0.15, 0.12)):
        made = draw(skin, sheet=load(name))
        picture = compose(made, srgb(load(name).ink), "oracle", (0.9, 0.9, 0.9))
        lightness = srgb_to_lab(np.clip(picture, 0, 1))[..., 0]
        for side in (0, 1):
            assert np.ptp(lightness[eye_box(side)]) > 35, (name, skin)
        np.testing.assert_array_equal(made.palette[..., 3], made.oracle[..., 3])


@pytest.fixture(scope="module")
def schools():
    return {name: draw(sheet=load(name)) for name in ALIGNED}


def test_the_schools_differ_at_first_glance(schools):
    pictures = [compose(one, srgb(load(name).ink))[40:150, 40:150] for name, one in schools.items()]
    for number, one in enumerate(pictures):
        for other in pictures[:number]:
            assert np.abs(one - other).mean() > 0.04


def test_ink_on_paper_has_no_colour_and_spots_what_is_black(drawn, schools):
    paper = schools["ink"]
    lab = srgb_to_lab(paper.palette[..., :3][paper.palette[..., 3] == 255] / 255)
    assert np.hypot(lab[:, 1], lab[:, 2]).max() < 8
    hair = (slice(40, 50), slice(80, 112))
    assert paper.ink[hair].mean() > 70 > 2 * drawn.ink[hair].mean()


def test_painted_shade_has_many_tones_and_spotted_shade_is_black(drawn, schools):
    def levels(one):
        """How many tones cover a hundredth of the face or more."""
        face = np.rint(srgb_to_lab(one.oracle[85:125, 45:147, :3] / 255)[..., 0] / 2)
        return (np.unique(face, return_counts=True)[1] > 0.01 * face.size).sum()

    painted, action = schools["painterly"], schools["action"]
    assert levels(painted) > 1.6 * levels(drawn)
    face = (slice(60, 130), slice(40, 150))
    assert action.ink[face].mean() > 2 * drawn.ink[face].mean()


def test_a_character_s_skin_keeps_what_it_should_of_the_person_s_lightness(schools):
    dark = (0.3, 0.2, 0.15)
    kept, flat = (draw_base(draw(dark, sheet=load(name)).palette) for name in ("moonborn", "romance"))
    light = draw_base(schools["moonborn"].palette)
    assert srgb_to_lab(light / 255)[0] > srgb_to_lab(kept / 255)[0] + 15
    np.testing.assert_allclose(flat, srgb(SHEET.skin.colour) * 255, atol=8)


def test_light_skin_is_never_shaded_grey():
    light = srgb_to_lab(np.array([0.965, 0.929, 0.894]))
    shade = cel.toned(light, SHEET.skin.shadow)
    assert np.hypot(*shade[1:]) > np.hypot(*light[1:]) + 5


def test_dark_colours_take_smaller_steps():
    tone = Tone(lightness=-20.0, least=-4.0, a=6.0)
    dark, light = (cel.toned(np.array([lightness, 0.0, 0.0]), tone) for lightness in (20.0, 100.0))
    np.testing.assert_allclose(light, [80, 6, 0])
    np.testing.assert_allclose(dark, [20 - 7.2, 6 * (1 / 3 + 2 / 15), 0], rtol=1e-5)


def test_a_shape_has_no_specks_or_small_holes():
    mask = np.zeros((100, 100), bool)
    mask[20:80, 20:80] = True
    mask[5:8, 5:8] = True
    mask[40:43, 40:43] = False
    cut = cel.shape(mask, np.ones((100, 100), bool), 2.0, 1.0, 30, 30)
    assert cut[:12, :12].max() == 0 and cut[35:48, 35:48].min() == 1
    assert cut[50, 20] == pytest.approx(1, abs=0.5) and cut[50, 15] == 0 and cut[50, 25] == 1


def test_a_face_out_of_view_is_no_error():
    away = replace(VIEW, target=VIEW.target + np.array([0, 0, 5.0]), eye=VIEW.eye + np.array([3.0, 0, 0]))
    empty = gbuffer(VIEW)
    nothing = {name: np.full_like(getattr(empty, name), 255) for name in ("part", "material")}
    empty = replace(empty, depth=np.full_like(empty.depth, np.inf), label=empty.label * 0, **nothing)
    drawn = toon.draw(model(), away, LIGHT, empty, SHEET)
    assert drawn.palette.max() == 0 and drawn.ink.max() == 0


def test_lines_of_a_face_seen_from_the_side_are_as_wide_as_from_the_front():
    wide = []
    for turn in np.radians((0, 50, 82)):
        eye = VIEW.target + 1.2 * np.array([np.sin(turn), 0, np.cos(turn)])
        view = Camera(VIEW.size, eye, VIEW.target, VIEW.focal)
        wide.append(fills.Fills(model(), view, LIGHT, gbuffer(VIEW), SHEET).wide)
    np.testing.assert_allclose(wide, wide[0], rtol=0.1)


def test_a_beard_is_a_shape_around_the_mouth_and_a_shaved_one_a_tone(drawn):
    def bearded(amount):
        return toon.draw(replace(model(), facts={"beard": amount}), VIEW, LIGHT, gbuffer(VIEW), SHEET)

    x, y = np.floor([VIEW.project([0.02, height, 0.09])[:2] for height in (1.425, 1.452, 1.53)]).astype(int).T
    plain = drawn.drawn[y, x]
    full, shaved = bearded(1.5), bearded(0.6)
    assert plain[0, 3] == 0 and full.drawn[y, x][0, 3] > 250
    np.testing.assert_array_equal(full.drawn[y, x][1:], plain[1:])
    np.testing.assert_array_equal(full.oracle, drawn.oracle)
    np.testing.assert_array_equal(shaved.drawn, drawn.drawn)
    step = srgb_to_lab(drawn.oracle[y, x, :3] / 255)[:, 0] - srgb_to_lab(shaved.oracle[y, x, :3] / 255)[:, 0]
    assert step[0] > 2 and step[2] == 0
