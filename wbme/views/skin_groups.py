"""Groups of faces side by side: violins, and two of them compared."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from wbme.color import skin
from wbme.color.distributions import Comparison, compare
from wbme.color.spaces import lab_to_srgb
from wbme.views.skin import Study
from wbme.views.skin_planes import (
    FAINT,
    INK,
    TITLES,
    colour,
    draw_contours,
    draw_plane,
    hue_range,
    legend,
    plain,
)

_MEASURES = ("L", "hue", "ita")
_BINS = 128
_MARGINS = {"left": 0.065, "right": 0.99, "bottom": 0.2, "top": 0.88}
_LINES = {"L": (skin.LIGHT_L,), "hue": (skin.YELLOW_HUE,), "ita": skin.ITA_BOUNDS}


def _curve(
    values: NDArray[np.floating], weights: NDArray[np.floating], span: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bin centres and weighted density of ``values`` over ``span``, smoothed by Scott's rule."""
    counts, edges = np.histogram(values, _BINS, range=span, weights=weights)
    step = edges[1] - edges[0]
    n = weights.sum() ** 2 / (weights**2).sum()
    mean = np.average(values, weights=weights)
    std = np.sqrt(np.average((values - mean) ** 2, weights=weights))
    smooth = gaussian_filter1d(counts, max(std * n**-0.2 / step, 0.5), mode="constant")
    return (edges[1:] + edges[:-1]) / 2, smooth / max(smooth.sum() * step, 1e-12)


def _span(columns: Sequence[NDArray[np.floating]]) -> tuple[float, float]:
    """What holds all but a fiftieth of every column, with a margin."""
    low = min(np.percentile(c, 1) for c in columns)
    high = max(np.percentile(c, 99) for c in columns)
    room = max(0.06 * (high - low), 1.0)
    return float(low - room), float(high + room)


def violins(found: Study) -> Figure:
    """L*, hue and ITA of every group's skin: density, quartiles (bar), median (white), faces (diamonds)."""
    names = found.names
    tables = [found.pixels_of(name) for name in names]
    across = len(names) > 5
    figure = Figure(figsize=(max(10.0, 1.1 * len(names) + 4), 4.2 + across), layout="constrained")
    rng = np.random.default_rng(0)
    for axes, measure in zip(figure.subplots(1, 3), _MEASURES, strict=True):
        span = _span([table[measure] for table in tables])
        plain(axes).set(ylim=span, xlim=(-0.6, len(names) - 0.4), ylabel=TITLES[measure])
        for bound in _LINES[measure]:
            axes.axhline(bound, color=FAINT, lw=0.8, ls=(0, (5, 3)) if measure != "ita" else ":", zorder=0)
        for x, (name, table) in enumerate(zip(names, tables, strict=True)):
            centres, values = _curve(table[measure], table["weight"], span)
            half = 0.4 * values / values.max()
            axes.fill_betweenx(centres, x - half, x + half, color=colour(x), alpha=0.35, lw=0)
            low, middle, high = _quartiles(table[measure], table["weight"])
            axes.vlines(x, low, high, color=colour(x), lw=5)
            axes.plot(x, middle, "o", ms=5, color="white", mec=colour(x))
            faces = found.column(measure)[found.members(name)]
            scattered = x + 0.24 + rng.uniform(-0.06, 0.06, len(faces))
            axes.plot(scattered, faces, "D", ms=4, color=INK, mec="white", mew=0.6, alpha=0.9)
        axes.set_xticks(
            range(len(names)), names, rotation=35 if across else 0, ha="right" if across else "center"
        )
    return figure


def _quartiles(values: NDArray[np.floating], weights: NDArray[np.floating]) -> NDArray[np.float64]:
    order = values.argsort(kind="stable")
    mass = np.cumsum(weights[order])
    at = np.searchsorted(mass, np.array([0.25, 0.5, 0.75]) * mass[-1])
    return np.asarray(values[order][np.minimum(at, len(values) - 1)], np.float64)


def comparison(found: Study, first: str, second: str, over: str = "L", bandwidth: float = 1.0) -> Figure:
    """Two groups on each other: their densities in the plane ``over`` ("L" or "ita") and measure by measure,
    with the difference of the means, the Wasserstein distances and delta E00 between the mean colours."""
    tables = [found.pixels_of(name) for name in (first, second)]
    result = compare(*tables)
    figure = Figure(figsize=(9.2, 4.2))  # laid out by hand: a third quicker to draw
    grid = figure.add_gridspec(3, 2, width_ratios=(1.25, 1), wspace=0.1, hspace=0.95, **_MARGINS)
    plane = figure.add_subplot(grid[:, 0])
    draw_plane(plane, over, hue_range(np.concatenate([table["hue"] for table in tables])))
    for index, table in enumerate(tables):
        draw_contours(plane, over, table, colour(index), bandwidth, bins=80)
    figure.suptitle(
        f"{first} and {second}: ΔE00 of the mean colours {result.delta_e00:.1f}", fontsize=10, color=INK
    )
    swatches = [_swatch(table, index) for index, table in enumerate(tables)]
    legend(figure, swatches, (first, second), "lower center")
    for row, measure in enumerate(_MEASURES):
        axes = plain(figure.add_subplot(grid[row, 1]))
        span = _span([table[measure] for table in tables])
        for index, table in enumerate(tables):
            centres, values = _curve(table[measure], table["weight"], span)
            axes.fill_between(centres, values, color=colour(index), alpha=0.25, lw=0)
            axes.plot(centres, values, color=colour(index), lw=1.3)
        axes.spines["left"].set_visible(False)
        axes.set(xlim=span, ylim=(0, None), yticks=[])
        axes.set_xlabel(TITLES[measure], fontsize=8.5, labelpad=1)
        axes.set_title(_sentence(result, measure), fontsize=8.5, color=INK, pad=2, loc="left")
    return figure


def _sentence(result: Comparison, measure: str) -> str:
    unit = "" if measure == "L" else "°"
    difference, distance = result.difference[measure], result.wasserstein[measure]
    return f"mean {difference:+.1f}{unit}    Wasserstein {distance:.1f}{unit}".replace("-", "\N{MINUS SIGN}")


def _swatch(table: NDArray[np.void], index: int) -> Patch:
    """The mean colour of a sample in the frame of its group."""
    lab = np.array([np.average(table[c], weights=table["weight"]) for c in "Lab"])
    return Patch(facecolor=lab_to_srgb(lab), edgecolor=colour(index), linewidth=1.8)


def comparison_table(found: Study, base: str) -> list[dict[str, object]]:
    """Every group against ``base``, a row each: difference of the means and Wasserstein distance of L*, hue
    and ITA over skin pixels, and delta E00 of the mean colours."""
    first = found.pixels_of(base)
    rows = []
    for name in found.names:
        if name == base and len(found.names) > 1:
            continue
        result = compare(first, found.pixels_of(name))
        row: dict[str, object] = {"from": base, "to": name}
        for measure, title in (("L", "L*"), ("hue", "hue (deg)"), ("ita", "ITA (deg)")):
            row[f"{title} difference"] = result.difference[measure]
            row[f"{title} Wasserstein"] = result.wasserstein[measure]
        rows.append({**row, "delta E00 of means": result.delta_e00})
    return rows
