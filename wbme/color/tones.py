"""Measures of one skin colour: ITA, hue angle, Monk tone, and the classes drawn from them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab

LIGHT_L = 60.0  # light above, dark below (Thong et al., ICCV 2023)
YELLOW_HUE = 55.0  # yellow above, red below, degrees (same paper)

ITA_CLASSES = ("very light", "light", "intermediate", "tan", "brown", "dark")
ITA_BOUNDS = (55.0, 41.0, 28.0, 10.0, -30.0)  # a class lies strictly above its bound, degrees


def wrap(degrees: ArrayLike) -> Any:
    """The same angle in (-180, 180]."""
    return 180 - (180 - np.asarray(degrees)) % 360


def ita(L: ArrayLike, b: ArrayLike) -> Any:
    """Individual typology angle atan2(L* - 50, b*) in degrees, (-180, 180].

    For b* > 0, which is skin under a white light, it equals the published arctan((L* - 50) / b*); a bluish
    light colour goes on above 90 instead of jumping to -90.
    """
    return np.degrees(np.arctan2(np.asarray(L) - 50, b))


def hue(a: ArrayLike, b: ArrayLike) -> Any:
    """Hue angle atan2(b*, a*) in degrees, (-180, 180]: 0 is red, 90 yellow.

    The cut lies opposite to red, so that skin (some 30 to 90 degrees) stays clear of it, even in pink light.
    A neutral colour has no hue: exactly a* = b* = 0 gives 0, and near it the angle is noise.
    """
    return np.degrees(np.arctan2(b, a))


def ita_class(ita: ArrayLike) -> NDArray[np.str_]:
    """Name of the skin class of an ITA in degrees, one of ``ITA_CLASSES`` (Chardon 1991, Del Bino 2013);
    "" for NaN."""
    found = np.digitize(np.asarray(ita), ITA_BOUNDS, right=True)
    return np.asarray((*ITA_CLASSES, ""))[np.where(np.isnan(ita), -1, found)]


def quadrant(L: ArrayLike, hue: ArrayLike) -> NDArray[np.str_]:
    """'light' or 'dark' by L* = 60 and 'red' or 'yellow' by hue = 55 degrees, such as 'light yellow';
    '' where either is NaN.

    Thong, Joniak, Xiang: Beyond Skin Tone, a Multidimensional Measure of Apparent Skin Color (ICCV 2023).
    """
    tone = np.where(np.asarray(L) > LIGHT_L, "light ", "dark ")
    name = np.char.add(tone, np.where(np.asarray(hue) > YELLOW_HUE, "yellow", "red"))
    return np.where(np.isnan(L) | np.isnan(hue), "", name)


@dataclass(frozen=True)
class MonkTone:
    """One swatch of the Monk Skin Tone scale: number 1 (lightest) to 10, sRGB hex, Lab (D65), degrees."""

    number: int
    hex: str
    L: float
    a: float
    b: float
    ita: float
    hue: float


def _monk(number: int, code: str) -> MonkTone:
    L, a, b = srgb_to_lab(np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255).tolist()
    return MonkTone(number, code, L, a, b, float(ita(L, b)), float(hue(a, b)))


_MONK_HEX = "#f6ede4 #f3e7db #f7ead0 #eadaba #d7bd96 #a07e56 #825c43 #604134 #3a312a #292420"
MONK = tuple(_monk(number, code) for number, code in enumerate(_MONK_HEX.split(), start=1))
_MONK_LAB = np.array([[tone.L, tone.a, tone.b] for tone in MONK])


def monk_class(lab: ArrayLike) -> NDArray[np.intp]:
    """Number, 1 to 10, of the Monk swatch nearest by CIEDE2000 to each Lab colour ``... x 3``; 0 for NaN."""
    far = delta_e00(np.asarray(lab)[..., None, :], _MONK_LAB)
    return np.where(np.isnan(far).any(axis=-1), 0, far.argmin(axis=-1) + 1)
