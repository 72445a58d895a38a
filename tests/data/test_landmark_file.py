import json
import os

import numpy as np
import pytest

from wbme.base.errors import MediaError, StoreError
from wbme.data import landmark_file
from wbme.data.landmark_file import POINTS

FIVE = {name: [10.0 + k, 20.5 + k] for k, name in enumerate(POINTS)}
SIZE = (64, 48)


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_is_saved_comes_back_as_the_same_numbers(home, tmp_path):
    rng = np.random.default_rng(0)
    points, contour = rng.uniform(0, 47, (5, 2)), rng.uniform(0, 47, (9, 2))
    faces = [
        landmark_file.marks(points, [1.1, 2.2, 40.3, 41.7], contour),
        landmark_file.marks(None, [0.1, 0.2, 0.3, 0.4]),
    ]
    path = landmark_file.save(tmp_path / "a.landmarks.json", faces, "a.png", SIZE)
    back = landmark_file.load(path, "a.png", SIZE)
    assert back == faces
    assert np.array_equal(back[0].points, points) and back[1].points is None
    assert np.array_equal(back[0].contour, contour)
    before = path.read_bytes()
    landmark_file.save(path, back, "a.png", SIZE)
    assert path.read_bytes() == before and sorted(os.listdir(tmp_path)) == [path.name, "workspace"]
    assert landmark_file.load(landmark_file.save(path, [], "a.png", SIZE), "a.png", SIZE) == []


def test_a_file_by_hand_needs_no_more_than_points_or_a_box(tmp_path):
    path = write(tmp_path / "a.landmarks.json", {"schema": 1, "faces": [FIVE, {"box": [1, 2, 3, 4]}]})
    points, box = landmark_file.load(path, "a.png", SIZE)
    assert points.points.tolist() == list(FIVE.values()) and points.box is None
    assert box.box == (1, 2, 3, 4) and box.points is None
    assert landmark_file.beside(tmp_path / "a.b.png") == tmp_path / "a.b.landmarks.json"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1, 2", "is no JSON text"),
        ("[1, 2]", "the file: Input should be"),
        ("", "is no JSON text"),
        ({"faces": [FIVE]}, "schema: Field required"),
        ({"schema": 2, "faces": [FIVE]}, "schema: Input should be 1"),
        ({"schema": 1, "faces": [FIVE], "more": 1}, "more: Extra inputs"),
        ({"schema": 1, "faces": FIVE}, "faces: Input should be a valid tuple"),
        ({"schema": 1, "faces": [{"nose": [1, 2]}]}, "face 1: lacks right_eye, left_eye, mouth_right"),
        ({"schema": 1, "faces": [{}]}, "face 1: lacks right_eye"),
        ({"schema": 1, "faces": [{**FIVE, "nose": [1, 2, 3]}]}, "face 1 nose: Tuple should have at most 2"),
        ({"schema": 1, "faces": [{**FIVE, "nose": "here"}]}, "face 1 nose: Input should be a valid tuple"),
        ('{"schema": 1, "faces": [{"box": [0, 0, NaN, 4]}]}', "face 1 box 3: Input should be a finite"),
        ({"schema": 1, "faces": [{"box": [5, 5, 4, 9]}]}, "its box is not left, top, right, bottom"),
        ({"schema": 1, "faces": [{**FIVE, "nose": [64, 20]}]}, r"nose of face 1 at \(64, 20\) lies outside"),
        ({"schema": 1, "faces": [{**FIVE, "nose": [9, -0.6]}]}, "lies outside the picture of 64 x 48 pixels"),
        ({"schema": 1, "faces": [{"box": [70, 1, 90, 9]}]}, "the box of face 1 lies outside the picture"),
        (
            {"schema": 1, "picture": {"width": 48, "height": 64}, "faces": []},
            "is for a picture of 48 x 64 pixels, but a.png has 64 x 48",
        ),
        (
            {"schema": 1, "picture": {"file": "a.jpg", "width": 64, "height": 48}, "faces": []},
            "is for a.jpg, not for a.png",
        ),
        ("[" * 100_000, "is no JSON text"),
    ],
)  # fmt: skip
def test_another_shape_is_refused_in_one_sentence(tmp_path, content, said):
    path = write(tmp_path / "a.landmarks.json", content)
    with pytest.raises(MediaError, match=said) as refused:
        landmark_file.load(path, "a.png", SIZE)
    assert "\n" not in str(refused.value) and str(path) in str(refused.value)


@pytest.mark.parametrize("kept", ["store/trees/abc", "runs/11_drawings/x/outputs"])
def test_nothing_is_ever_written_among_published_files(home, kept):
    path = home / kept / "a.landmarks.json"
    with pytest.raises(StoreError, match="never change; name a folder of yours"):
        landmark_file.save(path, [], "a.png", SIZE)
    assert not path.exists()


def test_the_landmarks_of_another_picture_are_never_overwritten(home, tmp_path):
    path = landmark_file.save(tmp_path / "a.landmarks.json", [], "a.png", SIZE)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"holds the landmarks of a\.png, not of a\.jpg; rename one"):
        landmark_file.save(path, [landmark_file.marks(None, [1, 2, 3, 4])], "a.jpg", SIZE)
    assert path.read_bytes() == before
    write(path, "no JSON")
    assert landmark_file.load(landmark_file.save(path, [], "a.jpg", SIZE), "a.jpg", SIZE) == []
