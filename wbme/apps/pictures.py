"""One picture file through a Stylizer: transparency, grey scans, and what is said about it."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.apps import heads, tiles
from wbme.apps.deforming import Deformer
from wbme.apps.stylizer import Stylizer
from wbme.apps.tiles import Progress, Rgb
from wbme.media import images
from wbme.perception.faces import detect

_GREY = 2 / 255  # channels of a grey picture differ by no more than this, JPEG's rounding included


@dataclass(frozen=True)
class Done:
    """What became of a file: size in pixels, faces found (the most in one frame of a video), frames, seconds,
    and ``notes``, phrases on what the user may want to know."""

    width: int
    height: int
    faces: int
    seconds: float
    frames: int = 1
    notes: list[str] = field(default_factory=list)


def convert(
    stylizer: Stylizer,
    source: Path,
    target: Path,
    *,
    faces: bool = True,
    deformer: Deformer | None = None,
    progress: Progress | None = None,
) -> Done:
    """Draw the picture at ``source`` and write it to ``target``: upright, sRGB, of the same size.

    Transparency is kept (JPEG has none: such parts lie over white there), and a grey picture stays free of
    colour. Without ``faces`` none is looked for; a ``deformer`` reshapes people. Raises
    MediaError and StoreError as ``wbme.media.images``.
    """
    start = time.monotonic()
    picture = images.read(source)
    rgb, alpha, notes = picture.rgb, picture.alpha, list(picture.info["notes"])
    grey = all(np.abs(rgb[..., k] - rgb[..., 1]).max() <= _GREY for k in (0, 2))
    seen = rgb if alpha is None else _filled(rgb, alpha)
    found = detect(seen, irises=False) if faces else []
    if faces and not found:
        notes.append("no face found, drawn as a whole")
    if deformer:
        seen, found = deformer.picture(seen, found)
    drawn = stylizer.picture(seen, found, progress=progress)
    if grey:
        drawn = np.repeat(drawn @ heads.LUMA[:, None], 3, axis=2)
    if alpha is not None and target.suffix.lower() in (".jpg", ".jpeg"):
        drawn, alpha = 1 + alpha[..., None] * (drawn - 1), None
        notes.append("JPEG holds no transparency, clear parts are white")
    images.write(target, drawn, alpha)
    height, width = rgb.shape[:2]
    return Done(width, height, len(found), time.monotonic() - start, notes=notes)


def _filled(rgb: Rgb, alpha: NDArray[np.float32]) -> Rgb:
    """``rgb`` with its clear parts in the colours next to them: whatever lies hidden there draws no line."""
    share = np.concatenate([rgb, np.ones_like(rgb[..., :1])], axis=2) * alpha[..., None]
    scale = min(256 / max(alpha.shape), 1)
    small = tiles.resized(share, *(max(round(side * scale), 1) for side in alpha.shape))
    # Far from all that can be seen the wider blur counts, and where nothing can be, grey.
    near = cv2.GaussianBlur(small, (0, 0), 3) + 1e-3 * cv2.GaussianBlur(small, (0, 0), 48) + 1e-7
    fill = tiles.resized(near[..., :3] / near[..., 3:], *alpha.shape)
    return fill + alpha[..., None] * (rgb - fill)
