"""Lights: colours of known temperatures, one level for all rigs, and the meter."""

import json

import numpy as np
import pytest

from wbme.people import lights

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def test_6500_kelvin_is_nearly_white_and_a_candle_is_red():
    np.testing.assert_allclose(lights.kelvin(6504), 1, atol=0.06)
    red, green, blue = lights.kelvin(1900)
    assert red > 1.5 > green > blue
    assert lights.kelvin(15000)[2] > 1.2


@pytest.mark.parametrize("temperature", [1800, 2500, 3999, 4001, 8000])
def test_a_black_body_has_luminance_1(temperature):
    assert LUMINANCE @ lights.kelvin(temperature) == pytest.approx(1, abs=0.03)


def test_the_shares_make_a_whole_and_most_light_is_soft():
    assert sum(rig.share for rig in lights.RIGS.values()) == pytest.approx(1)
    assert sum(lights.RIGS[name].share for name in ("studio", "window", "overcast")) > 0.5


def test_some_views_are_wrongly_exposed_and_signs_are_coloured():
    made = [lights.sample(np.random.default_rng(seed), "studio").exposure_ev for seed in range(300)]
    low, high = lights.RIGS["studio"].ev
    amiss = [ev for ev in made if not low <= ev <= high]
    assert 0.05 < len(amiss) / 300 < 0.16 and min(amiss) < -0.6 and max(amiss) > 0.6
    fills = np.array([lights.sample(np.random.default_rng(seed), "stage").fill for seed in range(20)])
    assert np.median(fills.max(1) / fills.min(1)) > 3


@pytest.mark.parametrize("name", lights.RIGS)
def test_every_rig_lights_the_face_alike(name):
    for seed in range(5):
        light = lights.sample(np.random.default_rng(seed), name)
        front = light.colour * max(light.direction[2], 0) + light.ambient.mean(0) + light.fill
        assert 0.3 < LUMINANCE @ front < 1.4
        assert np.linalg.norm(light.direction) == pytest.approx(1)
        assert light.rim_direction[2] < 0 < light.direction[2]


def test_neutral_is_white():
    light = lights.neutral()
    for colour in (light.colour, *light.ambient, light.fill, light.rim):
        assert np.ptp(colour) == 0


def test_the_meter_opens_up_for_dark_skin():
    base = lights.neutral()
    fair, middle, dark = (lights.metered(base, y).exposure_ev for y in (0.8, 0.5, 0.02))
    assert -0.1 <= fair < middle == 0 and 1 < dark <= 1.1


def test_a_row_is_plain_and_the_same_for_a_seed():
    rows = [lights.sample(np.random.default_rng(5)).row() for _ in range(2)]
    assert json.dumps(rows[0]) == json.dumps(rows[1])
