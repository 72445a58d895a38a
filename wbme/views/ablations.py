"""Views of a sweep: what its settings reach, and how far each lies from the base."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wbme.views.style import BLUE, FAINT, FONT, GREEN, INK, VERMILION, plain, shortened

# A verdict has a colour and a marker of its own: they stay apart in print and for colour-blind readers.
_LOOKS = {"better": (GREEN, "^"), "worse": (VERMILION, "v"), "higher": (BLUE, "^"), "lower": (BLUE, "v")}
_UNDECIDED = (FAINT, "o")


def settings(rows: pd.DataFrame, points: pd.DataFrame, goals: Mapping[str, str], base: str) -> Figure:
    """A line a setting, a row of two panels a metric. Left: the value of every repeat, their mean and its
    interval; right: the mean difference to ``base`` with its interval, marked by the verdict.

    ``rows``, in the order in which settings are drawn: metric, setting, mean, low, high, difference,
    difference low, difference high, verdict. ``points``: a row a trial, with setting and a column a metric.
    ``goals``: metric -> "higher" or "lower", whichever is better."""
    names = list(dict.fromkeys(rows["setting"]))
    metrics = list(dict.fromkeys(rows["metric"]))
    height = 0.9 + (0.75 + 0.3 * len(names)) * len(metrics)
    figure = Figure(figsize=(10, height), layout="constrained")
    panels = figure.subplots(len(metrics), 2, sharey=True, squeeze=False)
    for (left, right), metric in zip(panels, metrics, strict=True):
        own = rows[rows["metric"] == metric].set_index("setting")
        way = f" ({goals[metric]} is better)" if metric in goals else ""
        left.set_title(f"{metric}{way}", fontsize=FONT, color=INK)
        right.set_title(f"difference to: {shortened(base, 40)}", fontsize=FONT, color=INK)
        right.axvline(0, color=FAINT, lw=1, ls=":")
        for place, name in enumerate(names):
            seen = points.loc[points["setting"] == name, metric].dropna() if metric in points else []
            left.plot(seen, np.full(len(seen), place), "|", color=FAINT, ms=9, zorder=1)
            line = own.loc[name]
            _line(left, place, line[["mean", "low", "high"]], (BLUE, "o"))
            if name != base:
                gap = line[["difference", "difference low", "difference high"]]
                _line(right, place, gap, _LOOKS.get(line["verdict"], _UNDECIDED))
                right.text(1.01, place, line["verdict"], transform=right.get_yaxis_transform(), va="center",
                           fontsize=FONT, color=INK)  # fmt: skip
        for axes in (plain(left), plain(right)):
            axes.grid(axis="x", color="#E4E4E4", lw=0.7)
            axes.set_axisbelow(True)
            axes.locator_params(axis="x", nbins=5)
        left.set_yticks(range(len(names)), [shortened(name, 44) for name in names])
        left.set_ylim(len(names) - 0.5, -0.5)
    return figure


def _line(axes: Axes, place: int, values: pd.Series, look: tuple[str, str]) -> None:
    """A mean and its interval where there are such."""
    middle, low, high = values.astype(float)
    if not np.isfinite(middle):
        return
    if np.isfinite(low):
        axes.plot([low, high], [place, place], color=look[0], lw=2, solid_capstyle="butt")
    axes.plot(middle, place, look[1], color=look[0], ms=6)
