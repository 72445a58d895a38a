"""What lies between a picture's bytes and its upright sRGB array: header, samples, colour, orientation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from wbme.base.errors import MediaError
from wbme.media import profiles

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")


@dataclass(frozen=True)
class Limits:
    """What a picture may cost: pixels, judged by its header before decoding, and bytes, before reading.

    The defaults let 8,192 x 8,192 pixels and a 16-bit TIFF of that size pass. Above 178 million pixels
    Pillow refuses whatever ``max_pixels`` says.
    """

    max_pixels: int = 80_000_000
    max_bytes: int = 2**29


LIMITS = Limits()


@dataclass(frozen=True)
class Header:
    """What a picture's header says. ``width`` and ``height`` are those of the upright picture.

    ``mode`` is Pillow's (``RGB``, ``RGBA``, ``L``, ``P``, ``CMYK``, ``I;16`` ...), ``bits`` of a channel
    as stored, ``orientation`` the EXIF number 1 to 8, ``profile`` the description of the ICC profile or None.
    """

    path: Path
    size: int
    format: str
    mode: str
    width: int
    height: int
    orientation: int
    bits: int
    animated: bool
    profile: str | None


class Decoded(NamedTuple):
    """``samples`` as stored: H x W grey, H x W x 3 RGB or H x W x 4 CMYK, uint8 or uint16; ``alpha`` float32
    in [0, 1] or None; the EXIF ``orientation`` that both still have (a TIFF is turned by its decoder)."""

    samples: NDArray[np.integer]
    alpha: NDArray[np.float32] | None
    orientation: int


def open_picture(stream: Any, path: Path, size: int, limits: Limits) -> tuple[Image.Image, Header]:
    """Pillow's picture, not yet decoded, and its header; MediaError if it is none, damaged or too large."""
    try:
        image = Image.open(stream, formats=FORMATS)
        header = _header(image, path, size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MediaError(
            f"{path} claims more pixels than the limit of {limits.max_pixels:,}; make it smaller"
        ) from error
    except UnidentifiedImageError as error:
        raise MediaError(
            f"{path} is not a picture, or its start is damaged; wbme reads {', '.join(FORMATS)}"
        ) from error
    except Exception as error:  # a decoder that is fed with damaged bytes may raise anything
        raise MediaError(f"{path} is damaged or cut short ({error}); copy it again") from error
    if image.width * image.height > limits.max_pixels:
        raise MediaError(
            f"{path} has {image.width:,} x {image.height:,} pixels, over the limit of {limits.max_pixels:,}; "
            "make it smaller or raise max_pixels"
        )
    return image, header


def decode(image: Image.Image, data: bytes, header: Header) -> Decoded:
    """Decode what ``open_picture`` opened in ``data``; MediaError where it is damaged or of an odd kind."""
    if image.mode in ("I", "F", "LAB", "HSV"):
        raise MediaError(f"{header.path} holds {image.mode} samples; convert it to RGB of 8 or 16 bits")
    try:
        image.load()
        samples, alpha = _samples(image, data, header)
        late = header.format == "PNG"  # see _header
        return Decoded(samples, alpha, _orientation(image) if late else header.orientation)
    except Exception as error:
        raise MediaError(f"{header.path} is damaged or cut short ({error}); copy it again") from error


def _header(image: Image.Image, path: Path, size: int) -> Header:
    icc = image.info.get("icc_profile")
    # Where a PNG keeps its EXIF after the pixels, Pillow would decode them all to look for it.
    orientation = 1 if image.format == "PNG" and "exif" not in image.info else _orientation(image)
    turned = orientation >= 5 and image.format != "TIFF"  # Pillow has turned a TIFF's size already
    width, height = image.size[::-1] if turned else image.size
    return Header(
        path=path,
        size=size,
        format="JPEG" if image.format == "MPO" else str(image.format),
        mode=image.mode,
        width=width,
        height=height,
        orientation=orientation,
        bits=1 if image.mode == "1" else 16 if ";16" in f"{image.mode}{getattr(image, 'tile', '')}" else 8,
        animated=bool(getattr(image, "is_animated", False)),
        profile=profiles.name(icc) if icc else None,
    )


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF is no reason to refuse the pixels
        return 1
    return value if value in range(1, 9) else 1


def _samples(
    image: Image.Image, data: bytes, header: Header
) -> tuple[NDArray[np.integer], NDArray[np.float32] | None]:
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint16)
        clear = image.info.get("transparency")
        return grey, None if clear is None else (grey != clear).astype(np.float32)
    premultiplied = getattr(image, "tag_v2", {}).get(338) == (1,)  # Pillow alone divides by alpha, at 8 bits
    if header.bits == 16 and image.mode in ("RGB", "RGBA") and not premultiplied:  # Pillow keeps only 8 bits
        import cv2

        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if bgr is not None and bgr.dtype == np.uint16 and bgr.ndim == 3:
            alpha = bgr[..., 3] / np.float32(65535) if bgr.shape[2] == 4 else None
            return np.ascontiguousarray(bgr[..., 2::-1]), alpha
    if image.mode == "CMYK":
        return np.asarray(image), None
    grey_only = image.getbands()[0] in ("1", "L")
    if not image.has_transparency_data:
        return np.asarray(image.convert("L" if grey_only else "RGB")), None
    rgba = np.asarray(image.convert("RGBA"))
    return rgba[..., 0] if grey_only else rgba[..., :3], np.divide(rgba[..., 3], 255, dtype=np.float32)


def to_srgb(samples: NDArray[np.integer], icc: bytes | None) -> tuple[NDArray[np.float32], str]:
    """``samples`` as sRGB, H x W x 3 in [0, 1]; and, where the profile could not be used, why not."""
    failure = ""
    if icc:
        try:
            return profiles.to_srgb(samples, icc), ""
        except ValueError as error:
            failure = str(error)
    if samples.ndim == 2:
        samples = np.repeat(samples[..., None], 3, axis=2)
    elif samples.shape[2] == 4:
        samples = np.asarray(Image.fromarray(samples, "CMYK").convert("RGB"))
    return np.divide(samples, np.iinfo(samples.dtype).max, dtype=np.float32), failure


def upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """``array`` turned by the EXIF orientation: 5 to 8 mirror at the main diagonal, then all flip."""
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    rows, columns = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(
        orientation, (1, 1)
    )
    return np.ascontiguousarray(array[::rows, ::columns])
