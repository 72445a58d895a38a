"""Bodies: points and mask of the astronaut, a moved copy, and pictures without people."""

import numpy as np
import pytest
import skimage.data

from wbme.perception import pose


@pytest.fixture(scope="module")
def body(astronaut):
    (found,) = pose.detect(astronaut)
    return found


def test_points_where_the_eye_sees_them(body):
    assert body.points.shape == (33, 4)
    np.testing.assert_allclose(body.points[0, :2], [221, 127], atol=8)  # nose
    np.testing.assert_allclose(body.points[[5, 2], :2], [[203, 101], [246, 103]], atol=12)  # eyes
    assert body.points[12, 0] < 130  # the right shoulder, on the left of the picture
    assert body.points[11, 0] > 270
    assert body.score > 0.9
    assert (body.points[[0, 2, 5, 11, 12], 3] > 0.9).all()
    assert body.points[[27, 28], 3].max() < 0.5  # the ankles lie outside the picture


def test_mask_covers_the_person_and_not_the_room(body):
    assert body.mask.shape == (512, 512)
    assert body.mask.dtype == np.float32
    assert 0 <= body.mask.min() <= body.mask.max() <= 1
    for x, y in ((220, 120), (180, 350), (230, 60), (60, 480)):  # face, suit, hair, arm
        assert body.mask[y, x] > 0.9
    for x, y in ((420, 80), (60, 60), (330, 60), (420, 200), (20, 250)):  # rocket, flag, wall
        assert body.mask[y, x] < 0.1


def test_a_picture_twice_as_wide_moves_the_points(astronaut, body):
    wide = np.full((512, 900, 3), 0.5, np.float32)
    wide[:, 300:812] = astronaut
    (moved,) = pose.detect(wide)
    # Within a tenth of the shoulders' width.
    np.testing.assert_allclose(
        moved.points[[0, 11, 12], :2], body.points[[0, 11, 12], :2] + [300, 0], atol=20
    )
    assert moved.mask.shape == (512, 900)
    assert moved.mask[350, 480] > 0.9
    assert moved.mask[:, :280].max() < 0.1


def test_two_people_give_two_bodies_and_max_bodies_the_larger(astronaut):
    small = astronaut[::2, ::2]
    both = np.full((512, 800, 3), 0.5, np.float32)
    both[:, :512], both[256:, 530:786] = astronaut, small
    found = pose.detect(both)
    assert len(found) == 2
    assert found[0].points[0, 0] < 512 < found[1].points[0, 0]
    assert len(pose.detect(both, max_bodies=1)) == 1


def test_four_people_give_four_bodies_each_once(astronaut, body):
    found = pose.detect(np.tile(astronaut, (2, 2, 1)))
    places = {tuple((b.points[0, :2] // 512).astype(int)) for b in found}
    assert len(found) == len(places) == 4
    for b in found:
        np.testing.assert_allclose(b.points[0, :2] % 512, body.points[0, :2], atol=20)


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (8, 600)])
def test_tiny_pictures(shape):
    assert pose.detect(np.full((*shape, 3), 0.5, np.float32)) == []


@pytest.mark.parametrize("name", ["coffee", "chelsea", "cell", "coins"])
def test_pictures_without_people(name):
    picture = getattr(skimage.data, name)()
    picture = np.dstack([picture] * 3) if picture.ndim == 2 else picture
    assert pose.detect((picture / 255).astype(np.float32)) == []
