"""A full beard: hair in the photograph where the drawing has its shape, and no part of the skin's tone."""

import numpy as np
import pytest

from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import MONK
from wbme.data import rendered
from wbme.geometry.parsing import INDEX
from wbme.people import person, rendering
from wbme.people.skin import Complexion

SEED, NUMBER = 7, 37  # light skin, black hair


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bearded")
    asked = {"people": 1, "shots": 1, "size": 256, "seed": SEED, "first": NUMBER, "workers": 1}
    [row] = rendering.render_set(folder, **asked)
    return rendered.layers(folder / "people", folder / "characters" / "romance", row["id"])


def test_the_photograph_has_hair_where_the_drawing_has_a_beard(layers):
    complexion = person.sample(SEED, NUMBER).choice.spec.complexion
    assert complexion.stubble >= Complexion.FULL_BEARD
    face = layers.labels == INDEX["skin"]
    beard = face & (layers.drawn[..., 3] > 0.95)
    assert beard.sum() > 0.1 * face.sum()
    lab = srgb_to_lab(layers.albedo)
    hair = srgb_to_lab(np.array(complexion.hair))
    grown, bare = (np.median(lab[part], axis=0) for part in (beard, face & (layers.drawn[..., 3] < 0.05)))
    assert grown[0] < bare[0] - 25
    assert delta_e00(grown, hair) < 0.6 * delta_e00(bare, hair)
    dark = face & (lab[..., 0] < (grown[0] + bare[0]) / 2)
    assert (dark & beard).sum() > 0.75 * beard.sum()


def test_its_skin_is_still_that_of_its_tone(layers):
    bare = (layers.labels == INDEX["nose"]) | (layers.labels == INDEX["skin"]) & (layers.drawn[..., 3] < 0.05)
    tone = MONK[person.sample(SEED, NUMBER).choice.spec.complexion.monk - 1]
    median = np.median(srgb_to_lab(layers.albedo)[bare], axis=0)
    assert delta_e00(median, np.array([tone.L, tone.a, tone.b])) < 5
