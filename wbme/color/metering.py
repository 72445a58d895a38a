"""An exposure meter for pictures of people: how bright and coloured the light is, whoever stands in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_mask, check_picture
from wbme.color.spaces import RGB_TO_XYZ, srgb_to_linear

_LEAST = 16  # pixels of skin
_FLOOR = 2e-4  # linear light below which an 8-bit picture holds nothing
_BURNT = 0.98  # linear light above which it holds nothing either


@dataclass(frozen=True, eq=False)
class Seen:
    """A photograph ``rgb`` (H x W x 3, sRGB in [0, 1]) with H x W masks in [0, 1]: ``skin``, and where known
    the ``eyes``, whose whites are nearly white, and the whole ``person``.

    Raises ParameterError for a malformed picture or mask, fewer than 16 pixels of skin, or skin that is all
    black or all burnt out: no light can be measured there.
    """

    rgb: NDArray[Any]
    skin: NDArray[Any]
    eyes: NDArray[Any] | None = None
    person: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        rgb = check_picture(self.rgb, "photograph")
        skin = check_mask(self.skin, rgb.shape, "skin mask")
        if np.count_nonzero(skin) < _LEAST:
            raise ParameterError(
                f"the skin mask has {np.count_nonzero(skin)} pixels, which tell no light: "
                f"give {_LEAST} or more"
            )
        low, high = np.quantile(luminance(rgb)[skin > 0], [0.05, 0.95])
        if high < _FLOOR or low > _BURNT:
            what = "black" if high < _FLOOR else "burnt out"
            raise ParameterError(f"the skin of the photograph is all {what}: choose another exposure")


@dataclass(frozen=True)
class Light:
    """``ev``: stops above the light in which the cues were learnt; ``colour``: its linear RGB of luminance 1;
    ``sure``: deviation of ``ev``, stops; ``cues``: stops by each cue alone."""

    ev: float
    colour: tuple[float, float, float]
    sure: float
    cues: dict[str, float]


# What the cues show in neutral light, of 60 synthetic people of the ten Monk tones before made-up places:
# mean and deviation of log2 luminance, log2 R/G and log2 B/G. The eyes' deviation is widened, for a predicted
# mask is coarser.
EXPECTED: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "skin": ((-2.16, 1.92), (0.55, 0.34), (-0.54, 0.32)),
    "eyes": ((-1.06, 0.5), (0.11, 0.1), (-0.07, 0.1)),
    "scene": ((-3.32, 1.02), (0.03, 0.55), (-0.04, 0.47)),
    "white": ((-1.0, 0.71), (0.01, 0.59), (-0.09, 0.55)),
}
_PRIOR = (2.0, 0.6)  # deviation of the light itself: stops of exposure, and of colour


def luminance(rgb: NDArray[Any]) -> NDArray[np.float64]:
    """CIE Y in [0, 1], H x W, of a picture H x W x 3 in sRGB."""
    return np.asarray(srgb_to_linear(rgb) @ RGB_TO_XYZ[1], np.float64)


def cues(seen: Seen) -> dict[str, NDArray[np.float64]]:
    """Linear RGB (3) of what tells of the light: median ``skin``; ``eyes``, the brightest third of them;
    ``scene``, the geometric mean, and ``white``, the brightest twentieth, of all that is neither."""
    linear, light = srgb_to_linear(seen.rgb).astype(np.float64), luminance(seen.rgb)
    skin = seen.skin > 0
    eyes = np.zeros_like(skin) if seen.eyes is None else seen.eyes > 0
    rest = ~skin & ~eyes
    found = {"skin": np.median(linear[skin], axis=0)}
    if np.count_nonzero(eyes) >= 12:
        bright = eyes & (light >= np.quantile(light[eyes], 0.67))
        found["eyes"] = linear[bright].mean(0)
    if np.count_nonzero(rest) >= 100:
        found["scene"] = np.exp(np.log(np.maximum(linear[rest], _FLOOR)).mean(0))
        bright = rest & (light >= np.quantile(light[rest], 0.95))
        found["white"] = linear[bright].mean(0)
    return {name: np.maximum(rgb, _FLOOR) for name, rgb in found.items()}


def readings(seen: Seen) -> dict[str, tuple[float, float, float]]:
    """log2 luminance, log2 R/G and log2 B/G of each cue of ``cues``."""
    return {
        name: (
            float(np.log2(rgb @ RGB_TO_XYZ[1])),
            float(np.log2(rgb[0] / rgb[1])),
            float(np.log2(rgb[2] / rgb[1])),
        )
        for name, rgb in cues(seen).items()
    }


def meter(seen: Seen) -> Light:
    """The light that makes the cues of a picture likeliest.

    Each cue reads e = log2 of what it shows minus what it shows in neutral light; the estimate is the mean of
    these weighted by 1 / variance, with a light of 0 +/- 2 stops as one more witness (a Gaussian's
    posterior mean), and what is no larger than its own deviation s is held for chance: e e^2 / (e^2 + s^2).
    Skin, whose lightness differs most between people, so has the least say in the exposure
    and much in the colour: nobody is made lighter because they are dark.
    """
    found = readings(seen)
    told: list[tuple[float, float]] = []
    for k, prior in enumerate((_PRIOR[0], _PRIOR[1], _PRIOR[1])):
        total, weight = 0.0, prior**-2
        for name, values in found.items():
            mean, spread = EXPECTED[name][k]
            total += (values[k] - mean) / spread**2
            weight += spread**-2
        told.append((_beyond_chance(total / weight, weight**-0.5), weight**-0.5))
    (ev, sure), (red, _), (blue, _) = told
    colour = np.array([2.0**red, 1.0, 2.0**blue])
    colour /= colour @ RGB_TO_XYZ[1]
    alone = {name: values[0] - EXPECTED[name][0][0] for name, values in found.items()}
    return Light(float(ev), tuple(colour.tolist()), float(sure), alone)


def _beyond_chance(value: float, deviation: float) -> float:
    return value**3 / (value**2 + deviation**2)
