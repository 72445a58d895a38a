from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from wbme.base.errors import ParameterError
from wbme.perception.faces import Face
from wbme.views import sources as view


@pytest.fixture
def face():
    mesh = np.column_stack([np.random.default_rng(0).uniform(60, 140, (468, 2)), np.zeros(468)])
    irises = np.stack([np.full((5, 2), 80.0), np.full((5, 2), 120.0)])
    return Face(np.array([60.0, 40, 160, 140]), 0.9, np.full((6, 2), 100.0), mesh, irises)


@pytest.fixture
def picture():
    return np.full((200, 400, 3), 0.5, np.float32)


def row(name, group, mean, bin_, under=0.0, over=0.0):
    histogram = np.zeros(64)
    histogram[bin_] = 1
    light = {"mean": mean, "histogram": histogram.tolist(), "under": under, "over": over}
    return {"name": name, "group": group, "light": light}


def test_a_tile_moves_its_faces_with_the_picture(picture, face):
    small = view.tile(picture, [face], "x", side=100)
    assert small.rgb.shape == (50, 100, 3) and small.scale == 0.25
    # The pixel (60, 40) covers 60..61 of 400: its centre 60.5 lies at 15.125, which is pixel 14.625.
    assert small.faces[0].box == pytest.approx([14.625, 9.625, 39.625, 34.625])
    assert small.faces[0].irises[0, 0] == pytest.approx([19.625, 19.625])
    same = view.tile(picture, [face], "x", side=400)
    assert same.rgb is picture and same.faces[0] is face


@pytest.mark.parametrize(("count", "most"), [(0, 5), (3, 5), (5, 5), (49, 48), (57, 9), (9, 1)])
def test_as_many_are_shown_as_fit_from_the_first_to_the_last(count, most):
    chosen = view.spread(range(count), most)
    assert len(set(chosen)) == len(chosen) == min(count, most) and chosen == sorted(chosen)
    if count and most > 1:
        assert (chosen[0], chosen[-1]) == (0, count - 1)
        assert np.ptp(np.diff(chosen)) <= 1


@pytest.mark.parametrize("most", [0, -3])
def test_a_sheet_of_nothing_is_refused_in_a_sentence(most):
    with pytest.raises(ParameterError, match=f"{most} pictures and faces cannot be shown: give 1 or more"):
        view.spread([], most)


def test_zoom_shows_the_faces_and_stays_inside_the_picture(picture, face):
    near = view.zoom(picture, [face], "x", side=320)
    box = near.faces[0].box
    assert max(near.rgb.shape) == 320 and near.scale > 1
    assert (box > 0).all() and (box[2:] < near.rgb.shape[1::-1]).all()
    assert box[2] - box[0] == pytest.approx(100 * near.scale)
    corner = replace(face, box=np.array([350.0, 150, 450, 250]))
    assert min(view.zoom(picture, [corner], "x").rgb.shape[:2]) > 0


def test_only_sure_and_large_faces_are_kept_whatever_the_scale(picture, face):
    less = replace(face, box=np.array([0.0, 0, 40, 40]), score=0.6)
    small = view.tile(picture, [face, less], "x", side=100)
    assert [f.score for f in small.kept(0.5, 0)] == [0.9, 0.6]
    assert [f.score for f in small.kept(0.7, 0)] == [0.9]
    assert [f.score for f in small.kept(0.5, 40)] == [0.9, 0.6]
    assert [f.score for f in small.kept(0.5, 41)] == [0.9]
    assert small.kept(0.5, 101) == []


def test_a_closer_look_draws_the_layer_and_leaves_the_tile_alone(picture, face):
    one = view.tile(picture, [face], "x")
    assert np.array_equal(view.closer(one, "none"), one.rgb)
    assert np.ptp(view.closer(one, "mesh", 0.95)) == 0  # no face is that sure: a dimmed, plain picture
    for layer in ("mesh", "skin"):
        drawn = view.closer(one, layer)
        assert drawn.shape == one.rgb.shape and np.ptp(drawn) > 0.1
    assert np.ptp(one.rgb) == 0


