"""Recipes: what a file may say, and what each setting does to a pair whose truth is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rendered_set import add_group, make_set

from wbme.base.errors import ParameterError
from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.data import matched, pairs, planes, rendered
from wbme.geometry.parsing import HEAD, INDEX, SKIN
from wbme.synth import compose, photographs, placing, recipes
from wbme.synth.compose import CutFace, Drawing, Ink, Material, Settings, Texture
from wbme.synth.recipes import Light, Recipe, Skin, Warp
from wbme.synth.teachers import TextureTeacher
from wbme.synth.writing import write_set

SIZE = 128
SHIPPED = {"default", "no_warp", "exact_warp", "lab_mean", "adaptive_light", "character_skin"}
PLAIN = Settings(Drawing("toon"), cutface=CutFace(0.0), degrade=0)


def to(recipe, settings=PLAIN):
    return replace(settings, chosen=recipe)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Three people, lit from the left on four fifths of the picture, before a grey wall."""
    people, character, rows = make_set(tmp_path_factory.mktemp("set"), views=3, size=SIZE)
    side = np.where(np.arange(SIZE) < 0.6 * SIZE, 1.0, 0.5)[None, :, None]
    for row in rows:
        place = people / "views" / row["id"]
        albedo, labels = planes.read(place / "albedo.png", 3) / 255, planes.read(place / "labels.png", 1)
        planes.write(place / "photo.png", np.dstack([albedo * side, labels > 0]))
    return Material(people, character, "plain", rows, [("wall", np.full((64, 64, 3), 0.5, np.float32))], 1)


def push(at):
    """By how much a drawing lies beside its photograph: most around one eye, nothing outside the face."""
    off = np.asarray(at, float) - np.array([0.46, 0.45]) * SIZE
    weight = np.exp(-(off**2).sum(-1) / (2 * (0.07 * SIZE) ** 2))
    return weight[..., None] * np.array([6.0, 3.0])


@pytest.fixture(scope="module")
def bent(tmp_path_factory):
    """The same people drawn by a character whose pixel d lies at d - push(d) in the photograph, with spots of
    ink on some landmarks; and where these lie in the photograph."""
    people, character, rows = make_set(tmp_path_factory.mktemp("bent"), views=3, size=SIZE, character="bent")
    rng, (y, x) = np.random.default_rng(3), np.mgrid[:SIZE, :SIZE]
    pixels = np.stack([x, y], -1)
    places = np.rint(16 * (pixels - push(pixels))).astype(np.uint16)
    for row in rows:
        angle, far = rng.uniform(0, 2 * np.pi, 468), np.sqrt(rng.uniform(0, 1, 468))
        around = np.stack([0.15 * far * np.cos(angle), 0.2 * far * np.sin(angle)], -1)
        drawn = (around + np.array([0.5, 0.45])) * SIZE
        spots = drawn[[np.linalg.norm(drawn - np.array(s) * SIZE, axis=1).argmin() for s in SPOTS]]
        ink = np.exp(-((pixels[:, :, None] - spots) ** 2).sum(-1) / 2).max(-1)
        planes.write(character / row["id"] / "ink.png", ink)
        photo = people / "views" / row["id"] / "points.npz"
        depth, seen = np.zeros((468, 1)), np.ones(468, bool)
        np.savez(photo, landmarks=np.hstack([drawn - push(drawn), depth]).astype(np.float32), visible=seen)
        np.savez(character / row["id"] / "correspondence.npz", places=places, visible=seen,
                 landmarks=np.hstack([drawn, depth]).astype(np.float32))  # fmt: skip
        row["spots"] = spots - push(spots)
    return Material(people, character, "bent", rows, [], 1)


SPOTS = ((0.45, 0.46), (0.58, 0.42), (0.42, 0.6), (0.58, 0.6))


def missed(layers, spots):
    """How far the nearest ink lies from each of ``spots``, pixels, by its centre of mass."""
    y, x = np.mgrid[:SIZE, :SIZE]
    out = []
    for spot in spots:
        own = layers.ink * (np.hypot(x - spot[0], y - spot[1]) < 8)
        centre = np.array([(own * x).sum(), (own * y).sum()]) / own.sum()
        out.append(np.linalg.norm(centre - spot))
    return np.array(out)


