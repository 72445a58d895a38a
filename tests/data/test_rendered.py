import numpy as np
import pytest
from rendered_set import add_group, labels_of, make_set

from wbme.base.errors import MediaError, StoreError
from wbme.data import planes, rendered


@pytest.fixture
def made(tmp_path):
    return make_set(tmp_path, views=2, size=64)


def test_a_view_is_read_as_layers(made):
    people, character, rows = made
    assert rendered.read(people) == rows
    layers = rendered.layers(people, character, "0001")
    assert layers.photo.shape == (64, 64, 4) and layers.photo.dtype == np.float32
    np.testing.assert_array_equal(layers.labels, labels_of(64))
    np.testing.assert_array_equal(layers.heads, labels_of(64) > 0)
    assert layers.points.shape == (1, 468, 2) and layers.boxes.shape == (1, 4)


def test_a_group_is_read_with_each_of_its_people(made):
    people, character, _ = made
    assert rendered.groups(people) == []
    row = add_group(people, character)
    assert rendered.groups(people) == [row]
    layers = rendered.layers(people, character, "g0001")
    assert layers.points.shape == (2, 468, 2) and set(np.unique(layers.heads)) == {0, 1, 2}
    (left, top, right, bottom), second = layers.boxes
    assert right < 32 and top < bottom
    np.testing.assert_allclose(second, [left + 32, top, right + 32, bottom])


def test_the_head_box_holds_face_neck_and_hair():
    labels = np.zeros((20, 30), np.uint8)
    labels[4:9, 10:15] = 17
    labels[9:12, 11:13] = 14
    labels[12:20] = 16
    np.testing.assert_array_equal(rendered.head_box(labels), [10, 4, 15, 12])
    assert np.isnan(rendered.head_box(np.full((4, 4), 16, np.uint8))).all()


@pytest.mark.parametrize("text", ["", "{", '{"schema": 2}\n', '{"id": 1}\n'])
def test_a_table_that_cannot_be_used_is_one_sentence(made, text):
    (made[0] / "views.jsonl").write_text(text)
    with pytest.raises(StoreError, match=r"render .* people"):
        rendered.read(made[0])


def test_missing_and_damaged_layers_are_named(made):
    people, character, _ = made
    (character / "0001" / "ink.png").unlink()
    with pytest.raises(MediaError, match=r"ink\.png"):
        rendered.layers(people, character, "0001")
    (people / "views" / "0002" / "points.npz").write_bytes(b"PK")
    with pytest.raises(StoreError, match=r"points\.npz"):
        rendered.layers(people, character, "0002")


def test_layers_of_other_size_or_with_unknown_labels_are_refused(made):
    people, character, _ = made
    planes.write(character / "0001" / "ink.png", np.zeros((8, 8)))
    with pytest.raises(StoreError, match="differ in size"):
        rendered.layers(people, character, "0001")
    planes.write(people / "views" / "0002" / "labels.png", np.full((64, 64), 20, np.uint8))
    with pytest.raises(StoreError, match="labels above 19"):
        rendered.layers(people, character, "0002")
