"""Patterns of cloth as textures: stripes, checks, tartan and dots, drawn in the cloth's own metres.

A texture carries mipmaps, so that a pattern that is too fine for a picture fades to its mean without moire.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SPAN = 1.6  # metres that a texture covers
_SIZE = 1024
Floats = NDArray[np.float64]


def _wave(at: Floats, pitch: float, share: float) -> Floats:
    """1 on a stripe and 0 between, its edges a texel soft."""
    texel = SPAN / _SIZE
    far = (np.abs((at / pitch) % 1 - 0.5) - share / 2) * pitch
    return np.clip(0.5 - far / texel, 0, 1)


def _stripes(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    pitch = float(rng.uniform(0.022, 0.07))
    return _wave(y, pitch, float(rng.uniform(0.25, 0.5))) + 0 * x


def _pinstripes(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    return 0.7 * _wave(x, float(rng.uniform(0.014, 0.026)), 0.14) + 0 * y


def _check(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    pitch = float(rng.uniform(0.024, 0.055))
    return 0.5 * _wave(x, pitch, 0.5) + 0.5 * _wave(y, pitch, 0.5)


def _tartan(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    pitch = float(rng.uniform(0.06, 0.1))
    both = sum(0.42 * _wave(a, pitch, 0.42) + 0.25 * _wave(a + 0.5 * pitch, pitch, 0.07) for a in (x, y))
    return np.asarray(both)


def _dots(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    pitch = float(rng.uniform(0.028, 0.05))
    row = np.floor(y / pitch)
    a = (x / pitch + 0.5 * (row % 2)) % 1 - 0.5
    far = np.hypot(a, y / pitch % 1 - 0.5) * pitch - pitch * float(rng.uniform(0.16, 0.24))
    return np.clip(0.5 - far / (SPAN / _SIZE), 0, 1)


_KINDS: dict[str, Callable[[Floats, Floats, np.random.Generator], Floats]] = {
    "stripes": _stripes, "pinstripes": _pinstripes, "check": _check, "tartan": _tartan, "dots": _dots,
}  # fmt: skip


def draw(name: str, colour: NDArray, rng: np.random.Generator) -> NDArray[np.uint8] | None:
    """The texture ``SPAN`` metres wide of pattern ``name``, S x S x 4 uint8: factors of ``colour`` (sRGB in
    [0, 1]) and full cover; None for "plain"."""
    if name == "plain":
        return None
    y, x = np.mgrid[0:_SIZE, 0:_SIZE] * (SPAN / _SIZE)
    ink = _KINDS[name](x, y, rng)[..., None]
    # The second colour: darker on light cloth; on dark cloth the ground is darkened and the ink is not.
    light = float(np.mean(colour)) > 0.42
    second = float(rng.uniform(0.35, 0.68)) * rng.uniform(0.6, 1.0, 3)
    tone = 1 - (1 - second) * (ink if light else 1 - ink)
    out = np.concatenate([np.clip(tone, 0, 1), np.ones((_SIZE, _SIZE, 1))], -1)
    return (out * 255).round().astype(np.uint8)
