import json
import os
import shutil

import numpy as np
import pytest

from wbme.base.errors import ParameterError, StoreError
from wbme.base.hashing import sha256_file
from wbme.data import candidates, sources
from wbme.data.candidates import Candidate
from wbme.media import images
from wbme.perception import faces

PORTRAITS = {one.name: one for one in candidates.builtin()["portraits"]}


def mine(path, group="mine"):
    return Candidate(path, path.name, group, "not stated", "user")


@pytest.fixture(scope="module")
def portraits(tmp_path_factory):
    return sources.write(tmp_path_factory.mktemp("portraits"), PORTRAITS.values())


def test_a_source_keeps_the_original_bytes_and_says_where_they_are_from(portraits):
    for row, one in zip(portraits.pictures, PORTRAITS.values(), strict=True):
        stored = portraits.folder / row["file"]
        assert sha256_file(stored) == row["sha256"] == one.sha256
        assert stored.suffix == one.path.suffix and row["name"] == one.name
        assert (row["licence"], row["origin"], row["group"]) == (one.licence, one.origin, "people")
        rgb = portraits.rgb(row)
        assert rgb.shape == (row["height"], row["width"], 3) and not row["grey"]
        assert sum(row["light"]["histogram"]) == pytest.approx(1, abs=1e-4)


def test_faces_come_back_as_they_were_found(portraits):
    for row in portraits.pictures:
        [face] = faces.detect(portraits.rgb(row))
        [back] = portraits.found(row)
        assert np.allclose(back.box, face.box, atol=1e-3) and back.score == pytest.approx(
            face.score, abs=1e-4
        )
        assert np.allclose(back.landmarks, face.landmarks, atol=1e-3)
        assert np.allclose(back.irises, face.irises, atol=1e-3)
        assert back.roll == pytest.approx(face.roll, abs=0.01)
        assert np.abs(back.keypoints - face.keypoints).max() < 0.25 * face.size
        assert faces.skin_mask(back, portraits.rgb(row).shape).sum() > 0.3 * face.size**2
    assert portraits.landmarks.dtype == np.float32 and portraits.landmarks.shape == (2, 468, 3)
    assert [row["width"] for row in portraits.faces] == pytest.approx([198, 105], abs=6)


def test_writing_again_gives_the_same_bytes(portraits, tmp_path):
    again = sources.write(tmp_path, PORTRAITS.values())
    files = sorted(p.relative_to(portraits.folder) for p in portraits.folder.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert all((portraits.folder / p).read_bytes() == (again.folder / p).read_bytes() for p in files)


def test_what_is_no_sound_picture_is_listed_and_nothing_else_suffers(tmp_path):
    original = PORTRAITS["astronaut.png"].path
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "text.png").write_text("a text")
    (folder / "empty.jpg").touch()
    (folder / "cut.png").write_bytes(original.read_bytes()[:200_000])
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    images.write(folder / "tiny.png", np.full((8, 8, 3), 0.25, np.float32))
    images.write(folder / "thin.png", np.full((1, 300, 3), 0.75, np.float32))
    other = Candidate(folder / "tiny.png", "tiny.png", "x", "CC0", "package 1.0", "0" * 64)
    every = [*candidates.below(folder, "mine", ""), other, mine(folder / "gone.png")]
    source = sources.write(tmp_path / "out", every)
    assert [(row["name"], row["faces"]) for row in source.pictures] == [("thin.png", 0), ("tiny.png", 0)]
    why = {row["name"]: row["why"] for row in source.rejected}
    assert list(why) == ["cut.png", "empty.jpg", "phone.heic", "text.png", "tiny.png", "gone.png"]
    assert "cut short" in why["cut.png"] and "empty" in why["empty.jpg"] and "no picture" in why["gone.png"]
    assert why["tiny.png"].startswith("tiny.png is not the file that its licence is known for")
    assert not any(str(tmp_path) in sentence or "\n" in sentence for sentence in why.values())
    assert source.landmarks.shape == (0, 468, 3) and source.irises.shape == (0, 2, 5, 2)


def test_an_animation_counts_as_its_first_picture(tmp_path):
    from PIL import Image

    first, *rest = (Image.fromarray(np.full((20, 30, 3), v, np.uint8)) for v in (30, 130, 230))
    first.save(tmp_path / "a.gif", save_all=True, append_images=rest)
    [row] = sources.write(tmp_path / "out", [mine(tmp_path / "a.gif")]).pictures
    assert row["notes"] == ["the first of several frames is taken"] and row["format"] == "GIF" and row["grey"]


