"""What the settings do to one face, as an array: quick enough to follow a slider."""

import cv2
import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wbme.color import skin
from wbme.color.skin import SkinStatistics
from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.views.skin import Settings, measure
from wbme.views.skin_faces import SkinFace
from wbme.views.style import FAINT, INK, font

_PANEL, _GAP, _TOP, _FOOT = 300, 14, 26, 50
_HUES, _LIGHTNESS = (20.0, 100.0), (0.0, 100.0)
_DROPPED = np.array([0.80, 0.80, 0.80])
_OUTLINE = (0, 242, 217)


def settings_view(face: SkinFace, settings: Settings) -> NDArray[np.uint8]:
    """One face under ``settings``, H x W x 3 uint8: the mask's outline, its clusters (used ones coloured
    from bright to dark, dropped ones grey), its pixels in the plane of L* over hue, and the measures.

    Raises ParameterError where the settings leave too little skin.
    """
    mask, found = measure(face, settings)
    lab = srgb_to_lab(_smoothed(face.rgb, settings.sigma))
    label = _labels(lab, found)
    palette = _palette(found)
    panels = [
        ("skin mask", _outlined(face.rgb, mask)),
        (
            f"{settings.brightest} brightest of {settings.clusters} clusters",
            _clusters(face.rgb, mask, palette[label]),
        ),
        ("L* over hue: clusters (rings), result (cross)", _plane(lab, mask, palette[label])),
    ]
    width = 3 * _PANEL + 4 * _GAP
    sheet = Image.new("RGB", (width, _TOP + _PANEL + _FOOT), "white")
    pen = ImageDraw.Draw(sheet)
    for index, (title, panel) in enumerate(panels):
        left = _GAP + index * (_PANEL + _GAP)
        pen.text((left, _TOP - 5), title, INK, font(13), "ls")
        tile = Image.fromarray(panel)
        sheet.paste(tile, (left + (_PANEL - tile.width) // 2, _TOP + (_PANEL - tile.height) // 2))
    _annotate_plane(pen, found, palette, (_GAP + 2 * (_PANEL + _GAP), _TOP))
    _write_measures(pen, found)
    return np.asarray(sheet)


def _smoothed(rgb: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.float32) if sigma else rgb


def _labels(lab: NDArray[np.float32], found: SkinStatistics) -> NDArray[np.intp]:
    """The nearest cluster of every pixel by its centre in (L*, hue)."""
    hue = skin.hue(lab[..., 1], lab[..., 2])
    distances = [
        (lab[..., 0] - L) ** 2 + (0 if np.isnan(h) else ((hue - h + 180) % 360 - 180) ** 2)
        for L, h in (cluster.centre for cluster in found.clusters)
    ]
    return np.argmin(distances, axis=0)


def _palette(found: SkinStatistics) -> NDArray[np.float64]:
    """A colour a cluster: yellow to violet for those in use, the brightest first; greys for the others."""
    used = sum(cluster.chosen for cluster in found.clusters)
    bright = colormaps["plasma"](np.linspace(0.9, 0.1, used))[:, :3]
    rest = len(found.clusters) - used
    return np.concatenate([bright, _DROPPED * np.linspace(1, 0.7, rest)[:, None]])


def _u8(rgb: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def _fitted(rgb: NDArray[np.floating]) -> NDArray[np.uint8]:
    """As large as a panel allows."""
    ratio = _PANEL / max(rgb.shape[:2])
    size = (max(round(rgb.shape[1] * ratio), 1), max(round(rgb.shape[0] * ratio), 1))
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(_u8(rgb), size, interpolation=way))


def _outlined(rgb: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture, paler outside the mask, and the line where the mask is one half."""
    panel = _fitted(rgb * mask[..., None] + (0.45 * rgb + 0.55) * (1 - mask[..., None]))
    half = cv2.resize(mask, panel.shape[1::-1], interpolation=cv2.INTER_CUBIC) > 0.5
    lines, _ = cv2.findContours(half.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(panel, lines, -1, _OUTLINE, 1, cv2.LINE_AA)
    return panel


def _clusters(
    rgb: NDArray[np.float32], mask: NDArray[np.float32], colours: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Clusters painted on the skin, shaded by the picture so that the face stays readable."""
    grey = rgb.mean(axis=2, keepdims=True)
    painted = colours * (0.55 + 0.45 * grey)
    around = 0.75 + 0.25 * grey
    return _fitted(painted * mask[..., None] + around * (1 - mask[..., None]))


def _plane(
    lab: NDArray[np.float32], mask: NDArray[np.float32], colours: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Every pixel under the mask as a dot of its cluster's colour, at hue (right) and L* (up)."""
    canvas = np.ones((_PANEL, _PANEL, 3))
    rows, columns = np.nonzero(mask > 0.5)
    L, a, b = lab[rows, columns].T
    x, y = _position(skin.hue(a, b), L)
    inside = (x >= 0) & (x < _PANEL - 1) & (y >= 0) & (y < _PANEL - 1)
    x, y = x[inside].astype(int), y[inside].astype(int)
    dots = colours[rows, columns][inside]
    canvas[y, x] = canvas[y + 1, x] = canvas[y, x + 1] = canvas[y + 1, x + 1] = dots
    return _u8(canvas)


def _position(hue: NDArray | float, L: NDArray | float) -> tuple:
    """Place in the panel's plane, in pixels."""
    x = (hue - _HUES[0]) / (_HUES[1] - _HUES[0]) * _PANEL
    y = (_LIGHTNESS[1] - L) / (_LIGHTNESS[1] - _LIGHTNESS[0]) * _PANEL
    return x, y


def _annotate_plane(
    pen: ImageDraw.ImageDraw, found: SkinStatistics, palette: NDArray[np.float64], corner: tuple[int, int]
) -> None:
    left, top = corner
    x, y = (float(v) for v in _position(skin.YELLOW_HUE, skin.LIGHT_L))
    pen.rectangle((left, top, left + _PANEL, top + _PANEL), outline=FAINT)
    _dashed(pen, (left + x, top), (left + x, top + _PANEL))
    _dashed(pen, (left, top + y), (left + _PANEL, top + y))
    pen.text((left + x + 4, top + _PANEL - 4), "hue 55°", FAINT, font(11), "ls")
    pen.text((left + 4, top + y - 3), "L* 60", FAINT, font(11), "ls")
    for tone in skin.MONK:
        _disc(pen, left, top, (tone.hue, tone.L), 5, tone.hex)
    for cluster, fill in zip(found.clusters, _u8(palette), strict=True):
        if not np.isnan(cluster.centre[1]):
            radius = 4 + 10 * np.sqrt(cluster.weight)
            _disc(pen, left, top, cluster.centre[::-1], radius + 2, "white", "white")
            _disc(pen, left, top, cluster.centre[::-1], radius, tuple(fill.tolist()), INK, 2)
    if not np.isnan(found.hue):
        x, y = (float(v) for v in _position(found.hue, found.L))
        for width, ink in ((5, "white"), (2, "black")):
            pen.line((left + x - 8, top + y, left + x + 8, top + y), ink, width)
            pen.line((left + x, top + y - 8, left + x, top + y + 8), ink, width)


def _disc(pen, left, top, at, radius, fill, outline=FAINT, width=1) -> None:
    x, y = (float(v) for v in _position(*at))
    if 0 <= x <= _PANEL and 0 <= y <= _PANEL:
        box = (left + x - radius, top + y - radius, left + x + radius, top + y + radius)
        pen.ellipse(box, fill, outline, width)


def _dashed(pen: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float]) -> None:
    way = np.linspace(start, end, 2 * (_PANEL // 12))
    for one, other in zip(way[::2], way[1::2], strict=True):
        pen.line((*one, *other), FAINT)


def _write_measures(pen: ImageDraw.ImageDraw, found: SkinStatistics) -> None:
    """The mean colour, the nearest Monk swatch, the measures and their classes below the panels."""
    lab = np.array([found.L, found.a, found.b])
    tone = skin.MONK[int(skin.monk_class(lab)) - 1]
    middle = _TOP + _PANEL + _FOOT // 2
    words = (
        f"L* {found.L:.1f} ± {found.L_std:.1f}    hue {found.hue:.1f} ± {found.hue_std:.1f}°    "
        f"ITA {found.ita:.1f} ± {found.ita_std:.1f}°    "
        f"{skin.quadrant(found.L, found.hue)}, {skin.ita_class(found.ita)}    {found.pixels} pixels"
    )
    fills = (("skin", tuple(_u8(lab_to_srgb(lab)).tolist())), (f"Monk {tone.number}", tone.hex))
    left = _GAP
    for label, fill in fills:
        pen.rectangle((left, middle - 13, left + 34, middle + 13), fill, FAINT)
        pen.text((left + 41, middle), label, INK, font(13), "lm")
        left += 41 + 62
    pen.text((left + 8, middle), words, INK, font(13), "lm")
