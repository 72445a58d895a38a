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
from wbme.views.skin import Study

# Okabe and Ito's colours: they stay apart for colour-blind readers; the markers do so in print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6B6B6B", "#000000")
_MARKERS = "osD^vPX*"
INK, FAINT = "#333333", "#8A8A8A"
TITLES = {"L": "L*", "hue": "hue angle h* (degrees)", "ita": "ITA (degrees)"}
_HUES, _RANGES = (30.0, 100.0), {"L": (0.0, 100.0), "ita": (-100.0, 100.0)}
_MOST_BARS = 60
_HALO = [withStroke(linewidth=2.2, foreground="white")]


def colour(index: int) -> str:
    """The colour of the group of this index."""
    return COLOURS[index % len(COLOURS)]


def plain(axes: Axes) -> Axes:
    """Axes as all figures of skin have them: two spines, small type, no ticks on top of data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9, length=3)
    return axes


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


def hue_range(hues: NDArray[np.floating]) -> tuple[float, float]:
    """The range of hue that shows the Monk swatches and all but a hundredth of ``hues``, in tens."""
    known = hues[np.isfinite(hues)]
    low, high = np.percentile(known, [0.5, 99.5]) if known.size else _HUES
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
        if len(hue) <= _MOST_BARS:
            deviations = {"xerr": found.column("hue_std"), "yerr": found.column(f"{over}_std")}
            axes.errorbar(hue, y, **deviations, fmt="none", ecolor=INK, elinewidth=0.8, zorder=3)
        for index, name in enumerate(found.names):
            own = found.members(name)
            mark = {"marker": _MARKERS[index % len(_MARKERS)], "edgecolors": colour(index), "linewidths": 2}
            axes.scatter(hue[own], y[own], s=72, c=fill[own], label=_entry(name, len(own)), zorder=4, **mark)
    legend(figure, *axes.get_legend_handles_labels())
    return figure


def _entry(name: str, faces: int) -> str:
    return f"{name} ({faces} face{'s' if faces != 1 else ''})"


def legend(
    figure: Figure, handles: Sequence[Artist], labels: Sequence[str], place: str = "outside lower center"
) -> None:
    """The key below all panels; another ``place`` than outside where the figure is laid out by hand."""
    columns = min(len(labels), 4)
    figure.legend(handles, labels, loc=place, ncols=columns, frameon=False, fontsize=9)


def draw_contours(
    axes: Axes, over: str, pixels: NDArray[np.void], hue: str, bandwidth: float = 1.0, bins: int = 100
) -> None:
    """Outlines in colour ``hue`` of where half and nine tenths of the skin lie, and a cross at its mean."""
    x_range, y_range = axes.get_xlim(), _RANGES[over]
    x, y, weights = pixels["hue"], pixels[over], pixels["weight"]
    grid = {"x_range": x_range, "y_range": y_range, "bins": bins, "bandwidth": bandwidth}
    found = density(x, y, weights=weights, **grid)
    levels = sorted({found.level(0.9), found.level(0.5)})
    axes.contour(
        found.x, found.y, found.values, levels, colors=hue, linewidths=(1.0, 1.8)[-len(levels) :], zorder=3
    )
    filled = [*levels, found.values.max() * 1.001]
    axes.contourf(found.x, found.y, found.values, filled, colors=[hue] * len(levels), alpha=0.16, zorder=2.5)
    mean = [np.average(column, weights=weights) for column in (x, y)]
    axes.plot(*mean, "+", ms=10, mew=2, color=hue, zorder=4, path_effects=_HALO)


def densities(found: Study, bandwidth: float = 1.0) -> Figure:
    """Skin pixels of every group in both planes: contours around half and nine tenths of them."""
    figure = Figure(figsize=(10, 4.9), layout="constrained")
    hues = hue_range(found.pixels["hue"])
    for axes, over in zip(figure.subplots(1, 2), ("L", "ita"), strict=True):
        draw_plane(axes, over, hues)
        for index, name in enumerate(found.names):
            draw_contours(axes, over, found.pixels_of(name), colour(index), bandwidth)
            axes.plot([], [], color=colour(index), lw=2, label=_entry(name, len(found.members(name))))
    legend(figure, *axes.get_legend_handles_labels())
    return figure


def pixel_plane(found: Study, most: int = 12_000, seed: int = 0) -> tuple[Figure, Any, NDArray[np.intp]]:
    """L* over hue with skin pixels of all faces in their own colours: (figure, axes, which pixels of
    ``found.pixels`` are drawn), for choosing some of them with the mouse."""
    chosen = np.arange(len(found.pixels))
    if len(chosen) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(chosen), most, replace=False))
    pixels = found.pixels[chosen]
    figure = Figure(figsize=(5.0, 4.5), layout="constrained")
    axes = figure.subplots()
    draw_plane(axes, "L", hue_range(pixels["hue"]))
    rgb = lab_to_srgb(np.stack([pixels[c] for c in "Lab"], axis=1))
    axes.scatter(pixels["hue"], pixels["L"], s=5, c=rgb, linewidths=0, zorder=1.5, rasterized=True)
    return figure, axes, chosen