def test_transparent_parts_lie_over_white_and_do_not_count_as_light(tmp_path):
    rgb = np.full((40, 40, 3), 0.5, np.float32)
    alpha = np.zeros((40, 40), np.float32)
    alpha[:10] = 1
    rgb[10:] = 0
    images.write(tmp_path / "cutout.png", rgb, alpha)
    source = sources.write(tmp_path / "out", [mine(tmp_path / "cutout.png")])
    shown = source.rgb(source.pictures[0])
    assert np.allclose(shown[:10], 0.5, atol=0.01) and np.all(shown[10:] == 1)
    assert source.pictures[0]["light"]["mean"] == pytest.approx(0.214, abs=0.01)


def test_twenty_faces_are_all_kept_and_small_ones_on_demand_dropped(tmp_path):
    rgb = images.read(PORTRAITS["astronaut.png"].path).rgb[20:220, 120:320]
    images.write(tmp_path / "crowd.png", np.tile(rgb, (4, 5, 1)))
    source = sources.write(tmp_path / "out", [mine(tmp_path / "crowd.png")])
    assert source.pictures[0]["faces"] == len(source.faces) == len(source.found(source.pictures[0])) == 20
    assert sources.write(tmp_path / "few", [mine(tmp_path / "crowd.png")], min_face=150).faces == []


def test_filling_a_folder_again_never_writes_through_what_was_published(tmp_path):
    """The store links a folder's files; a second run of the cell must not change them."""
    images.write(tmp_path / "a.png", np.full((9, 9, 3), 0.2, np.float32))
    images.write(tmp_path / "b.png", np.full((9, 9, 3), 0.9, np.float32))
    out = tmp_path / "out"
    sources.write(out, [mine(tmp_path / "a.png"), mine(tmp_path / "b.png")])
    kept = tmp_path / "kept"
    shutil.copytree(out, kept, copy_function=os.link)
    before = {p.name: p.read_bytes() for p in kept.rglob("*") if p.is_file()}
    again = sources.write(out, [mine(tmp_path / "b.png")])
    assert {p.name: p.read_bytes() for p in kept.rglob("*") if p.is_file()} == before
    assert [p.name for p in sorted((out / "pictures").iterdir())] == ["0001.png"] and len(again.pictures) == 1


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda f: (f / "faces.jsonl").unlink(), "faces.jsonl is missing"),
        (lambda f: (f / "faces.jsonl").write_text(""), "do not belong together"),
        (lambda f: (f / "pictures.jsonl").write_text('{"schema": 1,'), "no table that wbme reads"),
        (lambda f: (f / "pictures.jsonl").write_text("[3]\n"), "no table that wbme reads"),
        (lambda f: (f / "landmarks.npz").write_bytes(b"PK"), "landmarks.npz holds no readable landmarks"),
        (lambda f: os.truncate(f / "landmarks.npz", 200), "landmarks.npz holds no readable landmarks"),
        (lambda f: (f / "landmarks.npz").unlink(), "landmarks.npz holds no readable landmarks"),
    ],
)
def test_a_damaged_source_is_refused_in_one_sentence(portraits, tmp_path, harm, sentence):
    folder = tmp_path / "copy"
    shutil.copytree(portraits.folder, folder)
    harm(folder)
    with pytest.raises(StoreError, match=sentence):
        sources.read(folder)


def test_another_schema_is_refused(portraits, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(portraits.folder, folder)
    rows = [json.loads(line) for line in (folder / "pictures.jsonl").read_text().splitlines()]
    rows[1]["schema"] = 2
    (folder / "pictures.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(StoreError, match="has schema 2, this wbme reads 1"):
        sources.read(folder)


def test_repeats_are_found_across_sizes_and_flat_pictures_are_not(tmp_path):
    import cv2

    rgb = images.read(PORTRAITS["grace_hopper.jpg"].path).rgb
    images.write(tmp_path / "a.png", rgb)
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    images.write(tmp_path / "c.jpg", cv2.resize(rgb, (200, 234), interpolation=cv2.INTER_AREA), quality=70)
    for name, value in (("d.png", 0.0), ("e.png", 0.1)):
        images.write(tmp_path / name, np.full((30, 30, 3), value, np.float32))
    ramp = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], 3, 2)
    images.write(tmp_path / "f.png", np.repeat(ramp, 40, 0))
    images.write(tmp_path / "g.png", np.repeat(ramp**2, 50, 0))
    rows = sources.write(tmp_path / "out", candidates.below(tmp_path, "mine", "")).pictures
    assert "".join(row["name"][0] for row in rows) == "abcdefg"
    assert sources.repeated(rows) == [("same file", [0, 1]), ("alike", [0, 2])]
    assert sources.repeated([]) == [] and sources.repeated(rows[3:]) == []


@pytest.mark.parametrize("size", [0, -3, float("nan")])
def test_faces_of_no_size_cannot_be_asked_for(tmp_path, size):
    with pytest.raises(ParameterError, match="give a number above 0"):
        sources.write(tmp_path / "none", [], min_face=size)
