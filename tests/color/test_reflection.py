import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.color import skin
from wbme.color.difference import delta_e00
from wbme.color.reflection import mean_lab, reflect
from wbme.color.spaces import lab_to_srgb, srgb_to_lab


def swatch(number, height=40, width=100):
    code = skin.MONK[number - 1].hex
    rgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return np.broadcast_to(rgb, (height, width, 3)).copy()


FULL = np.ones((40, 100), np.float32)


def drawing():
    """A character in Monk 1 with 10 % black lines and 2.5 % white of the eyes, and its skin mask."""
    rgb, mask = swatch(1), FULL.copy()
    rgb[:4], rgb[4], mask[:5] = 0, 1, 0
    return rgb, mask


def test_skin_only_reflection_reaches_the_source_exactly():
    target, mask = drawing()
    out = reflect(target, mask, swatch(8), FULL)
    assert out.dtype == np.float32
    assert delta_e00(mean_lab(out, mask), mean_lab(swatch(8), FULL)) < 0.001
    np.testing.assert_array_equal(out[:5], target[:5])


def test_whole_region_reflection_misses_the_source_and_loses_the_lines():
    target, _ = drawing()
    out = reflect(target, FULL, swatch(8), FULL)
    assert 3.9 < delta_e00(mean_lab(out, FULL), mean_lab(swatch(8), FULL)) < 4.7
    free = srgb_to_lab(reflect(target, FULL, swatch(8), FULL, clip=False))
    assert (free[..., 0] < 0).mean() == pytest.approx(0.10)


@pytest.mark.parametrize("strength", [0, 0.25, 0.5, 1])
def test_strength_moves_along_the_line_between_the_means(strength):
    target, mask = drawing()
    start, goal = mean_lab(target, mask), mean_lab(swatch(6), FULL)
    out = reflect(target, mask, swatch(6), FULL, strength=strength)
    np.testing.assert_allclose(mean_lab(out, mask), start + strength * (goal - start), atol=0.01)


def test_chroma_only_keeps_lightness():
    lab = np.tile([70, 10, 15], (20, 20, 1)) + np.random.default_rng(0).normal(0, 1, (20, 20, 3))
    target, mask = lab_to_srgb(lab).astype(np.float32), np.ones((20, 20))
    out = reflect(target, mask, swatch(7), FULL, channels="ab")
    np.testing.assert_allclose(srgb_to_lab(out)[..., 0], srgb_to_lab(target)[..., 0], atol=0.01)
    np.testing.assert_allclose(mean_lab(out, mask)[1:], mean_lab(swatch(7), FULL)[1:], atol=0.01)


def test_shading_of_the_target_is_kept():
    lab = np.tile([60, 12, 18], (20, 20, 1)) + np.linspace(-10, 10, 20)[:, None, None] * [1, 0, 0]
    out = reflect(lab_to_srgb(lab).astype(np.float32), np.ones((20, 20)), swatch(6), FULL)
    np.testing.assert_allclose(np.diff(srgb_to_lab(out)[:, 0, 0]), 20 / 19, atol=0.01)


def test_soft_edge_receives_its_share_and_pictures_may_differ_in_size():
    mask = np.ones((40, 100), np.float32)
    mask[:20] = 0.5
    source = swatch(7, 10, 10)
    target = swatch(6)
    out = srgb_to_lab(reflect(target, mask, source, np.ones((10, 10), bool)))
    shift = srgb_to_lab(source)[0, 0] - srgb_to_lab(target)[0, 0]
    np.testing.assert_allclose(out[0, 0], srgb_to_lab(target)[0, 0] + 0.5 * shift, atol=0.01)
    np.testing.assert_allclose(out[39, 0], srgb_to_lab(source)[0, 0], atol=0.01)


def test_strong_shift_is_clipped_unless_asked_otherwise():
    bright = swatch(1)
    bright[::2] *= 0.3
    clipped = reflect(bright, FULL, swatch(1), FULL)
    free = reflect(bright, FULL, swatch(1), FULL, clip=False)
    assert free.max() > 1 and clipped.max() <= 1 and clipped.min() >= 0
    np.testing.assert_allclose(mean_lab(free, FULL), mean_lab(swatch(1), FULL), atol=0.01)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"strength": 1.5}, "strength"),
        ({"channels": "rgb"}, "'lab' or 'ab'"),
        ({"target_mask": 0 * FULL}, "target picture mask is empty"),
        ({"source_mask": np.ones((4, 4))}, "source picture mask has shape (4, 4)"),
        ({"source_rgb": np.zeros((40, 100, 3), np.uint8)}, "source picture has type uint8"),
    ],
)
def test_bad_input_says_which_picture(change, words):
    target, mask = drawing()
    arguments = {"target_rgb": target, "target_mask": mask, "source_rgb": swatch(8), "source_mask": FULL}
    with pytest.raises(ParameterError) as error:
        reflect(**(arguments | change))
    assert words in str(error.value)
