"""How even light came to a drawing: its skin's lightness, form, lost tones and noise."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.difference import delta_e00
from wbme.color.inputs import check_mask, check_picture
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import ita

_LOW, _HIGH = 2 / 255, 253 / 255  # sRGB at which all of a pixel is black, or one channel burnt out


@dataclass(frozen=True)
class LightScore:
    """``L`` and ``ita`` (degrees) of the median skin; ``delta_e00``, mean over skin pixels to the reference;
    ``form``, correlation of L* with the reference's (NaN where that is of one tone, 0 where the picture is);
    ``lost``, the share of the person that is black or burnt out; ``noise``, deviation of L* from its median
    of 3 x 3 pixels, robust."""

    L: float
    ita: float
    delta_e00: float
    form: float
    lost: float
    noise: float


def score(rgb: NDArray[Any], reference: NDArray[Any], skin: NDArray[Any], person: NDArray[Any]) -> LightScore:
    """Score ``rgb`` against ``reference``, what it would be in neutral light: both H x W x 3, sRGB in [0, 1];
    ``skin`` and ``person``: masks H x W.

    Raises ParameterError for malformed or unequal pictures, or an empty mask.
    """
    one, other = check_picture(rgb), check_picture(reference, "reference")
    if one.shape != other.shape:
        raise ParameterError(
            f"the picture is {one.shape[:2]}, its reference {other.shape[:2]}: give one size"
        )
    inside = check_mask(skin, one.shape, "skin mask") > 0
    whole = check_mask(person, one.shape, "person mask") > 0
    lab, wanted = (srgb_to_lab(np.clip(p[inside], 0, 1)) for p in (one, other))
    middle = np.median(lab, axis=0)
    light = srgb_to_lab(np.clip(one, 0, 1))[..., 0]
    rough = np.abs(light - cv2.medianBlur(light.astype(np.float32), 3))[inside]
    top = one[whole].max(1)
    return LightScore(
        L=float(middle[0]),
        ita=float(ita(middle[0], middle[2])),
        delta_e00=float(delta_e00(lab, wanted).mean()),
        form=form(lab[:, 0], wanted[:, 0])[0],
        lost=float(((top <= _LOW) | (top >= _HIGH)).mean()),
        noise=float(1.4826 * np.mean(np.minimum(rough, 10))),
    )


def form(light: NDArray[Any], wanted: NDArray[Any]) -> tuple[float, float]:
    """How far the shading ``wanted`` comes through in ``light``, both N L* of the same pixels: correlation,
    and slope of the least-squares line, which is the share of its contrast.

    NaN where ``wanted`` is of one tone (a deviation below 0.5), and 0 where ``light`` is.
    """
    if wanted.std() < 0.5:
        return float("nan"), float("nan")
    if light.std() < 1e-3:
        return 0.0, 0.0
    alike = float(np.corrcoef(light, wanted)[0, 1])
    return alike, alike * float(light.std() / wanted.std())
