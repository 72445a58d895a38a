"""The study of warps on a set whose correspondence is a shift: what is read, scored, shown and refused."""

import json

import numpy as np
import pandas as pd
import pytest
from rendered_set import make_set

from wbme.base.errors import MediaError, ParameterError, StoreError
from wbme.data import landmark_file, matched
from wbme.media import images
from wbme.synth import warping
from wbme.synth.warping import How
from wbme.views import warping as view

SHIFT = 5


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A set whose drawings lie five pixels to the right of the photographs."""
    people, character, rows = make_set(tmp_path_factory.mktemp("set"), views=3, size=96)
    for row in rows:
        points = np.load(people / "views" / row["id"] / "points.npz")["landmarks"]
        seen = np.ones(468, bool)
        np.savez(people / "views" / row["id"] / "points.npz", landmarks=points, visible=seen)
        y, x = np.mgrid[:96, :96]
        places = np.stack([16 * (x - SHIFT), 16 * y], -1)
        places[:, :SHIFT] = 65535
        moved = (points + np.array([SHIFT, 0, 0])).astype(np.float32)
        np.savez(character / row["id"] / "correspondence.npz", places=places.astype(np.uint16),
                 landmarks=moved, visible=seen)  # fmt: skip
    return people, character, rows


@pytest.fixture(scope="module")
def cases(made):
    people, character, rows = made
    return [warping.case(people, character, row) for row in rows]


def test_the_correspondence_is_read_in_pixels(made):
    people, character, rows = made
    got = matched.read(people, character, rows[0]["id"])
    assert np.isnan(got.places[:, :SHIFT]).all()
    np.testing.assert_array_equal(got.places[7, 20], [15, 7])
    np.testing.assert_allclose(got.target - got.source, np.broadcast_to([SHIFT, 0], (468, 2)), atol=1e-5)


def test_a_character_without_correspondence_or_a_damaged_one_is_one_sentence(made, tmp_path):
    people, character, rows = made
    with pytest.raises(StoreError, match="keeps the person's geometry"):
        matched.read(people, tmp_path, rows[0]["id"])
    file = character / rows[2]["id"] / "correspondence.npz"
    whole = file.read_bytes()
    file.write_bytes(whole[:40])
    with pytest.raises(StoreError, match="no readable landmarks"):
        matched.read(people, character, rows[2]["id"])
    file.write_bytes(whole)


def test_every_way_is_scored_and_a_shift_is_undone(cases):
    ways = [How("similarity"), How("tps", "68"), How("hybrid", "5", 0.5)]
    rows = pd.DataFrame(warping.rows(cases, ways))
    assert len(rows) == 9 and set(rows["identity"]) == {"p0000", "p0001", "p0002"}
    assert rows["face error"].max() < 0.2 and rows["folds"].max() == 0
    np.testing.assert_allclose(warping.warped(cases[0], ways[0])[2][:, 2:80],
                               cases[0].drawing[:, 2 + SHIFT : 80 + SHIFT], atol=1e-3)  # fmt: skip
    known = cases[0].truth.known
    np.testing.assert_allclose(warping.exact(cases[0])[known],
                               warping.warped(cases[0], ways[0])[2][known], atol=0.02)  # fmt: skip
    table = view.table(rows)
    assert list(table["method"]) == ["similarity only", "thin-plate spline", "hybrid flow"]
    assert table["folded pixels (%)"].iloc[0] == "0.00 [0.00, 0.00]"


def test_noise_is_the_same_for_the_same_seed_and_grows(cases):
    errors = []
    for noise, seed in ((0.0, 0), (2.0, 0), (2.0, 0), (2.0, 1)):
        [row] = warping.rows(cases[:1], [How("tps", noise=noise)], lines=False, seed=seed)
        errors.append(row["face error"])
    assert errors[0] < errors[1] == errors[2] != errors[3]


def test_sheets_have_a_row_a_case_and_a_column_a_way(cases):
    ways = [How("similarity"), How("hybrid")]
    assert view.sheet(cases[:2], ways, cell=60).shape[1] == 5 * (60 + 12) + 12
    assert view.grids(cases[:1], ways, cell=60).shape[1] == 4 * (60 + 12) + 12
    for shown in view.SHOWN:
        assert np.isfinite(view.closer(cases[0], How("hybrid"), shown, cell=60)).all()


def test_curves_have_a_line_a_method(cases):
    ways = [How(method, "68", s) for method in ("similarity", "tps") for s in (0.0, 1.0)]
    rows = pd.DataFrame(warping.rows(cases[:2], ways, lines=False))
    figure = view.curves(rows, "strength", "strength", ["landmark RMSE", "stretch"])
    assert [line.get_label() for line in figure.axes[0].lines] == ["similarity only", "thin-plate spline"]
    assert len(view.knobs(rows, [("tps", "smoothing")]).axes) == 1


def test_a_drawing_of_the_users_needs_its_five_points(tmp_path, astronaut_picture):
    photo, drawing = tmp_path / "photo.png", tmp_path / "girl.png"
    images.write(photo, astronaut_picture)
    images.write(drawing, astronaut_picture[:, ::-1])
    with pytest.raises(ParameterError, match=r"girl.landmarks.json is missing"):
        view.own(drawing, photo, [How("tps", "5")])
    five = [[110, 118], [150, 112], [130, 135], [112, 152], [150, 150]]
    high, wide = astronaut_picture.shape[:2]
    faces = [landmark_file.marks(five)]
    landmark_file.save(landmark_file.beside(drawing), faces, drawing.name, (wide, high))
    person, drawn, [out] = warping.brought(drawing, photo, [How("tps", "5")])
    assert person.shape == out.shape == drawn.shape
    landmark_file.beside(drawing).write_text(json.dumps({"schema": 2}))
    with pytest.raises(MediaError, match=r"girl\.landmarks\.json"):
        warping.brought(drawing, photo, [How("tps", "5")])


@pytest.fixture(scope="module")
def astronaut_picture():
    import skimage.data

    return (skimage.data.astronaut()[:260, 80:340] / 255).astype(np.float32)
