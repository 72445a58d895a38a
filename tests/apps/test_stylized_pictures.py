"""Picture files: transparency, grey, orientation, depth, notes."""

import cv2
import numpy as np
import pytest
from PIL import Image

from wbme.apps import pictures
from wbme.base.errors import MediaError
from wbme.media import images


@pytest.fixture
def photo(tmp_path, astronaut):
    return images.write(tmp_path / "photo.png", astronaut)


def test_a_photo_is_drawn_with_its_face(stylizer, photo, tmp_path, astronaut):
    done = pictures.convert(stylizer, photo, tmp_path / "toon.png")
    assert (done.width, done.height, done.faces, done.notes) == (512, 512, 1, [])
    assert done.seconds > 0
    want = np.rint(stylizer.picture(astronaut) * 255) / 255
    np.testing.assert_allclose(images.read(tmp_path / "toon.png").rgb, want, atol=1e-6)


def test_without_a_face_it_says_so_unless_none_was_looked_for(stylizer, tmp_path):
    images.write(tmp_path / "wall.png", np.full((40, 50, 3), 0.5))
    done = pictures.convert(stylizer, tmp_path / "wall.png", tmp_path / "toon.png")
    assert (done.faces, done.notes) == (0, ["no face found, drawn as a whole"])
    assert pictures.convert(stylizer, tmp_path / "wall.png", tmp_path / "toon.png", faces=False).notes == []


def test_transparency_is_kept_and_what_hides_under_it_draws_no_line(stylizer, tmp_path):
    rgb = np.full((96, 128, 3), 0.7, np.float32)
    alpha = np.zeros((96, 128), np.float32)
    alpha[:, 40:90] = 1
    results = []
    for hidden in (0.0, 1.0):
        rgb[:, :40] = rgb[:, 90:] = hidden
        images.write(tmp_path / "cut.png", rgb, alpha)
        pictures.convert(stylizer, tmp_path / "cut.png", tmp_path / "toon.webp", faces=False)
        results.append(images.read(tmp_path / "toon.webp"))
    for result in results:
        np.testing.assert_array_equal(result.alpha, alpha)
    inside = [result.rgb[:, 40:90] for result in results]
    np.testing.assert_allclose(inside[0], inside[1], atol=0.02)
    assert np.ptp(inside[0]) < 0.05


def test_nothing_but_clear_pixels_goes_through(stylizer, tmp_path):
    images.write(tmp_path / "clear.png", np.ones((20, 20, 3)), np.zeros((20, 20)))
    pictures.convert(stylizer, tmp_path / "clear.png", tmp_path / "toon.png")
    assert images.read(tmp_path / "toon.png").alpha.max() == 0


def test_jpeg_has_no_transparency(stylizer, tmp_path):
    alpha = np.zeros((64, 64))
    alpha[:, :32] = 1
    images.write(tmp_path / "cut.png", np.full((64, 64, 3), 0.2), alpha)
    done = pictures.convert(stylizer, tmp_path / "cut.png", tmp_path / "toon.jpg", faces=False)
    drawn = images.read(tmp_path / "toon.jpg").rgb
    assert done.notes == ["JPEG holds no transparency, clear parts are white"]
    assert drawn[:, 36:].min() > 0.97 and drawn[:, :28].max() < 0.4


def test_a_grey_picture_stays_free_of_colour(model, tmp_path, astronaut):
    from wbme.apps.stylizer import Stylizer

    red = Stylizer(model, threads=1, controls={"ink_colour": [1, 0, 0]})
    Image.fromarray(np.uint8(astronaut.mean(2) * 255)).save(tmp_path / "scan.png")
    pictures.convert(red, tmp_path / "scan.png", tmp_path / "toon.png")
    drawn = images.read(tmp_path / "toon.png").rgb
    assert np.ptp(drawn, axis=2).max() == 0 and np.ptp(drawn) > 0.5


def test_sixteen_bits_are_read(stylizer, tmp_path, astronaut):
    cv2.imwrite(str(tmp_path / "deep.png"), np.uint16(astronaut[..., ::-1] * 65535))
    images.write(tmp_path / "flat.png", astronaut)
    for name in ("deep", "flat"):
        pictures.convert(stylizer, tmp_path / f"{name}.png", tmp_path / f"toon-{name}.png", faces=False)
    deep, flat = (images.read(tmp_path / f"toon-{name}.png").rgb for name in ("deep", "flat"))
    assert np.mean(np.abs(deep - flat) > 2 / 255) < 1e-3


def test_a_turned_photo_comes_upright(stylizer, tmp_path, astronaut):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn against the clock
    stored = np.ascontiguousarray(np.rot90(np.uint8(astronaut[:300] * 255)))
    Image.fromarray(stored).save(tmp_path / "phone.jpg", quality=98, subsampling=0, exif=exif)
    done = pictures.convert(stylizer, tmp_path / "phone.jpg", tmp_path / "toon.jpg")
    assert (done.width, done.height, done.faces) == (512, 300, 1)
    with Image.open(tmp_path / "toon.jpg") as result:
        assert result.size == (512, 300)
        assert result.getexif().get(0x0112, 1) == 1
    drawn = images.read(tmp_path / "toon.jpg").rgb
    assert np.abs(drawn - stylizer.picture(np.ascontiguousarray(astronaut[:300]))).mean() < 0.03


def test_a_damaged_file_writes_nothing(stylizer, tmp_path, photo):
    (tmp_path / "cut.png").write_bytes(photo.read_bytes()[:5000])
    with pytest.raises(MediaError, match="damaged or cut short"):
        pictures.convert(stylizer, tmp_path / "cut.png", tmp_path / "toon.png")
    assert not (tmp_path / "toon.png").exists()
