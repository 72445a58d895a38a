"""Published data sets, each written here in its exact layout: what is listed, kept, refused and told."""

import hashlib
import json
import os
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from wbme.base.errors import MediaError, ParameterError, StoreError
from wbme.data import digests, manifest, sources
from wbme.data.candidates import draw
from wbme.data.layouts import texts
from wbme.geometry.parsing import INDEX
from wbme.media import images


def picture(path, seed=0, size=(48, 32)):
    """A picture of noise at ``path``, width and height ``size``; returns its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.random.default_rng(seed).random((size[1], size[0], 3), np.float32)
    images.write(path, rgb)
    return path.read_bytes()


def listing(tmp_path, root, layout="auto", **more):
    place = tmp_path / "listing"
    place.mkdir(exist_ok=True)
    return manifest.listing(place, root, layout, more.pop("name", "mine"), "CC BY 4.0", **more)


def source(tmp_path, listed, limit=0):
    """What notebook 10 makes of a listing."""
    place = tmp_path / "source"
    place.mkdir(exist_ok=True)
    made = sources.write(place, [*listed.rejected, *draw(listed, limit, 0)])
    listed.keep(place, made.pictures)
    return made


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("WBME_HOME", str(tmp_path_factory.mktemp("home")))


def ffhq_item(root, number, category, **changed):
    """An entry of ffhq-dataset-v2.json for a picture that is written as well."""
    path = f"images1024x1024/{number // 1000 * 1000:05d}/{number:05d}.png"
    raw = picture(root / path, number, (64, 64))
    points = [[10 + k / 2, 20 + k / 4] for k in range(68)]
    image = {"file_url": "https://example.org", "file_path": path, "file_size": len(raw)}
    image |= {"file_md5": hashlib.md5(raw).hexdigest(), "pixel_size": [64, 64], "pixel_md5": "0" * 32}
    image |= {"face_landmarks": points}
    wild = {**image, "file_path": f"in-the-wild-images/{number:05d}.png", "face_rect": [1, 2, 30, 40]}
    meta = {
        "photo_url": "https://flickr.example/1",
        "photo_title": "DSCF0899.JPG",
        "author": "Åsa \U0001f600",
    }
    meta |= {"country": "", "license": "Attribution License", "license_url": "https://cc.example/by/2.0/"}
    meta |= {"date_uploaded": "2007-08-16", "date_crawled": "2018-10-10"}
    item = {"category": category, "metadata": meta, "image": image, "thumbnail": image, "in_the_wild": wild}
    return item | changed


@pytest.fixture
def ffhq(tmp_path):
    root = tmp_path / "ffhq"
    picked = {0: "training", 1: "training", 60000: "validation"}
    items = {str(k): ffhq_item(root, k, category) for k, category in picked.items()}
    (root / "ffhq-dataset-v2.json").write_text(json.dumps(items))
    return root, items


def test_ffhq_gives_its_split_licence_author_and_landmarks(tmp_path, ffhq):
    root, _ = ffhq
    listed = listing(tmp_path, root)
    assert listed.layout == "ffhq" and "with ffhq-dataset-v2.json" in listed.told
    made = source(tmp_path, listed)
    assert [row["name"] for row in made.pictures][::2] == [
        "images1024x1024/00000/00000.png",
        "images1024x1024/60000/60000.png",
    ]
    assert [row["split"] for row in made.pictures] == ["train", "train", "val"]
    row = made.pictures[0]
    assert row["licence"].startswith("Attribution License (the photograph), CC BY-NC-SA 4.0")
    assert row["credit"]["author"] == "Åsa \U0001f600" and row["identity"] == "0"
    points = made.known(row).points["dlib-68"]
    assert points.shape == (68, 2) and points[4].tolist() == [12, 21]
    assert made.known(row).labels is None and made.known(row).mask is None
    rows = list(manifest.read(tmp_path / "source"))
    assert [r["sha256"] for r in rows] == [r["sha256"] for r in made.pictures]
    assert str(tmp_path) not in (tmp_path / "source/manifest.jsonl").read_text()


def test_ffhq_in_the_wild_has_a_box_and_flat_copies_are_found(tmp_path, ffhq):
    root, items = ffhq
    wild = tmp_path / "wild"
    (wild / "in-the-wild-images").mkdir(parents=True)
    for number in items:
        at = root / items[number]["image"]["file_path"]
        (wild / f"in-the-wild-images/{int(number):05d}.png").write_bytes(at.read_bytes())
    (wild / "ffhq-dataset-v2.json").write_text(json.dumps(items))
    made = source(tmp_path, listing(tmp_path, wild))
    assert made.known(made.pictures[0]).boxes.tolist() == [[1, 2, 30, 40]]
    for name in items:
        (root / "in-the-wild-images").mkdir(exist_ok=True)
        flat = f"in-the-wild-images/{int(name):05d}.png"
        (root / flat).write_bytes((wild / flat).read_bytes())
    assert "beside it in-the-wild-images" in listing(tmp_path, root).told
    rows = listing(tmp_path, root, "ffhq-wild")
    assert {one.group for one in rows} == {"in-the-wild-images"} and len(rows) == 3


def test_ffhq_that_is_not_as_its_json_says_is_told_file_by_file(tmp_path, ffhq):
    root, items = ffhq
    items["2"] = ffhq_item(root, 2, "training")
    items["3"] = ffhq_item(root, 3, "training")
    items["4"] = ffhq_item(root, 4, "training")
    items["5"] = ffhq_item(root, 5, "elsewhere")
    (root / items["2"]["image"]["file_path"]).unlink()
    items["3"]["image"]["file_md5"] = "0" * 32
    items["4"]["image"]["file_path"] = "../../secret.png"
    items["6"] = "no object"
    (root / "ffhq-dataset-v2.json").write_text(json.dumps(items))
    picture(root / "images1024x1024/07000/07000.png", 7)
    made = source(tmp_path, listing(tmp_path, root))
    said = {row["name"]: row["why"] for row in made.rejected}
    assert said["images1024x1024/00000/00002.png"].endswith("00002.png is missing; download it again")
    assert "its MD5 differs; download it again" in said["images1024x1024/00000/00003.png"]
    assert "is no path below the folder of the set" in said["../../secret.png"]
    assert "lacks or distorts 'elsewhere'" in said["images1024x1024/00000/00005.png"]
    assert len(made.rejected) == 5 and "entry 6" in said["images1024x1024/6"]
    # What the JSON does not name is listed with what its number tells; so is what it names wrongly.
    assert {"images1024x1024/07000/07000.png", "images1024x1024/00000/00000.png"} <= {
        row["name"] for row in made.pictures
    }


def test_a_json_that_is_cut_short_keeps_what_stands_before(tmp_path, ffhq):
    root, items = ffhq
    whole = json.dumps(items)
    (root / "ffhq-dataset-v2.json").write_text(whole[: len(whole) - 900])
    made = source(tmp_path, listing(tmp_path, root))
    [row] = made.rejected
    assert row["name"] == "ffhq-dataset-v2.json"
    assert "damaged or cut short at entry 3" in row["why"]
    assert [bool(r["landmarks"]) for r in made.pictures] == [True, True, False]


STRANGE = [None, [], {}, "", "x", "../x", "\ud800", -1, 1e400, float("nan"), True, [1, 2], "a\0b", 10**400]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_json_with_anything_in_it_never_stops_the_listing(tmp_path, ffhq, data):
    root, items = ffhq
    items = json.loads(json.dumps(items))
    for _ in range(data.draw(st.integers(1, 3))):
        at = items["0"]
        while True:
            key = data.draw(st.sampled_from(sorted(at)))
            if isinstance(at[key], dict) and at[key] and data.draw(st.booleans()):
                at = at[key]
                continue
            at[key] = data.draw(st.sampled_from(STRANGE))
            break
        if not isinstance(items["0"], dict) or not items["0"]:
            break
    (root / "ffhq-dataset-v2.json").write_text(json.dumps(items))
    for layout in ("ffhq", "ffhq-wild"):
        (root / "in-the-wild-images").mkdir(exist_ok=True)
        listed = listing(tmp_path, root, layout)
        assert all(
            one.name == one.name.encode("utf-8", "replace").decode() for one in [*listed.rejected, *listed]
        )
        assert len(list(manifest.read(tmp_path / "listing"))) >= 3


@pytest.mark.parametrize(
    "text",
    ["", "[1]", '{"a": 1', '{"a" 1}', '{"a": ' + "[" * 100_000, "\x00", '{"a": 1, 2: 3}', '{"a": 1 "b": 2}'],
)
def test_what_is_no_json_object_is_one_sentence(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(MediaError, match=r"^x\.json is [^\n]*$"):
        list(texts.items(tmp_path / "x.json"))


def test_json_items_are_those_of_the_whole_file_wherever_the_pieces_end(tmp_path, monkeypatch):
    content = {f"k{n}": [n, -n / 7, {"ä": '\\"\U0001f600' * (n % 5)}, None, True] for n in range(60)} | {
        "n": 123456
    }
    path = tmp_path / "x.json"
    for text in (json.dumps(content), json.dumps(content, indent=1, ensure_ascii=False)):
        path.write_text(text, encoding="utf-8")
        for piece in (1, 2, 3, 7, 64, 1 << 20):
            monkeypatch.setattr(texts, "_PIECE", piece)
            assert dict(texts.items(path)) == content


def deepfashion_item(root, name, numbers, visible, segm):
    picture(root / f"images/{name}.jpg", len(name), (30, 44))
    for folder, text in (("loc", numbers), ("vis", visible)):
        path = root / f"keypoints/keypoints_{folder}.txt"
        path.parent.mkdir(exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{name}.jpg {' '.join(map(str, text))}\n")
    if segm is not None:
        path = root / f"segm/{name}_segm.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(segm).save(path)


@pytest.fixture
def deepfashion(tmp_path):
    root = tmp_path / "DeepFashion-MultiModal"
    classes = np.zeros((44, 30), np.uint8)
    classes[:24, 0] = range(24)
    points = [*(k / 2 for k in range(40)), -1, -1]
    deepfashion_item(root, "WOMEN-Dresses-id_00000002-02_4_full", points, [0] * 20 + [2], classes)
    deepfashion_item(root, "MEN-Denim-id_00000080-01_7_additional", points, [1] * 21, None)
    texts_ = {
        "MEN-Denim-id_00000080-01_7_additional.jpg": "His shirt has long sleeves.",
        "GONE.jpg": "nobody",
    }
    (root / "captions.json").write_text(json.dumps(texts_))
    for path, count in (("shape/shape_anno_all", 12), ("texture/fabric_ann", 3), ("texture/pattern_ann", 3)):
        (root / f"labels/{path}.txt").parent.mkdir(parents=True, exist_ok=True)
        line = " ".join(map(str, range(count)))
        (root / f"labels/{path}.txt").write_text(f"MEN-Denim-id_00000080-01_7_additional.jpg {line}\n")
    return root


def test_deepfashion_gives_labels_keypoints_captions_and_attributes(tmp_path, deepfashion):
    listed = listing(tmp_path, deepfashion)
    assert listed.layout == "deepfashion"
    made = source(tmp_path, listed)
    man, woman = made.pictures
    assert man["group"] == "MEN" and man["identity"] == "MEN-Denim-id_00000080"
    assert man["caption"].startswith("His shirt") and "non-commercial" in man["licence"]
    assert man["attributes"]["shape"] == list(range(12)) and man["attributes"]["fabric"] == [0, 1, 2]
    known = made.known(woman)
    names = "background cloth cloth cloth cloth cloth cloth hat eye_g cloth cloth cloth cloth hair skin "
    names += "body_skin cloth cloth cloth cloth neck_l cloth ear_r cloth"
    assert known.labels[:24, 0].tolist() == [INDEX[name] for name in names.split()]
    assert known.mask.sum() == 23 and made.known(man).labels is None
    points = known.points["deepfashion-21"]
    assert points[19].tolist() == [19, 19.5] and np.isnan(points[20]).all()
    assert woman["attributes"]["visibility"] == [0] * 20 + [2]
    [lost] = made.rejected
    assert lost["name"] == "GONE.jpg" and "captions name 1 pictures that are not there" in lost["why"]


def test_a_palette_does_not_change_the_classes(tmp_path, deepfashion):
    path = deepfashion / "segm/WOMEN-Dresses-id_00000002-02_4_full_segm.png"
    grey = Image.open(path)
    coloured = grey.convert("P")
    coloured.putdata(list(grey.getdata()))
    coloured.putpalette([k % 256 for k in range(0, 768 * 5, 5)])
    before = source(tmp_path, listing(tmp_path, deepfashion))
    first = before.known(before.pictures[1]).labels
    coloured.save(path)
    after = source(tmp_path, listing(tmp_path, deepfashion))
    assert np.array_equal(first, after.known(after.pictures[1]).labels)


def test_bad_annotations_are_left_out_with_a_note_and_the_picture_stays(tmp_path, deepfashion):
    name = "WOMEN-Shorts-id_00000007-01_1_front"
    deepfashion_item(deepfashion, name, [500.0, 10.0, *[3] * 40], ["x"] * 21, np.full((44, 30), 99, np.uint8))
    small = "WOMEN-Shorts-id_00000008-01_1_front"
    deepfashion_item(deepfashion, small, [1, 2, 3], [0] * 21, np.zeros((10, 10), np.uint8))
    bomb = deepfashion / "segm/MEN-Denim-id_00000080-01_7_additional_segm.png"
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", 1 << 17, 1 << 17, 8, 0, 0, 0, 0), b"IDAT" + b"\0" * 8]
    framed = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(framed))
    made = source(tmp_path, listing(tmp_path, deepfashion))
    notes = {row["identity"][-2:]: " | ".join(row["notes"]) for row in made.pictures}
    assert "1 of 21 points (deepfashion-21) lie outside the picture: left out" in notes["07"]
    assert "holds what is no number: visibility left out" in notes["07"]
    assert "no map of classes 0 to 23" in notes["07"]
    assert "has 3 numbers instead of 42: keypoints left out" in notes["08"]
    assert "is 10 x 10, not as the picture" in notes["08"]
    assert "pixels" in notes["80"] and len(made.pictures) == 4
    assert str(tmp_path) not in json.dumps(made.pictures)


def test_shhq_gives_masks_and_parsing_by_colour(tmp_path):
    root = tmp_path / "SHHQ-1.0"
    for k in range(3):
        picture(root / f"no_segment/{k:06d}.jpg", k, (20, 40))
    grey = np.zeros((40, 20), np.uint8)
    grey[:, 10:] = 255
    (root / "segments").mkdir()
    Image.fromarray(np.stack([grey] * 3, 2)).save(root / "segments/000000.png")
    Image.fromarray(grey).save(root / "segments/000001.jpg", quality=100)
    colours = np.zeros((40, 20, 3), np.uint8)
    colours[0, :6] = [
        (255, 0, 0),
        (16, 78, 139),
        (144, 238, 144),
        (127, 255, 212),
        (0, 100, 0),
        (211, 211, 211),
    ]
    (root / "parsing").mkdir()
    Image.fromarray(colours).save(root / "parsing/000000.png")
    colours[5, 5] = (1, 2, 3)
    Image.fromarray(colours).save(root / "parsing/000001.png")
    lines = [f"{k:06d}.jpg {' '.join(str(5 + n % 7) for n in range(50))}" for k in (0, 1)]
    (root / "keypoints.txt").write_text("\n".join(lines))
    made = source(tmp_path, listing(tmp_path, root))
    zero, one, two = (made.known(row) for row in made.pictures)
    wanted = ["hair", "skin", "body_skin", "hat", "eye_g", "cloth", "background"]
    assert zero.labels[0, :7].tolist() == [INDEX[name] for name in wanted]
    assert zero.mask.mean() == 0.5 and abs(one.mask.mean() - 0.5) < 0.02
    assert zero.points["openpose-25"].shape == (25, 2)
    assert one.labels is None and "the colour 010203, which is no class" in made.pictures[1]["notes"][0]
    assert two.mask is None and two.points == {}
    assert made.pictures[0]["licence"] == "SHHQ agreement: non-commercial research only"


def test_links_out_of_a_set_and_archives_are_refused(tmp_path, deepfashion):
    secret = tmp_path / "secret"
    picture(secret / "private.jpg")
    (deepfashion / "images/WOMEN-a-id_00000001-01_1_front.jpg").symlink_to(secret / "private.jpg")
    (deepfashion / "segm/MEN-Denim-id_00000080-01_7_additional_segm.png").symlink_to(secret / "private.jpg")
    (deepfashion / "images/more").symlink_to(secret)
    with zipfile.ZipFile(deepfashion / "images.zip", "w") as archive:
        archive.writestr("a.jpg", b"")
    made = source(tmp_path, listing(tmp_path, deepfashion))
    said = {row["name"]: row["why"] for row in made.rejected}
    assert "unpacks none" in said["images.zip"]
    assert "leaves the folder of the set" in said["images/WOMEN-a-id_00000001-01_1_front.jpg"]
    assert len(made.pictures) == 2 and "link that leaves" in made.pictures[0]["notes"][0]
    aside = tmp_path / "aside"
    (aside / "images1024x1024").mkdir(parents=True)
    (aside / "ffhq-dataset-v2.json").symlink_to(secret / "private.jpg")
    assert "leaves the folder" in listing(tmp_path, aside).rejected[0].rejected


def test_a_folder_is_taken_for_what_it_is(tmp_path):
    picture(tmp_path / "set/a/1.png")
    listed = listing(tmp_path, tmp_path / "set")
    assert (listed.layout, listed.told) == ("folder", "a plain folder: its sub-folders are groups")
    assert [(one.name, one.group, one.licence) for one in listed] == [("a/1.png", "a", "CC BY 4.0")]
    picture(tmp_path / "two/trainA/1.png")
    picture(tmp_path / "two/trainB/1.png")
    assert "wbme run 15 -p paired" in listing(tmp_path, tmp_path / "two").told
    for layout, words in (
        ("ffhq", "does not look like ffhq"),
        ("imagenet", "is unknown: choose auto, folder, ffhq"),
    ):
        with pytest.raises(ParameterError, match=words):
            listing(tmp_path, tmp_path / "set", layout)
    with pytest.raises(MediaError, match="no folder at"):
        listing(tmp_path, tmp_path / "none")
    with pytest.raises(ParameterError, match="cannot be called"):
        listing(tmp_path, tmp_path / "set", name="../up")


def test_many_that_cannot_be_used_are_counted_and_all_named_in_the_manifest(tmp_path, ffhq):
    root, items = ffhq
    for number in range(100, 400):
        items[str(number)] = {
            **items["0"],
            "image": {**items["0"]["image"], "file_path": f"images1024x1024/{number}.png"},
        }
    (root / "ffhq-dataset-v2.json").write_text(json.dumps(items))
    listed = listing(tmp_path, root)
    assert len(listed) == 3 and len(listed.rejected) == manifest.TOLD + 1
    assert listed.rejected[-1].rejected.startswith("200 more cannot be used")
    rows = list(manifest.read(tmp_path / "listing"))
    assert len(rows) == 303 and sum(bool(row["why"]) for row in rows) == 300


def test_a_manifest_of_another_schema_or_damaged_is_one_sentence(tmp_path, ffhq):
    listing(tmp_path, ffhq[0])
    path = tmp_path / "listing/manifest.jsonl"
    whole = path.read_text()
    path.write_text(whole.replace('"schema": 1', '"schema": 2'))
    with pytest.raises(StoreError, match=r"has schema 2, this wbme reads 1; run 10_sources again$"):
        list(manifest.read(tmp_path / "listing"))
    path.write_text(whole[:-40])
    with pytest.raises(StoreError, match="no manifest that wbme reads"):
        list(manifest.read(tmp_path / "listing"))


def test_files_are_hashed_once_and_a_change_that_hides_is_found(tmp_path, monkeypatch):
    root, read = tmp_path / "set", []
    first = picture(root / "1.png", 1)
    picture(root / "2.png", 2)
    monkeypatch.setattr(digests.hashlib, "md5", lambda **_: read.append(1) or hashlib.new("md5"))
    for _ in range(3):
        made = source(tmp_path, listing(tmp_path, root))
    assert len(read) == 2 and made.pictures[0]["sha256"] == hashlib.sha256(first).hexdigest()
    before = (root / "1.png").stat()
    (root / "1.png").write_bytes(first[:-1] + b"\0")
    os.utime(root / "1.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    made = source(tmp_path, listing(tmp_path, root))
    assert "other bytes than before under the same size and date" in made.rejected[0]["why"]
    os.utime(root / "2.png", ns=(0, 0))
    source(tmp_path, listing(tmp_path, root))
    assert len(read) == 3
    assert manifest.Memory().of(root / "2.png").known


def test_drawing_from_a_listing_opens_only_what_is_drawn(tmp_path):
    root = tmp_path / "set"
    for k in range(12):
        picture(root / f"{k:02d}.png", k, (8, 8))
    listed = listing(tmp_path, root)
    for path in root.glob("*.png"):
        path.write_bytes(b"")  # listing has opened none, and drawing opens none
    drawn = draw(listed, 5, 3)
    assert len(drawn) == 5
    names = [row["path"] for row in manifest.read(tmp_path / "listing")]
    assert [names[k] for k in draw(list(range(12)), 5, 3)] == [names[k] for k in drawn.numbers]


@pytest.mark.slow
def test_twenty_thousand_files_take_no_more_memory_than_a_folder_of_them(tmp_path):
    root = tmp_path / "images1024x1024"
    for k in range(20_000):
        folder = root / f"{k // 1000 * 1000:05d}"
        if k % 1000 == 0:
            picture(folder / "first.png", 0, (4, 4))
            (folder / "first.png").rename(folder / "first")
        os.link(folder / "first", folder / f"{k:05d}.png")
    tracemalloc.start()
    listed = listing(tmp_path, tmp_path, "ffhq")
    few = list(draw(listed, 20, 0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(listed) == 20_000 and len(few) == 20
    assert peak < 3e6


def test_the_summary_says_what_the_set_holds(tmp_path, deepfashion):
    source(tmp_path, listing(tmp_path, deepfashion), limit=1)
    *rows, last = manifest.summary(tmp_path / "source")
    assert [(row["group"], row["pictures"], row["parsing"], row["caption"]) for row in rows] == [
        ("MEN", 1, 0, 1),
        ("WOMEN", 1, 1, 0),
    ]
    assert sum(row["read"] for row in rows) == 1 and last["split"] == "cannot be used"


def test_astronaut_keeps_its_face_beside_the_annotations(tmp_path):
    root = tmp_path / "SHHQ-1.0"
    (root / "no_segment").mkdir(parents=True)
    images.write(root / "no_segment/000000.png", data.astronaut()[:360, 60:420].astype(np.float32) / 255)
    made = source(tmp_path, listing(tmp_path, root))
    [face] = made.known(made.pictures[0]).faces
    assert face.box[2] - face.box[0] > 50
