"""The skin of a drawn character: its fill, the cel tones beside it, and the character sheet they begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from wbme.base import yamlfile
from wbme.base.errors import ParameterError
from wbme.color.palette import flat, hexadecimal, median, palette
from wbme.color.spaces import srgb_to_lab
from wbme.people import sheet

Lab = NDArray[np.float64]
# In the face's own frame (eyes at x = -1/2 and 1/2, y = 0; mouth at y = 1): cheeks and bridge of the nose,
# where skin is the commonest fill, and the lower face with the neck, where its shadows lie.
_CORE = (-0.62, 0.62, 0.30, 0.88)
_WIDE = (-0.95, 0.95, -0.15, 2.1)
_PIXELS = 40_000  # of a face are looked at
_SOFT = 0.15  # weight of a pixel on an edge or in a gradient, beside 1 of one in a fill


@dataclass(frozen=True, eq=False)
class Tones:
    """Skin as one drawing, or several, paint it: Lab (D65) of the fill, of its cel shadow and of its light,
    and of the ink (None where there is none); ``share`` is the fill's share of cheeks and nose, in [0, 1]."""

    base: Lab
    share: float
    shadow: Lab | None
    light: Lab | None
    ink: Lab | None


def measure(rgb: NDArray[np.float32], points: NDArray[np.float64], *, seed: int = 0) -> Tones | None:
    """Tones of the face whose five points (``landmark_file.POINTS``, pixels) are ``points``.

    ``rgb`` is H x W x 3 sRGB in [0, 1]. The fill is the commonest colour of cheeks and nose: no gate by hue,
    so that blue or green skin counts as skin. A shadow is a colour of lower face and neck that is 3 to 35 L*
    darker and at most 22 away in (a*, b*); a light is 0.8 to 25 L* lighter and at most 14 away; each the
    commonest such colour, with 1.2 % of the region or more. The ink is the median of the darkest fortieth of
    the face, where that is at least 25 L* below the fill. None where the face lies outside the picture.
    """
    colours, place, weights = _face(rgb, points)
    core = _within(place, _CORE)
    if not weights[core].any():
        return None
    fills = palette(colours[core], weights[core], count=6, seed=seed)
    base = np.array(fills[0].lab)
    x, y = place.T
    eyes, mouth = (np.abs(np.abs(x) - 0.5) < 0.42) & (y < 0.35), (np.abs(x) < 0.4) & (np.abs(y - 1) < 0.2)
    wide = _within(place, _WIDE) & ~eyes & ~mouth
    beside = palette(colours[wide], weights[wide], count=14, least=0.012, seed=seed)
    steps = [(np.array(one.lab), np.array(one.lab) - base) for one in beside]
    apart = [float(np.hypot(*step[1:])) for _, step in steps]
    shadows = [
        lab for (lab, step), far in zip(steps, apart, strict=True) if -35 <= step[0] <= -3 and far <= 22
    ]
    lights = [
        lab for (lab, step), far in zip(steps, apart, strict=True) if 0.8 <= step[0] <= 25 and far <= 14
    ]
    dark = colours[colours[:, 0] <= np.quantile(colours[:, 0], 1 / 40)]
    ink = median(dark, np.ones(len(dark)))
    return Tones(
        base,
        fills[0].share,
        shadows[0] if shadows else None,
        lights[0] if lights else None,
        ink if ink[0] < base[0] - 25 else None,
    )


def _face(rgb: NDArray[np.float32], points: NDArray[np.float64]) -> tuple[Lab, Lab, NDArray[np.float64]]:
    """Lab, place in the face's own frame (x, y) and weight of the pixels around a face, N each."""
    right, left, _, *corners = points
    middle, mouth = (right + left) / 2, np.mean(corners, axis=0)
    across = left - right
    wide = float(np.hypot(*across)) or 1.0
    along = across / wide
    down = np.array([-along[1], along[0]])
    high = float((mouth - middle) @ down)
    if abs(high) < 0.1 * wide:  # seen from above, or a point that lies amiss
        high = 0.8 * wide
    reach = np.array([[x * wide, y * high] for x in _WIDE[:2] for y in (-0.5, _WIDE[3])])
    corners_of = middle + reach @ np.stack([along, down])
    low = np.clip(np.floor(corners_of.min(0)), 0, None).astype(int)
    top = np.clip(np.ceil(corners_of.max(0)) + 1, 0, rgb.shape[1::-1]).astype(int)
    part = np.ascontiguousarray(rgb[low[1] : top[1], low[0] : top[0]])
    if part.size == 0:
        return np.zeros((0, 3)), np.zeros((0, 2)), np.zeros(0)
    fill = flat(part)
    step = max(int(np.sqrt(fill.size / _PIXELS)), 1)
    rows, columns = np.mgrid[0 : part.shape[0] : step, 0 : part.shape[1] : step]
    rows, columns = rows.ravel(), columns.ravel()
    offset = np.stack([columns, rows], 1) + low - middle
    place = np.stack([offset @ along / wide, offset @ down / high], 1)
    lab = srgb_to_lab(part[rows, columns].astype(np.float64))
    return np.asarray(lab), place, np.where(fill[rows, columns], 1.0, _SOFT)


