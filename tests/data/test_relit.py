from dataclasses import replace

import numpy as np
import pytest
from rendered_set import make_set

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.color.spaces import srgb_to_linear
from wbme.data import rendered
from wbme.data.relit import LAMPS, Lamp, fitted, relit
from wbme.geometry.parsing import SKIN


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    people, character, rows = make_set(tmp_path_factory.mktemp("set"), views=2, size=96)
    # Even light, so that what is changed is the lamp's doing.
    one = rendered.layers(people, character, rows[1]["id"])
    return replace(one, shading=np.full_like(one.shading, 0.735))


def shot(layers, lamp):
    return relit(layers, np.full_like(layers.albedo, 0.4), lamp, generator(0, "test"))


def skin_of(layers, picture):
    return srgb_to_linear(picture[np.isin(layers.labels, list(SKIN))])


def test_neutral_light_shows_the_albedo(layers):
    _, picture = shot(layers, Lamp())
    wanted = skin_of(layers, layers.albedo)
    np.testing.assert_allclose(np.median(skin_of(layers, picture), 0), np.median(wanted, 0), atol=0.01)


def test_a_stop_is_a_factor_of_two_and_a_lamp_has_its_colour(layers):
    neutral = skin_of(layers, shot(layers, Lamp())[1]).mean(0)
    np.testing.assert_allclose(skin_of(layers, shot(layers, Lamp(ev=-1))[1]).mean(0), neutral / 2, rtol=0.03)
    warm = skin_of(layers, shot(layers, LAMPS["warm"])[1]).mean(0)
    np.testing.assert_allclose(warm / neutral, LAMPS["warm"].colour, rtol=0.05)
    for lamp in LAMPS.values():
        assert np.dot(lamp.colour, [0.2126, 0.7152, 0.0722]) == pytest.approx(1)


def test_half_lit_is_darker_on_the_left_of_the_face_alone(layers):
    new, picture = shot(layers, LAMPS["half-lit"])
    light = srgb_to_linear(picture)[43].mean(1)
    box = layers.boxes[0]
    face = np.flatnonzero(np.isin(layers.labels[43], list(SKIN)))
    assert np.log2(light[face[-2]] / light[face[1]]) == pytest.approx(3.5, abs=0.7)
    assert new.shading[43, face[1]] < new.shading[43, face[-2]]
    behind = srgb_to_linear(picture)[2, : int(box[0]) - 1].mean()
    assert behind == pytest.approx(float(srgb_to_linear(np.float32([0.4] * 3))[0]), rel=0.05)


def test_the_same_draw_gives_the_same_bytes(layers):
    np.testing.assert_array_equal(shot(layers, LAMPS["dim"])[1], shot(layers, LAMPS["dim"])[1])


def test_smaller_layers_stay_one_view(layers):
    small = fitted(layers, 48)
    assert small.labels.shape == small.ink.shape == (48, 48) and small.photo.shape == (48, 48, 4)
    assert set(np.unique(small.labels)) <= set(np.unique(layers.labels))
    np.testing.assert_allclose(small.boxes, layers.boxes / 2)
    assert fitted(layers, 200) is layers


def test_lamps_and_backgrounds_that_do_not_fit_are_refused(layers):
    for lamp, behind in ((Lamp(ev=float("nan")), layers.albedo), (Lamp(), layers.albedo[:9])):
        with pytest.raises(ParameterError, match="relit"):
            relit(layers, behind, lamp, generator(0, "test"))
