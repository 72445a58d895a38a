"""The two planes of skin colour, L* over hue and ITA over hue, with all that helps to read them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from wbme.color import skin
from wbme.color.distributions import density
from wbme.color.spaces import lab_to_srgb
from wbme.views.skin import Study, coloured
from wbme.views.style import FAINT, FONT, INK, colour, dash, marker, plain, shortened

TITLES = {"L": "L*", "hue": "hue angle h* (degrees)", "ita": "ITA (degrees)"}
_HUES, _RANGES = (30.0, 100.0), {"L": (0.0, 100.0), "ita": (-100.0, 100.0)}
_MOST_BARS = 60
_MOST_LARGE = 20  # marks; more of them are drawn smaller and translucent
_MOST_FILLED = 4  # groups with filled contours
_LETTERS = 110  # fit into a line of a key
_HALO = [withStroke(linewidth=2.2, foreground="white")]


def draw_plane(axes: Axes, over: str, hues: tuple[float, float] = _HUES) -> None:
    """Empty plane of ``over`` ("L" or "ita") over hue: the lines L* = 60 and hue = 55, the limits of the ITA
    classes, and the Monk swatches as numbered discs."""
    plain(axes).set(xlim=hues, ylim=_RANGES[over], xlabel=TITLES["hue"], ylabel=TITLES[over])
    line = {"color": FAINT, "linewidth": 0.9, "linestyle": (0, (5, 3)), "zorder": 1}
    axes.axvline(skin.YELLOW_HUE, **line)
    small = {"fontsize": 7.5, "color": FAINT, "zorder": 1}
    if over == "L":
        axes.axhline(skin.LIGHT_L, **line)
        corners = (("left", "red", 0.015), ("right", "yellow", 0.985))
        for side, name, x in corners:
            for y, tone in ((0.985, "light"), (0.015, "dark")):
                up = "top" if y > 0.5 else "bottom"
                axes.text(x, y, f"{tone} {name}", transform=axes.transAxes, ha=side, va=up, **small)
    else:
        edges = (_RANGES["ita"][1], *skin.ITA_BOUNDS, _RANGES["ita"][0])
        for bound in skin.ITA_BOUNDS:
            axes.axhline(bound, color=FAINT, linewidth=0.6, linestyle=":", zorder=1)
        for name, (high, low) in zip(skin.ITA_CLASSES, pairwise(edges), strict=True):
            axes.text(hues[0] + 1, (high + low) / 2, name, va="center", **small)
    for tone in skin.MONK:
        y = tone.L if over == "L" else tone.ita
        axes.plot(tone.hue, y, "o", ms=12, mfc=tone.hex, mec=FAINT, mew=0.6, zorder=3.2)
        # Swatches 1 and 2, and 9 and 10 overlap: their numbers stand outside.
        beside = {1: (9, 0), 2: (-9, 0), 9: (9, 2), 10: (-9, -2)}.get(tone.number)
        ink = INK if beside or tone.L > 50 else "white"
        ha = "center" if not beside else "left" if beside[0] > 0 else "right"
        where = {"xytext": beside or (0, 0), "textcoords": "offset points", "ha": ha, "va": "center_baseline"}
        axes.annotate(
            str(tone.number),
            (tone.hue, y),
            fontsize=7,
            color=ink,
            zorder=3.3,
            path_effects=_HALO if beside else None,
            **where,
        )


def quantiles(
    values: NDArray[np.floating], weights: NDArray[np.floating], ranks: Sequence[float]
) -> NDArray[np.float64]:
    """Weighted quantiles of one value or more, ``ranks`` in [0, 1]."""
    order = values.argsort(kind="stable")
    mass = np.cumsum(weights[order], dtype=np.float64)
    at = np.searchsorted(mass, np.asarray(ranks) * mass[-1])
    return np.asarray(values[order][np.minimum(at, len(values) - 1)], np.float64)


def hue_range(hues: NDArray[np.floating], weights: NDArray[np.floating] | None = None) -> tuple[float, float]:
    """The range of hue that shows the Monk swatches and all but a hundredth of ``hues``, in tens."""
    known = np.isfinite(hues)
    weights = np.ones(len(hues)) if weights is None else weights
    low, high = quantiles(hues[known], weights[known], [0.005, 0.995]) if known.any() else _HUES
    return float(min(_HUES[0], np.floor(low / 10) * 10)), float(max(_HUES[1], np.ceil(high / 10) * 10))


def scatter(found: Study) -> Figure:
    """Every face in both planes, in its own colour, with the deviations between its clusters."""
    figure = Figure(figsize=(10, 4.9), layout="constrained")
    hue = found.column("hue")
    fill = lab_to_srgb(found.lab)
    hues = hue_range(hue)
    for axes, over in zip(figure.subplots(1, 2), ("L", "ita"), strict=True):
        draw_plane(axes, over, hues)
        y = found.column(over)
        many = len(hue) > _MOST_LARGE
        style = {"s": 32, "linewidths": 1.2, "alpha": 0.7} if many else {"s": 72, "linewidths": 2}
        if len(hue) <= _MOST_BARS:
            deviations = {"xerr": found.column("hue_std"), "yerr": found.column(f"{over}_std")}
            axes.errorbar(hue, y, **deviations, fmt="none", ecolor=INK, elinewidth=0.8, zorder=3)
        for index, name in enumerate(found.names):
            own = found.members(name)
            mark = {"marker": marker(index), "edgecolors": colour(index), **style}
            axes.scatter(hue[own], y[own], c=fill[own], label=_entry(name, len(own)), zorder=4, **mark)
    legend(figure, *axes.get_legend_handles_labels())
    return figure


def _entry(name: str, faces: int) -> str:
    return f"{shortened(name, 32)} ({faces} face{'s' if faces != 1 else ''})"


def legend(
    figure: Figure, handles: Sequence[Artist], labels: Sequence[str], place: str = "outside lower center"
) -> None:
    """The key below all panels, in as many columns as its labels leave; a figure grows by what it needs.
    Another ``place`` than outside where the figure is laid out by hand."""
    columns = max(1, min(len(labels), 4, _LETTERS // (max(map(len, labels)) + 6)))
    if place.startswith("outside"):
        figure.set_figheight(figure.get_figheight() + 0.2 * max(-(-len(labels) // columns) - 2, 0))
    figure.legend(handles, labels, loc=place, ncols=columns, frameon=False, fontsize=FONT)


def draw_contours(
    axes: Axes,
    over: str,
    pixels: NDArray[np.void],
    hue: str,
    bandwidth: float = 1.0,
    bins: int = 100,
    filled: bool = True,
    line: str = "-",
) -> None:
    """Outlines in colour ``hue`` of where half and nine tenths of the skin that has a hue lie, and a cross at
    its mean; nothing where none of it lies in the plane."""
    x_range, y_range = axes.get_xlim(), _RANGES[over]
    pixels = pixels[coloured(pixels)]
    x, y, weights = pixels["hue"], pixels[over], pixels["weight"]
    if not ((x >= x_range[0]) & (x <= x_range[1]) & (y >= y_range[0]) & (y <= y_range[1])).any():
        return
    grid = {"x_range": x_range, "y_range": y_range, "bins": bins, "bandwidth": bandwidth}
    found = density(x, y, weights=weights, **grid)
    levels = sorted({found.level(0.9), found.level(0.5)})
    outline = {"colors": hue, "linewidths": (1.0, 1.8)[-len(levels) :], "linestyles": line, "zorder": 3}
    axes.contour(found.x, found.y, found.values, levels, **outline)
    if filled:
        bands = [*levels, found.values.max() * 1.001]
        fill = {"colors": [hue] * len(levels), "alpha": 0.16, "zorder": 2.5}
        axes.contourf(found.x, found.y, found.values, bands, **fill)
    mean = [np.average(column, weights=weights) for column in (x, y)]
    axes.plot(*mean, "+", ms=10, mew=2, color=hue, zorder=4, path_effects=_HALO)


def densities(found: Study, bandwidth: float = 1.0) -> Figure:
    """Skin pixels of every group in both planes: contours around half and nine tenths of them."""
    figure = Figure(figsize=(10, 4.9), layout="constrained")
    hues = pixel_hues(found.pixels)
    filled = len(found.names) <= _MOST_FILLED
    for axes, over in zip(figure.subplots(1, 2), ("L", "ita"), strict=True):
        draw_plane(axes, over, hues)
        for index, name in enumerate(found.names):
            key = {"color": colour(index), "ls": dash(index), "label": _entry(name, len(found.members(name)))}
            style = {"filled": filled, "line": dash(index)}
            draw_contours(axes, over, found.pixels_of(name), colour(index), bandwidth, **style)
            axes.plot([], [], lw=2, **key)
    legend(figure, *axes.get_legend_handles_labels())
    return figure


def pixel_hues(pixels: NDArray[np.void]) -> tuple[float, float]:
    """``hue_range`` of the pixels that have a hue."""
    shown = pixels[coloured(pixels)]
    return hue_range(shown["hue"], shown["weight"])


def pixel_plane(found: Study, most: int = 5_000, seed: int = 0) -> tuple[Figure, Any, NDArray[np.intp]]:
    """L* over hue with skin pixels of all faces in their own colours, for choosing some with the mouse:
    (figure, axes, which pixels of ``found.pixels`` lie in the plane: all that have a hue). Of more than
    ``most`` only so many are drawn; the others lie between them."""
    inside = np.flatnonzero(coloured(found.pixels))
    drawn = inside
    if len(inside) > most:
        drawn = np.sort(np.random.default_rng(seed).choice(inside, most, replace=False))
    pixels = found.pixels[drawn]
    figure = Figure(figsize=(5.0, 4.5), layout="constrained")
    axes = figure.subplots()
    draw_plane(axes, "L", pixel_hues(found.pixels))
    rgb = lab_to_srgb(np.stack([pixels[c] for c in "Lab"], axis=1))
    axes.scatter(pixels["hue"], pixels["L"], s=5, c=rgb, linewidths=0, zorder=1.5, rasterized=True)
    return figure, axes, inside
