"""Pairs from photographs: what is known of them comes from the parser and the detector alone."""

import pickle

import cv2
import numpy as np
import pytest
import skimage.data

from wbme.data import candidates, pairs, sources
from wbme.geometry.parsing import INDEX, SKIN
from wbme.media import images
from wbme.perception.parsing import Parser
from wbme.synth import composite, photographs
from wbme.synth.compose import CutFace, Drawing, Ink, Settings, Texture
from wbme.synth.photographs import Photographs
from wbme.synth.teachers import TextureTeacher
from wbme.synth.writing import write_set

pytestmark = pytest.mark.slow
TEACHER = TextureTeacher(Texture(), Ink())
PLAIN = Settings(cutface=CutFace(0.0))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A portrait, the same with the face cut by the border, twenty small faces, and a cat."""
    folder = tmp_path_factory.mktemp("photos")
    whole = (skimage.data.astronaut() / 255).astype(np.float32)
    images.write(folder / "a portrait.png", whole)
    images.write(folder / "border.png", whole[:, 235:])
    head = cv2.resize(whole[20:220, 130:330], (160, 160), interpolation=cv2.INTER_AREA)
    images.write(folder / "twenty.png", np.tile(head, (4, 5, 1)))
    images.write(folder / "cat.png", (skimage.data.chelsea() / 255).astype(np.float32))
    out = tmp_path_factory.mktemp("source")
    return sources.write(out, candidates.below(folder, "mine", "CC0-1.0"))


def of(source, *names, **more):
    rows = [row for row in source.pictures if row["name"].removesuffix(".png") in names]
    return Photographs(source, rows, TEACHER, "texture", "plain", [], 256, **more)


def test_a_portrait_is_seen_whole_and_aligned_and_its_target_is_ink_over_base(source):
    photos = of(source, "a portrait")
    assert [face for _, face in photos.views] == [None, 0]
    row, arrays = photos.pair(1, PLAIN)
    assert arrays["src"].shape == arrays["tgt"].shape == (256, 256, 3)
    np.testing.assert_allclose(arrays["tgt"], composite.inked(arrays["base"], arrays["ink"]))
    eyes = arrays["points"][0][[33, 263]]  # the outer corners: level, as far apart as in portraits
    assert abs(np.degrees(np.arctan2(*(eyes[1] - eyes[0])[::-1]))) < 12
    assert 256 * 0.15 < np.hypot(*(eyes[1] - eyes[0])) < 256 * 0.45
    assert np.isin(arrays["labels"], list(SKIN)).mean() > 0.08
    assert row["character"] == "plain" and row["lineage"]["teacher"] == "texture"
    assert row["lineage"]["licence"] == "CC0-1.0"
    assert "oracle" not in arrays and "albedo" not in arrays


def test_the_same_number_gives_the_same_pair_and_another_another(source):
    one, two, other = (of(source, "a portrait").pair(n, PLAIN)[1]["src"] for n in (1, 1, 3))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).mean() > 0.01


def test_reflection_brings_the_teachers_skin_to_that_of_the_photograph(source):
    def pale(rgb):
        base, ink = TEACHER(rgb)
        return 0.3 * base + 0.7, ink

    def skin(reflection):
        settings = Settings(Drawing(reflection=reflection), cutface=CutFace(0.0), degrade=0)
        photos = of(source, "a portrait")
        made = Photographs(photos.source, photos.rows, pale, "pale", "plain", [], 256).pair(1, settings)[1]
        mask = made["labels"] == INDEX["skin"]
        return np.abs(made["base"][mask].mean(0) - made["src"][mask].mean(0)).mean()

    assert skin(True) < 0.4 * skin(False)


def test_heads_are_cut_out_and_pasted_with_their_labels(source):
    photos = of(source, "a portrait", "border")
    numbers = [n for n, (_, face) in enumerate(photos.views) if face is not None]
    for number in numbers:
        row, arrays = photos.pair(number, Settings(cutface=CutFace(1.0, most=2)))
        placed = [box for box in row["lineage"]["cutface"] if box]
        assert placed and len(arrays["points"]) == len(placed)
        outside = np.ones((256, 256), bool)
        for x0, y0, x1, y1 in placed:
            outside[y0:y1, x0:x1] = False
            assert (arrays["labels"][y0:y1, x0:x1] > 0).mean() > 0.2
        assert not arrays["labels"][outside].any()


def test_twenty_faces_and_none(source):
    photos = of(source, "twenty")
    assert len(photos.views) == 21
    _, arrays = photos.pair(0, PLAIN)
    assert len(arrays["points"]) == len(arrays["boxes"]) > 1
    row, arrays = of(source, "cat").pair(0, Settings(cutface=CutFace(1.0)))
    assert len(arrays["points"]) == 0 and row["split"] == "train" and not row["lineage"]["cutface"]


def test_each_pixel_of_a_person_belongs_to_the_nearest_face(source):
    picture = next(row for row in source.pictures if row["name"] == "twenty.png")
    faces, rgb = source.found(picture), source.rgb(picture)
    labels = Parser.open()(rgb, faces)
    heads = photographs.drawn(rgb, labels, faces, TEACHER, PLAIN).heads
    assert set(np.unique(heads)) == set(range(21)) and ((heads > 0) == (labels > 0)).all()
    for number, face in enumerate(faces, 1):
        x, y = np.rint(face.landmarks[1, :2]).astype(int)
        assert heads[y, x] == number


def test_a_set_is_written_beside_others_and_read_as_pairs(source, tmp_path):
    photos = pickle.loads(pickle.dumps(of(source, "a portrait", "cat")))
    rows = list(write_set(tmp_path, photos, PLAIN, 3, workers=1, first=7))
    assert [row["id"] for row in rows] == ["00007", "00008", "00009"]
    made = pairs.gather(tmp_path, [row["id"] for row in rows])
    assert all(row["oracle"] is None and row["light"]["name"] == "photograph" for row in made.rows)
    assert made.load(made.rows[0])["tgt"].shape == (256, 256, 3)
