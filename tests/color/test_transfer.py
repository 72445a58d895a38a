import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.color.difference import delta_e00
from wbme.color.reflection import reflect
from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.color.tones import ita
from wbme.color.transfer import METHODS, Side, transfer

FULL = np.ones((20, 30), np.float32)
every = pytest.mark.parametrize("method", METHODS)


def patch(lab, spread=0.0, seed=0, shape=FULL.shape):
    noise = np.random.default_rng(seed).normal(0, 1, (*shape, 3)) * spread
    return lab_to_srgb(np.asarray(lab, float) + noise).astype(np.float32)


def side(rgb, mask=FULL):
    return Side(rgb, mask, mask)


def labs(rgb):
    return srgb_to_lab(np.asarray(rgb, np.float64)).reshape(-1, 3)


def test_the_talks_formula_is_reflect():
    target, source = patch([80, 8, 16], 2), patch([45, 14, 20], 4, 1, (9, 11))
    mask = np.linspace(0, 1, 600, dtype=np.float32).reshape(FULL.shape)
    whole = np.ones((9, 11), np.float32)
    for strength in (0.3, 1.0):
        made = transfer("Lab mean", side(target, mask), side(source, whole), strength=strength)
        np.testing.assert_allclose(made, reflect(target, mask, source, whole, strength=strength), atol=2e-6)


def test_each_rival_matches_what_it_promises():
    target, source = patch([75, 8, 16], 2), patch([50, 14, 20], 3, 1)

    def made(method):
        return transfer(method, side(target), side(source), clip=False)

    np.testing.assert_allclose(made("RGB mean").mean((0, 1)), source.mean((0, 1)), atol=1e-4)
    reinhard = labs(made("Reinhard"))
    np.testing.assert_allclose(reinhard.mean(0), labs(source).mean(0), atol=0.01)
    np.testing.assert_allclose(reinhard.std(0), labs(source).std(0), rtol=0.01)
    for k in range(3):
        np.testing.assert_allclose(
            np.sort(labs(made("1-D transport"))[:, k]), np.sort(labs(source)[:, k]), atol=0.02
        )
    sliced = labs(made("sliced transport"))
    np.testing.assert_allclose(sliced.mean(0), labs(source).mean(0), atol=0.2)
    np.testing.assert_allclose(np.cov(sliced.T), np.cov(labs(source).T), atol=1.2)
    same = labs(made("same ITA")).mean(0)
    assert ita(same[0], same[2]) == pytest.approx(float(ita(*labs(source).mean(0)[[0, 2]])), abs=0.05)
    assert same[1] == pytest.approx(labs(target).mean(0)[1], abs=0.02)


def test_ours_moves_the_main_tone_and_shrinks_the_steps_in_the_dark():
    tones = np.full(FULL.shape, 85.0)
    tones[:6] = 70  # a shadow on three tenths
    target = patch(np.stack([tones, 0 * tones + 10, 0 * tones + 15], axis=-1))
    made = labs(transfer("by tone", side(target), side(patch([30, 12, 14])))).reshape(*FULL.shape, 3)
    np.testing.assert_allclose(made[10, 0], [30, 12, 14], atol=0.1)
    assert made[0, 0, 0] == pytest.approx(30 - 15 * (46 / 101) ** 0.55, abs=0.1)
    plain = labs(transfer("Lab mean", side(target), side(patch([30, 12, 14]))))
    assert plain[:, 0].max() > 33  # a mean over shadow and light lifts what is lit above the person's skin


