"""What a diffusion model makes of drawn heads: the photograph, the drawing before and after."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wbme.data import rendered
from wbme.data.rendered import Layers
from wbme.synth.composite import over
from wbme.synth.refine import Redraw, around, cut, drawing, redrawn
from wbme.views.overlay import contact_sheet

F32 = NDArray[np.float32]


def sheet(people: Path, character: Path, refined: Path, views: Sequence[str], cell: int = 320) -> F32:
    """Three pictures a row, of the first head of each view: the photograph, the drawing before and after."""
    tiles, labels = [], []
    for view in views:
        before, after = (rendered.layers(people, folder, view) for folder in (character, refined))
        plain = np.full(before.albedo.shape, 0.93, np.float32)
        shown = over(before.photo, plain), drawing(before), drawing(after)
        tiles += [_head(picture, before, cell) for picture in shown]
        labels += [f"{view}, original", "before", "after"]
    return contact_sheet(tiles, columns=3, labels=labels, cell=cell)


def beside(layers: Layers, redraw: Redraw, size: int, name: str, cell: int = 384) -> F32:
    """The first head as it is drawn and as ``redraw`` draws it, side by side."""
    after, _ = redrawn(layers, redraw, size, name)
    return np.hstack([_head(drawing(one), layers, cell) for one in (layers, after)])


def _head(picture: F32, layers: Layers, cell: int) -> F32:
    found = layers.boxes[np.isfinite(layers.boxes).all(1)]
    return cut(picture, around(found[0], picture.shape), cell) if len(found) else picture
