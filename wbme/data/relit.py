"""A rendered view under a lamp of one's choice, from its exact albedo and the exact shading of its form."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.spaces import linear_to_srgb, srgb_to_linear
from wbme.data.rendered import Layers
from wbme.geometry.parsing import SKIN

F32 = NDArray[np.float32]
_GREY = 0.5  # linear: ``shading`` is what a grey of this reflectance would show
_SOFT = 0.6  # exponent of the shading: the lamp is a large one
_READ, _SHOT = 0.0015, 0.0004  # of the sensor: deviation in the dark, variance a unit of light


@dataclass(frozen=True)
class Lamp:
    """``colour``: linear RGB gains of luminance 1; ``ev``: stops above the right exposure; ``side``: stops by
    which the picture's left half of a face lies below its right half."""

    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    ev: float = 0.0
    side: float = 0.0


def _of(red: float, green: float, blue: float, **more: float) -> Lamp:
    """A lamp of that colour, scaled to luminance 1."""
    scale = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return Lamp((red / scale, green / scale, blue / scale), **more)


# Warm and cold: black bodies of 2,900 and 13,000 K after a camera's white balance took half of them away.
LAMPS = {
    "neutral": Lamp(),
    "warm": _of(1.36, 0.97, 0.46),
    "cold": _of(0.84, 1.0, 1.36),
    "coloured": _of(1.0, 0.42, 1.05),
    "dim": Lamp(ev=-2.0),
    "half-lit": Lamp(side=3.5),
}


def relit(layers: Layers, behind: F32, lamp: Lamp, rng: np.random.Generator) -> tuple[Layers, F32]:
    """The view under ``lamp``, and its photograph before ``behind`` (H x W x 3 sRGB) under the same light.

    Linear light is albedo x colour x 2^ev x form, with form the exact shading over its median on the skin to
    the power 0.6; where a face is half-lit times 2^(-side) on its left, softly across its middle. A sensor's
    noise is added (variance 0.0015^2 + 0.0004 x), what exceeds 1 is burnt out, and all is rounded to 8 bits.
    In the layers returned, ``photo`` and ``shading`` are of this light. Raises ParameterError for a
    background of another size or a lamp that is not finite.
    """
    if behind.shape != layers.albedo.shape or not np.isfinite([*lamp.colour, lamp.ev, lamp.side]).all():
        raise ParameterError(
            f"relit: {lamp} and a background {behind.shape} for a view {layers.albedo.shape}: "
            "give finite lamps and backgrounds of the view's size"
        )
    light = _linear(layers.shading) / _GREY
    skin = np.isin(layers.labels, list(SKIN))
    seen = skin if skin.any() else layers.labels > 0
    middle = float(np.median(light[seen])) if seen.any() else 1.0
    form = (np.clip(light / max(middle, 1e-3), 0.05, 4.0) ** _SOFT * _halves(layers, lamp.side)).astype(
        np.float32
    )
    gains = (np.float32(lamp.colour) * 2.0**lamp.ev).astype(np.float32)
    alpha = layers.photo[..., 3:]
    person = srgb_to_linear(layers.albedo) * form[..., None]
    linear = (alpha * person + (1 - alpha) * srgb_to_linear(behind)) * gains
    noisy = linear + rng.standard_normal(linear.shape) * np.sqrt(_READ**2 + _SHOT * linear)
    picture = (np.rint(linear_to_srgb(np.clip(noisy, 0, 1)) * 255) / 255).astype(np.float32)
    luminance = np.clip(form * _GREY * 2.0**lamp.ev, 0, 1)
    shading = linear_to_srgb(np.repeat(luminance[..., None], 3, axis=2))[..., 0].astype(np.float32)
    return replace(layers, photo=np.dstack([picture, alpha]), shading=shading), picture


def fitted(layers: Layers, side: int) -> Layers:
    """The layers at no more than ``side`` pixels a side: light and colours by area, labels the nearest."""
    height, width = layers.labels.shape
    scale = side / max(height, width)
    if scale >= 1:
        return layers
    size = max(round(width * scale), 1), max(round(height * scale), 1)

    def small(plane: NDArray[Any]) -> NDArray[Any]:
        way = cv2.INTER_NEAREST if plane.dtype == np.uint8 else cv2.INTER_AREA
        return cv2.resize(plane, size, interpolation=way)

    planes = ("photo", "labels", "albedo", "shading", "palette", "oracle", "ink", "drawn", "heads", "toon")
    made: dict[str, Any] = {name: small(getattr(layers, name)) for name in planes}
    points = ((layers.points + 0.5) * scale - 0.5).astype(np.float32)
    return replace(layers, **made, points=points, boxes=layers.boxes * np.float32(scale))


def _linear(plane: F32) -> NDArray[Any]:
    return srgb_to_linear(np.repeat(plane[..., None], 3, axis=2))[..., 0]


def _halves(layers: Layers, side: float) -> NDArray[np.float64]:
    """2^(-side) on the left of each head's middle, 1 on its right, over a tenth of its width between them."""
    out = np.ones(layers.labels.shape)
    across = np.arange(out.shape[1])[None]
    for number, box in enumerate(layers.boxes, start=1):
        if side and np.isfinite(box).all():
            width = max(float(box[2] - box[0]), 1.0)
            right = 1 / (1 + np.exp(-(across - (box[0] + box[2]) / 2) / (0.06 * width)))
            out = np.where(layers.heads == number, 2.0 ** (-side * (1 - right)), out)
    return out
