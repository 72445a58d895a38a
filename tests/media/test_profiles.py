"""Colour profiles: against the published matrix of Display P3, and against profiles written here by hand."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wbme.media import images, profiles

# Linear Display P3 to linear sRGB (both D65), from the primaries of SMPTE RP 431-2 and IEC 61966-2-1.
P3_TO_SRGB = np.array(
    [[1.2249402, -0.2249402, 0.0], [-0.0420569, 1.0420569, 0.0], [-0.0196376, -0.0786361, 1.0982736]]
)
P3_D50 = {
    "r": (0.51512, 0.24120, -0.00105),
    "g": (0.29198, 0.69225, 0.04189),
    "b": (0.15710, 0.06657, 0.78407),
}
SRGB_D50 = {
    "r": (0.43607, 0.22249, 0.01392),
    "g": (0.38515, 0.71687, 0.09708),
    "b": (0.14307, 0.06061, 0.71410),
}
SRGB_CURVE = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def fixed(*values):
    return struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))


def para(kind, *values):
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + fixed(*values)


def curv(*values):
    return b"curv" + bytes(4) + struct.pack(f">I{len(values)}H", len(values), *values)


def icc(space, tags, kind=b"mntr", pcs=b"XYZ "):
    text = "Profile made by hand".encode("utf-16-be")
    tags = {
        b"desc": b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text,
        b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1, 0.8249),
        **tags,
    }
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x04000000, kind, space, pcs)
    header += struct.pack(">6H4s", 2000, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += fixed(0.9642, 1, 0.8249)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def rgb_profile(colorants, curve):
    tags = {f"{c}XYZ".encode(): b"XYZ " + bytes(4) + fixed(*colorants[c]) for c in "rgb"}
    return icc(b"RGB ", tags | {f"{c}TRC".encode(): curve for c in "rgb"})


def linear(x):
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def encoded(y):
    y = np.clip(y, 0, 1)
    return np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(0, 65536, (40, 50, 3), dtype=np.uint16)


def test_display_p3_at_8_and_16_bits(noise):
    profile = rgb_profile(P3_D50, para(*SRGB_CURVE))
    expected = encoded(linear(noise / 65535) @ P3_TO_SRGB.T)
    assert np.abs(profiles.to_srgb(noise, profile) - expected).max() < 0.0015
    u8 = (noise >> 8).astype(np.uint8)
    expected = encoded(linear(u8 / 255) @ P3_TO_SRGB.T)
    assert np.abs(profiles.to_srgb(u8, profile) - expected).max() < 0.6 / 255 + 0.0015


def test_a_p3_photo_gains_saturation_and_greys_stay(tmp_path):
    u8 = np.full((8, 8, 3), (200, 120, 90), np.uint8)
    u8[4:] = 128
    Image.fromarray(u8).save(tmp_path / "a.png", icc_profile=rgb_profile(P3_D50, para(*SRGB_CURVE)))
    picture = images.read(tmp_path / "a.png")
    assert picture.info["profile"] == "Profile made by hand"
    r, g, b = picture.rgb[0, 0] * 255
    assert r > 210 and g < 118 and b < 86
    assert picture.rgb[7, 7] * 255 == pytest.approx([128] * 3, abs=1)


def test_srgb_under_another_name_changes_nothing(noise):
    for profile in (profiles.srgb(), rgb_profile(SRGB_D50, para(*SRGB_CURVE))):
        for samples in (noise, noise.astype(np.uint8)):
            expected = samples / np.float32(np.iinfo(samples.dtype).max)
            assert (profiles.to_srgb(samples, profile) == expected).all()


@pytest.mark.parametrize(
    ("curve", "law"),
    [
        (curv(), lambda x: x),
        (curv(round(1.8 * 256)), lambda x: x ** (461 / 256)),
        (curv(*(round(65535 * (i / 1023) ** 2.2) for i in range(1024))), lambda x: x**2.2),
        (para(0, 2.2), lambda x: x**2.2),
        (para(1, 2.0, 1.25, -0.25), lambda x: np.where(x >= 0.2, np.maximum(1.25 * x - 0.25, 0) ** 2, 0)),
        (para(2, 2.0, 1.0, -0.1, 0.19), lambda x: np.maximum(x - 0.1, 0) ** 2 + 0.19),
        (para(*SRGB_CURVE), linear),
        (
            para(4, 2.0, 0.8, 0.1, 0.5, 0.1, 0.05, 0.0),
            lambda x: np.where(x >= 0.1, (0.8 * x + 0.1) ** 2 + 0.05, x / 2),
        ),
    ],
)
def test_tone_curves_of_16_bit_pictures(curve, law):
    steps = np.linspace(0, 65535, 4001).round().astype(np.uint16)[None]
    x = steps / 65535
    for samples, profile in (
        (np.stack([steps] * 3, axis=-1), rgb_profile(SRGB_D50, curve)),
        (steps, icc(b"GRAY", {b"kTRC": curve})),
    ):
        got = profiles.to_srgb(samples, profile)
        assert np.abs(got - encoded(law(x))[..., None]).max() < 0.002
        assert np.unique(got[..., 1]).size > 2000  # 16-bit steps stay apart
    u8 = np.arange(256, dtype=np.uint8)[None]
    grey = profiles.to_srgb(u8, icc(b"GRAY", {b"kTRC": curve}))
    assert np.abs(grey - encoded(law(u8 / 255))[..., None]).max() < 0.001


def test_grey_pictures_with_rgb_profiles_and_the_other_way_round():
    steps = np.arange(256, dtype=np.uint8)[None]
    p3 = profiles.to_srgb(steps, rgb_profile(P3_D50, para(*SRGB_CURVE)))
    assert np.abs(p3 * 255 - steps[..., None]).max() <= 1
    grey = icc(b"GRAY", {b"kTRC": curv(256)})
    stacked = np.stack([steps] * 3, axis=-1)
    assert (profiles.to_srgb(stacked, grey) == profiles.to_srgb(steps, grey)).all()
    with pytest.raises(ValueError, match="made for GRAY"):
        profiles.to_srgb(stacked * np.array([1, 0, 0], np.uint8), grey)


def cmyk_profile():
    """Inks that no press has: cyan ink prints red (Lab 50, 70, 50), black ink black, no ink white."""
    grid = np.zeros((2, 2, 2, 2, 3), np.uint8)
    grid[..., 0, :] = (255, 128, 128)
    grid[1, :, :, 0] = (128, 198, 178)
    grid[..., 1, :] = (0, 128, 128)
    ramp = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    lut += ramp * 4 + grid.tobytes() + ramp * 3
    return icc(b"CMYK", {b"A2B0": lut}, kind=b"prtr", pcs=b"Lab ")


@pytest.mark.parametrize("suffix", ["jpg", "tiff"])
def test_cmyk_follows_its_profile(tmp_path, suffix):
    ink = np.zeros((16, 48, 4), np.uint8)
    ink[:, 16:32, 0] = 255
    ink[:, 32:, 3] = 255
    Image.fromarray(ink, "CMYK").save(tmp_path / f"a.{suffix}", icc_profile=cmyk_profile(), quality=95)
    rgb = images.read(tmp_path / f"a.{suffix}").rgb
    assert rgb[8, 4] == pytest.approx([1, 1, 1], abs=0.03)
    # Lab(50, 70, 50) under D50 is sRGB (227, 36, 39), as colour-science computes it with Bradford adaptation
    assert rgb[8, 24] * 255 == pytest.approx([227, 36, 39], abs=4)
    assert rgb[8, 44] == pytest.approx([0, 0, 0], abs=0.03)


@pytest.mark.parametrize("profile", [b"not a profile", cmyk_profile(), profiles.srgb()[:300]])
def test_a_useless_profile_is_noted_and_ignored(tmp_path, noise, profile):
    u8 = noise.astype(np.uint8)
    Image.fromarray(u8).save(tmp_path / "a.png", icc_profile=profile)
    picture = images.read(tmp_path / "a.png")
    assert (picture.rgb == u8 / np.float32(255)).all()
    assert "colour profile is ignored" in picture.info["notes"][0]


@settings(max_examples=300, deadline=None)
@given(
    deep=st.booleans(),
    edits=st.lists(st.tuples(st.integers(0, 599), st.integers(0, 255)), min_size=1, max_size=6),
    size=st.integers(0, 620),
)
def test_a_damaged_profile_converts_or_says_so(deep, edits, size):
    data = bytearray(rgb_profile(P3_D50, para(*SRGB_CURVE)))
    for place, value in edits:
        data[place % len(data)] = value
    samples = np.arange(24, dtype=np.uint16 if deep else np.uint8).reshape(2, 4, 3) * (2700 if deep else 10)
    try:
        got = profiles.to_srgb(samples, bytes(data[: max(size, 200)]))
        assert got.shape == samples.shape and got.min() >= 0 and got.max() <= 1
    except ValueError:
        pass


def test_a_16_bit_p3_png_from_end_to_end(tmp_path, noise):
    data = cv2.imencode(".png", noise[..., ::-1])[1].tobytes()
    profile = rgb_profile(P3_D50, para(*SRGB_CURVE))
    body = b"iCCP" + b"p3\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    (tmp_path / "a.png").write_bytes(data[:33] + chunk + data[33:])
    picture = images.read(tmp_path / "a.png")
    assert (picture.rgb == profiles.to_srgb(noise, profile)).all()
    assert picture.info["bits"] == 16 and picture.info["notes"] == []