def _within(place: Lab, bounds: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    x, y = place.T
    return (bounds[0] <= x) & (x <= bounds[1]) & (bounds[2] <= y) & (y <= bounds[3])


def together(found: Sequence[Tones]) -> Tones | None:
    """One character's tones of those of its drawings: medians, of shadow and light those of their steps from
    the drawing's own fill. None where no drawing has any."""
    if not found:
        return None

    def middle(values: list[Lab]) -> Lab | None:
        return np.median(values, axis=0) if values else None

    base = np.median([one.base for one in found], axis=0)
    shadow = middle([one.shadow - one.base for one in found if one.shadow is not None])
    light = middle([one.light - one.base for one in found if one.light is not None])
    return Tones(
        base,
        float(np.median([one.share for one in found])),
        None if shadow is None else base + shadow,
        None if light is None else base + light,
        middle([one.ink for one in found if one.ink is not None]),
    )


def named(tones: Tones) -> dict[str, Any]:
    """The tones by name (colour, shadow, light, ink), each as hex and lab; those not seen are left out."""
    seen = {"colour": tones.base, "shadow": tones.shadow, "light": tones.light, "ink": tones.ink}
    return {
        name: {"hex": hexadecimal(lab), "lab": [round(float(v), 2) for v in lab]}
        for name, lab in seen.items()
        if lab is not None
    }


def fragment(tones: Tones) -> dict[str, Any]:
    """What ``tones`` say of a character sheet (``wbme.people.sheet``): ink, and skin with colour, shadow and
    light, as far as they were seen; at the skin's own lightness the steps give the tones measured."""
    usual = sheet.load("romance").skin
    skin: dict[str, Any] = {"colour": hexadecimal(tones.base)}
    for name, seen, known in (
        ("shadow", tones.shadow, usual.shadow),
        ("light", tones.light, usual.light),
    ):
        if seen is not None:
            skin[name] = _tone(tones.base, np.asarray(seen) - tones.base, known)
    ink = {} if tones.ink is None else {"ink": hexadecimal(tones.ink)}
    return {**ink, "skin": skin}


def _tone(base: Lab, step: Lab, known: sheet.Tone) -> dict[str, float]:
    """The tone that moves ``base`` by ``step``, both Lab: the inverse of ``wbme.people.cel.toned``. One skin
    shows one of the two ends of the step of L*; the other is that of the usual sheet."""
    at = float(np.clip(base[0] / 100, 0, 1))
    light, least = known.lightness, known.least
    if at >= 0.5:
        light = (step[0] - least * (1 - at)) / at
    else:
        least = (step[0] - light * at) / (1 - at)
    shift = step[1:] / (1 / 3 + 2 / 3 * at)
    values = {"lightness": light, "least": least, "a": shift[0], "b": shift[1]}
    return {key: round(float(np.clip(value, -60, 60)), 2) for key, value in values.items()}


def starting_sheet(name: str, tones: Tones | None, seen: int) -> str:
    """A character sheet to begin with, as YAML: the romance sheet with what ``seen`` drawings said.

    ``name`` is lower-cased and freed of what a sheet's name cannot hold.
    """
    content = yamlfile.load(sheet.path("romance"), ParameterError)
    measured = fragment(tones) if tones is not None else {"skin": {}}
    lines = [f"# Measured on {seen} drawings; all else is the romance sheet's, to be changed by eye:"]
    lines += [f"#   {key}" for key in measured if key != "skin"]
    lines += [f"#   skin.{key}" for key in measured["skin"]] or ["#   nothing: no drawing has a face yet"]
    skin = {**content["skin"], **measured["skin"]}
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name.lower())
    plain = plain if plain[:1].isalpha() else f"c{plain}"
    own = {"name": plain[:31], "about": "drawn by hand: a start, to be completed"}
    content = {**content, **own, **measured, "skin": skin}
    return "\n".join(lines) + "\n" + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
