"""Pictures of every kind come in upright, as sRGB, at their own precision; bad files get a sentence."""

import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wbme.base.errors import MediaError, StoreError
from wbme.media import files, images
from wbme.media.images import Limits


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour, rows, *extra):
    """A PNG by hand, so that what is stored does not depend on a library."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def saved(image, path, **options):
    image.save(path, **options)
    return path


@pytest.fixture(scope="module")
def photo():
    """A smooth picture with structure, uint8 96 x 128 x 3."""
    y, x = np.mgrid[:96, :128]
    planes = (100 + 80 * np.sin(x / 17), 120 + 60 * np.cos(y / 11), 90 + 50 * np.sin((x + y) / 23))
    return np.stack(planes, axis=-1).astype(np.uint8)


# Upright is the letter F: how EXIF orientation 1 to 8 stores it, written by hand from the standard's figure.
F = ("###", "#..", "##.", "#..")
STORED = {
    1: ("###", "#..", "##.", "#.."),
    2: ("###", "..#", ".##", "..#"),
    3: ("..#", ".##", "..#", "###"),
    4: ("#..", "##.", "#..", "###"),
    5: ("####", "#.#.", "#..."),
    6: ("#...", "#.#.", "####"),
    7: ("...#", ".#.#", "####"),
    8: ("####", ".#.#", "...#"),
}


def letter(rows):
    return np.array([[255 if c == "#" else 0 for c in row] for row in rows], np.uint8)


@pytest.mark.parametrize("suffix", ["png", "tiff", "webp", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_upright(tmp_path, orientation, suffix):
    stored = np.kron(letter(STORED[orientation]), np.ones((16, 16), np.uint8))
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    image = Image.fromarray(np.stack([stored] * 3, axis=-1))
    path = saved(image, tmp_path / f"f.{suffix}", exif=exif, **options)
    picture = images.read(path)
    assert (picture.rgb[8::16, 8::16, 0].round() * 255 == letter(F)).all()
    assert picture.info["orientation"] == orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_alpha_and_16_bits_are_turned_too(tmp_path, orientation):
    grey = letter(STORED[orientation]).astype(">u2") * 257
    exif = Image.Exif()
    exif[274] = orientation
    rows = [np.stack([row, row], axis=-1).tobytes() for row in grey]
    data = png(*grey.shape[::-1], 16, 4, rows, chunk(b"eXIf", exif.tobytes()[6:]))
    (tmp_path / "f.png").write_bytes(data)
    picture = images.read(tmp_path / "f.png")
    assert (picture.rgb[..., 1] * 255 == letter(F)).all()
    assert (picture.alpha * 255 == letter(F)).all()


def test_16_bit_colour_tiff_is_turned_once(tmp_path):
    stored = np.stack([letter(STORED[6]).astype(np.uint16) * 257] * 3, axis=-1)
    data = bytearray(cv2.imencode(".tiff", stored)[1].tobytes())
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    entries = [bytes(data[start + 2 + 12 * i :][:12]) for i in range(count)]
    entries = [e for e in entries if e[:2] != struct.pack("<H", 274)] + [
        struct.pack("<HHIHH", 274, 3, 1, 6, 0)
    ]
    entries.sort(key=lambda e: struct.unpack_from("<H", e)[0])
    struct.pack_into("<I", data, 4, len(data))
    data += struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    (tmp_path / "f.tiff").write_bytes(data)
    picture = images.read(tmp_path / "f.tiff")
    assert picture.info["bits"] == 16
    assert (picture.rgb[..., 0] * 255 == letter(F)).all()


def test_exif_behind_the_pixels_is_found(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    stored = letter(STORED[6])
    data = png(4, 3, 8, 0, [row.tobytes() for row in stored])[:-12]
    (tmp_path / "f.png").write_bytes(data + chunk(b"eXIf", exif.tobytes()[6:]) + chunk(b"IEND", b""))
    assert images.read(tmp_path / "f.png").rgb.shape == (4, 3, 3)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_exif_does_not_hide_the_pixels(tmp_path, photo):
    path = saved(Image.fromarray(photo), tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert images.read(path).rgb.shape == photo.shape


def test_png_keeps_every_8_bit_value(tmp_path):
    rgb = np.arange(768, dtype=np.uint8).reshape(16, 16, 3)
    path = images.write(tmp_path / "a.png", rgb)
    assert (images.read(path).rgb == rgb / np.float32(255)).all()
    assert (images.read(images.write(tmp_path / "b.png", images.read(path).rgb)).rgb * 255 == rgb).all()


def test_16_bit_colour_keeps_its_precision(tmp_path):
    values = np.array([[[1000, 1001, 65535], [0, 40000, 40001]]], ">u2")
    (tmp_path / "a.png").write_bytes(png(2, 1, 16, 2, [values.tobytes()]))
    picture = images.read(tmp_path / "a.png")
    assert (np.rint(picture.rgb * 65535) == values).all()
    assert picture.alpha is None
    assert picture.info["bits"] == 16
    cv2.imwrite(str(tmp_path / "a.tiff"), values[..., ::-1].astype(np.uint16))
    assert (np.rint(images.read(tmp_path / "a.tiff").rgb * 65535) == values).all()


def test_16_bit_grey_and_its_transparent_value(tmp_path):
    values = np.array([[1000, 1001, 65535]], ">u2")
    data = png(3, 1, 16, 0, [values.tobytes()], chunk(b"tRNS", struct.pack(">H", 1001)))
    (tmp_path / "a.png").write_bytes(data)
    picture = images.read(tmp_path / "a.png")
    assert (np.rint(picture.rgb * 65535) == values[..., None]).all()
    assert picture.alpha.tolist() == [[1, 0, 1]]


def test_alpha_is_straight_and_apart(tmp_path, photo):
    alpha = np.linspace(0, 1, photo[..., 0].size, dtype=np.float32).reshape(photo.shape[:2])
    rgb = photo / np.float32(255)
    for name in ("a.png", "a.webp"):
        picture = images.read(images.write(tmp_path / name, rgb, alpha, quality=100))
        assert np.abs(picture.alpha - alpha).max() <= 0.5 / 255 + 1e-6
        assert np.abs(picture.rgb - rgb).mean() < (1e-6 if name == "a.png" else 0.02)  # also where alpha is 0


def test_palette_with_transparency(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    for suffix, clear in (("png", b"\x00\x80\xff"), ("gif", 0)):
        picture = images.read(saved(image, tmp_path / f"a.{suffix}", transparency=clear))
        assert picture.rgb[0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        expected = [0, 128 / 255, 1] if suffix == "png" else [0, 1, 1]
        assert picture.alpha[0] == pytest.approx(expected)
    picture = images.read(saved(image, tmp_path / "b.png"))
    assert picture.alpha is None


def test_grey_and_bilevel(tmp_path):
    grey = Image.fromarray(np.array([[0, 51, 255]], np.uint8))
    assert images.read(saved(grey, tmp_path / "a.png")).rgb[0, :, 2] == pytest.approx([0, 0.2, 1])
    bilevel = images.read(saved(grey.point(lambda v: 255 * (v > 99), "1"), tmp_path / "b.png"))
    assert bilevel.rgb[0].tolist() == [[0] * 3, [0] * 3, [1] * 3]
    assert bilevel.info["bits"] == 1
    with_alpha = Image.merge("LA", (grey, grey))
    picture = images.read(saved(with_alpha, tmp_path / "c.png"))
    assert picture.rgb[0, 1] == pytest.approx([0.2] * 3)
    assert picture.alpha[0, 1] == pytest.approx(0.2)


@pytest.mark.parametrize("suffix", ["jpg", "tiff"])
def test_cmyk_without_a_profile(tmp_path, suffix):
    ink = np.zeros((32, 32, 4), np.uint8)
    ink[:16] = (0, 255, 255, 0)  # magenta and yellow make red
    ink[16:] = (0, 0, 0, 127)
    picture = images.read(saved(Image.fromarray(ink, "CMYK"), tmp_path / f"a.{suffix}", quality=95))
    assert picture.rgb[4, 4] == pytest.approx([1, 0, 0], abs=0.03)
    assert picture.rgb[28, 4] == pytest.approx([128 / 255] * 3, abs=0.03)
    assert picture.info["mode"] == "CMYK"


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame(tmp_path, suffix):
    first, second = (Image.new("RGB", (20, 10), c) for c in ("#ff0000", "#0000ff"))
    options = {"lossless": True} if suffix == "webp" else {}
    path = saved(first, tmp_path / f"a.{suffix}", save_all=True, append_images=[second], **options)
    picture = images.read(path)
    assert picture.rgb[5, 5].tolist() == [1, 0, 0]
    assert picture.info["animated"] and "first of several" in picture.info["notes"][0]


def test_eight_pixels_and_one_pixel(tmp_path):
    for width in (8, 1):
        path = images.write(tmp_path / "a.png", np.full((3, width, 3), 0.5))
        assert images.read(path).rgb.shape == (3, width, 3)


# Bad input


def one_sentence(error, path):
    text = str(error.value)
    assert str(path) in text and "\n" not in text
    assert "; " in text or "wbme reads" in text  # what to do
    return text


def refused(path, words, **options):
    with pytest.raises(MediaError) as error:
        images.read(path, **options)
    assert words in one_sentence(error, path)


def test_not_a_picture(tmp_path):
    refused(tmp_path / "none.png", "no picture at")
    refused(tmp_path, "is a folder")
    (tmp_path / "empty.png").touch()
    refused(tmp_path / "empty.png", "is empty")
    (tmp_path / "text.png").write_text("dear diary " * 100)
    refused(tmp_path / "text.png", "is not a picture")
    os.mkfifo(tmp_path / "pipe.png")
    refused(tmp_path / "pipe.png", "pipe")
    (tmp_path / "loop.png").symlink_to("loop.png")
    refused(tmp_path / "loop.png", "cannot open")
    (tmp_path / "script.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    refused(tmp_path / "script.png", "is not a picture")  # no interpreter is ever started


def test_a_header_of_30000_by_30000_is_refused_undecoded(tmp_path):
    (tmp_path / "bomb.png").write_bytes(png(30000, 30000, 8, 2, [b"\0" * 90000]))
    refused(tmp_path / "bomb.png", "pixels than the limit")
    (tmp_path / "large.png").write_bytes(png(9000, 9000, 8, 0, [b"\0" * 9000]))
    refused(tmp_path / "large.png", "9,000 x 9,000 pixels")
    bmp = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 30000, 30000, 1, 24, 0, 0, 0, 0, 0, 0)
    (tmp_path / "bomb.bmp").write_bytes(bmp + bytes(99))
    refused(tmp_path / "bomb.bmp", "pixels than the limit")


def test_limits(tmp_path, photo):
    path = images.write(tmp_path / "a.png", photo)
    refused(path, "over the limit of 12,287", limits=Limits(max_pixels=12287))
    assert images.read(path, limits=Limits(max_pixels=12288)).rgb.shape == photo.shape
    with pytest.raises(MediaError, match="max_bytes"):
        images.read(path, limits=Limits(max_bytes=path.stat().st_size - 1))
    assert Limits().max_pixels >= 8192 * 8192


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tiff", "bmp"])
@pytest.mark.parametrize("part", [0.9, 0.5, 0.02])
def test_cut_short(tmp_path, photo, suffix, part):
    path = saved(Image.fromarray(photo), tmp_path / f"a.{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(MediaError) as error:
        images.read(path)
    one_sentence(error, path)


def test_16_bit_png_cut_short(tmp_path):
    noise = np.random.default_rng(0).integers(0, 65536, (64, 64, 3), dtype=np.uint16)
    data = cv2.imencode(".png", noise)[1].tobytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match="cut short"):
        images.read(tmp_path / "a.png")


def test_samples_of_an_odd_kind(tmp_path):
    path = saved(Image.fromarray(np.ones((4, 4), np.float32)), tmp_path / "a.tiff")
    with pytest.raises(MediaError, match="convert it to RGB of 8 or 16 bits"):
        images.read(path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]),
    places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damaged_bytes_give_a_picture_or_a_sentence(tmp_path_factory, kind, places):
    buffer = io.BytesIO()
    image = Image.fromarray(np.arange(1536, dtype=np.uint8).reshape(16, 32, 3))
    image.save(buffer, kind, icc_profile=images.profiles.srgb(), exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    data = bytearray(buffer.getvalue())
    for place, value in places:
        data[int(place * len(data))] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(data)
    try:
        rgb = images.read(path, limits=Limits(max_pixels=10**6)).rgb
        assert rgb.dtype == np.float32 and rgb.min() >= 0 and rgb.max() <= 1
    except MediaError as error:
        assert "\n" not in str(error)


# Finding


def test_finding_is_sorted_and_survives_loops(tmp_path):
    for name in (
        "b/2.JPG",
        "b/1.png",
        "a.webp",
        "b/.hidden.png",
        ".git/x.png",
        "b/note.txt",
        "c/deep/er/z.tif",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "b" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "c" / "self").symlink_to("self")
    (tmp_path / "c" / "broken.png").symlink_to("nothing.png")
    (tmp_path / "c" / "link.png").symlink_to(tmp_path / "b" / "1.png")
    (tmp_path / "c" / "folder.png").mkdir()
    os.mkfifo(tmp_path / "c" / "pipe.png")
    names = [p.relative_to(tmp_path).as_posix() for p in files.below(tmp_path, images.SUFFIXES)]
    assert names == ["a.webp", "b/1.png", "b/2.JPG", "c/deep/er/z.tif", "c/link.png"]
    with pytest.raises(MediaError, match="no folder"):
        list(files.below(tmp_path / "none", images.SUFFIXES))


# Writing


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_written_files_are_tagged_srgb_and_the_same_bytes(tmp_path, photo, suffix):
    path = images.write(tmp_path / f"a.{suffix}", photo / 255)
    again = images.write(tmp_path / f"new/b.{suffix}", photo / np.float32(255))
    assert path.read_bytes() == again.read_bytes()
    picture = images.read(path)
    assert np.abs(picture.rgb - photo / 255).mean() < (1e-6 if suffix == "png" else 0.01)
    assert picture.info["notes"] == []
    if suffix == "png":
        assert Image.open(path).info["srgb"] == 0
    else:
        assert picture.info["profile"] == "sRGB built-in"
    assert list(tmp_path.glob(".*")) == []


def test_write_clips_and_refuses(tmp_path):
    path = images.write(tmp_path / "a.png", np.array([[[-1.0, 0.5, 9.0]]]))
    assert images.read(path).rgb[0, 0] == pytest.approx([0, 128 / 255, 1])
    before = path.read_bytes()
    ok = np.zeros((4, 4, 3))
    for words, name, rgb, alpha in (
        ("choose one", "a.bmp", ok, None),
        ("no transparency", "a.jpg", ok, ok[..., 0]),
        ("H x W x 3", "a.png", ok[..., 0], None),
        ("alpha", "a.png", ok, ok[:2, :, 0]),
        ("int64", "a.png", ok.astype(np.int64), None),
        ("not finite", "a.png", ok * np.nan, None),
        ("refuses", "a.webp", np.zeros((1, 17000, 3), np.uint8), None),
    ):
        with pytest.raises(MediaError, match=words):
            images.write(tmp_path / name, rgb, alpha)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_full_disk_leaves_the_old_picture(tmp_path):
    path = images.write(tmp_path / "a.png", np.zeros((8, 8, 3)))
    before = path.read_bytes()
    code = (
        "import resource, sys, numpy as np\n"
        "from wbme.base.errors import StoreError\n"
        "from wbme.media import files, images\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "noise = np.random.default_rng(0).random((99, 99, 3))\n"
        "try:\n    images.write(sys.argv[1], noise)\n"
        "except StoreError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"cannot write {path}: ")
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    assert issubclass(StoreError, Exception)
