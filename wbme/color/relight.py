"""Light of a picture made even by rival recipes, all behind ``relight``."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_picture
from wbme.color.metering import Seen, luminance, meter
from wbme.color.spaces import lab_to_srgb, linear_to_srgb, srgb_to_lab, srgb_to_linear

F32 = NDArray[np.float32]
Recipe = Callable[[F32, Seen], NDArray[Any]]  # a picture sRGB in [0, 1], and what was seen: a new one
_SKIN_L = 65.0  # L* that the absolute recipe drives every skin to
_MOST = 4.0  # stops that a recipe adds or takes away, at most
_KNEE = 0.8  # linear light from which a raised picture bends towards white
_BURNT = 0.85  # linear light of the darkest channel from which a pixel begins to be burnt out
_CLEAR = 0.9  # stops that the local recipe leaves between a part of a face and its lit part, at most
_WIDE = 0.16  # of the head's width: sigma of the light that the local recipe sees


def _lifted(rgb: F32, by: NDArray[Any] | float) -> NDArray[Any]:
    """Linear light times ``by``; where that is a lift, with a shoulder from ``_KNEE`` so that nothing burns
    out that was not."""
    linear = srgb_to_linear(rgb)
    gain = np.asarray(by, np.float32)
    if gain.ndim and gain.shape[-1] == 3:
        # What is burnt out has lost its colour: taking a cast from it would give it the opposite one.
        burnt = np.clip((linear.min(2, keepdims=True) - _BURNT) / (1 - _BURNT), 0, 1)
        gain = gain + burnt * (gain.mean(-1, keepdims=True) - gain)
    linear = linear * gain
    top = np.maximum(gain, 1 + 1e-6)
    # The shoulder is a parabola through the knee with slope 1, and takes the brightest to 1.
    room = np.maximum(top - _KNEE, 1e-6)
    past = np.clip((linear - _KNEE) / room, 0, 1)
    bent = _KNEE + (1 - _KNEE) * (1 - (1 - past) ** (room / (1 - _KNEE)))
    return linear_to_srgb(np.where(linear > _KNEE, bent, linear))


def _none(rgb: F32, _: Seen) -> NDArray[Any]:
    return rgb


def _absolute(rgb: F32, seen: Seen) -> NDArray[Any]:
    """One gain of linear light that takes the median skin to L* 65, whoever it is."""
    own = float(np.median(luminance(seen.rgb)[seen.skin > 0]))
    wanted = ((_SKIN_L + 16) / 116) ** 3
    return _lifted(rgb, 2.0 ** float(np.clip(np.log2(wanted / max(own, 1e-4)), -_MOST, _MOST)))


def _adaptive(rgb: F32, seen: Seen) -> NDArray[Any]:
    """The gains of the picture's own meter: see ``metering.meter``."""
    return _lifted(rgb, _gains(seen))


def _gains(seen: Seen) -> F32:
    found = meter(seen)
    level = 2.0 ** -np.clip(found.ev, -_MOST, _MOST)
    return (level / np.asarray(found.colour)).astype(np.float32)


def _adaptive_local(rgb: F32, seen: Seen) -> NDArray[Any]:
    """Parts of the face that lie far from its lit part drawn in, then the gains of the meter, which reads the
    evened photograph: eyes in the dark half of a face would tell of a dark scene.

    With d the stops of the skin's wide luminance (normalised Gaussian over the skin) from its seventh decile,
    the gain is 2^(c tanh(d / c) - d), c = 0.9: small steps, which tell the form, stay; 3.5 stops become 0.9.
    """
    skin = (seen.skin > 0).astype(np.float32)
    stops = np.log2(np.maximum(luminance(seen.rgb), 2e-4)).astype(np.float32)
    columns = np.flatnonzero(skin.any(0))
    sigma = max(_WIDE * min(float(np.ptp(columns)) + 1, rgb.shape[1]), 2.0)
    cover = cv2.GaussianBlur(skin, (0, 0), sigma)
    near = cv2.GaussianBlur(stops * skin, (0, 0), sigma) / np.maximum(cover, 1e-6)
    # Beyond the person's outline it would be a halo, far from any skin a guess.
    inside = np.ones_like(skin) if seen.person is None else (seen.person > 0).astype(np.float32)
    reach = np.clip(cover / 0.02, 0, 1) * cv2.GaussianBlur(inside, (0, 0), 0.7)
    away = (near - np.quantile(near[skin > 0], 0.7)) * reach
    even = (2.0 ** (_CLEAR * np.tanh(away / _CLEAR) - away))[..., None].astype(np.float32)
    lit = np.clip(linear_to_srgb(srgb_to_linear(seen.rgb) * even), 0, 1)
    return _lifted(rgb, _gains(replace(seen, rgb=lit)) * even)


