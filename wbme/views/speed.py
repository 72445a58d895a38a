"""Views of timings: how long runtimes take at each size."""

import pandas as pd
from matplotlib.figure import Figure

from wbme.views.style import FONT, INK, colour, plain


def bars(rows: pd.DataFrame) -> Figure:
    """Milliseconds a picture, a panel for each ``size`` and a bar for each ``runtime`` (columns ``p50 ms``,
    ``p95 ms``, ``ratio to eager``): the bar is the median, its whisker ends at the 95th percentile, and
    beside it stands how many times faster than torch eager it is in the same run."""
    sizes, runtimes = (list(dict.fromkeys(rows[name])) for name in ("size", "runtime"))
    figure = Figure(figsize=(10, 1.1 + 0.42 * len(runtimes)), layout="constrained")
    panels = figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for axes, size in zip(panels, sizes, strict=True):
        own = rows[rows["size"] == size]
        for _, row in own.iterrows():
            place = runtimes.index(row["runtime"])
            axes.barh(place, row["p50 ms"], height=0.62, color=colour(place))
            axes.plot([row["p50 ms"], row["p95 ms"]], [place, place], color=INK, lw=1.2)
            text = f"{row['p50 ms']:.0f} ms, x{row['ratio to eager']:.1f}"
            at = max(row["p50 ms"], row["p95 ms"])
            beside = {"textcoords": "offset points", "va": "center", "fontsize": FONT - 1, "color": INK}
            axes.annotate(text, (at, place), (4, 0), **beside)
        plain(axes).set_title(size, fontsize=FONT, color=INK)
        axes.set_xlim(0, 1.35 * own[["p50 ms", "p95 ms"]].to_numpy().max())
        axes.set_xlabel("milliseconds a picture (bar: median, line: to 95th percentile)", fontsize=FONT - 1)
        axes.grid(axis="x", color="#E4E4E4", lw=0.7)
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(runtimes)), runtimes)
    panels[0].invert_yaxis()
    return figure
