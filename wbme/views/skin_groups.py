"""Groups of faces side by side: violins, and two of them compared."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from wbme.color import skin
from wbme.color.distributions import Comparison, compare
from wbme.color.spaces import lab_to_srgb
from wbme.views.skin import Study, coloured, pixel_table
from wbme.views.skin_planes import TITLES, draw_contours, draw_plane, legend, pixel_hues, quantiles
from wbme.views.style import FAINT, FONT, INK, colour, plain, shortened

DIFFERENCES = (
    "from",
    "to",
    "L* difference",
    "L* Wasserstein",
    "hue (deg) difference",
    "hue (deg) Wasserstein",
    "ITA (deg) difference",
    "ITA (deg) Wasserstein",
    "delta E00 of means",
)

_MEASURES = ("L", "hue", "ita")
_BINS = 128
_LINES = {"L": (skin.LIGHT_L,), "hue": (skin.YELLOW_HUE,), "ita": skin.ITA_BOUNDS}
_LETTERS = 34  # of names stand side by side under a panel
_Column = tuple[NDArray[np.floating], NDArray[np.floating]]


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


def _span(columns: Sequence[_Column]) -> tuple[float, float]:
    """What holds all but a fiftieth of the skin of every group, with a margin."""
    ends = [quantiles(*column, [0.01, 0.99]) for column in columns if len(column[0])]
    low, high = (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else (0.0, 100.0)
    room = max(0.06 * (high - low), 1.0)
    return float(low - room), float(high + room)


def _column(table: NDArray[np.void], measure: str) -> _Column:
    """Values of a measure and their weights; of hue where there is one."""
    shown = table[coloured(table)] if measure == "hue" else table
    return shown[measure], shown["weight"]


def violins(found: Study) -> Figure:
    """L*, hue and ITA of every group's skin: density, quartiles (bar), median (white), faces (diamonds)."""
    names = found.names
    tables = [found.pixels_of(name) for name in names]
    labels = [shortened(name, 20) for name in names]
    across = len(names) * max(map(len, labels)) > _LETTERS
    figure = Figure(figsize=(max(10.0, 1.1 * len(names) + 4), 4.2 + across), layout="constrained")
    rng = np.random.default_rng(0)
    for axes, measure in zip(figure.subplots(1, 3), _MEASURES, strict=True):
        columns = [_column(table, measure) for table in tables]
        span = _span(columns)
        plain(axes).set(ylim=span, xlim=(-0.6, len(names) - 0.4), ylabel=TITLES[measure])
        for bound in _LINES[measure]:
            axes.axhline(bound, color=FAINT, lw=0.8, ls=(0, (5, 3)) if measure != "ita" else ":", zorder=0)
        for x, (name, column) in enumerate(zip(names, columns, strict=True)):
            if not len(column[0]):
                continue  # a grey group has no hue
            centres, values = _curve(*column, span)
            half = 0.4 * values / values.max()
            axes.fill_betweenx(centres, x - half, x + half, color=colour(x), alpha=0.35, lw=0)
            low, middle, high = quantiles(*column, [0.25, 0.5, 0.75])
            axes.vlines(x, low, high, color=colour(x), lw=5)
            axes.plot(x, middle, "o", ms=5, color="white", mec=colour(x))
            faces = found.column(measure)[found.members(name)]
            scattered = x + 0.24 + rng.uniform(-0.06, 0.06, len(faces))
            axes.plot(scattered, faces, "D", ms=4, color=INK, mec="white", mew=0.6, alpha=0.9)
        slant = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if across else {}
        axes.set_xticks(range(len(names)), labels, **slant)
    return figure


def comparison(found: Study, first: str, second: str) -> Figure:
    """Two groups on each other: their densities in both planes and measure by measure, and how far the second
    lies from the first: differences of the means (second minus first), Wasserstein distances, and delta E00
    between the mean colours. A group with itself is shown once."""
    names = list(dict.fromkeys([first, second]))
    tables = [found.pixels_of(name) for name in names]
    result = _compared(tables[0], tables[1]) if len(names) > 1 else None
    figure = Figure(figsize=(10, 7.6), layout="constrained")
    grid = figure.add_gridspec(2, 6, height_ratios=(2.1, 1))
    for column, over in enumerate(("L", "ita")):
        plane = figure.add_subplot(grid[0, 3 * column : 3 * column + 3])
        draw_plane(plane, over, pixel_hues(np.concatenate(tables)))
        for index, table in enumerate(tables):
            draw_contours(plane, over, table, colour(index))
    for column, measure in enumerate(_MEASURES):
        axes = figure.add_subplot(grid[1, 2 * column : 2 * column + 2])
        _draw_curves(axes, [_column(table, measure) for table in tables], measure)
        if result:
            axes.set_title(_sentence(result, measure), fontsize=FONT, color=INK, loc="left")
    figure.suptitle(_headline(names, result), fontsize=FONT + 2, color=INK)
    legend(figure, [_swatch(table, k) for k, table in enumerate(tables)], [shortened(n, 40) for n in names])
    return figure


