"""Faces against positions measured by eye, turned and scaled copies, crowds, and pictures without a face."""

from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
import skimage.data

from wbme.base.errors import ParameterError
from wbme.geometry import landmarks as sets
from wbme.geometry.alignment import ffhq_crop
from wbme.media import images
from wbme.perception import faces, hands, pose

# Read off a 14-fold enlargement of skimage.data.astronaut(): pixel columns and rows.
RIGHT_IRIS, LEFT_IRIS = (203.0, 100.5), (246.5, 102.5)
RIGHT_MOUTH_CORNER = (203.5, 139.5)
CHIN_ROW = 177.0


@pytest.fixture(scope="module")
def face(astronaut):
    (found,) = faces.detect(astronaut)
    return found


def test_the_astronaut_where_the_eye_sees_her(face):
    np.testing.assert_allclose(face.irises[:, 0], [RIGHT_IRIS, LEFT_IRIS], atol=1.5)
    np.testing.assert_allclose(face.keypoints[:2], [RIGHT_IRIS, LEFT_IRIS], atol=6)
    np.testing.assert_allclose(face.landmarks[61, :2], RIGHT_MOUTH_CORNER, atol=3)
    assert face.landmarks[152, 1] == pytest.approx(CHIN_ROW, abs=4)
    assert face.landmarks.shape == (468, 3)
    assert face.irises.shape == (2, 5, 2)
    assert face.score > 0.8
    assert face.roll == pytest.approx(3, abs=2)
    assert 90 < face.size < 115


def test_the_rim_of_an_iris_surrounds_its_centre(face):
    for iris in face.irises:
        radii = np.hypot(*(iris[1:] - iris[0]).T)
        assert 3 < radii.min() < radii.max() < 5  # about 4 pixels in the enlargement
        np.testing.assert_allclose(iris[1:].mean(0), iris[0], atol=0.7)


def test_the_nose_is_nearer_than_the_ears(face):
    nose, right, left = face.landmarks[[sets.NOSE_TIP, 234, 454], 2]
    assert min(right, left) - nose > 0.3 * face.size


def test_left_and_right_are_the_persons_own(face):
    assert face.landmarks[list(sets.RIGHT_EYE), 0].mean() < face.landmarks[list(sets.LEFT_EYE), 0].mean()
    assert face.landmarks[50, 0] < face.landmarks[280, 0]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_copies_give_the_same_points(astronaut, face, quarters):
    (turned,) = faces.detect(np.rot90(astronaut, quarters).copy())
    expected_roll = face.roll - 90 * quarters
    assert abs((turned.roll - expected_roll + 180) % 360 - 180) < 2
    for _ in range(quarters):  # np.rot90 moves (x, y) to (y, width - 1 - x)
        face = faces.Face(
            face.box,
            face.score,
            face.keypoints,
            np.column_stack([face.landmarks[:, 1], 511 - face.landmarks[:, 0], face.landmarks[:, 2]]),
            np.dstack([face.irises[..., 1], 511 - face.irises[..., 0]]),
        )
    far = np.hypot(*(turned.landmarks - face.landmarks)[:, :2].T)
    assert far.mean() < 0.02 * face.size
    assert np.abs(turned.irises - face.irises).max() < 0.02 * face.size


@pytest.mark.parametrize("degrees", [20, -33])
def test_rolled_copies_give_the_same_points(astronaut, face, degrees):
    matrix = cv2.getRotationMatrix2D((230, 130), -degrees, 1.0)
    (turned,) = faces.detect(cv2.warpAffine(astronaut, matrix, (512, 512), borderMode=cv2.BORDER_REFLECT))
    expected = face.irises[:, 0] @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(turned.irises[:, 0] - expected).max() < 0.02 * face.size
    assert turned.roll - face.roll == pytest.approx(degrees, abs=2)


@pytest.mark.parametrize("scale", [0.4, 2.0])
def test_scaled_copies_give_scaled_points(astronaut, face, scale):
    size = round(512 * scale)
    (scaled,) = faces.detect(cv2.resize(astronaut, (size, size), interpolation=cv2.INTER_AREA))
    expected = (face.irises[:, 0] + 0.5) * scale - 0.5
    assert np.abs(scaled.irises[:, 0] - expected).max() < 0.02 * face.size * scale
    far = np.hypot(*(scaled.landmarks[:, :2] - (face.landmarks[:, :2] + 0.5) * scale + 0.5).T)
    assert far.mean() < 0.02 * face.size * scale
    assert np.ptp(scaled.landmarks[:, 2]) == pytest.approx(np.ptp(face.landmarks[:, 2]) * scale, rel=0.1)


def test_a_mirrored_copy_swaps_the_sides(astronaut, face):
    (mirrored,) = faces.detect(astronaut[:, ::-1].copy())
    expected = face.irises[::-1, 0] * [-1, 1] + [511, 0]
    np.testing.assert_allclose(mirrored.irises[:, 0], expected, atol=0.02 * face.size)


def test_twenty_of_twenty_in_a_crowd_of_all_sizes_and_turns(crowd):
    picture, truth = crowd
    found = faces.detect(picture, rotations="all")
    assert len(found) == 20
    for nose, degrees in truth:
        (face,) = [f for f in found if np.hypot(*(f.landmarks[sets.NOSE_TIP, :2] - nose)) < 0.12 * f.size]
        assert abs((face.roll - 3 - degrees + 180) % 360 - 180) < 4
    sizes = [face.size for face in found]
    assert sizes == sorted(sizes, reverse=True)
    assert 35 < sizes[-1] < 50
    assert 90 < sizes[0] < 110


