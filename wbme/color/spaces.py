"""Colour spaces: sRGB, linear RGB, CIE XYZ under D65 and CIE L*a*b* (1976).

Every function takes an array whose last axis holds the three components, of any leading shape, and returns
the same shape. float64 stays float64 and anything else becomes float32; lists of numbers count as float64.

The matrix is derived from the primaries and the white of IEC 61966-2-1 rather than taken from its four-digit
table, so that R = G = B gives a* = b* = 0. Lab differs by at most 0.03 from that of the rounded table.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.base.errors import ParameterError

Floats = NDArray[np.floating[Any]]

_PRIMARIES = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]])
_D65 = np.array([0.3127, 0.3290])
_DELTA = 6 / 29


def _xyz_of_chromaticity(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """XYZ with Y = 1 of chromaticities ``... x 2``."""
    x, y = xy[..., 0], xy[..., 1]
    return np.stack([x / y, np.ones_like(x), (1 - x - y) / y], axis=-1)


WHITE = _xyz_of_chromaticity(_D65)  # XYZ of D65, Y = 1
_COLUMNS = _xyz_of_chromaticity(_PRIMARIES).T
RGB_TO_XYZ = _COLUMNS * np.linalg.solve(_COLUMNS, WHITE)  # R = G = B = 1 maps to WHITE
XYZ_TO_RGB = np.linalg.inv(RGB_TO_XYZ)


def _components(value: ArrayLike, name: str) -> Floats:
    array = np.asarray(value)
    if array.dtype == np.uint8:
        raise ParameterError(f"{name} wants values in [0, 1] but got uint8: divide by 255 first")
    if array.ndim == 0 or array.shape[-1] != 3:
        raise ParameterError(f"{name} wants three components on the last axis but got shape {array.shape}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def _transform(c: Floats, matrix: NDArray[np.float64]) -> Floats:
    # Not by BLAS, whose last bit depends on the number of threads.
    return np.einsum("...j,ij->...i", c, matrix.astype(c.dtype))


def srgb_to_linear(srgb: ArrayLike) -> Floats:
    """Linear RGB of sRGB in [0, 1] (IEC 61966-2-1); below 0 the straight part of the curve goes on.

    Raises ParameterError for uint8 or a last axis that is not three.
    """
    c = _components(srgb, "srgb_to_linear")
    return np.where(c <= 0.04045, c / 12.92, ((np.maximum(c, 0) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: ArrayLike) -> Floats:
    """sRGB of linear RGB in [0, 1] (IEC 61966-2-1), unclipped: the inverse of ``srgb_to_linear``.

    Raises ParameterError for uint8 or a last axis that is not three.
    """
    c = _components(linear, "linear_to_srgb")
    return np.where(c <= 0.04045 / 12.92, c * 12.92, 1.055 * np.maximum(c, 0) ** (1 / 2.4) - 0.055)


def linear_to_xyz(linear: ArrayLike) -> Floats:
    """CIE XYZ (D65, Y of white = 1) of linear RGB."""
    c = _components(linear, "linear_to_xyz")
    return _transform(c, RGB_TO_XYZ)


def xyz_to_lab(xyz: ArrayLike) -> Floats:
    """CIE L*a*b* 1976 of XYZ (D65, Y of white = 1).

    L* = 116 f(Y) - 16, a* = 500 (f(X) - f(Y)), b* = 200 (f(Y) - f(Z)), each over the white, with
    f(t) = t^(1/3) above (6/29)^3 and t / (3 (6/29)^2) + 4/29 below (CIE 15:2004).
    """
    c = _components(xyz, "xyz_to_lab")
    return _lab_of_relative(c / WHITE.astype(c.dtype))


def _lab_of_relative(t: Floats) -> Floats:
    f = np.where(t > _DELTA**3, np.cbrt(t), t / (3 * _DELTA**2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _relative_of_lab(lab: Floats) -> Floats:
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    return np.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4 / 29))


def srgb_to_lab(srgb: ArrayLike) -> Floats:
    """CIE L*a*b* (D65; L* 0 to 100) of sRGB in [0, 1].

    In float32 within 2e-4 of float64. Raises ParameterError for uint8 or a last axis that is not three.
    """
    linear = srgb_to_linear(srgb)
    # Scaled to the white before rounding, so that the rows sum to one and grey stays grey in float32.
    return _lab_of_relative(_transform(linear, RGB_TO_XYZ / WHITE[:, None]))


def lab_to_srgb(lab: ArrayLike, *, clip: bool = True) -> Floats:
    """sRGB of CIE L*a*b* (D65).

    ``clip=True`` cuts each channel to [0, 1], which moves a colour outside the gamut in hue and lightness;
    ``clip=False`` keeps what lies outside, so that ``srgb_to_lab`` leads back to the same Lab.
    """
    c = _components(lab, "lab_to_srgb")
    srgb = linear_to_srgb(_transform(_relative_of_lab(c), XYZ_TO_RGB * WHITE))
    return np.clip(srgb, 0, 1) if clip else srgb
