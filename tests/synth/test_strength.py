"""How strongly a picture is drawn: what changes with it, how far, and what does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.morphology import skeletonize
from small_pairs import composed, material

from wbme.base.errors import ParameterError
from wbme.metrics import structure
from wbme.synth import strength
from wbme.synth.compose import CutFace, Settings
from wbme.synth.texture import Texture, flatten, in_steps


def strokes(width):
    """Vertical lines of that width on paper, coverage 64 x 96."""
    plane = np.zeros((64, 96), np.float32)
    for x in range(8, 96, 16):
        plane[:, x : x + width] = 1
    return plane


@given(st.floats(0, 1), st.floats(0, 1))
def test_lines_only_become_thinner_and_all_of_them_go(one, other):
    low, high = sorted((one, other))
    thin, less = (strength.thinned(strokes(4), s) for s in (low, high))
    assert (thin <= less + 1e-6).all() and thin.min() >= 0
    assert not strength.thinned(strokes(4), 0.0).any()
    np.testing.assert_array_equal(strength.thinned(strokes(4), 1.0), strokes(4))


def test_a_line_loses_as_much_on_either_side():
    half = strength.thinned(strokes(6), 0.5)
    np.testing.assert_allclose(half[32, 6:16], [0, 0, 0.4, 1, 1, 1, 1, 0.4, 0, 0], atol=1e-6)
    assert half[:, 8:14].sum() / skeletonize(strokes(6) > 0.5)[:, 8:14].sum() < 6


def test_weaker_is_less_flat_and_nearer_to_the_photograph():
    from skimage import data

    rgb = data.coffee()[::2, ::2].astype(np.float32) / 255
    made = {}
    for much in (0.0, 0.3, 0.6, 1.0):
        texture = strength.texture(Texture(), much)
        made[much] = in_steps(flatten(rgb, texture), texture)
    flats = [structure.flat_share(one) for one in made.values()]
    away = [np.abs(one - rgb).mean() for one in made.values()]
    assert flats == sorted(flats) and flats[0] < 0.6 * flats[-1]
    assert away == sorted(away)


def test_each_pair_is_drawn_by_one_of_the_strengths_and_says_which(tmp_path):
    settings = Settings(cutface=CutFace(0.0), degrade=0, strengths=(0.25, 1.0))
    made = composed(tmp_path / "a", material(tmp_path / "set"), settings, 8)
    said = [row["strength"] for row in made.rows]
    assert set(said) == {0.25, 1.0}
    full = composed(tmp_path / "b", material(tmp_path / "set"), Settings(cutface=CutFace(0.0), degrade=0), 8)
    for row, other in zip(made.rows, full.rows, strict=True):
        one, two = made.load(row), full.load(other)
        np.testing.assert_array_equal(one["src"], two["src"])
        assert (row["recipe"] == other["recipe"]) is False  # what a set may hold is another recipe
        if row["strength"] == 1:
            np.testing.assert_array_equal(one["tgt"], two["tgt"])
        else:
            assert one["ink"].mean() < 0.5 * two["ink"].mean()


@pytest.mark.parametrize("wrong", [(), (1.2,), (0.5, float("nan"))])
def test_a_strength_out_of_range_is_one_sentence(wrong):
    with pytest.raises(ParameterError, match="strengths are"):
        Settings(strengths=wrong)