def test_the_grid_boxes_faces_and_frames_every_picture(picture, face):
    plain = view.grid([view.tile(picture, [], "x")])
    boxed = view.grid([view.tile(picture, [face], "x")])
    assert plain.shape == boxed.shape and boxed.min() >= 0 and boxed.max() <= 1
    yellow = (boxed[..., 0] > 0.9) & (boxed[..., 2] < 0.4)
    rows, columns = np.nonzero(yellow)
    # 100 of 400 pixels, on a cell of 288: 72 pixels a side.
    assert np.ptp(rows) == pytest.approx(72, abs=3) and np.ptp(columns) == pytest.approx(72, abs=3)
    white = view.grid([view.tile(np.ones((50, 50, 3), np.float32), [], "x")])
    assert (white < 0.9).sum() > 3 * 4 * 280


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (8, 8)])
def test_odd_pictures_fit_into_the_grid(shape):
    odd = view.tile(np.zeros((*shape, 3), np.float32), [], "odd")
    assert view.grid([odd, odd]).ndim == 3
    assert view.repeats([[odd, odd], [odd]]).ndim == 3


def test_repeats_are_rows_of_one_width(picture):
    one = view.tile(picture, [], "x")
    wide = view.repeats([[one] * 3, [one] * 2])
    high = view.repeats([[one] * 2, [one] * 2])
    assert wide.shape[0] == high.shape[0] and wide.shape[1] > high.shape[1]


def test_no_face_gives_a_sheet_that_says_so(picture):
    assert np.ptp(view.crops([], [])) > 0.5
    assert view.crops([picture[:, :200]] * 3, ["a", "b", "c"]).shape[1] > view.crops([], []).shape[1]


def test_every_face_is_counted_in_the_histogram_of_sizes():
    figure = view.face_sizes({"a": [24.0, 61.0, 199.0, 700.0], "b": [3.0, 61.0], "none": []})
    [axes] = figure.axes
    bars = [patch for patch in axes.patches if patch.get_height() > 0]
    assert sum(bar.get_height() for bar in bars) == 6
    assert axes.get_xlim()[0] <= 3 and axes.get_xlim()[1] >= 700
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["a: 4 faces, median 130 px", "b: 2 faces, median 32 px", "none: no face"]
    assert {line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"} == {60, 200}
    figure.draw_without_rendering()


def test_long_names_of_sources_leave_the_histogram_its_room():
    figure = view.face_sizes({f"{'a-long-name-of-a-source-' * 4}{k}": [50.0, 90.0] for k in range(7)})
    figure.draw_without_rendering()
    assert figure.axes[0].get_position().width > 0.85
    key = figure.legends[0].get_window_extent()
    assert key.x1 <= figure.bbox.x1 and key.y0 >= figure.axes[0].get_window_extent().y1


def test_sizes_of_no_face_at_all_are_an_empty_histogram():
    figure = view.face_sizes({"a": [], "b": []})
    figure.draw_without_rendering()
    assert sum(patch.get_height() for patch in figure.axes[0].patches) == 0


def test_light_is_a_row_a_picture_and_above_the_limit_a_group():
    pictures = [("s", row("d/one.png", "g", 0.184, 31)), ("s", row("two.png", "g", 0.0, 0, under=1.0))]
    single = view.light_rows(pictures)
    assert list(single.label) == ["one.png", "two.png"] and list(single.pictures) == [1, 1]
    # Y = 0.184 is L* = 50; bin 31 reaches from L* 48.4 to 50.
    assert single.mean_L[0] == pytest.approx(50, abs=0.05)
    assert single.p50[0] == pytest.approx(49.2, abs=0.05) and 48.4 <= single.p5[0] < single.p95[0] <= 50
    grouped = view.light_rows(pictures, most=1)
    assert list(grouped.label) == ["s / g"] and list(grouped.pictures) == [2]
    assert grouped.under[0] == 0.5 and grouped.L0[0] == grouped.L31[0] == 0.5


def test_the_light_figure_has_a_ridge_a_row_and_a_bar_for_what_is_clipped():
    pictures = [("s", row("one.png", "g", 0.2, 31, over=0.25)), ("s", row("x" * 60, "g", 0, 0, under=1.0))]
    figure = view.light(view.light_rows(pictures))
    left, right = figure.axes
    assert sum(isinstance(c, PolyCollection) for c in left.collections) == 2
    assert [bar.get_width() for bar in right.patches] == [0, 25, -100, 0]
    assert left.get_yticklabels()[1].get_text() == "x" * 12 + "…" + "x" * 13
    figure.draw_without_rendering()