def test_every_recipe_that_ships_can_be_read_and_says_something_of_its_own():
    found = [recipes.load(name) for name in recipes.names()]
    assert {one.name for one in found} == SHIPPED and recipes.names()[0] == "default"
    assert len({one.digest for one in found}) == len(found) and all(one.about for one in found)
    for name in recipes.names():
        head = (recipes.folder() / f"{name}.yaml").read_text("utf-8").splitlines()[0]
        assert head.startswith("# ")


def test_the_default_is_what_is_composed_when_nobody_chooses(material, tmp_path):
    default = recipes.load("default")
    assert default.digest == Recipe().digest
    for head in ("flat", "toon"):
        settings = Settings(Drawing(head))
        for folder, one in (("a", settings), ("b", to(default, settings))):
            list(write_set(tmp_path / head / folder, material, one, 2, 1))
        for path in sorted((tmp_path / head / "a").rglob("*.*")):
            other = tmp_path / head / "b" / path.relative_to(tmp_path / head / "a")
            assert path.read_bytes() == other.read_bytes(), path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("recipe: 1\ntones: 3\n", "tones: Extra inputs"),
        ("recipe: 1\nwarp: {method: hybird}\n", r"warp\.method: 'hybird' is none of none, exact, similarity"),
        ("recipe: 1\nwarp: {strength: 1.5}\n", r"warp\.strength: .*less than or equal to 1"),
        ("recipe: 1\nwarp: {strength: .nan}\n", r"warp\.strength"),
        ("recipe: 1\nwarp: {landmarks: 468}\n", r"warp\.landmarks"),
        ("recipe: 1\nreflection: by tones\n", "reflection: 'by tones' is none of Lab mean"),
        ("recipe: 1\nlight: {method: brighter}\n", r"light\.method"),
        ("recipe: 1\nskin: {whose: own, amount: -1}\n", r"skin\.whose: .*and 1 more"),
        ("recipe: 2\n", "recipe: Input should be 1"),
        ("reflection: none\n", "must begin with 'recipe: 1'"),
        ("recipe: 1\nname: mine\n", "leave a name out"),
        ("recipe: 1\nrecipe: 1\n", "stands there twice"),
        ("recipe: [1\n", "cannot be read as YAML"),
        ("", "must begin with 'recipe: 1'"),
    ],
)
def test_a_wrong_recipe_is_one_sentence_that_names_file_and_field(tmp_path, text, why):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ParameterError, match=why) as caught:
        recipes.load(str(file))
    assert "mine.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_recipe_of_ones_own_is_called_as_its_file_and_an_unknown_one_lists_those_that_are(tmp_path):
    (tmp_path / "mine.yaml").write_text("recipe: 1\nlight: {method: adaptive, strength: 0.5}\n")
    mine = recipes.load(str(tmp_path / "mine.yaml"))
    assert (mine.name, mine.light.strength, mine.reflection) == ("mine", 0.5, "by tone")
    with pytest.raises(ParameterError, match=r"there is no recipe 'best'.*default, adaptive_light"):
        recipes.load("best")
    with pytest.raises(ParameterError, match="cannot read"):
        recipes.load(str(tmp_path / "other.yaml"))


def skin_error(material, settings, number=2):
    """Mean delta E00 of face and neck below the lines to the oracle, the person's own albedo."""
    view = material.views[number]
    made = compose.pair(replace(material, views=[view]), 0, settings)[1]
    layers = material.layers(view, settings)
    skin = np.isin(layers.labels, list(SKIN)) & (layers.drawn[..., 3] < 0.02)
    return delta_e00(srgb_to_lab(made["base"][skin]), srgb_to_lab(layers.oracle[skin][:, :3])).mean()


def test_by_tone_the_skin_comes_nearer_to_the_oracle_than_by_means(material):
    for number in range(3):
        by_tone, means, none = (
            skin_error(material, to(Recipe(reflection=how)), number)
            for how in ("by tone", "Lab mean", "none")
        )
        assert by_tone < means - 0.5, number
        assert number == 0 or by_tone < none - 3


