from dataclasses import replace

import numpy as np
import pytest
from rendered_set import add_group, make_set

from wbme.base.errors import MediaError, ParameterError
from wbme.base.seeds import generator
from wbme.data import pairs
from wbme.synth import background, compose
from wbme.synth.compose import CutFace, Material, Settings
from wbme.synth.writing import write_set


@pytest.fixture
def material(tmp_path):
    people, character, rows = make_set(tmp_path / "set", views=3, size=64)
    rgb = np.random.default_rng(0).random((80, 100, 3), np.float32)
    return Material(people, character, "plain", rows, [("noise.png", rgb)], seed=1)


def write(folder, material, settings, count, workers=1):
    rows = list(write_set(folder, material, settings, count, workers))
    return rows, pairs.gather(folder, [f"{n:05d}" for n in range(count)])


def test_a_set_is_whole_and_its_target_is_ink_over_base(material, tmp_path):
    rows, made = write(tmp_path / "out", material, Settings(), 4)
    assert len(rows) == len(made.rows) == 4
    assert [r["lineage"]["views"][0] for r in made.rows] == ["0001", "0002", "0003", "0001"]
    for row in made.rows:
        got = made.load(row)
        over = got["base"] + got["ink"][..., None] * (np.float32([0.06, 0.05, 0.07]) - got["base"])
        assert np.abs(over - got["tgt"]).max() < 0.008
        assert row["split"] == ("val" if row["identity"] == "p0002" else "train")


def test_a_stopped_set_goes_on_to_the_same_bytes(material, tmp_path):
    whole, part = tmp_path / "whole", tmp_path / "part"
    write(whole, material, Settings(), 3)
    steps = write_set(part, material, Settings(), 3, workers=1)
    next(steps)
    steps.close()
    kept = (part / "00000" / "tgt.png").stat().st_mtime_ns
    assert len(write(part, material, Settings(), 3)[0]) == 2
    assert (part / "00000" / "tgt.png").stat().st_mtime_ns == kept
    for path in sorted(whole.rglob("*.*")):
        assert path.read_bytes() == (part / path.relative_to(whole)).read_bytes(), path


def test_cutface_pairs_hold_heads_of_one_split_only(material):
    settings = Settings(cutface=CutFace(1.0, most=3))
    for number in range(6):
        row, arrays = compose.pair(material, number, settings)
        splits = {v["split"] for v in material.views if v["id"] in row["lineage"]["views"]}
        assert splits == {row["split"]}
        placed = [box for box in row["lineage"]["cutface"] if box]
        assert len(arrays["points"]) == len(arrays["boxes"]) == len(placed)
        assert not placed or row["lineage"]["background_share"] < 1
    assert not compose.pair(material, 0, Settings(cutface=CutFace(0.0)))[0]["lineage"]["cutface"]


def test_a_group_makes_a_pair_with_all_its_heads_and_is_never_cut_out(material):
    group = add_group(material.people, material.character)
    row, arrays = compose.pair(replace(material, views=[group]), 0, Settings(cutface=CutFace(1.0)))
    assert row["identity"] == "p0000+p0001" and not row["lineage"]["cutface"]
    assert arrays["points"].shape == (2, 468, 2) and np.isfinite(arrays["boxes"]).all()
    many = replace(material, views=[*material.views[:2], group])
    for number in range(8):
        views = compose.pair(many, 3 * number, Settings(cutface=CutFace(1.0, most=3)))[0]["lineage"]["views"]
        assert "g0001" not in views


def test_heads_are_pasted_beside_the_person_of_another_view(material):
    views = [{**v, "facts": {**v["facts"], "framing": "half"}} for v in material.views]
    how = CutFace(1.0, least=2, most=2, sizes=(0.1, 0.2), onto=("half",), blend=0)
    row, arrays = compose.pair(replace(material, views=views), 0, Settings(cutface=how))
    assert len(row["lineage"]["views"]) == 3 and len(row["lineage"]["cutface"]) == 2
    assert len(arrays["points"]) == 1 + sum(box is not None for box in row["lineage"]["cutface"]) > 1


def test_the_number_of_heads_follows_its_law(material):
    for least, most in ((1, 1), (2, 4)):
        how = CutFace(1.0, least=least, most=most, sizes=(0.1, 0.15))
        rows = [compose.pair(material, n, Settings(cutface=how))[0] for n in range(6)]
        counts = {len(row["lineage"]["cutface"]) for row in rows}
        assert counts <= set(range(least, most + 1)) and (least == most or len(counts) > 1)


def test_the_photo_side_alone_is_degraded(material):
    clean, worse = (compose.pair(material, 0, Settings(cutface=CutFace(0), degrade=d))[1] for d in (0, 1))
    assert np.abs(clean["src"] - worse["src"]).mean() > 0.005
    for name in ("tgt", "base", "ink"):
        np.testing.assert_array_equal(clean[name], worse[name])


def test_the_recipe_changes_with_the_stage_that_changed():
    one, other = Settings(), Settings(degrade=0.5)
    differing = {k for k, v in one.recipe().items() if other.recipe()[k] != v}
    assert differing == {"degrade"}


def test_without_pictures_scenes_stand_behind(material):
    alone = replace(material, pictures=[])
    row, _ = compose.pair(alone, 0, Settings(pictures=1.0))
    assert row["lineage"]["background"] == "scene"


def test_nothing_to_compose_is_one_sentence(material, tmp_path):
    with pytest.raises(ParameterError, match="with views in it"):
        list(write_set(tmp_path, replace(material, views=[]), Settings(), 3))


def test_a_damaged_view_loses_nothing_that_was_written(material, tmp_path):
    (material.people / "views" / "0002" / "photo.png").write_bytes(b"")
    with pytest.raises(MediaError, match=r"0002/photo\.png"):
        write(tmp_path / "out", material, Settings(cutface=CutFace(0)), 3)
    assert pairs.finished(tmp_path / "out", "00000")


@pytest.mark.parametrize("wrong", [{"pictures": 2}, {"degrade": -1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match="degrade"):
        Settings(**wrong)


@pytest.mark.slow
def test_two_processes_write_what_one_writes(material, tmp_path):
    write(tmp_path / "one", material, Settings(), 8)
    write(tmp_path / "two", material, Settings(), 8, workers=2)
    for path in sorted((tmp_path / "one").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


@pytest.mark.parametrize("seed", range(8))
def test_backgrounds_are_finite_pictures_and_differ_by_seed(seed):
    rgb = np.random.default_rng(0).random((50, 70, 3), np.float32)
    for make in (lambda r: background.scene(48, r, defocus=1), lambda r: background.picture(rgb, 48, r)):
        one, again, other = (make(generator(s, "behind")) for s in (seed, seed, seed + 1))
        np.testing.assert_array_equal(one, again)
        assert one.shape == (48, 48, 3) and one.dtype == np.float32
        assert one.min() >= 0 and one.max() <= 1 and np.abs(one - other).mean() > 0.01