def test_ours_takes_lines_off_and_puts_them_on_again():
    ink = np.float32([0.06, 0.05, 0.07])
    cover = np.zeros(FULL.shape, np.float32)
    cover[8], cover[9], cover[10] = 0.5, 1.0, 0.5
    skin, wanted = patch([88, 6, 14]), patch([40, 12, 20])
    drawn, truth = (p + cover[..., None] * (ink - p) for p in (skin, wanted))
    made = transfer("by tone", side(drawn), side(wanted))
    assert delta_e00(labs(made), labs(truth)).max() < 6  # half-covered pixels might be shadow
    np.testing.assert_array_equal(made[9], drawn[9])
    assert delta_e00(labs(transfer("Lab mean", side(drawn), side(wanted))), labs(truth)).max() > 9


@every
def test_the_same_seed_gives_the_same_picture_and_no_skin_stays(method):
    target, source = patch([80, 8, 16], 3), patch([45, 14, 20], 4, 1)
    mask = FULL.copy()
    mask[:5] = 0
    one, other = (transfer(method, side(target, mask), side(source), seed=3) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one[:5], target[:5])
    none = transfer(method, side(target, mask), side(source), strength=0)
    np.testing.assert_allclose(none, target, atol=1e-3)


def test_what_goes_along_moves_as_the_skin_and_is_not_counted():
    target = patch([80, 8, 16])
    target[:4] = patch([60, 25, 20])[:4]
    skin, lips = FULL.copy(), np.zeros_like(FULL)
    skin[:4], lips[:4] = 0, 1
    made = labs(transfer("Lab mean", Side(target, skin, None, lips), side(patch([50, 12, 18])))).reshape(
        20, 30, 3
    )
    np.testing.assert_allclose(made[10, 0], [50, 12, 18], atol=0.05)
    np.testing.assert_allclose(made[0, 0], [30, 29, 22], atol=0.05)


@given(st.floats(5, 97), st.floats(5, 97), st.floats(0, 8), st.sampled_from(sorted(METHODS)))
@settings(max_examples=30)
def test_every_method_stays_finite_and_in_the_gamut(dark, light, spread, method):
    made = transfer(method, side(patch([light, 10, 15], spread)), side(patch([dark, 10, 15], spread, 1)))
    assert made.dtype == np.float32 and np.isfinite(made).all()
    assert made.min() >= 0 and made.max() <= 1


POINT = np.zeros(FULL.shape, np.float32)
POINT[3, 3] = 1
GREY = np.full((*FULL.shape, 3), 0.5, np.float32)


@pytest.mark.parametrize(
    "method, target, source, words",
    [
        ("mean", side(GREY), side(GREY), "method 'mean'"),
        ("Lab mean", side(GREY, 0 * FULL), side(GREY), "target skin mask is empty"),
        ("Lab mean", side(GREY), side(GREY, POINT), "source skin mask has 1 pixels"),
        ("by tone", side(GREY), side(0 * GREY), "all black or all white"),
        ("Reinhard", side(GREY), side(0 * GREY + 1), "all black or all white"),
        ("RGB mean", side(GREY * np.nan), side(GREY), "target picture holds NaN"),
        ("RGB mean", side(GREY), side(GREY, FULL * np.nan), "source skin mask holds values outside"),
        ("Lab mean, region", Side(GREY, FULL), side(GREY), "target has no region"),
    ],
)
def test_bad_input_is_one_sentence(method, target, source, words):
    with pytest.raises(ParameterError) as error:
        transfer(method, target, source)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("shadow", "wanted"), [(0.95, 59.2), (0.3, 60)])
def test_by_tone_the_lit_part_counts_where_light_is_hard_and_the_middle_where_it_is_soft(shadow, wanted):
    """A face of L* 60, two fifths of it in shadow: soft light takes the middle of its tones."""
    L = np.where(np.arange(FULL.size) < 0.4 * FULL.size, 60 * shadow, 60.0)
    face = lab_to_srgb(np.stack([L, 12 + 0 * L, 18 + 0 * L], -1)).reshape(*FULL.shape, 3).astype(np.float32)
    made = transfer("by tone", side(patch([75, 10, 16])), side(face))
    assert labs(made)[:, 0].mean() == pytest.approx(wanted, abs=0.3)