def test_the_characters_skin_is_on_face_and_neck_as_far_as_the_amount_says_and_nowhere_else(material):
    layers, far, made = material.layers(material.views[2], PLAIN), [], []
    labels = layers.labels
    for amount in (0.0, 0.5, 1.0):
        chosen = Recipe(skin=Skin(whose="character", amount=amount))
        row, arrays = compose.pair(replace(material, views=material.views[2:]), 0, to(chosen))
        assert row["skin"] == ("character" if amount else "own")
        for part in ("skin", "neck"):
            own = arrays["base"][(labels == INDEX[part]) & (layers.ink < 0.02)]
            want = layers.palette[labels == INDEX["skin"]][:, :3]
            far.append(delta_e00(srgb_to_lab(np.median(own, 0)), srgb_to_lab(np.median(want, 0))))
        made.append(arrays["base"])
    face, neck = np.array(far).reshape(3, 2).T
    assert face[2] < 2 and neck[2] < 4
    for one in (face, neck):
        assert one[0] > 40 and one[0] > one[1] + 10 > one[2] + 20
    np.testing.assert_array_equal(made[0], compose.pair(
        replace(material, views=material.views[2:]), 0, PLAIN)[1]["base"])  # fmt: skip
    cloth = labels == INDEX["cloth"]
    assert np.abs(made[2] - made[0])[cloth & (np.arange(SIZE)[:, None] > 0.85 * SIZE)].max() < 0.02


def test_light_is_made_even_in_the_drawing_and_left_alone_where_none_can_be_measured(material):
    view = material.views[1]
    own = planes.read(material.people / "views" / view["id"] / "photo.png", 4) / 255
    dark = Material(material.people, material.character, "plain", [view], [], 1)
    lightness = {}
    for name, gain in (("usual", 1.0), ("dark", 0.3), ("black", 0.0)):
        layers = replace(
            dark.layers(view, PLAIN), photo=np.dstack([own[..., :3] * gain, own[..., 3]]).astype(np.float32)
        )
        for how in ("none", "adaptive", "adaptive, local"):
            wall, rng = np.full((SIZE, SIZE, 3), 0.5 * gain, np.float32), np.random.default_rng(0)
            base = compose.compose(layers, wall, to(Recipe(light=Light(method=how))), rng)["base"]
            lightness[name, how] = srgb_to_lab(base[layers.labels == INDEX["skin"]])[:, 0].mean()
    for how in ("adaptive", "adaptive, local"):
        before, after = (abs(lightness["dark", k] - lightness["usual", k]) for k in ("none", how))
        assert after < before - 3
        assert lightness["black", how] == lightness["black", "none"]


def test_a_warp_brings_the_drawings_landmarks_to_the_persons(bent):
    for view in bent.views:
        placed = missed(bent.layers(view, to(Recipe(warp=Warp(method="none")))), view["spots"])
        assert placed.max() > 2.5
        for how in (Warp(), Warp(method="exact"), Warp(method="tps")):
            assert missed(bent.layers(view, to(Recipe(warp=how))), view["spots"]).max() < 0.7, how
        half = missed(bent.layers(view, to(Recipe(warp=Warp(strength=0.5)))), view["spots"])
        assert 0.7 < half.max() < placed.max()


