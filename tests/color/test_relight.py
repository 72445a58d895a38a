import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.color.metering import EXPECTED, Seen, luminance, meter
from wbme.color.relight import RECIPES, relight
from wbme.color.spaces import linear_to_srgb, srgb_to_lab, srgb_to_linear

SHAPE = (48, 64)
SKIN = np.zeros(SHAPE, np.float32)
SKIN[8:40, 20:44] = 1
EYES = np.zeros(SHAPE, np.float32)
EYES[14:18, 24:40] = 1
EYES_ONLY = SKIN * (1 - EYES)


def picture(skin=0.25, stops=0.0, tint=(1, 1, 1), left=0.0):
    """Skin of that luminance with eye whites before a wall, all as expected in neutral light, then lit."""
    linear = np.full((*SHAPE, 3), 2.0 ** EXPECTED["scene"][0][0])
    linear[:, :4] = 2.0 ** EXPECTED["white"][0][0]
    red, blue = (2.0 ** EXPECTED["skin"][k][0] for k in (1, 2))
    linear[SKIN > 0] = skin * np.array([red, 1, blue]) / (0.2126 * red + 0.7152 + 0.0722 * blue)
    whites = 2.0 ** np.array([EXPECTED["eyes"][1][0], 0, EXPECTED["eyes"][2][0]])
    linear[EYES > 0] = 2.0 ** EXPECTED["eyes"][0][0] * whites
    linear = linear * 2.0**stops * np.asarray(tint)
    linear[:, :32] *= 2.0**-left
    return linear_to_srgb(np.clip(linear, 0, 1)).astype(np.float32)


def seen(rgb):
    return Seen(rgb, EYES_ONLY, EYES)


def test_the_meter_reads_no_light_where_there_is_none_to_read():
    light = meter(seen(picture(2.0 ** EXPECTED["skin"][0][0])))
    assert light.ev == pytest.approx(0, abs=0.05)
    np.testing.assert_allclose(light.colour, 1, atol=0.03)


@pytest.mark.parametrize("stops", [-3, -2, -1])
def test_the_meter_reads_the_exposure_whoever_stands_in_it(stops):
    read = [meter(seen(picture(skin, stops))).ev for skin in (0.04, 0.2, 0.45)]
    assert max(read) - min(read) < 0.4
    assert np.mean(read) == pytest.approx(stops, abs=0.45)


def test_the_meter_reads_the_colour():
    light = meter(seen(picture(0.2, -0.5, (1.3, 1.0, 0.6))))
    assert light.colour[0] / light.colour[1] == pytest.approx(1.3, abs=0.1)
    assert light.colour[2] / light.colour[1] == pytest.approx(0.6, abs=0.1)


@pytest.mark.parametrize("skin", [0.05, 0.2, 0.6])
def test_absolute_takes_every_skin_to_one_lightness(skin):
    rgb = picture(skin, -1)
    out = relight("absolute", rgb, seen(rgb))
    assert np.median(srgb_to_lab(out[EYES_ONLY > 0])[:, 0]) == pytest.approx(65, abs=1.5)


def test_adaptive_keeps_skins_apart_and_brings_exposures_together():
    def lightness(skin, stops):
        rgb = picture(skin, stops)
        return float(np.median(srgb_to_lab(relight("adaptive", rgb, seen(rgb))[EYES_ONLY > 0])[:, 0]))

    assert lightness(0.4, -2) - lightness(0.05, -2) > 30
    assert abs(lightness(0.2, -2) - lightness(0.2, 0)) < 8


def test_local_draws_the_dark_half_in_and_keeps_it_the_darker():
    rgb = picture(0.3, 0, left=3.5)
    plain, local = (
        np.log2(luminance(relight(name, rgb, seen(rgb)))[30]) for name in ("adaptive", "adaptive, local")
    )
    gaps = [float(row[42] - row[22]) for row in (plain, local)]
    assert gaps[0] == pytest.approx(3.5, abs=0.3)
    assert 0.1 < gaps[1] < 1.9


def test_gamma_takes_the_mean_luma_to_the_middle():
    flat = np.full((*SHAPE, 3), 0.2, np.float32)
    np.testing.assert_allclose(relight("gamma", flat, seen(picture())), 0.5, atol=0.01)


def test_a_lift_burns_nothing_out():
    rgb = picture(0.3, -2)
    rgb[:, 50:] = np.linspace(0, 0.95, 14)[:, None]
    out = relight("adaptive", rgb, seen(rgb), clip=False)
    assert out.max() <= 1 + 1e-6
    ramp = out[0, 50:].mean(1)
    assert (np.diff(ramp) > 0).all()


def test_what_is_burnt_out_stays_white():
    rgb = picture(0.2, -0.5, (1.3, 1.0, 0.6))
    rgb[:, 50:] = 1
    out = relight("adaptive", rgb, seen(rgb))[:, 50:]
    assert np.ptp(out, axis=2).max() < 0.02 and np.ptp(relight("adaptive", rgb, seen(rgb))[20, 22]) > 0


@given(st.integers(0, 1000), st.sampled_from(sorted(RECIPES)), st.floats(0, 1))
@settings(max_examples=40)
def test_every_recipe_is_finite_and_strength_leads_to_it(seed, name, strength):
    rgb = np.random.default_rng(seed).random((*SHAPE, 3), np.float32) ** 2
    sight = seen(rgb)
    part, whole = relight(name, rgb, sight, strength=strength), relight(name, rgb, sight, clip=False)
    assert np.isfinite(whole).all() and part.min() >= 0 and part.max() <= 1
    np.testing.assert_allclose(part, np.clip(rgb + strength * (whole - rgb), 0, 1), atol=1e-5)
    np.testing.assert_array_equal(relight(name, rgb, sight, strength=0), rgb)


GREY = np.full((*SHAPE, 3), 0.5, np.float32)
POINT = np.zeros(SHAPE, np.float32)
POINT[20, 20] = 1


@pytest.mark.parametrize(
    "rgb, skin, words",
    [
        (GREY, 0 * SKIN, "skin mask is empty"),
        (GREY, POINT, "1 pixels"),
        (0 * GREY, SKIN, "all black"),
        (0 * GREY + 1, SKIN, "all burnt out"),
        (GREY * np.nan, SKIN, "photograph holds NaN"),
    ],
)
def test_a_photograph_without_light_to_measure_is_refused(rgb, skin, words):
    with pytest.raises(ParameterError) as error:
        Seen(rgb, skin)
    assert words in str(error.value)


def test_what_is_no_recipe_or_does_not_fit_is_refused():
    sight = seen(picture())
    for name, rgb, words in (("bright", GREY, "recipe 'bright'"), ("gamma", GREY[:9], "one size")):
        with pytest.raises(ParameterError) as error:
            relight(name, rgb, sight)
        assert words in str(error.value)


def test_the_shoulder_begins_at_the_knee():
    rgb = picture(0.3, -1)
    linear = srgb_to_linear(rgb)
    out = srgb_to_linear(relight("absolute", rgb, seen(rgb)))
    own = np.median(luminance(rgb)[EYES_ONLY > 0])
    gain = ((65 + 16) / 116) ** 3 / own
    below = linear * gain < 0.8
    np.testing.assert_allclose(out[below], (linear * gain)[below], rtol=2e-3)
