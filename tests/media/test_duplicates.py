"""Duplicates: the hash survives what copies suffer and tells other pictures apart; groups are exact."""

import cv2
import numpy as np
import skimage.data
from hypothesis import given
from hypothesis import strategies as st

from wbme.media import duplicates, images


def rgb(name):
    picture = getattr(skimage.data, name)()
    return (picture / np.float32(255)) if picture.ndim == 3 else np.stack([picture / np.float32(255)] * 3, -1)


def bits(a, b):
    return (a ^ b).bit_count()


def test_the_hash_of_a_picture_drawn_by_hand():
    steps = np.array([[0, 1, 2, 1, 2, 3, 2, 1, 2]] * 8, np.float32) / 4
    steps[4] = steps[4, ::-1]
    picture = np.stack([np.kron(steps, np.ones((10, 10), np.float32))] * 3, axis=-1)
    rows = [0b11011001] * 8
    rows[4] = 0b01100100
    assert duplicates.dhash(picture) == int.from_bytes(bytes(rows), "big")


def test_copies_are_near_and_others_far(tmp_path):
    names = ("astronaut", "cat", "coffee", "rocket", "camera", "chelsea")
    hashes = {name: duplicates.dhash(rgb(name)) for name in names}
    for name in names[:5]:
        picture = rgb(name)
        small = images.read(images.write(tmp_path / "a.jpg", cv2.resize(picture, (200, 170)), quality=50)).rgb
        assert bits(duplicates.dhash(small), hashes[name]) <= 6
        assert bits(duplicates.dhash(picture * np.float32(0.7)), hashes[name]) <= 6
    values = [hashes[name] for name in names]
    assert duplicates.groups(values, 10) == [[1, 5]]  # chelsea is the cat
    far = [bits(a, b) for i, a in enumerate(values[:5]) for b in values[:i]]
    assert min(far) > 15


def test_tiny_pictures_have_a_hash():
    assert duplicates.dhash(np.zeros((1, 1, 3), np.float32)) == 0
    assert 0 <= duplicates.dhash(np.random.default_rng(0).random((5, 8, 3), np.float32)) < 2**64


def test_equal_digests():
    assert duplicates.groups(["a", "b", "a", "c", "b", "a"]) == [[0, 2, 5], [1, 4]]
    assert duplicates.groups([]) == []
    assert duplicates.groups([], 3) == []


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 15), max_size=30), st.integers(0, 8))
def test_groups_are_the_components_of_the_graph_of_near_pairs(values, distance):
    label = list(range(len(values)))
    for _ in values:
        for i, a in enumerate(values):
            label[i] = min(label[j] for j, b in enumerate(values) if bits(a, b) <= distance)
    expected = [[i for i, x in enumerate(label) if x == y] for y in dict.fromkeys(label)]
    assert duplicates.groups(values, distance) == [g for g in expected if len(g) > 1]
