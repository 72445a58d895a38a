"""What the pixels of a data set show: head, body or background, and where in the picture.

The question behind it (Back, Kim, Ahn: WebtoonMe, SIGGRAPH Asia 2022): in a set of face crops hardly a pixel
is body or sharp background, so a network trained on it draws both badly.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.base.errors import ParameterError
from wbme.geometry.alignment import ffhq_quad
from wbme.geometry.parsing import HEAD, INDEX

CLASSES = ("head", "body", "background")
# Head: face, neck, hair and hat. Body: clothes and body skin, and what is worn around the neck.
_HEAD = np.isin(np.arange(256), [*HEAD, INDEX["hat"]])
_CLASS = np.where(_HEAD, 0, 1)
_CLASS[INDEX["background"]] = 2


def face_crop(labels: NDArray[np.integer[Any]], points: ArrayLike) -> NDArray[np.integer[Any]]:
    """The part of a label map H x W that FFHQ would cut out around the face with these 468 x 2 ``points``
    (``geometry.alignment``): the upright box around its quad, as far as the picture goes."""
    quad = ffhq_quad(points)
    left, top = np.maximum(np.floor(quad.min(0)), 0).astype(int)
    right, bottom = np.ceil(quad.max(0)).astype(int)
    return labels[top:bottom, left:right]


def pixel_distribution(maps: Iterable[NDArray[np.integer[Any]]], bands: int = 32) -> NDArray[np.float64]:
    """Shares of ``CLASSES`` in each of ``bands`` horizontal bands of the picture, top first: bands x 3, rows
    sum to 1. Its mean over bands is the share of all pixels.

    ``maps``: parsing labels H x W, of any sizes at least ``bands`` high; each picture weighs the same.
    Raises ParameterError for no map, or one that is lower than ``bands``.
    """
    total, count = np.zeros((bands, len(CLASSES))), 0
    for labels in maps:
        if labels.ndim != 2 or len(labels) < bands:
            raise ParameterError(
                f"a label map of shape {labels.shape} has no {bands} bands: give fewer bands"
            )
        classes = _CLASS[labels]
        for k, band in enumerate(np.array_split(classes, bands)):
            total[k] += np.bincount(band.ravel(), minlength=len(CLASSES)) / band.size
        count += 1
    if not count:
        raise ParameterError("a pixel distribution needs at least one label map")
    return total / count
