import numpy as np
import pytest
from rendered_set import labels_of, make_set

from wbme.data import pairs
from wbme.synth.compose import CutFace, Material, Settings
from wbme.synth.writing import write_set
from wbme.views import pairs as view


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    people, character, rows = make_set(tmp_path_factory.mktemp("set"), views=2, size=64)
    return Material(people, character, "plain", rows, [])


@pytest.fixture(scope="module")
def made(material, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    list(write_set(folder, material, Settings(cutface=CutFace(0.5)), 6, workers=1))
    return pairs.gather(folder, [f"{n:05d}" for n in range(6)])


def test_labels_have_a_colour_each():
    labels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    picture = view.coloured_labels(labels)
    assert picture.shape == (4, 5, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 20
    assert (view.coloured_labels(labels_of(32))[0, 0] == np.float32(0.95)).all()


def test_the_steps_and_the_sheets_show_what_they_say(material, made):
    assert view.steps(material, 0, Settings()).shape[1] == 4 * (320 + 12) + 12
    assert view.cutface_pairs(material, Settings(), 2).shape[1] == 2 * (320 + 12) + 12
    assert view.sheet(made, 3).shape[1] == 6 * (224 + 12) + 12


def test_shares_of_background_are_those_of_the_labels(made):
    table = view.background_shares(made.rows)
    train = table[table["split"] == "train"].iloc[0]
    shares = [
        100 * np.mean(made.load(row, ("labels",))["labels"] == 0)
        for row in made.rows
        if row["split"] == "train"
    ]
    assert train["pairs"] == len(shares) == 3
    assert float(train["background in all (%)"]) == pytest.approx(np.mean(shares), abs=0.06)


def test_the_sliders_change_the_drawing_only(material):
    layers = material.layers(material.views[0], Settings())
    one, other = (view.composed(material, layers, Settings(), tone=t, levels=6.0) for t in (0.05, 0.5))
    assert one.shape == (64, 128, 3)
    np.testing.assert_array_equal(one[:, :64], other[:, :64])
    assert np.abs(one[:, 64:] - other[:, 64:]).max() > 0.01
