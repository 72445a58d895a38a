import json

import numpy as np
import pytest
from rendered_set import add_group, make_set

from wbme.base.errors import ParameterError
from wbme.color.spaces import srgb_to_lab
from wbme.data import rendered
from wbme.data.cutface import CutFace
from wbme.geometry.parsing import HEAD, INDEX
from wbme.synth import compose, refine


@pytest.fixture
def made(tmp_path):
    people, character, rows = make_set(tmp_path / "set", views=3, size=96)
    (character / "sheet.yaml").write_text("name: plain\n")
    return people, character, rows


def darker(rgb, name):
    """A stand-in for a model: every colour halved, so that it is known what must come out."""
    assert rgb.shape == (64, 64, 3) and rgb.dtype == np.float32
    return rgb * 0.5


def inner(labels):
    """The head without the pixels near its edge, where the mask is soft."""
    from scipy.ndimage import binary_erosion

    return binary_erosion(np.isin(labels, list(HEAD)), iterations=4)


def test_inside_the_head_stands_the_new_drawing_and_outside_the_old(made):
    people, character, _ = made
    before = rendered.layers(people, character, "0001")
    after, withheld = refine.redrawn(before, darker, 64, "0001")
    assert withheld == 0
    inside = inner(before.labels)
    new, old = refine.drawing(after), refine.drawing(before)
    flat = inside & (before.labels == INDEX["hair"])  # no edge within reach of the scaling
    assert np.abs(np.median(new[flat] - 0.5 * old[flat], axis=0)).max() < 0.01
    np.testing.assert_array_equal(new[88:], old[88:])  # shoulders
    np.testing.assert_array_equal(after.palette[..., 3], before.palette[..., 3])
    assert after.ink[inside].max() < 0.02
    eyes = inside & np.isin(before.labels, [INDEX["r_eye"], INDEX["l_eye"]])
    assert after.drawn[eyes][:, 3].min() > 0.99
    assert np.abs(np.median(after.drawn[eyes][:, :3], axis=0) - 0.5 * 0.95).max() < 0.01
    for name in ("photo", "labels", "albedo", "points"):
        assert getattr(after, name) is getattr(before, name)


def test_the_oracle_is_the_same_drawing_in_the_persons_own_colours(made):
    people, character, _ = made
    before = rendered.layers(people, character, "0003")  # the darkest skin, the character's is fair
    after, _ = refine.redrawn(before, darker, 64, "0003")
    for label in ("skin", "hair"):
        where = inner(before.labels) & (before.labels == INDEX[label])
        old = srgb_to_lab(before.oracle[where][:, :3]) - srgb_to_lab(before.palette[where][:, :3])
        new = srgb_to_lab(after.oracle[where][:, :3]) - srgb_to_lab(after.palette[where][:, :3])
        lightness = srgb_to_lab(after.palette[where][:, :3])[:, 0] + np.median(old, axis=0)[0]
        clear = lightness > 2  # where black ends the scale there is no darker
        if clear.any():
            assert np.abs(np.median(new[clear] - np.median(old, axis=0), axis=0)).max() < 2.5


def test_a_written_character_is_read_as_any_other_and_goes_on_where_it_stopped(made, tmp_path):
    people, character, rows = made
    calls = []

    def counted(rgb, name):
        calls.append(name)
        return darker(rgb, name)

    lineage = {"model": "tiny", "seed": 3}
    whole, part = tmp_path / "whole", tmp_path / "part"
    written = list(refine.write(whole, people, character, rows[:2], counted, 64, lineage))
    assert [row["view"] for row in written] == ["0001", "0002"] == calls
    assert all(row["refined"] and row["model"] == "tiny" and row["seed"] == 3 for row in written)
    told = [json.loads(line) for line in (whole / "refined.jsonl").read_text().splitlines()]
    assert told == written
    same = rendered.layers(people, whole, "0003"), rendered.layers(people, character, "0003")
    np.testing.assert_array_equal(same[0].palette, same[1].palette)
    material = compose.Material(people, whole, "tiny", rows, [])
    toon = compose.Settings(drawing=compose.Drawing("toon"), cutface=CutFace(0.0), degrade=0)
    target, plain = (
        compose.pair(compose.Material(people, place, "x", rows, []), 0, toon)[1]["tgt"]
        for place in (whole, character)
    )
    inside = inner(material.layers(rows[0], toon).labels)
    assert np.abs(target - plain)[inside].mean() > 0.02
    # The background's tones begin at the skin's, which has changed; nothing else has.
    np.testing.assert_allclose(target[92:], plain[92:], atol=0.02)

    steps = refine.write(part, people, character, rows[:2], counted, 64, lineage)
    next(steps)
    steps.close()
    calls.clear()
    assert list(refine.write(part, people, character, rows[:2], counted, 64, lineage)) == written
    assert calls == ["0002"]
    for path in sorted(path for path in whole.rglob("*") if path.is_file()):
        assert path.read_bytes() == (part / path.relative_to(whole)).read_bytes(), path


def test_every_head_of_a_group_is_redrawn_with_noise_of_its_own(made, tmp_path):
    people, character, _ = made
    row = add_group(people, character)
    names = []

    def seen(rgb, name):
        names.append(name)
        return np.zeros_like(rgb)

    [written] = refine.write(tmp_path / "out", people, character, [row], seen, 64, {})
    assert names == ["g0001/1", "g0001/2"] and written["refined"]
    after = rendered.layers(people, tmp_path / "out", "g0001")
    for number in (1, 2):
        where = inner(np.where(after.heads == number, after.labels, 0))
        assert where.any() and after.palette[where][:, :3].max() < 0.02


def test_what_the_model_withholds_stays_as_it_was_and_is_told(made, tmp_path):
    people, character, rows = made
    [row] = refine.write(tmp_path / "out", people, character, rows[:1], lambda *_: None, 64, {})
    assert not row["refined"] and row["notes"] == ["1 of 1 heads withheld by the model's safety checker"]
    for name in ("palette", "oracle", "ink", "drawn"):
        one, other = (rendered.layers(people, place, "0001") for place in (tmp_path / "out", character))
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_deformed_character_is_refused(made, tmp_path):
    people, character, rows = made
    (character / "0001" / "correspondence.npz").write_bytes(b"")
    with pytest.raises(ParameterError, match="in its own proportions"):
        list(refine.write(tmp_path / "out", people, character, rows, darker, 64, {}))
    assert not (tmp_path / "out").exists()


def test_the_square_lies_within_the_picture_and_holds_the_head():
    rgb = np.random.default_rng(0).random((40, 60, 3), np.float32)
    for box in ([40, 0, 58, 20], [0, 25, 12, 40], [20, 10, 40, 30]):
        x, y, side = refine.around(np.float32(box), rgb.shape)
        assert 0 <= x <= box[0] and box[2] <= x + side <= 60 and 0 <= y <= box[1] and box[3] <= y + side <= 40
        np.testing.assert_array_equal(refine.cut(rgb, (x, y, side), side), rgb[y : y + side, x : x + side])
    assert refine.around(np.float32([0, 0, 60, 40]), rgb.shape) == (10, 0, 40)
