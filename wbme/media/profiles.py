"""ICC profiles: pixels of any profile to sRGB, and the sRGB profile that written files carry."""

import functools
import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
_CHANNELS = {"GRAY": 1, "RGB": 3, "CMYK": 4}


@functools.cache
def srgb() -> bytes:
    """An sRGB ICC profile (IEC 61966-2-1, version 4, about 600 bytes), the same bytes on every day."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # LittleCMS writes the time of day here
    return bytes(data)


def name(icc: bytes) -> str:
    """Description that the profile gives of itself; ``"damaged"`` where it cannot be read."""
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip()
    except (ImageCms.PyCMSError, OSError, ValueError):
        return "damaged"


def to_srgb(samples: NDArray[np.integer], icc: bytes) -> NDArray[np.float32]:
    """``samples`` (uint8 or uint16; H x W grey, H x W x 3 RGB, H x W x 4 CMYK) as sRGB in [0, 1], H x W x 3.

    8-bit RGB and CMYK go through LittleCMS with the perceptual intent. Grey and 16-bit RGB under a profile
    of curves and a matrix are computed in floating point (ICC.1:2022, annex F.3), since LittleCMS as Pillow
    drives it would round them to 8 bits and miss dark greys by several levels; under a profile of tables
    they are rounded too. A profile that moves no colour by more than 1/255 is sRGB under another name and
    leaves the samples exactly as they are.
    Raises ValueError for a profile that is damaged or made for another kind of samples.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = profile.profile.xcolor_space.strip()
        samples = _fit(samples, space)
        if space == "RGB" and _is_identity(profile):
            return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)
        if samples.dtype == np.uint16 or space == "GRAY":
            deep = samples.astype(np.uint16) * np.uint16(1 if samples.dtype == np.uint16 else 257)
            exact = _by_curves(deep, icc)
            if exact is not None:
                return exact
            samples = np.rint(deep / 257.0).astype(np.uint8)
        converted = _by_littlecms(Image.fromarray(samples, _MODES[space]), profile)
        return np.divide(converted, 255, dtype=np.float32)
    except (ImageCms.PyCMSError, OSError, struct.error, KeyError, IndexError) as error:
        raise ValueError(f"it is damaged ({error})") from error


def _fit(samples: NDArray[np.integer], space: str) -> NDArray[np.integer]:
    """Grey samples under an RGB profile and the other way round are common; anything else is a mistake."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    if space == "RGB" and channels == 1:
        return np.repeat(samples[..., None], 3, axis=2)
    if space == "GRAY" and channels == 3 and (samples == samples[..., :1]).all():
        return np.ascontiguousarray(samples[..., 0])
    if _CHANNELS.get(space) != channels:
        raise ValueError(f"it is made for {space} and not for {channels} channels")
    return np.ascontiguousarray(samples)


def _by_littlecms(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> NDArray[np.uint8]:
    return np.asarray(ImageCms.profileToProfile(image, profile, io.BytesIO(srgb()), outputMode="RGB"))


def _is_identity(profile: ImageCms.ImageCmsProfile) -> bool:
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(9, 81, 3)
    return int(np.abs(_by_littlecms(Image.fromarray(cube), profile).astype(int) - cube).max()) <= 1


def _by_curves(samples: NDArray[np.uint16], icc: bytes) -> NDArray[np.float32] | None:
    """Device to linear by the curves, to D50 XYZ by the matrix, to sRGB by the inverse of sRGB's matrix."""
    tags = _tags(icc)
    if "A2B0" in tags:
        return None
    if samples.ndim == 2:
        if "kTRC" not in tags:
            return None
        linear = np.repeat(_curve(tags["kTRC"])[samples][..., None], 3, axis=2)
    else:
        if not {"rTRC", "gTRC", "bTRC", "rXYZ", "gXYZ", "bXYZ"} <= tags.keys():
            return None
        device = [_curve(tags[f"{c}TRC"])[samples[..., i]] for i, c in enumerate("rgb")]
        matrix = np.linalg.solve(_matrix(_tags(srgb())), _matrix(tags)).astype(np.float32)
        linear = np.stack(device, axis=-1) @ matrix.T
    if not np.isfinite(linear).all():
        raise ValueError("it is damaged (its curves have no bounds)")
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** np.float32(1 / 2.4) - 0.055)


def _tags(icc: bytes) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">I", icc, 128)
    entries = (struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(min(count, 100)))
    return {tag.decode("latin-1"): icc[start : start + size] for tag, start, size in entries}


def _matrix(tags: dict[str, bytes]) -> NDArray[np.float64]:
    columns = [struct.unpack_from(">3i", tags[f"{c}XYZ"], 8) for c in "rgb"]
    return np.array(columns, np.float64).T / 65536


@np.errstate(all="ignore")
def _curve(data: bytes) -> NDArray[np.float32]:
    """Table of 65,536 linear values of a tone curve (``curv`` or ``para``; ICC.1:2022, 10.6 and 10.18)."""
    x = np.linspace(0, 1, 65536)
    if data[:4] == b"curv":
        (count,) = struct.unpack_from(">I", data, 8)
        values = np.array(struct.unpack_from(f">{count}H", data, 12), np.float64)
        if count == 0:
            return x.astype(np.float32)
        if count == 1:
            return (x ** (values[0] / 256)).astype(np.float32)
        return np.interp(x, np.linspace(0, 1, count), values / 65535).astype(np.float32)
    if data[:4] != b"para":
        raise ValueError("it has a tone curve of an unknown type")
    (kind,) = struct.unpack_from(">H", data, 8)
    values = np.array(struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", data, 12)) / 65536
    g, a, b, c, d, e, f = np.append(values, [1, 0, 0, 0, 0, 0][len(values) - 1 :])
    if kind in (1, 2):  # in these two c is an offset of both parts, and the break lies at -b/a
        c, d, e, f = 0.0, -b / a, c, c
    return np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f).astype(np.float32)
