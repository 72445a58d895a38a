"""Figures and tables of fairness: heat maps of tone by light, tones with their intervals, slopes by light."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.color.tones import MONK
from wbme.metrics.fairness import GOALS, UNKNOWN, verdicts
from wbme.views.fairness import BY_MEAN, RIVALS, TARGET, mended, targets
from wbme.views.overlay import contact_sheet
from wbme.views.skin_planes import legend
from wbme.views.skin_reflection import Case
from wbme.views.skin_reflection_figures import cut
from wbme.views.style import FAINT, FONT, INK, colour, marker, plain, shortened

F32 = NDArray[np.float32]
NEUTRAL = "neutral"
_MOST = 20.0  # delta E00 at which the colours of a heat map end
_COLUMNS = 3


def told(value: float, low: float, high: float, digits: int = 1) -> str:
    """``value (low to high)``; the value alone where there is no interval, and a sentence where there is no
    value."""
    if not np.isfinite(value):
        return UNKNOWN
    interval = f" ({low:.{digits}f} to {high:.{digits}f})" if np.isfinite([low, high]).all() else ""
    return f"{value:.{digits}f}{interval}"


def tone_table(tones: pd.DataFrame) -> pd.DataFrame:
    """``metrics.fairness.by_tone`` as it is shown: a row a method, character and Monk tone, a column a
    light."""
    shown = tones.assign(
        text=[told(*ends) for ends in tones[["median", "low", "high"]].itertuples(index=False)]
    )
    index = ["method", "character", "monk"]
    people = shown.groupby(index, sort=False)["people"].max()
    wide = shown.pivot_table(index=index, columns="light", values="text", aggfunc="first", sort=False)
    wide = wide.fillna("nobody seen")
    return (
        wide.assign(people=people)
        .reset_index()
        .rename(columns={"monk": "Monk"})[
            ["method", "character", "Monk", "people", *dict.fromkeys(tones["light"])]
        ]
    )


def summary_table(summary: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """``metrics.fairness.summary`` as it is shown, with the goals for neutral light beside it."""
    entries = []
    for row in summary:
        said = verdicts(row) if row["light"] == NEUTRAL else dict.fromkeys(("median", "worst", "slope"), "-")
        values = {
            name: told(row[name], row[f"{name}_low"], row[f"{name}_high"], digits)
            for name, digits in {
                "median": 1, "pixels": 1, "worst": 1, "gap": 1, "slope": 2, "slope_photo": 2
            }.items()
        }  # fmt: skip
        worst = f"Monk {row['tone']}: {values['worst']}" if row["tone"] else UNKNOWN
        entry = {"method": row["method"], "character": row["character"], "light": row["light"]}
        entry |= {"people": row["people"], "median ΔE00": values["median"]}
        entry |= {f"goal ≤ {GOALS.median:g}": said["median"], "over pixels": values["pixels"]}
        entry |= {"worst tone": worst, f"goal ≤ {GOALS.worst:g}": said["worst"], "gap": values["gap"]}
        entry |= {"slope": values["slope"], f"goal 1 ± {GOALS.slope:g}": said["slope"]}
        entries.append(entry | {"slope on the photograph": values["slope_photo"]})
    return pd.DataFrame(entries)


def heat(tones: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """Median delta E00 by Monk tone and light, a panel a method and character; the rows of ``by_tone``. A
    hatched cell has too few people. Bold: what lies above the goal for the worst tone."""
    pairs = [(m, c) for c in dict.fromkeys(tones["character"]) for m in methods]
    lights, monks = list(dict.fromkeys(tones["light"])), list(range(1, 11))
    columns = min(len(pairs), _COLUMNS if len(pairs) % 4 else 4)
    lines = -(-len(pairs) // columns)
    figure = Figure(figsize=(1.4 + 3.0 * columns, 0.5 + 3.9 * lines), layout="constrained")
    panels = np.atleast_1d(figure.subplots(lines, columns, sharex=True, sharey=True)).ravel()
    for axes in panels[len(pairs) :]:
        axes.set_visible(False)
    image = None
    for place, (axes, (method, character)) in enumerate(zip(panels, pairs, strict=False)):
        own = tones[(tones["method"] == method) & (tones["character"] == character)]
        grid = own.pivot_table(index="monk", columns="light", values="median", aggfunc="first", dropna=False)
        values = grid.reindex(index=monks, columns=lights).to_numpy(float)
        image = axes.imshow(values, cmap="YlOrBr", vmin=0, vmax=_MOST, aspect="auto")
        for y, x in np.ndindex(values.shape):
            _cell(axes, x, y, values[y, x])
        plain(axes).set_title(f"{shortened(method, 34)}\n{character}", fontsize=FONT, color=INK)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set_xticks(range(len(lights)), lights, rotation=40, ha="right", rotation_mode="anchor")
        if place % columns == 0:
            axes.set_ylabel("Monk skin tone of the person", fontsize=FONT, labelpad=8)
        _tones(axes)
    if image is not None:
        bar = figure.colorbar(image, ax=list(panels), shrink=0.7, extend="max", pad=0.02)
        bar.set_ticks([0, GOALS.median, GOALS.worst, 8, 12, 16, 20])
        bar.set_label("median over people of skin ΔE00 to the oracle", fontsize=FONT, color=INK)
        bar.ax.tick_params(labelsize=FONT, colors=INK)
        bar.outline.set_visible(False)
    return figure


def _cell(axes: Axes, x: int, y: int, value: float) -> None:
    if not np.isfinite(value):
        box = {"facecolor": "#F4F4F4", "edgecolor": "#C8C8C8", "hatch": "////", "linewidth": 0}
        axes.add_patch(_square(x, y, **box))
        return
    dark, over = value > 0.6 * _MOST, value > GOALS.worst
    look = {"color": "white" if dark else INK, "weight": "bold" if over else "normal"}
    axes.text(x, y, f"{value:.1f}", ha="center", va="center", fontsize=7.5, **look)


def _square(x: float, y: float, **look: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, **look)


def _tones(axes: Axes, at: float = -0.035) -> None:
    """Ticks 1 to 10, each with its swatch, at rows 0 to 9."""
    axes.set_yticks(range(10), range(1, 11))
    for tone in MONK:
        mark = {"mfc": tone.hex, "mec": FAINT, "mew": 0.5, "ms": 7, "clip_on": False, "zorder": 5}
        axes.plot(at, tone.number - 1, "s", transform=axes.get_yaxis_transform(), **mark)
    axes.tick_params(axis="y", pad=15)


def forest(
    tones: pd.DataFrame, summary: pd.DataFrame, methods: Sequence[str], character: str, light: str = NEUTRAL
) -> Figure:
    """Left: median delta E00 of each Monk tone, and of all, with 95 % intervals under ``light``, and the
    goals dashed. Right: the whitewash slope under every light, its goal a band."""
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    lights = list(dict.fromkeys(summary["light"]))
    for index, method in enumerate(methods):
        beside = 0.7 * ((index + 0.5) / len(methods) - 0.5)
        look = {"color": colour(index), "fmt": marker(index), "ms": 5, "elinewidth": 1.4}
        own = tones[(tones["method"] == method) & (tones["character"] == character)]
        own = own[(own["light"] == light) & own["median"].notna()]
        of = summary[(summary["method"] == method) & (summary["character"] == character)]
        every = of[of["light"] == light].rename(columns={"median_low": "low", "median_high": "high"})
        rows = pd.concat([own.assign(at=own["monk"] - 1.0), every.assign(at=10.6)])
        _bars(left, rows, "median", rows["at"] + beside, look, method)
        by_light = of.set_index("light").reindex(lights)
        ends = {"slope_low": "low", "slope_high": "high"}
        by_light = by_light.drop(columns=["low", "high"], errors="ignore").rename(columns=ends)
        _bars(right, by_light, "slope", np.arange(len(lights)) + beside, look, method)
    _tones(plain(left))
    left.set_yticks([*range(10), 10.6], [*map(str, range(1, 11)), "all"])
    left.axhline(9.8, color=FAINT, lw=0.6)
    left.plot([GOALS.worst] * 2, [-0.5, 9.8], color=FAINT, lw=1, ls="--", zorder=0)
    left.plot([GOALS.median] * 2, [9.8, 11.2], color=FAINT, lw=1, ls="--", zorder=0)
    left.set(ylim=(11.2, -0.6), xlim=(0, None))
    left.set_ylabel("Monk skin tone of the person", fontsize=FONT, labelpad=8)
    left.set_xlabel(f"skin ΔE00 to the oracle, {light} light (dashed: goals)", fontsize=FONT)
    plain(right).set_yticks(range(len(lights)), lights)
    right.axvspan(1 - GOALS.slope, 1 + GOALS.slope, color="#E8E8E8", zorder=0)
    right.set(ylim=(len(lights) - 0.5, -0.5))
    right.set_xlabel("whitewash slope, ITA of the drawing on the oracle's (band: goal)", fontsize=FONT)
    for axes in (left, right):
        axes.grid(axis="x", color="#E4E4E4", lw=0.7)
        axes.set_axisbelow(True)
    legend(figure, *left.get_legend_handles_labels())
    return figure


def _bars(axes: Axes, rows: pd.DataFrame, value: str, at: Any, look: dict[str, Any], label: str) -> None:
    middle = rows[value].to_numpy(float)
    ends = np.abs(rows[["low", "high"]].to_numpy(float).T - middle)
    axes.errorbar(middle, at, xerr=np.nan_to_num(ends), label=shortened(label, 34), **look)


def closer(one: Case, light: str, name: str, draw: Any) -> F32:
    """One person under ``light``: photograph, what the method ``name`` draws, the four ways to mend it, the
    target and what it would be coloured otherwise, and the oracle."""
    photo = one.photos[light]
    drawing = draw(photo)
    made = {"photograph": photo, name: drawing, **mended(one, light, name, drawing, draw)}
    made |= {**targets(one, light), "oracle": one.oracle}
    labels = [key.removeprefix(name + ", ") for key in made]
    return contact_sheet([cut(one, picture) for picture in made.values()], 5, labels, cell=230)


def numbers(
    summary: Sequence[Mapping[str, Any]], methods: Sequence[str]
) -> list[tuple[str, float, tuple[float, float]]]:
    """Name, value and interval of what is compared between models: median, worst tone, gap and slope of each
    of ``methods`` in neutral light, as the first character draws; those that have a number."""
    found = []
    for row in _neutral(summary).values():
        for name in ("median", "worst", "gap", "slope"):
            if row["method"] in methods and np.isfinite(row[name]):
                ends = float(row[f"{name}_low"]), float(row[f"{name}_high"])
                found.append((f"fairness_{name}/{row['method']}", float(row[name]), ends))
    return found


def _neutral(summary: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """By method: the rows in neutral light of the character that comes first."""
    of = [row for row in summary if row["light"] == NEUTRAL]
    return {row["method"]: row for row in of if row["character"] == of[0]["character"]}


def findings(summary: Sequence[Mapping[str, Any]], methods: Sequence[str], rival_of: str) -> list[str]:
    """What the summary says in neutral light, as lines of Markdown, and which way moves ``rival_of``
    most."""
    rows = _neutral(summary)
    lines = []
    for name in (name for name in methods if name in rows):
        row, said = rows[name], verdicts(rows[name])
        lines.append(
            f"- {name}: median ΔE00 {told(row['median'], row['median_low'], row['median_high'])} "
            f"(goal {GOALS.median:g}: {said['median']}); worst tone Monk {row['tone']} with "
            f"{told(row['worst'], row['worst_low'], row['worst_high'])} (goal {GOALS.worst:g}: "
            f"{said['worst']}); slope {told(row['slope'], row['slope_low'], row['slope_high'], 2)} "
            f"(goal 1 ± {GOALS.slope:g}: {said['slope']}); "
            f"gap between tones {told(row['gap'], row['gap_low'], row['gap_high'])}."
        )
    ways = {way: rows[rival_of + way] for way in RIVALS if rival_of + way in rows}
    known = {way: row["median"] for way, row in ways.items() if np.isfinite(row["median"])}
    if known and TARGET in rows:
        best = min(known, key=lambda way: known[way])
        lines.append(
            f"- What moves it: {rival_of} lies at {rows[rival_of]['median']:.1f}; of the ways to mend it the "
            f"nearest is {best.removeprefix(', ')} with {known[best]:.1f} (slope {ways[best]['slope']:.2f}). "
            f"What it learns from lies at {rows[TARGET]['median']:.1f}, and would at "
            f"{rows[TARGET + BY_MEAN]['median']:.1f} if its skin were coloured by its mean."
        )
    return lines
