"""The study of skin: painted faces are measured as painted, and every view shows what it says."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data
from matplotlib.path import Path

from wbme.base.errors import ParameterError, WbmeError
from wbme.color.skin import MONK
from wbme.color.spaces import lab_to_srgb
from wbme.data.sources import Source
from wbme.perception import faces
from wbme.views import skin, skin_groups, skin_planes, skin_selection, style
from wbme.views.skin import Settings
from wbme.views.skin_faces import SkinFace, cut_out, faces_of, region
from wbme.views.skin_live import settings_view
from wbme.views.skin_selection import faces_behind, shares

PLAIN = Settings()


@pytest.fixture(scope="module")
def photo():
    return (skimage.data.astronaut() / 255).astype(np.float32)


@pytest.fixture(scope="module")
def mesh(photo):
    (found,) = faces.detect(photo)
    return found.landmarks.astype(np.float32)


@pytest.fixture(scope="module")
def face(photo, mesh):
    return cut_out(photo, mesh, 256, name="astronaut", source="s", folder="f", picture="astronaut")


@pytest.fixture(scope="module")
def paint(face):
    """paint(lab, name, ...) -> the face as a mask of one colour, with a little noise in L*."""

    def painted(lab, name="painted", source="s", folder="f", noise=1.0):
        grain = np.random.default_rng(0).normal(0, noise, face.rgb.shape[:2])
        colour = np.asarray(lab, float) + np.stack([grain, 0 * grain, 0 * grain], axis=-1)
        rgb = lab_to_srgb(colour).astype(np.float32)
        return SkinFace(rgb, face.landmarks, name, source, folder, name)

    return painted


@pytest.fixture(scope="module")
def monks(paint):
    """Ten faces, one of each Monk tone, in two folders."""
    return [
        paint((tone.L, tone.a, tone.b), f"monk{tone.number}", folder="light" if tone.number < 6 else "dark")
        for tone in MONK
    ]


@pytest.fixture(scope="module")
def found(monks):
    return skin.study(monks, PLAIN, per_face=400)


def test_a_cut_out_face_keeps_its_mesh_on_its_pixels(photo, mesh):
    small = cut_out(photo, mesh, 64, name="a", source="s", folder="f", picture="p")
    assert np.ptp(small.landmarks[:, :2], axis=0).max() == pytest.approx(64, rel=0.03)
    whole = cut_out(photo, mesh, 4096, name="a", source="s", folder="f", picture="p")
    np.testing.assert_allclose(np.diff(whole.landmarks, axis=0), np.diff(mesh, axis=0), atol=1e-3)
    for landmark in (1, 50, 280):  # nose tip and cheeks
        x, y = np.rint(mesh[landmark, :2]).astype(int)
        u, v = np.rint(whole.landmarks[landmark, :2]).astype(int)
        np.testing.assert_array_equal(whole.rgb[v, u], photo[y, x])
        u, v = np.rint(small.landmarks[landmark, :2]).astype(int)
        np.testing.assert_allclose(
            small.rgb[v, u], photo[y - 1 : y + 2, x - 1 : x + 2].mean((0, 1)), atol=0.06
        )


def test_a_face_outside_its_picture_is_refused(photo, mesh):
    with pytest.raises(ParameterError, match="lies outside its picture"):
        cut_out(photo, mesh + 2000, 64, name="a", source="s", folder="f", picture="p")


class Pictures(Source):
    """A source in memory."""

    def rgb(self, picture):
        return self.folder[picture["id"]]


def source_of(photo, mesh, greys, counts):
    rows, face_rows = [], []
    for k, (grey, count) in enumerate(zip(greys, counts, strict=True)):
        identity = f"{k:04d}"
        rows.append({"id": identity, "name": f"p{k}.png", "group": "g", "grey": grey, "faces": count})
        face_rows += [{"picture": identity, "index": index} for index in range(count)]
    meshes = np.stack([mesh] * len(face_rows)) if face_rows else np.zeros((0, 468, 3), np.float32)
    return Pictures({row["id"]: photo for row in rows}, rows, face_rows, [], meshes, np.zeros(0))


def test_faces_come_from_coloured_pictures_with_names_of_their_own(photo, mesh):
    source = source_of(photo, mesh, [False, True, False], [1, 1, 2])
    names = [face.name for face in faces_of(source, "mine", size=64)]
    assert names == ["p0.png", "p2.png #1", "p2.png #2"]
    some = [face.name for face in faces_of(source, "mine", size=64, most=2, seed=3)]
    assert len(some) == 2 and set(some) < set(names)
    assert some == [face.name for face in faces_of(source, "mine", size=64, most=2, seed=3)]


@pytest.mark.parametrize(("greys", "counts"), [([], []), ([False], [0]), ([True], [2])])
def test_a_source_without_a_coloured_face_is_refused_in_a_sentence(photo, mesh, greys, counts):
    with pytest.raises(WbmeError, match="source/mine holds no face in colour"):
        next(faces_of(source_of(photo, mesh, greys, counts), "mine"))


def test_eroding_and_feathering_change_the_edge_of_the_mask_alone(face):
    plain, eroded, soft = region(face), region(face, erode=3), region(face, feather=3.0)
    both = region(face, erode=3, feather=2.0)
    assert 0.6 * plain.sum() < eroded.sum() < 0.9 * plain.sum()
    assert (eroded <= plain).all()
    assert np.ptp(np.sum([plain, soft], axis=(1, 2))) < 0.03 * plain.sum()
    assert ((soft > 0.05) & (soft < 0.95)).sum() > 3 * ((plain > 0.05) & (plain < 0.95)).sum()
    assert eroded.sum() == pytest.approx(both.sum(), rel=0.03)
    cheek = tuple(np.rint(face.landmarks[50, 1::-1]).astype(int))
    assert plain[cheek] == eroded[cheek] == 1
    assert soft[cheek] == pytest.approx(1, abs=1e-3)


def test_painted_faces_are_measured_as_painted(found):
    table = skin.face_table(found)
    assert table["Monk"] == list(range(1, 11))
    for row, tone in enumerate(MONK):
        # The used clusters are the brighter ones of the grain.
        assert table["L*"][row] == pytest.approx(tone.L, abs=0.7)
        assert table["hue (deg)"][row] == pytest.approx(tone.hue, abs=1.5)
        assert table["ITA (deg)"][row] == pytest.approx(tone.ita, abs=2.5)
    assert table["quadrant"][0] == "light yellow" and table["quadrant"][7] == "dark red"
    assert table["ITA class"][0] == "very light" and table["ITA class"][9] == "dark"


def test_every_face_counts_the_same(found):
    shares = np.bincount(found.owner, found.pixels["weight"])
    np.testing.assert_allclose(shares, 1, rtol=1e-5)
    assert len(found.pixels) == len(skin.pixel_table(found)["L"]) == 10 * 400


def test_auto_takes_the_first_division_that_gives_several_groups(monks, paint):
    lab = (60, 12, 20)
    two_sources = [paint(lab, "a", source="one"), paint(lab, "b", source="two", folder="other")]
    assert skin.study(two_sources, PLAIN).names == ["one", "two"]
    assert skin.study(monks, PLAIN, per_face=50).names == ["light", "dark"]
    alike = [paint(lab, name) for name in "abc"]
    assert skin.study(alike, PLAIN).names == ["a", "b", "c"]
    many = [paint(lab, name) for name in "abcdefgh"]
    assert skin.study(many, PLAIN, per_face=50).names == ["s"]
    assert skin.study(many, PLAIN, per_face=50, by="picture").names == list("abcdefgh")
    with pytest.raises(ParameterError, match="not 'age'"):
        skin.study(alike, PLAIN, by="age")


def test_faces_with_too_little_skin_are_left_out_until_none_remains(face, paint):
    tiny = SkinFace(face.rgb[::40, ::40], face.landmarks / 40, "tiny", "s", "f", "tiny")
    mixed = skin.study([tiny, paint((60, 12, 20))], Settings(erode=3))
    assert [one.name for one in mixed.faces] == ["painted"]
    with pytest.raises(WbmeError, match="no face can be measured \\(tiny: "):
        skin.study([tiny], Settings(erode=3))
    with pytest.raises(WbmeError, match="there is none"):
        skin.study([], PLAIN)


@pytest.mark.parametrize("wrong", [{"brightest": 6}, {"brightest": 0}, {"erode": -1}, {"sigma": -0.5}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match="give "):
        Settings(**wrong)


def test_group_intervals_hold_the_means_and_a_single_face_has_none(found, paint):
    rows = {row["group"]: row for row in skin.group_table(found, resamples=500, seed=0)}
    assert list(rows) == ["light", "dark", "all"] and rows["all"]["faces"] == 10
    for row in rows.values():
        assert row["L* low"] < row["L*"] < row["L* high"]
    assert rows["light"]["L*"] == pytest.approx(np.mean([tone.L for tone in MONK[:5]]), abs=0.7)
    [lone, _] = skin.group_table(skin.study([paint((60, 12, 20))], PLAIN), resamples=10, seed=0)
    assert math.isnan(lone["L* low"]) and lone["usual Monk"] in (5, 6)


def test_a_known_shift_is_the_difference_and_the_distance(paint):
    pair = [paint((50, 10, 20), "a"), paint((58, 10, 20), "b")]
    [row] = skin_groups.comparison_table(skin.study(pair, PLAIN), "a")
    assert (row["from"], row["to"]) == ("a", "b")
    assert row["L* difference"] == pytest.approx(8, abs=0.1)
    assert row["L* Wasserstein"] == pytest.approx(8, abs=0.1)
    assert abs(row["hue (deg) difference"]) < 0.2
    assert tuple(row) == skin_groups.DIFFERENCES
    table = skin_groups.comparison_data(skin.study(pair, PLAIN), "a", "b")
    assert set(table["group"]) == {"a", "b"} and len(table["L"]) == len(table["group"])


def test_one_group_is_compared_with_nothing(paint):
    one = skin.study([paint((50, 10, 20), "a")], PLAIN)
    assert skin_groups.comparison_table(one, "s") == []
    figure = skin_groups.comparison(one, "s", "s")
    assert figure.get_suptitle() == "s: one group, nothing to compare"
    assert [text.get_text() for text in figure.legends[0].texts] == ["s"]


def test_equal_names_in_two_sources_stay_apart(paint):
    lab = (60, 12, 20)
    twins = [paint(lab, "a.png", source=source) for source in ("one", "two")]
    assert skin.study(twins, PLAIN, per_face=50, by="group").groups == ("one/f", "two/f")
    assert skin.study(twins, PLAIN, per_face=50, by="picture").groups == ("one/a.png", "two/a.png")


def test_grey_pixels_have_no_part_in_views_of_hue(paint):
    """Half of the face is skin of hue 0, with values on both sides of the cut, half is grey."""
    grain = np.random.default_rng(1).normal(0, 3, paint((60, 20, 0)).rgb.shape[:2])
    skinny = np.stack([0 * grain + 60, 0 * grain + 20, grain], axis=-1)
    skinny[: len(skinny) // 2, :, 1:] /= 100
    one = paint((60, 20, 0))
    mixed = skin.study([replace(one, rgb=lab_to_srgb(skinny).astype(np.float32))], Settings(sigma=0))
    hued = skin.coloured(mixed.pixels)
    assert 0.2 < hued.mean() < 0.8
    assert np.abs(mixed.pixels["hue"][hued]).max() < 45 and abs(mixed.column("hue")[0]) < 10
    np.testing.assert_array_equal(np.isfinite(skin.pixel_table(mixed)["hue"]), hued)
    low, high = skin_groups.violins(mixed).axes[1].get_ylim()
    assert -40 < low < 0 < high < 40
    blue = [paint((60, -20, grain), name) for name, grain in (("a", 3.0), ("b", -3.0))]
    hues = skin.study(blue, PLAIN).column("hue")  # on both sides of 180 degrees
    assert abs(hues[0] - hues[1]) == pytest.approx(17, abs=2)


def test_a_grey_face_has_its_place_in_every_figure(paint):
    grey = skin.study([paint((60, 0, 0), "a"), paint((60, 12, 20), "b")], PLAIN)
    skin_groups.violins(grey)
    skin_planes.densities(grey)
    assert "nan" in skin_groups.comparison(grey, "a", "b").axes[3].get_title(loc="left")
    assert faces_behind(grey, np.arange(len(grey.pixels))).ndim == 3


def test_the_scatter_places_faces_swatches_and_lines(found):
    figure = skin_planes.scatter(found)
    left, right = figure.axes
    for axes, over in ((left, "L"), (right, "ita")):
        placed = np.concatenate([c.get_offsets() for c in axes.collections if len(c.get_offsets()) == 5])
        np.testing.assert_allclose(placed, np.stack([found.column("hue"), found.column(over)], axis=1))
        assert {str(number) for number in range(1, 11)} <= {text.get_text() for text in axes.texts}
        uprights = [line for line in axes.lines if list(line.get_xdata()) == [55.0, 55.0]]
        assert len(uprights) == 1
    levels = [line.get_ydata()[0] for line in left.lines if list(line.get_xdata()) == [0, 1]]
    assert levels == [60]
    levels = [line.get_ydata()[0] for line in right.lines if list(line.get_xdata()) == [0, 1]]
    assert levels == [55, 41, 28, 10, -30]
    assert [text.get_text() for text in figure.legends[0].texts] == ["light (5 faces)", "dark (5 faces)"]


def test_contours_hold_half_and_nine_tenths_of_the_skin(face):
    real = skin.study([face], PLAIN)
    axes = skin_planes.densities(real, bandwidth=0.5).axes[0]
    lines = next(c for c in axes.collections if hasattr(c, "levels") and not c.filled)
    points = np.stack([real.pixels["hue"], real.pixels["L"]], axis=1)
    outer, inner = (
        np.any([Path(ring).contains_points(points) for ring in path.to_polygons()], axis=0).mean()
        for path in lines.get_paths()
    )
    assert outer == pytest.approx(0.9, abs=0.03)
    assert inner == pytest.approx(0.5, abs=0.05)


def test_violins_stand_one_a_group_with_median_and_faces(found):
    figure = skin_groups.violins(found)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["light", "dark"]
    medians = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_markersize() == 5]
    expected = [np.median(found.pixels_of(name)["L"]) for name in found.names]
    np.testing.assert_allclose(medians, expected, atol=0.5)


def test_the_comparison_names_both_and_the_difference(found):
    figure = skin_groups.comparison(found, "light", "dark")
    assert figure.get_suptitle().startswith("dark minus light; ΔE00 of the mean colours ")
    [row] = skin_groups.comparison_table(found, "light")
    assert len(figure.axes) == 5
    shown = figure.axes[2].get_title(loc="left")
    assert f"\N{MINUS SIGN}{-row['L* difference']:.1f}" in shown
    figure.draw_without_rendering()
    for axes in figure.axes[:2]:
        assert axes.yaxis.label.get_window_extent().x0 >= 0


@pytest.mark.parametrize("over", ["L", "ita"])
def test_the_plane_of_the_comparison_shows_its_label_and_follows_the_bandwidth(found, over):
    figures = [skin_groups.comparison_plane(found, "light", "dark", over, width) for width in (0.5, 2.0)]
    areas = []
    for figure in figures:
        figure.draw_without_rendering()
        assert figure.axes[0].yaxis.label.get_window_extent().x0 >= 0
        lines = next(c for c in figure.axes[0].collections if hasattr(c, "levels") and not c.filled)
        areas.append(np.prod(np.ptp(lines.get_paths()[0].vertices, axis=0)))
    assert areas[1] > areas[0]


def test_many_groups_with_long_names_stay_apart(paint):
    lab = (60, 12, 20)
    faces = [paint(lab, f"a folder with a rather long name {k}") for k in range(10)]
    many = skin.study(faces, PLAIN, per_face=50, by="picture")
    marks = [(style.colour(k), style.marker(k)) for k in range(64)]
    assert len(set(marks)) == 64
    assert len({(style.colour(k), style.dash(k)) for k in range(32)}) == 32
    filled = [c for c in skin_planes.densities(many).axes[0].collections if getattr(c, "filled", False)]
    assert filled == []
    scatter = skin_planes.scatter(many)
    scatter.draw_without_rendering()
    assert scatter.axes[0].get_position().width > 0.3
    assert scatter.legends[0].get_window_extent().width <= scatter.bbox.width
    few = skin.study(faces[:4], PLAIN, per_face=50, by="picture")
    figure = skin_groups.violins(few)
    figure.draw_without_rendering()
    assert {label.get_rotation() for label in figure.axes[0].get_xticklabels()} == {45}


def test_the_settings_view_follows_every_setting_at_one_size(face):
    plain = settings_view(face, PLAIN)
    assert plain.dtype == np.uint8 and plain.shape[2] == 3
    np.testing.assert_array_equal(plain, settings_view(face, PLAIN))
    for change in ({"sigma": 3.0}, {"clusters": 8}, {"brightest": 1}, {"feather": 4.0}, {"erode": 4}):
        other = settings_view(face, Settings(**change))
        assert other.shape == plain.shape and (other != plain).any()
    with pytest.raises(ParameterError, match="mask is empty"):
        settings_view(face, Settings(erode=200))


def test_a_grey_face_is_shown_although_it_has_no_hue(paint):
    assert settings_view(paint((60, 0, 0), noise=3.0), PLAIN).std() > 0


def coloured(tile):
    return np.ptp(tile, axis=2) > 0.08


def test_chosen_skin_keeps_its_colour_and_the_rest_is_pale(monks):
    pair = skin.study([monks[6], monks[7]], PLAIN, per_face=1000)
    everything = faces_behind(pair, np.arange(len(pair.pixels)))
    nothing = faces_behind(pair, np.arange(0))
    first = faces_behind(pair, np.flatnonzero(pair.owner == 0))
    assert everything.shape == nothing.shape == first.shape
    half = first.shape[1] // 2
    assert not coloured(nothing).any()
    assert coloured(first[:, :half]).sum() == coloured(everything[:, :half]).sum() > 1000
    assert not coloured(first[:, half:]).any()


def test_all_skin_chosen_is_all_of_every_face(found):
    np.testing.assert_allclose(shares(found, np.ones(len(found.pixels), bool)), 1, rtol=1e-6)
    _, _, inside = skin_planes.pixel_plane(found, most=700)
    taken = np.zeros(len(found.pixels), bool)
    taken[inside] = True
    np.testing.assert_allclose(shares(found, taken), 1, rtol=1e-6)
    half = taken & (np.arange(len(taken)) % 2 == 0)
    np.testing.assert_allclose(shares(found, half), 0.5, atol=0.06)


def test_wholly_chosen_skin_has_no_gaps(face):
    few = skin.study([face], PLAIN, per_face=300)
    sheet = faces_behind(few, np.arange(300))
    nothing = faces_behind(few, np.arange(0))
    changed = (np.abs(sheet - nothing).max(axis=2) > 0.02).astype(np.uint8)
    filled = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    assert (filled & ~changed & 1).sum() < 0.02 * changed.sum()


def test_of_many_faces_each_group_has_its_best(found, monkeypatch):
    labels = []
    monkeypatch.setattr(
        skin_selection, "contact_sheet", lambda *a, **k: labels.append(a[2]) or np.ones((9, 9, 3))
    )
    faces_behind(found, np.flatnonzero(np.isin(found.owner, [1, 2, 3, 8])), most=4)
    assert labels == [["100%  monk2", "100%  monk9", "100%  monk3", "0%  monk6"]]


def test_of_many_faces_those_with_the_most_chosen_skin_are_shown(found):
    sheet = faces_behind(found, np.flatnonzero(found.owner == 9), most=4)
    same = faces_behind(found, np.flatnonzero(found.owner == 9), most=9)
    assert sheet.shape[0] < same.shape[0]
    assert not np.array_equal(sheet, faces_behind(found, np.arange(0), most=4))


def test_the_pixel_plane_says_which_pixels_it_draws(found):
    figure, axes, inside = skin_planes.pixel_plane(found, most=700)
    np.testing.assert_array_equal(inside, np.flatnonzero(skin.coloured(found.pixels)))
    [drawn] = [c.get_offsets() for c in axes.collections if len(c.get_offsets()) == 700]
    plane = {(x, y) for x, y in np.stack([found.pixels["hue"], found.pixels["L"]], axis=1)[inside].tolist()}
    assert {(x, y) for x, y in drawn.tolist()} <= plane
    assert axes in figure.axes
