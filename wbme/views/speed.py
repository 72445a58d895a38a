"""Views of timings: how long runtimes take at each size, and what the drawings are worth."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wbme.metrics.fidelity import COLUMNS
from wbme.views.style import FAINT, FONT, INK, colour, plain


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


def quality_table(
    speed: pd.DataFrame, size: str, name: str, quality: Mapping[str, dict], peers: Mapping[str, dict]
) -> pd.DataFrame:
    """Speed and quality of the networks at ``size``, a row each: the student ``name`` in fp32 and, where
    ``speed`` (as for ``bars``) has it, in int8, with its values in ``quality`` (``metrics.fidelity``) by
    precision, then ``peers`` by name. ``CPU to fp32`` and ``CPU to int8`` are CPU time over the student's."""
    own = speed[speed["size"] == size].set_index("runtime")
    rows = {}
    for kind, runtime in (("fp32", "OpenVINO"), ("int8", "OpenVINO, int8")):
        if runtime in own.index:
            rows[kind] = {"network": f"{name}, {kind}", **own.loc[runtime, ["CPU ms", "p50 ms"]]}
            rows[kind] |= {title: quality[kind][n] for n, title in COLUMNS.items() if kind in quality}
            if kind == "fp32" and quality:
                rows[kind][COLUMNS["psnr"]] = np.nan  # to itself
    table = pd.DataFrame([*rows.values(), *({"network": f"{n}, fp32", **row} for n, row in peers.items())])
    table.insert(3, "pictures/s", 1000 / table["p50 ms"])
    for place, kind in enumerate(rows):
        table.insert(4 + place, f"CPU to {kind}", table["CPU ms"] / rows[kind]["CPU ms"])
    return table


def goals(table: pd.DataFrame, size: str) -> list[str]:
    """What a ``quality_table`` says of the goals at ``size``: 30 pictures a second in int8, and a twentieth
    of AnimeGANv2's CPU time."""
    rows = table.set_index("network")
    fast = next((name for name in rows.index if name.endswith("int8")), None)
    said = []
    for name in [n for n in rows.index if np.isfinite(rows.loc[n].get("million weights", np.nan))]:
        ratios = [f"{rows.loc[name, c]:.1f} times {c[7:]}" for c in rows if c.startswith("CPU to")]
        said.append(f"- {name} takes {rows.loc[name, 'CPU ms']:.0f} CPU-ms at {size}: {', '.join(ratios)}.")
    if fast:
        rate, full = rows.loc[fast, "pictures/s"], 2000 / rows.loc[fast, "CPU ms"]
        by_time = f"{_met(rate >= 30)}, {rate:.0f}; by its CPU time two free cores draw {full:.0f}"
        said.append(f"- Goal of 30 pictures a second in int8 at {size}: {by_time}.")
    if fast and "AnimeGANv2, fp32" in rows.index:
        ratio = rows.loc["AnimeGANv2, fp32", "CPU to int8"]
        said.append(f"- Goal of a twentieth of AnimeGANv2's CPU time: {_met(ratio >= 20)}, 1 / {ratio:.0f}.")
    return said


def _met(holds: bool) -> str:
    return "met" if holds else "missed"


def beside(
    rows: pd.DataFrame, measures: Sequence[str], limits: Mapping[str, Sequence[float]] | None = None
) -> Figure:
    """Networks below one another (column ``network``) and a panel for each measure, a column of ``rows``: a
    dot with its number where it is known, dashed lines at the ``limits`` of a measure. Times are on a
    logarithmic axis."""
    figure = Figure(figsize=(2.2 + 2.4 * len(measures), 1.0 + 0.42 * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for axes, measure in zip(panels, measures, strict=True):
        known = rows[measure].astype(float).to_numpy()
        for place, value in enumerate(known):
            axes.plot(value, place, "o", ms=7, color=colour(place))
            if np.isfinite(value):
                way = {"textcoords": "offset points", "ha": "center", "fontsize": FONT - 1, "color": INK}
                told = f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
                axes.annotate(told, (value, place), (0, 7), **way)
        shown = [*known[np.isfinite(known)], *(limits or {}).get(measure, ())]
        if measure.endswith("ms"):
            axes.set_xscale("log")
            axes.set_xlim(0.6 * min(shown), 1.7 * max(shown))
        elif shown:
            room = 0.25 * (max(shown) - min(shown)) or 1.0
            axes.set_xlim(min(shown) - room, max(shown) + room)
        for limit in (limits or {}).get(measure, ()):
            axes.axvline(limit, color=FAINT, ls="--", lw=1)
            axes.set_xlabel("dashed: limit for int8", fontsize=FONT - 1)
        plain(axes).set_title(measure, fontsize=FONT, color=INK)
        axes.grid(color="#E4E4E4", lw=0.7)
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(rows)), rows["network"])
    panels[0].set_ylim(len(rows) - 0.5, -0.75)
    return figure