@pytest.mark.parametrize(("start", "step", "ground"), [(50, 400, 1.0), (80, 380, 0.0), (0, 300, 0.5)])
@pytest.mark.parametrize("rotations", ["auto", "all"])
def test_twenty_of_twenty_portraits_on_one_sheet(astronaut, start, step, ground, rotations):
    hopper = images.read(Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")).rgb
    tiles = [cv2.resize(p, (300, 300), interpolation=cv2.INTER_AREA) for p in (hopper, astronaut)]
    sheet = np.full((1600, 2000, 3), ground, np.float32)
    for index in range(20):
        y, x = (start + step * place for place in divmod(index, 5))
        sheet[y : y + 300, x : x + 300] = tiles[index % 2]
    found = faces.detect(sheet, rotations=rotations, min_size=50, irises=False)
    places = {tuple(((face.box[1::-1] + face.size / 2 - start) // step).astype(int)) for face in found}
    assert len(found) == len(places) == 20
    assert min(face.score for face in found) > 0.75


def test_max_faces_keeps_the_largest(crowd):
    picture, _ = crowd
    some = faces.detect(picture, rotations="all", max_faces=3, irises=False)
    assert len(some) == 3
    assert min(face.size for face in some) > 85
    assert all(face.irises is None for face in some)


@pytest.mark.parametrize("name", ["coins", "coffee", "chelsea", "brick"])
def test_pictures_without_a_face(name):
    picture = getattr(skimage.data, name)()
    picture = np.dstack([picture] * 3) if picture.ndim == 2 else picture
    assert faces.detect((picture / 255).astype(np.float32)) == []


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (8, 600), (600, 8)])
def test_tiny_and_narrow_pictures(shape):
    picture = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    assert faces.detect(picture) == []


def test_the_same_picture_gives_the_same_bytes(astronaut, face):
    (again,) = faces.detect(astronaut)
    for name in ("box", "keypoints", "landmarks", "irises"):
        assert getattr(again, name).tobytes() == getattr(face, name).tobytes()


@pytest.mark.parametrize("range", ["short", "full"])
def test_one_look_finds_the_same_face(astronaut, face, range):
    (found,) = faces.detect(astronaut, range=range)
    np.testing.assert_allclose(found.irises[:, 0], face.irises[:, 0], atol=0.02 * face.size)


def test_without_landmarks(astronaut, face):
    (found,) = faces.detect(astronaut, landmarks=False)
    assert found.landmarks is None
    assert found.irises is None
    np.testing.assert_allclose(found.box, face.box)
    assert found.roll == pytest.approx(5, abs=6)
    with pytest.raises(ParameterError, match="landmarks=True"):
        faces.skin_mask(found, (512, 512))


@pytest.mark.parametrize("wrong", [255.0, np.nan])
def test_what_is_no_picture_is_refused(astronaut, wrong):
    for detect in (faces.detect, hands.detect, pose.detect):
        with pytest.raises(ParameterError, match="the picture holds"):
            detect(astronaut * np.float32(wrong))


def test_unknown_ways_of_looking_are_refused(astronaut):
    with pytest.raises(ParameterError, match="medium"):
        faces.detect(astronaut, range="medium")


def test_skin_mask_holds_cheeks_and_not_eyes_brows_lips_background(astronaut, face):
    mask = faces.skin_mask(face, astronaut.shape)
    assert mask.shape == (512, 512)
    assert mask.dtype == np.float32

    def at(x, y):
        return mask[round(y), round(x)]

    for index in (50, 280, sets.NOSE_TIP, 151, 199):  # cheeks, nose, forehead, chin
        assert at(*face.landmarks[index, :2]) == 1
    for x, y in (RIGHT_IRIS, LEFT_IRIS, (222, 147), (200, 89), (245, 92)):  # teeth and both brows
        assert at(x, y) == 0
    for loop in (sets.RIGHT_EYE, sets.LEFT_EYE, sets.LIPS_OUTER):
        assert all(at(*point) == 0 for point in face.landmarks[list(loop), :2])
    assert at(160, 60) == at(300, 100) == at(222, 190) == 0
    lightness = astronaut.mean(-1)
    assert np.median(lightness[mask > 0.99]) > 0.6
    assert 0.4 < mask.sum() / (face.size * face.size) < 0.75


def test_skin_mask_may_be_soft(astronaut, face):
    hard, soft = (faces.skin_mask(face, astronaut.shape, feather=sigma) for sigma in (0, 2))
    assert ((soft > 0.02) & (soft < 0.98)).sum() > 3 * ((hard > 0.02) & (hard < 0.98)).sum()
    assert soft.sum() == pytest.approx(hard.sum(), rel=0.05)


def test_skin_mask_on_a_part_of_the_picture(face):
    part = faces.skin_mask(face, (120, 230))
    assert part.shape == (120, 230)
    # The border may cut a line between two sub-pixels.
    assert (np.abs(part - faces.skin_mask(face, (512, 512))[:120, :230]) > 0.01).sum() < 10


def test_an_aligned_crop_is_upright(astronaut, face):
    turned = np.rot90(astronaut, 2).copy()
    (found,) = faces.detect(turned)
    for picture, points in ((astronaut, face.landmarks), (turned, found.landmarks)):
        crop = ffhq_crop(picture, points, 256)
        (aligned,) = faces.detect(crop.rgb, rotations="none")
        assert abs(aligned.roll) < 3
        right, left = aligned.irises[:, 0]
        assert (right + left)[0] / 2 == pytest.approx(128, abs=6)
        assert left[0] - right[0] == pytest.approx(256 / 4, rel=0.1)
