import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.color import skin
from wbme.color.kmeans import kmeans
from wbme.color.spaces import lab_to_srgb, srgb_to_lab


def swatch(number, height=60, width=80):
    """A flat picture in one Monk tone."""
    code = skin.MONK[number - 1].hex
    rgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return np.broadcast_to(rgb, (height, width, 3)).copy()


def face(tone, noise=0.5, seed=0, size=160):
    """A square of one Monk tone: L* falls by 12 from top to bottom, the last quarter is black hair."""
    rng = np.random.default_rng(seed)
    t = skin.MONK[tone - 1]
    lab = np.tile([t.L, t.a, t.b], (size, size, 1)) + rng.normal(0, noise, (size, size, 3))
    lab[..., 0] += np.linspace(6, -6, size)[:, None]
    lab[3 * size // 4 :] = [5, 1, 2]
    return lab_to_srgb(lab.astype(np.float32))


@pytest.mark.parametrize("number", range(1, 11))
def test_a_flat_swatch_gives_its_own_numbers(number):
    found = skin.statistics(swatch(number), np.ones((60, 80)))
    tone = skin.MONK[number - 1]
    got = [found.L, found.a, found.b, found.ita, found.hue]
    np.testing.assert_allclose(got, [tone.L, tone.a, tone.b, tone.ita, tone.hue], atol=0.01)
    assert max(found.L_std, found.hue_std, found.ita_std) < 1e-3
    assert found.pixels == 4800 and len(found.clusters) == 1
    assert skin.monk_class([found.L, found.a, found.b]) == number


@pytest.mark.parametrize("tone", [3, 4, 5, 6, 7])
def test_skin_is_found_beside_hair_that_the_mask_let_in(tone):
    found = skin.statistics(face(tone), np.ones((160, 160)))
    true = skin.MONK[tone - 1]
    plain_mean = srgb_to_lab(face(tone))[..., 0].mean()
    assert abs(found.L - true.L) < 4 and abs(plain_mean - true.L) > 7
    assert abs(found.hue - true.hue) < 4


def test_one_seed_gives_one_result_and_arguments_stay_untouched():
    rgb, mask = face(5), np.ones((160, 160), np.float32)
    before = rgb.copy()
    first, again = (skin.statistics(rgb, mask, max_pixels=3000, seed=4) for _ in range(2))
    assert first == again
    np.testing.assert_array_equal(rgb, before)
    assert skin.statistics(rgb, mask, max_pixels=3000, seed=5) != first


def test_a_subsample_is_close_to_all_pixels():
    rgb, mask = face(5, noise=2), np.ones((160, 160))
    some, every = (skin.statistics(rgb, mask, max_pixels=n) for n in (4000, 160 * 160))
    assert some.pixels == every.pixels == 160 * 160
    assert abs(some.L - every.L) < 2 and abs(some.hue - every.hue) < 2


def test_result_follows_from_its_cluster_table():
    found = skin.statistics(face(6, noise=2), np.ones((160, 160)), clusters=6, brightest=2)
    assert [c.chosen for c in found.clusters] == [True, True, False, False, False, False]
    assert sum(c.weight for c in found.clusters) == pytest.approx(1)
    lightness = [c.mode["L"] for c in found.clusters]
    assert lightness == sorted(lightness, reverse=True)
    weights = [c.weight for c in found.clusters[:2]]
    mean = np.average(lightness[:2], weights=weights)
    np.testing.assert_allclose(found.L, mean)
    deviation = np.sqrt(np.average((np.array(lightness[:2]) - found.L) ** 2, weights=weights))
    assert found.L_std == pytest.approx(deviation)
    assert pd.DataFrame([dataclasses.asdict(c) for c in found.clusters]).shape == (6, 4)


def test_soft_weights_count():
    rgb = np.concatenate([swatch(2), swatch(7)])
    mask = np.ones((120, 80), np.float32)
    mask[60:] = 0.25
    found = skin.statistics(rgb, mask, sigma=0, clusters=2, brightest=2)
    assert [c.weight for c in found.clusters] == pytest.approx([0.8, 0.2])
    expected = 0.8 * skin.MONK[1].L + 0.2 * skin.MONK[6].L
    np.testing.assert_allclose(found.L, expected, atol=0.01)


def test_hue_is_not_torn_where_the_angle_wraps():
    rng = np.random.default_rng(0)
    hue = np.radians(180 + rng.normal(0, 5, (50, 50)))
    lab = np.stack([np.full((50, 50), 60.0), 20 * np.cos(hue), 20 * np.sin(hue)], axis=-1)
    found = skin.statistics(lab_to_srgb(lab).astype(np.float32), np.ones((50, 50)), sigma=0)
    assert min(abs(found.hue - 180), abs(found.hue + 180)) < 8
    assert found.hue_std < 10


def test_a_grey_picture_has_lightness_but_no_hue():
    grey = np.repeat(np.random.default_rng(0).uniform(0.4, 0.6, (40, 40, 1)), 3, axis=2).astype(np.float32)
    found = skin.statistics(grey, np.ones((40, 40)))
    assert 43 < found.L < 63 and abs(found.a) < 0.01
    assert np.isnan(found.hue) and np.isnan(found.hue_std) and np.isnan(found.clusters[0].centre[1])


def test_sample_is_a_table_of_the_pixels_under_the_mask():
    rgb = np.random.default_rng(0).random((30, 40, 3)).astype(np.float32)
    mask = np.zeros((30, 40), np.float32)
    mask[5:9, 7:17] = 0.5
    table = skin.sample(rgb, mask, sigma=0)
    assert len(table) == 40 and (table["weight"] == 0.5).all()
    lab = srgb_to_lab(rgb[table["row"], table["column"]])
    np.testing.assert_array_equal(np.stack([table[c] for c in "Lab"], axis=1), lab)
    np.testing.assert_allclose(table["hue"], skin.hue(table["a"], table["b"]))
    np.testing.assert_allclose(table["ita"], skin.ita(table["L"], table["b"]))
    assert list(pd.DataFrame(table).columns) == ["L", "a", "b", "hue", "ita", "weight", "row", "column"]


def test_sample_draws_at_most_so_many_without_repeats():
    table = skin.sample(face(4), np.ones((160, 160), bool), max_pixels=500, seed=3)
    places = list(zip(table["row"], table["column"], strict=True))
    assert len(set(places)) == 500 and places == sorted(places)
    np.testing.assert_array_equal(
        table, skin.sample(face(4), np.ones((160, 160), bool), max_pixels=500, seed=3)
    )


@given(st.integers(0, 30), st.integers(0, 30), st.floats(0, 3))
@settings(deadline=None, max_examples=30)
def test_smoothing_a_part_equals_smoothing_the_picture(top, left, sigma):
    rgb = np.random.default_rng(0).random((48, 48, 3)).astype(np.float32)
    mask = np.zeros((48, 48), np.float32)
    mask[top : top + 10, left : left + 10] = 1
    whole = skin.sample(rgb, np.ones((48, 48)), sigma=sigma)
    inside = mask[whole["row"], whole["column"]] > 0
    part = skin.sample(rgb, mask, sigma=sigma)
    np.testing.assert_allclose(part["L"], whole["L"][inside], atol=1e-3)


def test_kmeans_finds_separate_groups_by_weight():
    rng = np.random.default_rng(0)
    true = np.repeat([0, 1, 2], [3000, 600, 40])
    points = np.array([[0, 0], [30, 0], [0, 40]])[true] + rng.normal(0, 1, (3640, 2))
    labels = kmeans(points, np.ones(3640), 3, 0)
    assert len({(a, b) for a, b in zip(true, labels, strict=True)}) == 3
    same = np.zeros((20, 2))
    assert set(kmeans(same, np.ones(20), 3, 0)) == {0}


picture, full = swatch(3, 8, 8), np.ones((8, 8))
NAN = np.where(np.arange(3) == 1, np.nan, picture).astype(np.float32)
TINY = np.zeros((8, 8))
TINY[0, :3] = 1


@pytest.mark.parametrize(
    "arguments, options, words",
    [
        ((picture, np.zeros((8, 8))), {}, "empty"),
        ((picture, TINY), {}, "3 skin pixels cannot form 5 clusters"),
        ((picture, np.ones((8, 9))), {}, "shape (8, 9) but the picture is 8 x 8"),
        ((picture, np.ones((8, 8, 1))), {}, "shape (8, 8, 1)"),
        ((picture, 255 * full), {}, "outside [0, 1]"),
        ((picture, full * np.nan), {}, "outside [0, 1]"),
        (((picture * 255).astype(np.uint8), full), {}, "divide uint8 by 255"),
        ((picture[..., 0], full), {}, "height x width x 3"),
        ((NAN, full), {}, "NaN"),
        ((picture, full), {"brightest": 6}, "brightest"),
        ((picture, full), {"clusters": 0}, "clusters"),
        ((picture, full), {"bins": 0}, "one bin"),
        ((picture, full), {"sigma": -1}, "sigma"),
        ((picture, full), {"max_pixels": 0}, "max_pixels"),
    ],
)
def test_bad_input_is_answered_by_one_sentence(arguments, options, words):
    with pytest.raises(ParameterError) as error:
        skin.statistics(*arguments, **options)
    assert words in str(error.value) and "\n" not in str(error.value)