def comparison_plane(found: Study, first: str, second: str, over: str, bandwidth: float) -> Figure:
    """One plane of ``comparison``, ``over`` hue ("L" or "ita"), with contours of another ``bandwidth``: quick
    enough to follow a slider."""
    names = list(dict.fromkeys([first, second]))
    tables = [found.pixels_of(name) for name in names]
    figure = Figure(figsize=(6.8, 4.6), dpi=130)  # laid out by hand: a third quicker to draw
    plane = figure.add_axes((0.11, 0.18, 0.87, 0.79))
    draw_plane(plane, over, pixel_hues(np.concatenate(tables)))
    for index, table in enumerate(tables):
        draw_contours(plane, over, table, colour(index), bandwidth, bins=80)
    swatches = [_swatch(table, k) for k, table in enumerate(tables)]
    legend(figure, swatches, [shortened(n, 40) for n in names], "lower center")
    return figure


def comparison_data(found: Study, first: str, second: str) -> dict[str, NDArray]:
    """Columns of ``pixel_table``, for the skin pixels of the two groups alone."""
    own = np.isin(found.owner, found.members(first) + found.members(second))
    return {name: column[own] for name, column in pixel_table(found).items()}


def _headline(names: Sequence[str], result: Comparison | None) -> str:
    short = [shortened(name, 30) for name in names]
    if result is None:
        return f"{short[0]}: one group, nothing to compare"
    return f"{short[1]} minus {short[0]}; ΔE00 of the mean colours {result.delta_e00:.1f}"


def _draw_curves(axes: Axes, columns: Sequence[_Column], measure: str) -> None:
    span = _span(columns)
    for index, column in enumerate(columns):
        if len(column[0]):
            centres, values = _curve(*column, span)
            axes.fill_between(centres, values, color=colour(index), alpha=0.25, lw=0)
            axes.plot(centres, values, color=colour(index), lw=1.5)
    plain(axes).spines["left"].set_visible(False)
    axes.set(xlim=span, ylim=(0, None), yticks=[], xlabel=TITLES[measure])


def _compared(first: NDArray[np.void], second: NDArray[np.void]) -> Comparison:
    """``compare``, of hue where there is one (nan where one of the two is grey)."""
    result = compare(first, second)
    hued = [table[coloured(table)] for table in (first, second)]
    own = compare(*hued) if all(map(len, hued)) else None
    for part in ("difference", "wasserstein"):
        getattr(result, part)["hue"] = getattr(own, part)["hue"] if own else float("nan")
    return result


def _sentence(result: Comparison, measure: str) -> str:
    unit = "" if measure == "L" else "°"
    difference, distance = result.difference[measure], result.wasserstein[measure]
    return f"means {difference:+.1f}{unit}    Wasserstein {distance:.1f}{unit}".replace("-", "\N{MINUS SIGN}")


def _swatch(table: NDArray[np.void], index: int) -> Patch:
    """The mean colour of a sample in the frame of its group."""
    lab = np.array([np.average(table[c], weights=table["weight"]) for c in "Lab"])
    return Patch(facecolor=lab_to_srgb(lab), edgecolor=colour(index), linewidth=1.8)


def comparison_table(found: Study, base: str) -> list[dict[str, object]]:
    """Every other group against ``base``, a row each with the columns ``DIFFERENCES``: difference of the
    means (to minus from) and Wasserstein distance of L*, hue and ITA over skin pixels, and delta E00 of the
    mean colours. No row when there is one group."""
    first = found.pixels_of(base)
    rows = []
    for name in found.names:
        if name == base:
            continue
        result = _compared(first, found.pixels_of(name))
        pairs = [(result.difference[m], result.wasserstein[m]) for m in _MEASURES]
        values = [base, name, *(value for pair in pairs for value in pair), result.delta_e00]
        rows.append(dict(zip(DIFFERENCES, values, strict=True)))
    return rows
