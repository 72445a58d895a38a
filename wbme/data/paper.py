"""A drawing on its ground: transparency composited, background and figure told apart, photographs told."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError, ParameterError
from wbme.base.seeds import generator
from wbme.color.palette import flat, hexadecimal
from wbme.color.spaces import srgb_to_lab
from wbme.geometry.alignment import ffhq_crop
from wbme.media.images import Picture

_GREY = 2 / 255  # channels of a grey picture differ by no more than this
_NEAR = 8 / 255  # a background pixel lies as near as this to the border's colour
_SAMPLE = 20_000  # pixels of a drawing that speak for its palette
_LOOK = 512  # longer side at which a drawing is judged flat or not


@dataclass(frozen=True, eq=False)
class Flat:
    """``rgb`` H x W x 3 sRGB in [0, 1]; ``figure`` H x W weights in [0, 1], 0 on the background; ``alpha``:
    none, unused or used; ``ground`` the background's colour as '#rrggbb' or '' where there is a scene;
    ``fills`` and ``slopes``: shares of the figure in flat fills and in gentle slopes of L*."""

    rgb: NDArray[np.float32]
    figure: NDArray[np.float32]
    alpha: str
    ground: str
    grey: bool
    fills: float
    slopes: float
    notes: list[str]


def flattened(picture: Picture) -> Flat:
    """The picture over a ground: its own border's colour where a quarter of the border is opaque, else white.

    Without transparency, the background is what touches the border in the border's own colour, where three
    fifths of the border have it. Raises MediaError for a picture that is transparent all over.
    """
    rgb, alpha, notes = picture.rgb, picture.alpha, []
    kind = "none" if alpha is None else "used" if alpha.min() < 0.999 else "unused"
    mode = picture.info["mode"]
    if mode not in ("RGB", "RGBA"):
        notes.append(f"stored as {mode}, read as RGB")
    if kind == "used":
        assert alpha is not None
        if alpha.max() < 1 / 255:
            raise MediaError(f"{picture.path} is transparent all over: nothing is drawn on it; save it again")
        border = _border(np.dstack([rgb, alpha]))
        opaque = border[border[:, 3] > 0.999]
        own = len(opaque) >= len(border) / 4
        colour = np.median(opaque[:, :3], 0) if own else np.ones(3)
        rgb = np.asarray(colour + alpha[..., None] * (rgb - colour), np.float32)
        ground, figure = _hex(colour), alpha
        notes.append(f"transparent parts lie over {'its border colour' if own else 'white'} {ground}")
    else:
        ground, figure = _background(rgb)
    grey = bool((rgb.max(2) - rgb.min(2)).max() <= _GREY)
    if grey:
        notes.append("without colour: left out of palette and skin")
    return Flat(rgb, figure, kind, ground, grey, *_judged(rgb, figure), notes)


def _hex(srgb: NDArray[np.floating]) -> str:
    return hexadecimal(srgb_to_lab(np.asarray(srgb, float)))


def _border(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """The border pixels of H x W x C, N x C."""
    return np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])


def _background(rgb: NDArray[np.float32]) -> tuple[str, NDArray[np.float32]]:
    """The background's colour ('' for a scene) and the figure, 1 where there is no background."""
    border = _border(rgb)
    colour = np.median(border, 0)
    if (np.abs(border - colour).max(1) <= _NEAR).mean() < 0.6:
        return "", np.ones(rgb.shape[:2], np.float32)
    near = (np.abs(rgb - colour).max(2) <= _NEAR).astype(np.uint8)
    _, names = cv2.connectedComponents(near, connectivity=4)
    outer = np.unique(_border(names[..., None]))
    figure = ~np.isin(names, outer[outer > 0])
    return _hex(colour), figure.astype(np.float32)


def _judged(rgb: NDArray[np.float32], figure: NDArray[np.float32]) -> tuple[float, float]:
    """Share of the figure in flat fills, and in gentle slopes of L* (0.5 to 4 a pixel), at 512 pixels."""
    scale = min(_LOOK / max(rgb.shape[:2]), 1)
    if scale < 1:
        size = max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1)
        rgb = np.clip(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), 0, 1)
        figure = cv2.resize(figure, size, interpolation=cv2.INTER_AREA)
    here = figure > 0.5
    if not here.any():
        here = np.ones(figure.shape, bool)
    slope = _slope(rgb)[here]
    return float(flat(rgb)[here].mean()), float(((slope > 0.5) & (slope < 4)).mean())


def _slope(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """How steep L* is, a pixel, smoothed by a Gaussian of one pixel; H x W."""
    light = np.asarray(srgb_to_lab(rgb)[..., 0], np.float32)
    light = cv2.GaussianBlur(light, (0, 0), 1)
    return np.hypot(cv2.Scharr(light, cv2.CV_32F, 1, 0), cv2.Scharr(light, cv2.CV_32F, 0, 1)) / 32


def photographic(drawn: Flat, eyes_and_mouth: NDArray[np.float64] | None) -> bool:
    """Whether this may be a photograph.

    With a face (``eyes_and_mouth``: eyes and corners of the mouth, 4 x 2 pixels) its skin tells: aligned to
    256 pixels, the lower quartile of the slope of L* between eyes and mouth is 0.36 a pixel or more
    (measured: portraits 0.73 to 1.7, rendered people 0.42 to 0.76; sprites and drawings of these people, JPEG
    of quality 60 among them, at most 0.27). Without a face: no ground and no transparency, less than 30 % in
    flat fills and more than 33 % in gentle slopes; a painted scene can be so too.
    """
    if eyes_and_mouth is None:
        scene = drawn.ground == ""
        return scene and drawn.fills < 0.3 and drawn.slopes > 0.33
    try:
        face = ffhq_crop(drawn.rgb, eyes_and_mouth, 256).rgb
    except ParameterError:
        return False
    return float(np.quantile(_slope(face[112:156, 74:182])[6:-6, 6:-6], 0.25)) >= 0.36


def sample(drawn: Flat, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lab (N x 3) and weights (N, of sum 1) of pixels of the figure, at most 20,000 drawn by ``seed``: those
    in fills count seven times those on edges."""
    rows, columns = np.nonzero(drawn.figure > 0.5)
    if not len(rows):
        rows, columns = np.nonzero(np.ones(drawn.figure.shape, bool))
    if len(rows) > _SAMPLE:
        kept = np.sort(generator(seed, "drawing").choice(len(rows), _SAMPLE, replace=False))
        rows, columns = rows[kept], columns[kept]
    weights = np.where(flat(drawn.rgb)[rows, columns], 1.0, 1 / 7)
    return np.asarray(srgb_to_lab(drawn.rgb[rows, columns].astype(np.float64))), weights / weights.sum()
