"""What the parser learns from: repeatable, mirrored with its names, silent beyond a picture's border."""

import json

import numpy as np
import pytest

from tests.rendered_set import make_set
from wbme.base.errors import MediaError, ParameterError
from wbme.data import parser_crops, parser_looks, parser_truth
from wbme.geometry.parsing import INDEX, LABELS
from wbme.geometry.transforms import Square


def plain(size, rng):
    return np.full((size, size, 3), rng.uniform(0.2, 0.8), np.float32)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    place, _, rows = make_set(folder, views=4)
    rows[1]["facts"]["hair"] = parser_crops.HELD_STYLES[0]
    (place / "views.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place


@pytest.fixture
def crops(people):
    views = parser_crops.views_of([people], False)
    return parser_crops.ParserCrops(views, plain, side=64, size=3, seed=5)


def test_people_and_hair_styles_are_held_out(people):
    names = [[row["identity"] for _, row in parser_crops.views_of([people], held)] for held in (False, True)]
    assert names == [["p0000", "p0002"], ["p0001", "p0003"]]


def test_a_batch_depends_on_the_seed_and_its_number_alone(people, crops):
    views = parser_crops.views_of([people], False)
    again = parser_crops.ParserCrops(views, plain, side=64, size=3, seed=5)
    again.batch(7)  # what went before does not matter
    pictures, labels = crops.batch(2)
    assert (pictures.shape, labels.shape) == ((3, 3, 64, 64), (3, 64, 64))
    assert pictures.dtype == np.float32 and 0 <= pictures.min() <= pictures.max() <= 1
    assert set(np.unique(labels)) <= {*range(len(LABELS)), parser_crops.IGNORED}
    for one, other in zip(again.batch(2), (pictures, labels), strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(crops.batch(3)[1], labels)


def test_a_mirror_renames_left_and_right():
    twice = parser_crops.MIRRORED[parser_crops.MIRRORED]
    assert np.array_equal(twice, np.arange(256))
    moved = {LABELS[k]: LABELS[parser_crops.MIRRORED[k]] for k in range(20) if parser_crops.MIRRORED[k] != k}
    assert moved == {
        "l_brow": "r_brow", "r_brow": "l_brow", "l_eye": "r_eye", "r_eye": "l_eye", "l_ear": "r_ear",
        "r_ear": "l_ear",
    }  # fmt: skip


def test_nothing_is_learned_of_a_person_beyond_the_border(people, crops):
    view = parser_crops.read_view(*parser_crops.views_of([people], False)[0])
    low = Square(48, 96, 96)  # its lower half lies below the picture
    _, labels = crops._sampled(view, low, *crops._grid())
    assert set(np.unique(labels[34:])) == {0, parser_crops.IGNORED}
    assert parser_crops.IGNORED not in labels[:30]
    assert INDEX["cloth"] in labels[:30]
    assert parser_crops.known(labels).max() < 20


def test_a_held_out_view_shows_the_view(crops):
    rgb, labels = crops.check(0)
    again, _ = crops.check(0)
    assert np.array_equal(rgb, again)
    assert rgb.shape == (64, 64, 3)
    assert INDEX["skin"] in labels


def test_looks_keep_what_they_do_not_touch():
    rng = np.random.default_rng(1)
    labels = np.zeros((48, 48), np.uint8)
    labels[10:30, 10:30], labels[36:] = INDEX["hair"], INDEX["cloth"]
    rgb = np.full((48, 48, 3), 0.5, np.float32)
    changed = False
    for _ in range(6):
        out = parser_looks.dressed(rgb, labels, plain(48, rng), rng)
        assert np.abs(out - rgb)[:4].max() < 1e-6
        changed |= bool(np.abs(out - rgb)[12:28, 12:28].max() > 0.05)
    assert changed
    _, hidden = parser_looks.occluded(rgb, labels, rgb, rng)
    assert ((hidden == labels) | (hidden == 0)).all()
    out = parser_looks.photographed(rgb, rng)
    assert out.shape == rgb.shape and 0 <= out.min() <= out.max() <= 1


def test_a_hat_lies_over_the_hair_and_leaves_the_face(people):
    view = parser_crops.read_view(*parser_crops.views_of([people], False)[0])
    face = Square(48, 44, 110)
    rng, strands = np.random.default_rng(0), 0
    for _ in range(5):
        photo, labels = parser_looks.capped(view.photo, view.labels, face, rng)
        hat = labels == INDEX["hat"]
        assert hat.sum() > 100 and (photo[hat, 3] == 255).all()
        assert not hat[60:].any()
        wisps = (labels == INDEX["hair"]) & (view.labels != INDEX["hair"])
        inner = [INDEX[name] for name in ("nose", "mouth", "u_lip", "l_lip", "neck", "cloth")]
        assert not np.isin(view.labels[wisps], inner).any()
        strands += np.count_nonzero(wisps)
        rest = ~hat & (labels > 0) & (labels != INDEX["hair"])
        assert np.array_equal(labels[rest], view.labels[rest])
        assert np.array_equal(photo[rest], view.photo[rest])
    assert strands > 20


def test_bad_sets_are_one_sentence(tmp_path):
    with pytest.raises(ParameterError, match="render people first"):
        parser_crops.ParserCrops([], plain, side=64, size=2, seed=0)
    place, _, _ = make_set(tmp_path, views=2)
    (place / "views" / "0001" / "labels.png").write_bytes(b"no picture")
    crops = parser_crops.ParserCrops(parser_crops.views_of([place], False), plain, side=64, size=2, seed=0)
    with pytest.raises(MediaError, match=r"labels\.png"):
        crops.batch(0)


def test_the_masks_drawn_by_hand_lie_on_the_two_portraits():
    truths = parser_truth.portraits()
    assert set(truths) == {"astronaut.png", "grace_hopper.jpg"}
    for truth in truths.values():
        assert not (truth.skin & truth.hair).any()
        assert (truth.fine & ~truth.skin).sum() == 0
    astronaut = truths["astronaut.png"]
    assert astronaut.skin.shape == (512, 512) and truths["grace_hopper.jpg"].skin.shape == (600, 512)
    assert astronaut.skin[125, 222] and astronaut.hair[50, 230] and astronaut.fine[102, 205]