def _gamma(rgb: F32, _: Seen) -> NDArray[Any]:
    """The exponent that takes the mean luma to one half."""
    mean = float(np.clip(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).mean(), 1e-3, 1 - 1e-3))
    return rgb ** np.float32(np.clip(np.log(0.5) / np.log(mean), 0.25, 4.0))


def _clahe(rgb: F32, _: Seen) -> NDArray[Any]:
    """Contrast limited adaptive histogram equalisation of L*, 8 x 8 tiles, limit 2: Zuiderveld (1994)."""
    lab = srgb_to_lab(rgb)
    u8 = np.rint(np.clip(lab[..., 0] * 2.55, 0, 255)).astype(np.uint8)
    lab[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(u8) / np.float32(2.55)
    return lab_to_srgb(lab)


def _agcwd(rgb: F32, _: Seen, alpha: float = 0.5) -> NDArray[Any]:
    """Adaptive gamma with weighting distribution on the value V: Huang, Cheng, Chiu (2013).

    pdf_w = pdf_max ((pdf - pdf_min) / (pdf_max - pdf_min))^alpha, V' = V^(1 - cdf_w(V)).
    """
    value = rgb.max(2)
    level = np.rint(value * 255).astype(int)
    pdf = np.bincount(level.ravel(), minlength=256) / level.size
    weighted = pdf.max() * ((pdf - pdf.min()) / max(float(np.ptp(pdf)), 1e-9)) ** alpha
    curve = (np.arange(256) / 255) ** (1 - np.cumsum(weighted) / max(float(weighted.sum()), 1e-9))
    return rgb * (curve[level] / np.maximum(value, 1 / 255))[..., None]


def _retinex(rgb: F32, _: Seen) -> NDArray[Any]:
    """Multi-scale retinex of luminance: the mean of log I - log (G * I) over three widths, brought to the
    mean and two deviations of mid-grey, colour ratios kept: Jobson, Rahman, Woodell (1997)."""
    light = luminance(rgb).astype(np.float32) + np.float32(0.01)
    side = max(rgb.shape[:2])
    wide = [cv2.GaussianBlur(light, (0, 0), max(s * side, 1)) for s in (0.03, 0.12, 0.35)]
    detail = np.mean([np.log(light) - np.log(w) for w in wide], axis=0)
    spread = max(float(detail.std()), 1e-3)
    wanted = np.clip(0.5 + (detail - detail.mean()) / (4 * spread), 0.02, 1)
    return linear_to_srgb(srgb_to_linear(rgb) * (wanted**2.2 / light)[..., None])


RECIPES: dict[str, Recipe] = {
    "none": _none,
    "absolute": _absolute,
    "adaptive": _adaptive,
    "adaptive, local": _adaptive_local,
    "gamma": _gamma,
    "CLAHE": _clahe,
    "AGCWD": _agcwd,
    "Retinex": _retinex,
}


def relight(recipe: str, rgb: NDArray[Any], seen: Seen, *, strength: float = 1.0, clip: bool = True) -> F32:
    """The picture with its light made even by one of ``RECIPES``: H x W x 3, sRGB in [0, 1].

    ``seen``: the photograph that the light is measured in. Where ``rgb`` is that photograph the recipe is an
    input-side correction; where it is the drawing made from it, of the same size, a target-side one.
    ``strength`` in [0, 1] mixes with the picture as it was. ``clip=False`` keeps what leaves [0, 1].

    Raises ParameterError for an unknown recipe, a strength out of range, a malformed picture, one of another
    size than the photograph, or a photograph whose light cannot be measured (``Seen``).
    """
    if recipe not in RECIPES or not 0 <= strength <= 1:
        raise ParameterError(
            f"recipe {recipe!r}, strength {strength}: "
            f"give one of {', '.join(RECIPES)} and a strength in [0, 1]"
        )
    picture = check_picture(rgb)
    if picture.shape != seen.rgb.shape:
        raise ParameterError(
            f"the picture is {picture.shape[:2]} but the photograph {seen.rgb.shape[:2]}: give one size"
        )
    made = RECIPES[recipe](picture, seen)
    out = picture + np.float32(strength) * (np.asarray(made, np.float32) - picture)
    return np.asarray(np.clip(out, 0, 1) if clip else out, np.float32)
