"""Pictures in and out: upright sRGB arrays from common files; files that appear whole or not at all."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from wbme.base.errors import MediaError
from wbme.base.hashing import sha256_bytes
from wbme.base.paths import write_atomic
from wbme.media import decoding, files, profiles
from wbme.media.decoding import LIMITS, Limits

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif"))
_WRITTEN = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright picture: ``rgb`` float32 H x W x 3, sRGB in [0, 1], and ``alpha`` float32 H x W in [0, 1],
    straight (the colours are not multiplied by it), or None where the file holds no transparency.

    ``sha256`` is that of the file. ``info`` says what was found: format, mode, orientation, bits, animated,
    profile, and ``notes``, a list of phrases on what was passed over.
    """

    rgb: NDArray[np.float32]
    alpha: NDArray[np.float32] | None
    path: Path
    sha256: str
    info: dict[str, Any] = field(default_factory=dict)


def read(path: str | Path, *, limits: Limits = LIMITS, data: bytes | None = None) -> Picture:
    """The picture at ``path``, turned upright by its EXIF orientation and converted to sRGB by its profile.
    Where ``data`` is given, those are its bytes, and ``path`` only its name.

    Of an animation or a file of many pages the first picture is taken. 16-bit grey and RGB keep their
    precision; CMYK without a profile is converted by R = (1 - C)(1 - K). Raises MediaError, one sentence,
    for a file that is missing, empty, not regular, not a picture, damaged, cut short or over a limit.
    """
    path = Path(path)
    data = _bytes(path, limits) if data is None else data
    image, header = decoding.open_picture(io.BytesIO(data), path, len(data), limits)
    with image:
        icc = image.info.get("icc_profile")
        samples, alpha, orientation = decoding.decode(image, data, header)
    rgb, failure = decoding.to_srgb(samples, icc)
    notes = []
    if header.animated:
        notes.append("the first of several frames is taken")
    if header.bits == 16 and samples.dtype == np.uint8:
        notes.append("16-bit samples of this kind are read at 8 bits")
    if failure:
        notes.append(f"the colour profile is ignored: {failure}")
    if header.format != "TIFF":  # Pillow and OpenCV have turned that already
        rgb = decoding.upright(rgb, orientation)
        alpha = None if alpha is None else decoding.upright(alpha, orientation)
    info = {key: getattr(header, key) for key in ("format", "mode", "bits", "animated", "profile")}
    return Picture(rgb, alpha, path, sha256_bytes(data), {**info, "orientation": orientation, "notes": notes})


def write(
    path: str | Path, rgb: NDArray[Any], alpha: NDArray[Any] | None = None, *, quality: int = 95
) -> Path:
    """Write a picture as PNG, JPEG or WebP by the suffix of ``path``, tagged as sRGB; the whole file or none.

    ``rgb`` is H x W x 3 and ``alpha`` H x W (straight; PNG and WebP only): floating point in [0, 1], where
    values outside are clipped, or uint8. ``quality`` (1 to 100) is for JPEG, which keeps full colour
    resolution, and WebP. Equal arrays give equal bytes. Raises MediaError for a wrong suffix, shape, type or
    value, and StoreError where the disk refuses.
    """
    path = Path(path)
    kind = _WRITTEN.get(path.suffix.lower())
    if kind is None:
        raise MediaError(f"cannot write {path}: pictures are written as .png, .jpg or .webp; choose one")
    if alpha is not None and kind == "JPEG":
        raise MediaError(
            f"cannot write {path}: JPEG holds no transparency; write .png or .webp, or leave alpha out"
        )
    if rgb.ndim != 3 or rgb.shape[2] != 3 or (alpha is not None and alpha.shape != rgb.shape[:2]):
        shapes = f"{rgb.shape}" if alpha is None else f"{rgb.shape} with alpha {alpha.shape}"
        raise MediaError(f"cannot write {path}: want rgb H x W x 3 and alpha H x W, got {shapes}")
    planes = [_bytes_of(rgb, path)] + ([] if alpha is None else [_bytes_of(alpha[..., None], path)])
    image = Image.fromarray(np.concatenate(planes, axis=2))
    tag: dict[str, Any] = {"icc_profile": profiles.srgb()}
    if kind == "PNG":
        tag = {"pnginfo": PngInfo()}
        tag["pnginfo"].add(b"sRGB", b"\0")
    options: dict[str, dict[str, Any]] = {
        "PNG": {"compress_level": 4},  # a third of the time of Pillow's default for 3 % more bytes
        "JPEG": {"quality": quality, "subsampling": 0},
        "WEBP": {"quality": quality, "exact": True},
    }
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind, **tag, **options[kind])
    except (OSError, ValueError) as error:
        raise MediaError(
            f"cannot write {path}: {kind} refuses {image.width} x {image.height} ({error})"
        ) from error
    return write_atomic(path, buffer.getvalue())


def _bytes(path: Path, limits: Limits) -> bytes:
    size = files.size_of(path, "picture")
    if size > limits.max_bytes:
        raise MediaError(
            f"{path} has {size:,} bytes, over the limit of {limits.max_bytes:,}; shrink it or raise max_bytes"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise MediaError(f"cannot open {path}: {error.strerror}; check its permissions") from error


def _bytes_of(array: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise MediaError(f"cannot write {path}: want floating point in [0, 1] or uint8, got {array.dtype}")
    if not np.isfinite(array).all():
        raise MediaError(
            f"cannot write {path}: the picture holds values that are not finite; mend them first"
        )
    return np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)
