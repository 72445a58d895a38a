import json
import shutil

import numpy as np
import pytest
import skimage.data
from drawn_head import INK, IRIS, POINTS, SHADE, SKIN, head, named, save
from PIL import Image

from wbme.base.errors import MediaError, ParameterError, StoreError
from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.data import candidates, drawings, landmark_file
from wbme.data.candidates import Candidate
from wbme.people import cel, sheet

pytestmark = pytest.mark.slow  # half a second a drawing


def lab(code):
    return srgb_to_lab(np.array([int(code[k : k + 2], 16) for k in (1, 3, 5)]) / 255)


def apart(one, other):
    return float(delta_e00(lab(one), lab(other)))


def read(folder, out, **more):
    return drawings.write(out, candidates.below(folder, "girl", "mine"), "girl", **more)


def row_of(made, name):
    return next(row for row in made.pictures if row["name"] == name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Heads as makers save them: transparent, on a ground, as palette, 4-channel, grey and turned files."""
    place = tmp_path_factory.mktemp("girl")
    save(place / "alpha.png", **named())
    shutil.copy(place / "alpha.png", place / "twin.png")
    ground = head(ground="#a8c8b0")
    save(place / "ground.webp", ground)
    ground.convert("RGB").save(place / "ground4.jpg", quality=92)
    ground.convert("CMYK").save(place / "cmyk.tif")
    ground.convert("P", palette=Image.Palette.ADAPTIVE, colors=48).save(place / "palette.png")
    ground.convert("L").save(place / "grey.png")
    turned = Image.Exif()
    turned[0x112] = 6
    exif = turned.tobytes()
    ground.convert("RGB").rotate(90, expand=True).save(place / "turned.jpg", quality=95, exif=exif)
    (place / "turned.landmarks.json").write_text(json.dumps({"schema": 1, "faces": [named()]}))
    border = head()
    border.paste("#334455", (0, 0, 320, 90))
    border.paste("#334455", (0, 0, 30, 400))
    border.save(place / "border.png")
    (place / "broken.png").write_bytes((place / "alpha.png").read_bytes()[:900])
    Image.new("RGBA", (50, 50)).save(place / "clear.png")
    Image.fromarray(skimage.data.astronaut()).save(place / "photo.png")
    return place


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    return read(folder, tmp_path_factory.mktemp("made"), size=256)


def test_every_kind_of_file_is_read_and_said_to_be_what_it_is(made):
    kinds = {row["name"]: (row["alpha"], row["ground"], row["mode"]) for row in made.pictures}
    assert kinds["alpha.png"] == ("used", "#ffffff", "RGBA")
    assert kinds["ground.webp"][:2] == ("unused", "#a8c8b0") or kinds["ground.webp"][0] == "none"
    assert kinds["palette.png"][2] == "P" and kinds["cmyk.tif"][2] == "CMYK"
    assert kinds["border.png"][:2] == ("used", "#334455")
    notes = {row["name"]: " ".join(row["notes"]) for row in made.pictures}
    assert "over white #ffffff" in notes["alpha.png"] and "its border colour #334455" in notes["border.png"]
    assert "stored as CMYK" in notes["cmyk.tif"] and "without colour" in notes["grey.png"]
    assert row_of(made, "grey.png")["palette"] == [] and row_of(made, "grey.png")["skin"] == {}
    why = {row["name"]: row["why"] for row in made.rejected}
    assert set(why) == {"broken.png", "clear.png"} and "transparent all over" in why["clear.png"]
    assert "cut short" in why["broken.png"]
    assert row_of(made, "turned.jpg")["height"] == 400


def test_marks_by_hand_count_before_detectors_and_detectors_find_the_rest(made):
    for row in made.pictures:
        if row["name"] == "photo.png":
            continue
        [face] = made.found(row)
        points = np.array(list(face["points"].values()))
        by_hand = row["name"] in ("alpha.png", "turned.jpg")
        assert row["source"] == face["source"] == ("hand" if by_hand else face["source"])
        assert (row["source"] == "hand") == by_hand
        assert np.hypot(*(points - POINTS).T).mean() < (1e-9 if by_hand else 12)


def test_the_photograph_is_noticed_and_no_drawing_is_taken_for_one(made):
    assert [row["name"] for row in made.pictures if row["photo"]] == ["photo.png"]
    assert any("looks like a photograph" in text for text in row_of(made, "photo.png")["warnings"])


def test_equal_files_count_once(made):
    assert row_of(made, "twin.png")["warnings"][-1] == "the same file as alpha.png: counted once"


def test_the_aligned_face_has_eyes_and_mouth_where_ffhq_has_them(made):
    """From the three points alone: x = normalised(E - rot(M)) max(2 |E|, 1.8 |M|), centre eyes + 0.1 M."""
    face = made.aligned(made.found(row_of(made, "alpha.png"))[0])
    right, left, corners = POINTS[0], POINTS[1], POINTS[3:].mean(0)
    half = max(2.0 * 94, 1.8 * np.hypot(*(corners - (right + left) / 2)))
    centre = (right + left) / 2 + 0.1 * (corners - (right + left) / 2)
    assert face.shape == (256, 256, 3)
    for x, y in (right, left):
        column, line = (np.array([x, y + 18]) - centre) / (2 * half) * 256 + 128
        assert float(delta_e00(srgb_to_lab(face[int(line), int(column)].astype(float)), lab(IRIS))) < 8


def test_skin_and_its_tones_are_those_that_were_painted(made):
    skin = made.character["skin"]
    assert apart(skin["colour"]["hex"], SKIN) < 1 and apart(skin["shadow"]["hex"], SHADE) < 3
    assert apart(skin["ink"]["hex"], INK) < 4
    exact = row_of(made, "alpha.png")
    assert exact["skin"]["colour"]["hex"] == SKIN and exact["skin"]["shadow"]["hex"] == SHADE
    colours = [one["hex"] for one in exact["palette"]]
    assert {SKIN, SHADE, IRIS} <= set(colours) and "#ffffff" not in colours[:5]
    assert sum(one["share"] for one in exact["palette"]) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("tones", [("#fbe0cf", "#eeb9a6"), ("#6f4630", "#4d2c20"), ("#78bef0", "#508cc8")])
def test_the_starting_sheet_paints_the_skin_and_shadow_of_the_drawings(tmp_path, tones):
    place = tmp_path / "in"
    place.mkdir()
    save(place / "a.png", head(*tones), **named())
    made = drawings.write(tmp_path / "out", candidates.below(place, "girl", ""), "Élfe 7!")
    start = sheet.load(str(made.folder / "sheet.yaml"))
    assert start.skin.colour == tones[0] and start.name.isascii()
    painted = cel.toned(lab(start.skin.colour), start.skin.shadow)
    assert float(delta_e00(painted.astype(float), lab(tones[1]))) < 1
    assert made.character["remarks"] == [
        "one drawing only: palette and skin rest on it alone; bring five or more"
    ]


def test_the_same_drawings_give_the_same_bytes_and_less_is_left_of_fewer(folder, tmp_path):
    both = candidates.below(folder, "girl", "")[:2]
    made = drawings.write(tmp_path / "made", both, "girl", size=64)
    drawings.write(tmp_path / "again", both[::-1], "girl", size=64)
    again = drawings.write(tmp_path / "again", both, "girl", size=64)
    files = sorted(p.relative_to(made.folder) for p in made.folder.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again.folder) for p in again.folder.rglob("*") if p.is_file())
    assert all((made.folder / p).read_bytes() == (again.folder / p).read_bytes() for p in files)


def test_marks_in_a_folder_of_their_own_count_before_those_beside(home, tmp_path):
    place, marks = tmp_path / "in/sub", tmp_path / "marks"
    place.mkdir(parents=True)
    save(place / "a.png", **named())
    moved = landmark_file.marks(POINTS + 3.25, contour=[[1, 2], [3, 4]])
    landmark_file.save(marks / "sub/a.landmarks.json", [moved], "a.png", (320, 400))
    made = read(tmp_path / "in", tmp_path / "out", marks=marks)
    assert np.array_equal(list(made.faces[0]["points"].values()), POINTS + 3.25)
    assert made.faces[0]["contour"] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("marks", "said", "source"),
    [
        (
            {**named(), "nose": [900, 20]},
            "a.landmarks.json: nose of face 1 at (900, 20) lies outside",
            "mesh",
        ),
        ({"nose": [1, 2]}, "a.landmarks.json: face 1: lacks right_eye", "mesh"),
        (named(POINTS[[1, 0, 2, 4, 3]]), "right and left of face 1 are exchanged", "hand"),
        ({"box": [5, 5, 40, 40]}, "the points of face 1 are guessed from its box", "box"),
        ({"box": [70, 130, 250, 300]}, None, "mesh"),
    ],
)
def test_doubtful_marks_are_warned_of_and_the_drawing_is_kept(tmp_path, marks, said, source):
    place = tmp_path / "in"
    place.mkdir()
    save(place / "a.png", **marks)
    made = read(place, tmp_path / "out", size=64)
    [row] = made.pictures
    assert row["source"] == source
    assert [text for text in row["warnings"] if said is None or said in text] or said is None
    if source in ("hand", "mesh"):
        points = np.array(list(made.faces[0]["points"].values()))
        assert np.hypot(*(points - POINTS).T).mean() < 12
    assert str(tmp_path) not in json.dumps([row, made.character])


def test_a_folder_without_drawings_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(MediaError, match="there is no drawing to read: put pictures"):
        read(tmp_path, tmp_path / "out")
    (tmp_path / "a.png").write_text("a text")
    with pytest.raises(MediaError, match=r"none of 1 files is a drawing that can be read: a\.png"):
        read(tmp_path, tmp_path / "out")
    with pytest.raises(MediaError, match="no folder at"):
        read(tmp_path / "none", tmp_path / "out")
    with pytest.raises(ParameterError, match="give a size from 16 to 4096"):
        drawings.write(tmp_path / "out", [Candidate(tmp_path / "a.png", "a.png", "", "", "")], "x", size=3)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda f: (f / "faces.jsonl").write_text(""), "do not belong together"),
        (lambda f: (f / "character.json").write_text("{"), "missing or damaged"),
        (lambda f: (f / "character.json").write_text("[3]"), "missing or damaged"),
        (lambda f: (f / "pictures.jsonl").unlink(), "no table that wbme reads"),
    ],
)
def test_damaged_drawings_are_refused_in_one_sentence(made, tmp_path, harm, said):
    place = tmp_path / "copy"
    shutil.copytree(made.folder, place)
    harm(place)
    with pytest.raises(StoreError, match=said):
        drawings.read(place)
