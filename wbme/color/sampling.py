"""Skin pixels of a picture as one table of colours and measures."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_mask, check_picture
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import hue, ita

MEASURES = ("L", "a", "b", "hue", "ita")
SAMPLE = np.dtype([(name, "f4") for name in (*MEASURES, "weight")] + [("row", "i4"), ("column", "i4")])


def sample(
    rgb: NDArray[Any], mask: NDArray[Any], *, sigma: float = 1.0, max_pixels: int = 20_000, seed: int = 0
) -> NDArray[np.void]:
    """Colours of the pixels under a mask as one table: L, a, b, hue, ita (degrees), weight, row, column.

    ``rgb``: ``H x W x 3`` sRGB in [0, 1]; ``mask``: ``H x W`` weights in [0, 1], soft or bool. The picture is
    first smoothed by a Gaussian of ``sigma`` pixels (0: not at all), in sRGB values and across the mask's
    border, as published. Where more than ``max_pixels`` pixels lie above 0, that many are drawn at random by
    ``seed``, each equally likely, and kept in reading order. Returns a structured array ``SAMPLE``, which a
    pandas DataFrame takes as it is. The hue of nearly neutral pixels is noise.

    Raises ParameterError for a malformed picture or mask, an empty mask or a parameter out of range.
    """
    if not 0 <= sigma <= 100 or max_pixels < 1:
        raise ParameterError(
            f"sigma = {sigma}, max_pixels = {max_pixels}: give sigma in [0, 100] and at least one pixel"
        )
    rgb = check_picture(rgb)
    mask = check_mask(mask, rgb.shape)
    rows, columns = np.nonzero(mask)
    smooth, top, left = _smoothed_around(rgb, rows, columns, sigma)
    if len(rows) > max_pixels:
        drawn = np.random.default_rng(seed).choice(len(rows), max_pixels, replace=False, shuffle=False)
        drawn.sort()
        rows, columns = rows[drawn], columns[drawn]
    lab = srgb_to_lab(smooth[rows - top, columns - left])

    table = np.empty(len(rows), SAMPLE)
    table["row"], table["column"], table["weight"] = rows, columns, mask[rows, columns]
    table["L"], table["a"], table["b"] = lab.T
    table["hue"], table["ita"] = hue(table["a"], table["b"]), ita(table["L"], table["b"])
    return table


def _smoothed_around(
    rgb: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp], sigma: float
) -> tuple[NDArray[np.float32], int, int]:
    """The smoothed part of a picture that holds these pixels, and its top left corner."""
    reach = int(np.ceil(4 * sigma))  # the kernel ends at four sigma, so nothing beyond the part can matter
    top, left = max(rows.min() - reach, 0), max(columns.min() - reach, 0)
    part = np.ascontiguousarray(rgb[top : rows.max() + reach + 1, left : columns.max() + reach + 1])
    if reach:
        size = (2 * reach + 1, 2 * reach + 1)
        part = np.asarray(cv2.GaussianBlur(part, size, sigma, borderType=cv2.BORDER_REFLECT), np.float32)
    return part, int(top), int(left)
