"""One network for several characters and strengths: it draws what is asked for, and no cross-fade."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from skimage import data
from skimage.morphology import skeletonize

from wbme.base.errors import ParameterError
from wbme.data import pairs
from wbme.runtime.export import Drawing
from wbme.synth import strength
from wbme.synth.ink import Ink, flow_lines
from wbme.synth.texture import Texture, flatten, in_steps
from wbme.train.loader import Crops
from wbme.train.loop import Training
from wbme.train.settings import Settings

PICTURES = {name: getattr(data, name) for name in ("astronaut", "coffee", "rocket", "chelsea")}
BOLD = Ink(sigma=1.6, threshold=0.004)
SETTINGS = Settings("S4-48", characters=("bold", "bare"), crop=64, batch=8, steps=300, warmup=20)
SETTINGS = replace(SETTINGS, perceptual=0.0, checks=1, branches=False)


def drawn(rgb, character, much):
    """Base and ink; the one character has bold lines, the other none, and no colour."""
    texture = strength.texture(Texture(), much)
    base = in_steps(flatten(rgb, texture), texture)
    if character == "bare":
        grey = cv2.cvtColor(base, cv2.COLOR_RGB2GRAY)
        return np.dstack([grey, grey, grey]), np.zeros_like(grey)
    return base, strength.thinned(flow_lines(rgb, BOLD), much)


def pair_set(folder, character, strengths=(1.0,)):
    names = []
    for name, load in PICTURES.items():
        rgb = cv2.resize(load(), (208, 208), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for much in strengths:
            base, ink = drawn(rgb, character, much)
            row = {"id": f"{name}-{much}", "identity": name, "split": "val" if name == "chelsea" else "train"}
            row |= {"light": {}, "character": character, "geometry": "aligned", "strength": much}
            row |= {"skin": "own", "recipe": {}, "lineage": {}}
            planes = {"src": rgb, "base": base, "ink": ink, "labels": np.zeros(rgb.shape[:2], np.uint8)}
            planes["tgt"] = base * (1 - ink[..., None])
            boxes = {"points": np.zeros((0, 468, 2)), "boxes": np.zeros((0, 4))}
            names.append(pairs.write(folder, row, planes | boxes)["id"])
    return pairs.gather(folder, names)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    return pair_set(folder / "bold", "bold", (0.3, 1.0)), pair_set(folder / "bare", "bare")


def test_sets_are_joined_with_their_own_files(sets):
    both = pairs.joined(sets)
    assert both.characters == ("bold", "bare") and len(both.rows) == 12
    assert both.digest != sets[0].digest == pairs.joined(sets[:1]).digest
    for row, own in zip(both.rows[8:], sets[1].rows, strict=True):
        np.testing.assert_array_equal(both.load(row)["base"], sets[1].load(own)["base"])
        assert len(both.load(row, ["landmarks"])["points"]) == 0


def test_nobody_is_trained_on_in_one_set_and_validated_on_in_another(sets, tmp_path):
    shutil.copytree(sets[1].folder, tmp_path / "other")
    rows = [row | {"split": "train"} for row in sets[1].rows]
    with pytest.raises(ParameterError, match="chelsea is for training"):
        pairs.joined([sets[0], pairs.Pairs(tmp_path / "other", rows)])
    with pytest.raises(ParameterError, match="no pair set is named"):
        pairs.joined([])


def test_each_crop_comes_with_what_its_row_tells(sets):
    seen = set()
    crops = Crops(pairs.joined(sets), "train", crop=64, size=8, seed=0, condition=told)
    for step in range(4):
        batch = crops.batch(step)
        seen |= set(map(tuple, batch.cond.tolist()))
        assert (batch.ink[batch.cond[:, 1] == 1] == 0).all()
    assert seen == {(np.float32(0.3), 0.0), (1.0, 0.0), (1.0, 1.0)}


def told(row):
    return torch.tensor([[row["strength"], float(row["character"] == "bare")]])


@pytest.fixture(scope="module")
def trained(sets, tmp_path_factory):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    training = Training(pairs.joined(sets), SETTINGS, tmp_path_factory.mktemp("training"))
    net = training.run(lambda *row: None).net
    torch.set_num_threads(before)
    return net


def layers(net, picture, *asked):
    """Base H x W x 3 and coverage of ink H x W."""
    rgb = cv2.resize(picture, (208, 208), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    image = torch.from_numpy(rgb.transpose(2, 0, 1))[None]
    with torch.no_grad():
        out = Drawing(net, net.condition(*asked)).net(image, None)[0].numpy()
    return out[:3].transpose(1, 2, 0), 1 / (1 + np.exp(-out[3])), rgb


@pytest.mark.slow
def test_one_network_draws_each_character_its_own_way(trained):
    (bold, lines, _), (bare, none, _) = (layers(trained, data.astronaut(), who) for who in ("bold", "bare"))
    assert lines.mean() > 4 * none.mean()
    chroma = [np.abs(base - base.mean(2, keepdims=True)).mean() for base in (bold, bare)]
    assert chroma[0] > 2 * chroma[1]


@pytest.mark.slow
def test_strength_makes_lines_thin_and_the_grade_weak_and_is_no_cross_fade(trained):
    found = {}
    for much in (0.3, 1.0):
        base, ink, rgb = layers(trained, data.coffee(), "bold", much)
        line, chroma = ink > 0.5, np.ptp(base, axis=2).mean()
        found[much] = ink, line.mean() / max(skeletonize(line).mean(), 1e-6), chroma
    assert found[0.3][1] < 0.85 * found[1.0][1], "mean width of the lines, pixels"
    assert found[0.3][2] < 0.97 * found[1.0][2], "the grade"
    # A cross-fade would leave every line where it is, three tenths as dark: here what stays is dark.
    assert np.quantile(found[0.3][0], 0.995) > 0.6
    photograph, base = rgb.mean(2), layers(trained, data.coffee(), "bold", 0.3)[0].mean(2)
    texture = [np.abs(cv2.Laplacian(np.float32(x), cv2.CV_32F)).mean() for x in (photograph, base)]
    assert texture[1] < 0.6 * texture[0]
