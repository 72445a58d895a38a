"""Figures of a paper: the pipeline from real intermediates, and portraits beside their drawings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.views.style import FAINT, FONT, INK

Picture = NDArray[np.floating]


def pipeline(rows: Mapping[str, Mapping[str, Picture]], cell: float = 1.55) -> Figure:
    """Stages as rows of labelled pictures (H x W x 3 or H x W, in [0, 1]), each stage with its title.

    ``cell`` is the side of a picture in inches. An arrow leads from each picture to the next of its row, but
    not to a photograph, with which something new begins.
    """
    columns = max(len(stage) for stage in rows.values())
    figure = Figure(figsize=(columns * (cell + 0.12) + 0.1, len(rows) * (cell + 0.52)), dpi=200)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    edges = {"left": 0.01, "right": 0.99, "top": 1 - 0.13 / len(rows), "bottom": 0.035}
    figure.subplots_adjust(**edges, hspace=0.34, wspace=0.07)
    for line, (title, stage) in zip(grid, rows.items(), strict=True):
        for axes in line:
            axes.axis("off")
        for number, (axes, (label, picture)) in enumerate(zip(line, stage.items(), strict=False)):
            axes.imshow(np.clip(picture, 0, 1), cmap="gray", vmin=0, vmax=1, interpolation="lanczos")
            _write(axes, (0.5, -0.03), label, "center", "top", size=FONT - 2)
            if number and not label.startswith("photograph"):
                _write(axes, (-0.035, 0.5), "›", "center", "center", size=13, color=FAINT)
        _write(line[0], (0, 1.03), title, "left", "bottom", weight="bold")
    return figure


def _write(axes: Axes, at: tuple[float, float], text: str, across: str, up: str, **look: Any) -> None:
    """``text`` at a place given in sides of the axes, aligned ``across`` and ``up``."""
    axes.text(*at, text, transform=axes.transAxes, ha=across, va=up, **{"size": FONT, "color": INK, **look})


def portraits(rows: Sequence[Sequence[tuple[str, Picture]]], cell: float = 2.4) -> Figure:
    """One row a person: labelled pictures side by side, each fitted into ``cell`` inches."""
    columns = max(len(row) for row in rows)
    figure = Figure(figsize=(columns * cell, len(rows) * (cell + 0.25)), dpi=250)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    figure.subplots_adjust(left=0.005, right=0.995, top=0.995, bottom=0.03, hspace=0.08, wspace=0.02)
    for line, row in zip(grid, rows, strict=True):
        for axes in line:
            axes.axis("off")
        for axes, (label, picture) in zip(line, row, strict=False):
            axes.imshow(np.clip(picture, 0, 1), interpolation="lanczos")
            _write(axes, (0.5, -0.015), label, "center", "top")
    return figure
