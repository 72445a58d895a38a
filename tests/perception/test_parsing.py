"""The shipped parser on real photographs and on bad input; looks put together without a seam."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data

import wbme
from wbme.base.errors import ModelError, ParameterError
from wbme.data import candidates, parser_truth
from wbme.geometry.parsing import INDEX, SKIN
from wbme.geometry.transforms import Square
from wbme.media import images
from wbme.metrics import parsing as metrics
from wbme.perception import faces, parsing
from wbme.perception.parsing import Parser

ASSETS = Path(wbme.__file__).parent / "assets"


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser.open()


@pytest.fixture(scope="module")
def labels(parser, astronaut):
    return parser(astronaut)


def skin(labels):
    return np.isin(labels, list(SKIN))


def test_it_ships_with_a_card_and_is_small():
    card = json.loads((ASSETS / "parser.json").read_text())
    assert card["licence"] == "Apache-2.0" and card["training"]["data"] and card["note"]
    assert (ASSETS / "parser.safetensors").stat().st_size <= 4e6


def test_skin_and_hair_of_the_astronaut(labels):
    truth = parser_truth.portraits()["astronaut.png"]
    fine = np.isin(labels, [INDEX[n] for n in ("l_brow", "r_brow", "l_eye", "r_eye", "u_lip", "l_lip")])
    assert labels.shape == (512, 512) and labels.dtype == np.uint8
    assert metrics.iou(skin(labels) | fine | (labels == INDEX["mouth"]), truth.skin) > 0.8
    assert metrics.iou(labels == INDEX["hair"], truth.hair) > 0.8
    assert labels[400, 150] == INDEX["cloth"]
    assert labels[60, 330] == 0


def test_skin_of_hopper_leaves_cap_and_uniform_alone(parser):
    hopper = next(c for c in candidates.builtin()["portraits"] if c.name == "grace_hopper.jpg")
    rgb = images.read(hopper.path).rgb
    found = skin(parser(rgb))
    truth = parser_truth.portraits()[hopper.name]
    assert metrics.iou(found, truth.skin & ~truth.fine) > 0.75
    assert found[20:110, 150:370].mean() < 0.02  # the cap
    assert found[450:, :].mean() < 0.02  # the uniform


def test_the_same_picture_gives_the_same_labels_and_faces_can_be_given(parser, astronaut, labels):
    known = faces.detect(astronaut, irises=False)
    assert np.array_equal(parser(astronaut, known), labels)


def test_left_and_right_are_the_persons_own_and_turn_in_a_mirror(parser, astronaut, labels):
    mirrored = parser(np.ascontiguousarray(astronaut[:, ::-1]))
    for seen in (labels, mirrored):
        right, left = (np.flatnonzero((seen == INDEX[n]).any(0)).mean() for n in ("r_eye", "l_eye"))
        assert right < left


def test_a_face_cut_by_the_border_is_still_skin(parser, astronaut):
    for part in (astronaut[:, :222], astronaut[:130], astronaut[90:200, 170:330]):
        cut = np.ascontiguousarray(part)
        found = parser(cut)
        assert found.shape == cut.shape[:2]
    half = skin(parser(np.ascontiguousarray(astronaut[:, :222])))
    truth = parser_truth.portraits()["astronaut.png"].skin[:, :222]
    assert half[truth].mean() > 0.6


@pytest.mark.slow
def test_twenty_faces_and_none(parser, crowd):
    picture, truth = crowd
    known = faces.detect(picture, irises=False, rotations="all")
    assert len(known) == 20
    found = skin(parser(picture, known))
    noses = [found[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4].mean() for (x, y), _ in truth]
    assert np.mean(np.array(noses) > 0.5) > 0.9
    sky = (skimage.data.rocket() / 255).astype(np.float32)
    assert skin(parser(sky)).mean() < 0.03
    assert (parser(np.zeros((20, 300, 3), np.float32), []) == 0).mean() > 0.9


def test_shares_add_to_one_at_any_size(parser, astronaut):
    for side in (256, 100):
        shares = parser.crop(np.ascontiguousarray(astronaut[:side, 120 : 120 + side]))
        assert shares.shape == (side, side, 20)
        np.testing.assert_allclose(shares.sum(2), 1, atol=1e-3)


def test_bad_pictures_are_one_sentence(parser):
    with pytest.raises(ParameterError, match="give a square one"):
        parser.crop(np.zeros((256, 200, 3), np.float32))
    for bad in (np.zeros((256, 256), np.float32), np.zeros((256, 256, 3), np.uint8)):
        with pytest.raises(ParameterError):
            parser(bad)
    with pytest.raises(ParameterError, match="NaN"):
        parser(np.full((64, 64, 3), np.nan, np.float32))


def test_too_little_memory_is_one_sentence(parser, monkeypatch):
    def full(*_args):
        raise MemoryError

    monkeypatch.setattr(parsing, "_blend", full)
    with pytest.raises(ModelError, match="memory does not suffice to parse a picture of 80 x 60 pixels"):
        parser(np.zeros((60, 80, 3), np.float32), [])


def test_looks_are_put_back_where_they_were_taken():
    """A look at a turned square and its strips: each pixel gets what the look shows at its place."""
    square, size = Square(40, 30, 36, 0.4), 64
    seen = np.zeros((size, size, 4), np.float32)
    seen[:32, :, 1], seen[32:, :, 2] = 1, 1
    whole = np.zeros((64, 80, 4), np.float32)
    parsing._blend(whole, seen, square, 0.12, 0)
    y, x = np.mgrid[:64, :80]
    across = ((x - 40) * np.cos(0.4) + (y - 30) * np.sin(0.4)) / 36
    down = (-(x - 40) * np.sin(0.4) + (y - 30) * np.cos(0.4)) / 36
    deep = (np.abs(across) < 0.36) & (np.abs(down) < 0.36) & (np.abs(down) > 0.05)
    assert (whole[deep].argmax(1) == np.where(down < 0, 1, 2)[deep]).all()
    assert whole[(np.abs(across) > 0.52) | (np.abs(down) > 0.52)].max() == 0
    strips = np.zeros_like(whole)
    for top in (0, 21, 42):
        parsing._blend(strips[top : top + 21 if top < 42 else 64], seen, square, 0.12, top)
    np.testing.assert_allclose(strips, whole, atol=1e-5)


def test_specks_beside_a_person_are_background_but_not_other_people():
    labels = np.zeros((200, 300), np.uint8)
    labels[40:180, 20:120] = INDEX["cloth"]
    labels[50:110, 40:100] = INDEX["skin"]
    labels[60:180, 180:260] = INDEX["cloth"]  # somebody turned away
    speck = np.s_[10:30, 150:170]
    labels[speck] = INDEX["body_skin"]
    labels[112:120, 60:70] = INDEX["hair"]  # hangs together with the person
    expected = labels.copy()
    expected[speck] = 0
    parsing._without_specks(labels, [Square(70, 80, 80)])
    assert np.array_equal(labels, expected)
    parsing._without_specks(labels, [])
    assert np.array_equal(labels, expected)
