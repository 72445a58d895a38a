"""The texture teachers side by side, the two controls of the quick one, and stability in time."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.metrics import structure
from wbme.synth.abstraction import Abstraction, texture_teacher
from wbme.synth.composite import inked
from wbme.views.overlay import contact_sheet
from wbme.views.style import FAINT, FONT, INK, colour, plain

F32 = NDArray[np.float32]


def fitted(rgb: F32, rows: int, columns: int) -> F32:
    """``rgb`` (H x W x 3) cropped in the middle to the shape ``rows`` x ``columns`` and brought to it."""
    high, wide = rgb.shape[:2]
    scale = max(rows / high, columns / wide)
    tall, broad = min(round(rows / scale), high), min(round(columns / scale), wide)
    y, x = (high - tall) // 2, (wide - broad) // 2
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = np.ascontiguousarray(rgb[y : y + tall, x : x + broad])
    return np.clip(cv2.resize(part, (columns, rows), interpolation=way), 0, 1)


def sheet(names: Sequence[str], drawings: Mapping[str, Sequence[F32]], cell: int = 300) -> F32:
    """A row a picture, which has a name; a column each of ``drawings``: the photographs, and what a teacher
    made of each of them, H x W x 3."""
    tiles, labels = [], []
    for name, row in zip(names, zip(*drawings.values(), strict=True), strict=True):
        tiles += row
        labels += [name, *list(drawings)[1:]]
    return contact_sheet(tiles, columns=len(drawings), labels=labels, cell=cell)


def knobs(rgb: F32, strokes: Sequence[float], abstractions: Sequence[float], cell: int = 460) -> F32:
    """What the quick teacher makes of one picture: a row a stroke, a column an abstraction."""
    both = [(stroke, abstraction) for stroke in strokes for abstraction in abstractions]
    tiles = [quick(rgb, stroke, abstraction) for stroke, abstraction in both]
    labels = [f"stroke {stroke:g}, abstraction {abstraction:g}" for stroke, abstraction in both]
    return contact_sheet(tiles, columns=len(abstractions), labels=labels, cell=cell)


def quick(rgb: F32, stroke: float, abstraction: float, lines: float = 1.0, tones: float = -1.0) -> F32:
    """The quick teacher's drawing of a picture H x W x 3."""
    return inked(*texture_teacher(rgb, Abstraction(stroke, abstraction, lines, tones=tones)))


def layers(rgb: F32, settings: Abstraction, cell: int = 460) -> F32:
    """The photograph, the base, the ink and the drawing of the quick teacher."""
    base, ink = texture_teacher(rgb, settings)
    tiles = [rgb, base, 1 - ink, inked(base, ink)]
    return contact_sheet(tiles, columns=4, labels=["photograph", "base", "ink", "drawing"], cell=cell)


def structures(drawings: Mapping[str, Sequence[F32]]) -> pd.DataFrame:
    """Mean share (%) of flat pixels and of centre lines in the drawings of each teacher, a row a teacher."""
    rows = []
    for name, several in drawings.items():
        found = [(structure.flat_share(one), structure.lines(one).mean()) for one in several]
        flat, line = 100 * np.mean(found, axis=0)
        rows.append({"teacher": name, "flat (%)": flat, "lines (%)": line})
    return pd.DataFrame(rows)


def stability(errors: Mapping[str, Sequence[float]]) -> Figure:
    """E_warp of each picture of a clip to the one before, a line a teacher, the photograph among them."""
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    axes = plain(figure.subplots())
    for index, (name, values) in enumerate(errors.items()):
        tint = INK if name == "photograph" else colour(index)
        axes.plot(np.arange(1, len(values) + 1), values, "o-", ms=3.5, lw=1.4, color=tint, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("picture of the clip", fontsize=FONT, color=INK)
    axes.set_ylabel("E_warp to the one before", fontsize=FONT, color=INK)
    axes.legend(frameon=False, fontsize=FONT, labelcolor=INK, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(axis="y", color=FAINT, alpha=0.3, lw=0.6)
    return figure
