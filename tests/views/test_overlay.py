"""Overlays change what they should and nothing else; contact sheets place and label pictures."""

import numpy as np
import pytest
import skimage.data

from wbme.base.errors import ParameterError
from wbme.perception import faces, pose
from wbme.perception.hands import Hand
from wbme.views.overlay import PARTS, contact_sheet, overlay


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return (skimage.data.astronaut() / 255).astype(np.float32)


@pytest.fixture(scope="module")
def face(picture):
    (found,) = faces.detect(picture)
    return found


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.abs(after - before).max(-1) > 0.02


def test_nothing_found_leaves_the_picture_alone(picture):
    drawn = overlay(picture)
    np.testing.assert_array_equal(drawn, picture)
    assert drawn is not picture


def test_only_the_face_is_drawn_on_and_the_input_stays(picture, face):
    before = picture.copy()
    drawn = overlay(picture, [face])
    np.testing.assert_array_equal(picture, before)
    assert drawn.shape == picture.shape
    assert drawn.dtype == np.float32
    assert 0 <= drawn.min() <= drawn.max() <= 1
    rows, columns = np.nonzero(changed(picture, drawn))
    x0, y0, x1, y1 = face.box
    assert x0 - 3 < columns.min() < columns.max() < x1 + 3
    assert y0 - 10 < rows.min() < rows.max() < y1 + 6


def test_each_part_draws_where_it_belongs(picture, face):
    box = changed(picture, overlay(picture, [face], parts=["box"]))
    assert box[round(face.box[1]), 200:250].all()
    assert not box[130, 200:250].any()
    skin = changed(picture, overlay(picture, [face], parts=["skin"]))
    mask = faces.skin_mask(face, picture.shape)
    assert skin[mask > 0.99].mean() > 0.95
    assert not skin[mask == 0].any()
    irises = changed(picture, overlay(picture, [face], parts=["irises"]))
    assert 20 < irises.sum() < 300
    for part in PARTS[2:5]:
        assert changed(picture, overlay(picture, [face], parts=[part])).sum() > 200


def test_bodies_and_hands(picture):
    bodies = pose.detect(picture)
    tinted = changed(picture, overlay(picture, (), bodies, parts=["mask"]))
    assert tinted[350, 180]
    assert not tinted[80, 420]
    line = changed(picture, overlay(picture, (), bodies, parts=["pose"]))
    (right, left), middle = bodies[0].points[[12, 11], :2], bodies[0].points[[12, 11], :2].mean(0)
    for x, y in (right, left, middle):
        assert line[round(y) - 1 : round(y) + 2, round(x)].any()
    points = np.column_stack([np.linspace(300, 500, 21), np.linspace(30, 300, 21), np.zeros(21)])
    assert changed(picture, overlay(picture, hands=[Hand(points, 1.0, "left")]))[165, 400]


def test_scale_enlarges_and_keeps_places(picture, face):
    drawn = overlay(picture, [face], parts=["box"], scale=2)
    assert drawn.shape == (1024, 1024, 3)
    plain = overlay(picture, scale=2)
    rows, columns = np.nonzero(changed(plain, drawn))
    expected = (face.box + 0.5) * 2 - 0.5
    found = [columns.min(), rows.min(), columns.max(), rows.max()]
    np.testing.assert_allclose(found, expected, atol=2)


@pytest.mark.parametrize("shape", [(8, 8, 3), (1, 1, 3)])
def test_tiny_pictures_with_faces_elsewhere(face, shape):
    assert overlay(np.zeros(shape, np.float32), [face]).shape == shape


def test_an_unknown_part_is_refused(picture):
    with pytest.raises(ParameterError, match="ears"):
        overlay(picture, parts=["ears"])


def test_contact_sheet_places_pictures_row_by_row():
    red, green, blue = (np.full((4, 4, 3), colour, np.float32) for colour in np.eye(3))
    sheet = contact_sheet([red, green, blue], 2, cell=50, gap=10)
    assert sheet.shape == (130, 130, 3)
    assert sheet.dtype == np.float32
    for picture, (x, y) in zip((red, green, blue), ((35, 35), (95, 35), (35, 95)), strict=True):
        np.testing.assert_allclose(sheet[y, x], picture[0, 0], atol=0.01)
    assert (sheet[95, 95] == 1).all()
    assert (sheet[:10] == 1).all()


def test_contact_sheet_keeps_proportions_and_takes_grey_and_bytes():
    wide = np.zeros((20, 80), np.uint8)
    sheet = contact_sheet([wide], cell=80, gap=0)
    rows, columns = np.nonzero(sheet[..., 0] == 0)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 80)


def test_labels_are_written_below_and_cut_where_too_long():
    white = np.ones((40, 40, 3), np.float32)
    sheet = contact_sheet(
        [white] * 2, 2, ["short", "a label far too long for its little picture" * 3], cell=120
    )
    ink = (sheet < 0.5).any(-1)
    assert not ink[:132].any()
    assert ink[132:, :132].any()
    assert ink[132:, 144:264].any()
    assert not ink[:, 264:].any()
    assert not ink[:, :12].any()


def test_labels_must_match():
    with pytest.raises(ParameterError, match="2 images got 1 labels"):
        contact_sheet([np.zeros((2, 2, 3), np.float32)] * 2, labels=["one"])


def test_an_empty_sheet_is_white():
    assert (contact_sheet([]) == 1).all()