def test_what_is_brought_is_a_head_with_clean_edges(bent):
    view = bent.views[2]
    layers = bent.layers(view, to(Recipe()))
    head = np.isin(layers.labels, list(HEAD))
    assert (layers.toon[~head] == 0).all() and (layers.toon[layers.labels == INDEX["neck"]] == 0).mean() > 0.9
    face = layers.labels == INDEX["skin"]
    assert (layers.toon[face] == INDEX["skin"]).mean() > 0.9
    for name in ("palette", "oracle"):
        rgba = getattr(layers, name)
        assert np.isfinite(rgba).all() and rgba.min() >= 0 and rgba.max() <= 1
        assert rgba[layers.labels == INDEX["cloth"]][:, 3].mean() < 0.1
    # With alpha multiplied in, nothing of the ground around the drawing comes into its colours.
    edge = (layers.palette[..., 3] > 0.05) & (layers.palette[..., 3] < 0.95) & (layers.toon == INDEX["hair"])
    edge[SIZE // 4 :] = False  # below, skin may be beside it
    hair = rendered.layers(bent.people, bent.character, view["id"]).palette
    want = np.median(hair[layers.labels == INDEX["hair"]][:, :3], axis=0)
    assert edge.sum() > 20 and np.abs(layers.palette[edge][:, :3] - want).max() < 0.15


def test_rows_say_by_which_recipe_and_whether_both_sides_agree_in_geometry(material, bent):
    for one, own, name, geometry in (
        (material, Recipe(), "default", "aligned"),
        (material, Recipe(warp=Warp(method="none")), "default", "aligned"),
        (bent, Recipe(name="half", warp=Warp(strength=0.5)), "half", "aligned"),
        (bent, Recipe(name="off", warp=Warp(method="none")), "off", "deformed"),
    ):
        row, _ = compose.pair(one, 0, to(own))
        assert (row["geometry"], row["strength"]) == (geometry, 1.0)
        assert row["lineage"]["recipe"] == {"name": name, "digest": own.digest}
    for share in range(4):  # heads that are pasted keep what was brought
        row, arrays = compose.pair(bent, share, replace(to(Recipe()), cutface=CutFace(1.0, most=2)))
        assert row["lineage"]["cutface"] and np.isfinite(arrays["tgt"]).all()


def test_pairs_of_the_same_recipe_are_kept_and_of_another_made_again(material, tmp_path):
    one, other = to(Recipe()), to(Recipe(name="b", reflection="Lab mean"))
    steps = write_set(tmp_path / "a", material, one, 3, 1)
    next(steps), next(steps)
    steps.close()
    kept = (tmp_path / "a/00000/row.json").stat().st_mtime_ns
    assert len(list(write_set(tmp_path / "a", material, one, 3, 1))) == 1
    assert (tmp_path / "a/00000/row.json").stat().st_mtime_ns == kept
    again = write_set(tmp_path / "a", material, other, 3, 1)
    next(again)
    again.close()
    assert len(list(write_set(tmp_path / "a", material, other, 3, 1))) == 2
    list(write_set(tmp_path / "fresh", material, other, 3, 1))
    for path in sorted((tmp_path / "fresh").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "a" / path.relative_to(tmp_path / "fresh")).read_bytes()
    (tmp_path / "a/00001/row.json").write_text(json.dumps({"recipe": None}))
    assert not pairs.finished(tmp_path / "a", "00001", other.recipe())


def test_photographs_take_the_recipe_too_and_a_skin_that_nobody_knows_is_one_sentence(material):
    layers = material.layers(material.views[2], PLAIN)
    rgb, teacher = layers.photo[..., :3], TextureTeacher(Texture(), Ink())
    worn = to(Recipe(name="blue", skin=Skin(whose="character")))
    with pytest.raises(ParameterError, match="the recipe blue gives the character's skin"):
        photographs.drawn(rgb, layers.labels, [], teacher, worn)
    blue = photographs.drawn(rgb, layers.labels, [], teacher, worn, "#8fb0e6").palette[..., :3]
    face = (layers.labels == INDEX["skin"]) & (np.arange(SIZE)[None] < 0.55 * SIZE)
    want = srgb_to_lab(np.array([[0x8F, 0xB0, 0xE6]], np.float32) / 255)[0]
    assert delta_e00(srgb_to_lab(np.median(blue[face], 0)), want) < 3


def test_labels_of_a_drawing_are_those_of_its_places(bent):
    found = matched.read(bent.people, bent.character, bent.views[0]["id"])
    own = placing.labelled(found)
    assert set(np.unique(own)) <= set(np.unique(found.layers.labels))
    assert ((own > 0) == (found.layers.palette[..., 3] > 0.5)).mean() > 0.99


def test_of_several_people_together_a_deformed_character_has_no_place(material):
    group = add_group(material.people, material.character)
    row, _ = compose.pair(replace(material, views=[group]), 0, to(Recipe(skin=Skin(whose="character"))))
    assert row["skin"] == "character" and row["geometry"] == "aligned"
