"""Batches: repeatable, in range, of heads, and of what a split holds."""

import json
import shutil

import numpy as np
import pytest
import torch

from wbme.base.errors import ParameterError
from wbme.data import pairs
from wbme.nets.layered import INK_COLOUR
from wbme.train.loader import Crops


def test_a_batch_is_a_function_of_seed_and_step(pair_set):
    one, two = (Crops(pair_set, "train", crop=64, size=4, seed=3, memory_mb=m) for m in (3000, 0))
    other = Crops(pair_set, "train", crop=64, size=4, seed=4)
    following = list(one.batches(5, 9))
    assert len(following) == 4
    for step, batch in zip(range(5, 9), following, strict=True):
        again = two.batch(step)
        assert all(torch.equal(a, b) for a, b in zip(vars(batch).values(), vars(again).values(), strict=True))
    assert not torch.equal(following[0].photo, other.batch(5).photo)
    assert not torch.equal(following[0].photo, following[1].photo)


def test_shapes_ranges_and_heads(pair_set):
    crops = Crops(pair_set, "train", crop=64, size=8, seed=0)
    heads = 0
    for step in range(6):
        batch = crops.batch(step)
        assert batch.photo.shape == batch.base.shape == (8, 3, 64, 64)
        assert batch.ink.shape == batch.labels.shape == (8, 1, 64, 64)
        for values in (batch.photo, batch.base, batch.ink, batch.phase):
            assert values.dtype == torch.float32
            assert 0 <= values.min() <= values.max() <= 1
        heads += int((batch.labels > 0).flatten(1).any(1).sum())
    # Half of the pairs have a head, and it fills much of them.
    assert 14 <= heads <= 34


def test_photo_and_base_get_the_same_light(pair_set):
    batch = Crops(pair_set, "train", crop=96, size=8, seed=1).batch(0)
    photo, base = (x.mean((2, 3)) for x in (batch.photo, batch.base))
    correlation = np.corrcoef(photo.flatten(), base.flatten())[0, 1]
    assert correlation > 0.9
    assert photo.std() > 0.05


def test_the_target_is_ink_over_base(pair_set):
    row = pair_set.load(pair_set.rows[0], ("tgt", "base", "ink"))
    mixed = row["base"] * (1 - row["ink"][..., None]) + row["ink"][..., None] * np.float32(INK_COLOUR)
    assert np.abs(mixed - row["tgt"]).max() < 0.01


def test_an_empty_split_is_one_sentence(pair_set, tmp_path):
    folder = tmp_path / "pairs"
    shutil.copytree(pair_set.folder, folder)
    rows = [json.dumps({**row, "split": "val"}) for row in pair_set.rows]
    (folder / "pairs.jsonl").write_text("\n".join(rows) + "\n")
    with pytest.raises(ParameterError, match=r"has no pair to train on: compose more identities$"):
        Crops(pairs.read(folder), "train", crop=64, size=4, seed=0)
