"""Skin and hair of the two portraits of ``source/portraits``, drawn by hand (``portraits.json``)."""

import importlib.resources
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.masks import polygon_mask

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Truth:
    """Masks H x W of one picture: ``skin`` of face, ears, neck and body with everything in a face, ``hair``,
    and ``fine``: brows, eyes, mouth and the frames of glasses, which are no skin but lie within it."""

    skin: Mask
    hair: Mask
    fine: Mask


def portraits() -> dict[str, Truth]:
    """The masks of each portrait by the name of its file. A pixel belongs to what covers half of it."""
    text = importlib.resources.files("wbme.data").joinpath("portraits.json").read_text("utf-8")
    found = {}
    for row in json.loads(text)["pictures"]:
        shape = row["size"][1], row["size"][0]
        masks = {kind: polygon_mask(shape, row[kind]) >= 0.5 for kind in ("skin", "hair", "fine")}
        masks["skin"] &= ~masks["hair"]  # on their common edge a pixel may be half of each
        found[row["name"]] = Truth(**masks)
    return found
