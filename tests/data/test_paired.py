"""Paired folders become a pair set: what matches, what does not, and what is derived from a drawing."""

import numpy as np
import pytest
from skimage import data

from wbme.base.errors import ParameterError
from wbme.data import paired, pairs
from wbme.media import images
from wbme.nets.layered import INK_COLOUR
from wbme.train.loop import Training
from wbme.train.settings import Settings


def drawn(rng, size=(96, 80)):
    """A drawing of flat fields with strokes of ink three pixels wide, and what it is made of."""
    base = np.full((*size, 3), 0.9, np.float32)
    base[20:70, 10:40] = (0.8, 0.5, 0.4)
    base[70:, :] = rng.uniform(0.3, 0.7, 3)
    ink = np.zeros(size, np.float32)
    ink[10:60, 60:63] = 1
    ink[30:33, 12:38] = 1
    ink[10:60, 59] = ink[10:60, 63] = 0.4
    return base + ink[..., None] * (np.float32(INK_COLOUR) - base), base, ink


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(10):
        target, _, _ = drawn(rng)
        photo = np.clip(target + rng.normal(0, 0.05, target.shape), 0, 1).astype(np.float32)
        images.write(tmp_path / f"set/trainA/{number}.png", photo)
        images.write(tmp_path / f"set/trainB/{number}.webp", target)
    return tmp_path / "set"


def test_ink_over_base_is_the_drawing_and_strokes_are_ink(tmp_path):
    target, base, wanted = drawn(np.random.default_rng(3))
    ink, found = paired.layers(target)
    again = found + ink[..., None] * (np.float32(INK_COLOUR) - found)
    assert np.abs(again - target).max() < 0.02
    assert np.abs(ink - wanted).mean() < 0.01 and (ink[wanted == 1] > 0.9).all()
    assert np.abs(found - base)[wanted < 0.5].mean() < 0.01
    flat, same = paired.layers(base)
    # Where a dark field has a corner sharper than the disc, a few pixels remain.
    assert flat.mean() < 1e-3 and np.abs(same - base).mean() < 1e-3


def test_layers_of_a_real_picture_add_up(tmp_path):
    target = data.astronaut()[:300, :300].astype(np.float32) / 255
    ink, base = paired.layers(target)
    again = base + ink[..., None] * (np.float32(INK_COLOUR) - base)
    assert np.abs(again - target).mean() < 0.004
    assert 0.005 < ink.mean() < 0.2 and base.min() >= 0 and base.max() <= 1


def test_equal_names_are_pairs_and_every_eighth_is_held_out(tmp_path, folders):
    made, rejected = paired.write_set(tmp_path / "out", folders, "mine")
    assert not rejected and len(made.rows) == 10
    assert [row["split"] for row in made.rows] == ["val", *["train"] * 7, "val", "train"]
    row = made.rows[1]
    assert row["labels"] is None and row["oracle"] is None and row["character"] == "mine"
    assert row["lineage"]["files"] == ["trainA/1.png", "trainB/1.webp"]
    found = made.load(row, (*pairs.CHANNELS, "landmarks"))
    assert set(found) == {"src", "tgt", "base", "ink", "points", "boxes"}
    assert np.abs(found["src"] - images.read(folders / "trainA/1.png").rgb).max() < 1e-6


def test_a_face_in_the_photograph_is_found(tmp_path):
    rgb = data.astronaut()[:300, 80:380].astype(np.float32) / 255
    for number in range(2):
        for side in "AB":
            images.write(tmp_path / f"set/train{side}/{number}.png", rgb)
    made, _ = paired.write_set(tmp_path / "out", tmp_path / "set", "mine")
    found = made.load(made.rows[0], ["landmarks"])
    assert found["points"].shape == (1, 468, 2) and found["boxes"].shape == (1, 4)


def test_unequal_folders_are_told_name_by_name(tmp_path, folders):
    (folders / "trainB/3.webp").unlink()
    images.write(folders / "trainB/alone.png", np.zeros((40, 40, 3), np.float32))
    images.write(folders / "trainA/4.jpg", np.zeros((96, 80, 3), np.float32))
    images.write(folders / "trainB/5.webp", np.zeros((40, 40, 3), np.float32))
    (folders / "trainA/6.png").write_bytes(b"no picture")
    (folders / "trainA/7.png").unlink()
    (folders / "trainA/7.png").symlink_to(tmp_path / "elsewhere.png")
    images.write(tmp_path / "elsewhere.png", np.zeros((96, 80, 3), np.float32))
    made, rejected = paired.write_set(tmp_path / "out", folders, "mine")
    said = {row["name"]: row["why"] for row in rejected}
    assert said["trainA/3.png"] == "trainA/3.png has no partner in trainB"
    assert said["trainB/alone.png"] == "trainB/alone.png has no partner in trainA"
    assert said["trainA/4.png"] == "trainA/4.png has the name of trainA/4.jpg; rename one of the two pairs"
    assert said["trainA/5.png"].startswith("trainA/5.png has 80 x 96 pixels but trainB/5.webp 40 x 40")
    assert said["trainA/6.png"].startswith("trainA/6.png is not a picture")
    assert "leaves the folder" in said["trainA/7.png"] and "no partner in trainA" in said["trainB/7.webp"]
    assert len(made.rows) == 6 and {row["split"] for row in made.rows} == {"train", "val"}


def test_a_test_side_is_what_is_held_out(tmp_path, folders):
    for side, suffix in (("A", "png"), ("B", "webp")):
        (folders / f"test{side}").mkdir()
        (folders / f"train{side}/9.{suffix}").rename(folders / f"test{side}/9.{suffix}")
    made, _ = paired.write_set(tmp_path / "out", folders, "mine")
    assert [row["split"] for row in made.rows] == ["train"] * 9 + ["val"]


def test_what_stands_is_kept_and_equal_runs_are_equal_bytes(tmp_path, folders):
    paired.write_set(tmp_path / "one", folders, "mine")
    paired.write_set(tmp_path / "two", folders, "mine")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "two").rglob("*.png")}
    (tmp_path / "two/00004/row.json").unlink()
    paired.write_set(tmp_path / "two", folders, "mine")
    changed = {p.parent.name for p, time in kept.items() if p.stat().st_mtime_ns != time}
    assert changed == {"00004"}
    for path in (p for p in (tmp_path / "one").rglob("*") if p.is_file()):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_without_both_sides_or_with_one_pair_it_is_one_sentence(tmp_path, folders):
    with pytest.raises(
        ParameterError, match=r"no folder trainA in .*: paired folders are called trainA and trainB"
    ):
        paired.write_set(tmp_path / "out", tmp_path, "mine")
    for number in range(1, 10):
        (folders / f"trainB/{number}.webp").unlink()
    with pytest.raises(ParameterError, match="gives 1 pairs and 9 files that are none"):
        paired.write_set(tmp_path / "out", folders, "mine")


@pytest.mark.slow
@pytest.mark.parametrize("head", ["plain", "layered"])
def test_a_student_learns_from_an_imported_set(tmp_path, folders, head):
    made, _ = paired.write_set(tmp_path / "out", folders, "mine")
    settings = Settings("S4-48", head=head, characters=("mine",), crop=64, batch=4, steps=60, warmup=5)
    said: list[tuple[str, float, int]] = []
    Training(pairs.read(made.folder), settings, tmp_path / "training").run(lambda *row: said.append(row))
    losses = [value for name, value, _ in said if name == "loss/train"]
    assert losses[-1] < 0.8 * losses[0]
    assert {name for name, _, _ in said} >= {"held_out/psnr", "held_out/line_f1"}
