import json

import numpy as np
import pytest

from wbme.base.errors import MediaError, ParameterError, StoreError
from wbme.data import pairs

RNG = np.random.default_rng(0)
ROW = {
    "split": "train",
    "identity": "p0000",
    "light": {"name": "studio"},
    "character": "plain",
    "geometry": "aligned",
    "strength": 1.0,
    "skin": "own",
    "recipe": {},
    "lineage": {},
}


def arrays(size=24):
    found = {
        n: RNG.integers(0, 256, (size, size, 3)) / 255 for n in ("src", "tgt", "base", "oracle", "albedo")
    }
    found |= {"ink": RNG.integers(0, 256, (size, size)) / 255}
    found |= {"labels": RNG.integers(0, 20, (size, size)).astype(np.uint8)}
    return found | {"points": RNG.random((2, 468, 2), np.float32), "boxes": RNG.random((2, 4), np.float32)}


@pytest.fixture
def made(tmp_path):
    given = [arrays(), arrays()]
    for number, one in enumerate(given):
        pairs.write(tmp_path, {"id": f"{number:05d}", **ROW}, one)
    return pairs.gather(tmp_path, ["00000", "00001"]), given


def test_what_was_written_is_read_back(made):
    found, given = made
    for row, one in zip(found.rows, given, strict=True):
        got = found.load(row, (*pairs.CHANNELS, "landmarks"))
        assert set(got) == set(one)
        for name, array in got.items():
            np.testing.assert_allclose(array, one[name], atol=1e-6)
            assert array.dtype == (np.uint8 if name == "labels" else np.float32)
    assert set(found.load(found.rows[0], ("src", "ink"))) == {"src", "ink"}
    assert [row["id"] for row in pairs.read(found.folder).rows] == ["00000", "00001"]


def test_oracle_and_albedo_may_be_missing(tmp_path):
    one = {k: v for k, v in arrays().items() if k not in ("oracle", "albedo")}
    row = pairs.write(tmp_path, {"id": "00000", **ROW}, one)
    assert row["oracle"] is None and row["albedo"] is None
    found = pairs.gather(tmp_path, ["00000"])
    assert "oracle" not in found.load(found.rows[0])


def test_a_pair_counts_as_finished_only_with_its_row(tmp_path):
    assert not pairs.finished(tmp_path, "00000")
    pairs.write(tmp_path, {"id": "00000", **ROW}, arrays())
    assert pairs.finished(tmp_path, "00000")
    (tmp_path / "00000" / "row.json").unlink()
    assert not pairs.finished(tmp_path, "00000")
    with pytest.raises(StoreError, match=r"pair 00000 .* was not finished"):
        pairs.gather(tmp_path, ["00000"])


def test_equal_pairs_are_equal_bytes(tmp_path):
    one = arrays()
    for folder in ("a", "b"):
        pairs.write(tmp_path / folder, {"id": "00000", **ROW}, one)
    for path in (tmp_path / "a" / "00000").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "00000" / path.name).read_bytes()


@pytest.mark.parametrize("lost", ["src", "points", "labels"])
def test_a_pair_without_all_its_arrays_is_refused(tmp_path, lost):
    one = arrays()
    del one[lost]
    with pytest.raises(ParameterError, match=lost):
        pairs.write(tmp_path, {"id": "00000", **ROW}, one)
    assert not (tmp_path / "00000").exists()


def test_planes_of_different_sizes_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="one size"):
        pairs.write(tmp_path, {"id": "00000", **ROW}, {**arrays(), "ink": np.zeros((5, 5))})


def test_another_schema_is_refused(made):
    path = made[0].folder / "pairs.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**row, "schema": 2}) + "\n" for row in rows))
    with pytest.raises(StoreError, match="schema 2, this wbme reads 1"):
        pairs.read(made[0].folder)


@pytest.mark.parametrize("text", ["", "{", "[1]\n", '{"id": 1}\n'])
def test_a_damaged_table_is_one_sentence(made, text):
    (made[0].folder / "pairs.jsonl").write_text(text)
    with pytest.raises(StoreError, match="compose the pairs again"):
        pairs.read(made[0].folder)


@pytest.mark.parametrize("name", ["tgt.png", "landmarks.npz"])
def test_a_missing_file_is_named(made, name):
    (made[0].folder / "00001" / name).unlink()
    with pytest.raises(StoreError, match=f"00001/{name}"):
        pairs.read(made[0].folder)


def test_a_row_without_a_key_is_named(made):
    path = made[0].folder / "pairs.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    del row["lineage"]
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(StoreError, match=r"row 1 .* lacks lineage"):
        pairs.read(made[0].folder)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_a_damaged_picture_is_one_sentence(made, content):
    found = made[0]
    (found.folder / "00000" / "ink.png").write_bytes(content)
    with pytest.raises(MediaError, match="no readable 8-bit PNG"):
        found.load(found.rows[0])
    (found.folder / "00000" / "landmarks.npz").write_bytes(content)
    with pytest.raises(StoreError, match="no readable landmarks"):
        found.load(found.rows[0], ("landmarks",))


def test_a_picture_of_other_channels_or_size_is_named(made):
    found = made[0]
    place = found.folder / "00000"
    (place / "ink.png").write_bytes((place / "src.png").read_bytes())
    with pytest.raises(MediaError, match="3 channels instead of 1"):
        found.load(found.rows[0])
    pairs.write(found.folder / "small", {"id": "00000", **ROW}, arrays(12))
    (place / "ink.png").write_bytes((found.folder / "small" / "00000" / "ink.png").read_bytes())
    with pytest.raises(StoreError, match="differ in size"):
        found.load(found.rows[0])
