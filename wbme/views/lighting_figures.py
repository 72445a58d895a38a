"""Figures of recipes of light: exposure sweeps, people by tone, sheets, and where each recipe fails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wbme.base.errors import ParameterError
from wbme.data.relit import LAMPS, Lamp
from wbme.views.lighting import ALL, BEFORE, F32, Scene, by_light, results
from wbme.views.overlay import contact_sheet
from wbme.views.style import FAINT, FONT, INK, colour, dash, marker, plain

SHOWN = ("none", "absolute", "adaptive", "adaptive, local", BEFORE)


def sweep(rows: pd.DataFrame) -> Figure:
    """Change of the skin's L* by each recipe over the exposure, and its delta E00 under each lamp."""
    figure = Figure(figsize=(10.4, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    means = by_light(rows)
    white = means[means["light"].str.endswith("EV")]
    left.axhline(0, color=FAINT, linewidth=1, linestyle="--")
    lights = list(dict.fromkeys(means["light"]))
    for k, recipe in enumerate(ALL):
        part = white[white["recipe"] == recipe].sort_values("stops")
        look = {"color": colour(k), "marker": marker(k), "markersize": 4.5, "linewidth": 1.2}
        left.plot(part["stops"], part["change"], linestyle=dash(k), label=recipe, **look)
        part = means[means["recipe"] == recipe]
        at = [lights.index(name) + 0.09 * (k - len(ALL) / 2) for name in part["light"]]
        right.plot(at, part["delta_e00"], linestyle="none", **look)
    plain(left).set_xlabel("exposure of the photograph (stops)", fontsize=FONT)
    left.set_ylabel("change of the drawn skin's L* from exposure 0", fontsize=FONT)
    plain(right).set_xticks(range(len(lights)), lights, rotation=40, ha="right")
    right.set_ylabel("ΔE00 of skin to the drawing in neutral light", fontsize=FONT)
    right.set_ylim(0, None)
    figure.legend(
        *left.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=5,
        fontsize=FONT - 1,
        frameon=False,
    )
    return figure


def by_tone(rows: pd.DataFrame, shown: Sequence[str] = SHOWN) -> Figure:
    """L* of the drawn skin on that of the person, under all lamps of white light: a recipe a panel."""
    figure = Figure(figsize=(2.5 * len(shown), 3.0), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(shown), sharey=True))
    white = rows[~rows["blind"] & rows["light"].str.endswith("EV")]
    ends = [5, 97]
    for axes, recipe in zip(panels, shown, strict=True):
        part = white[white["recipe"] == recipe]
        axes.plot(ends, ends, color=FAINT, linewidth=1, linestyle="--", zorder=1)
        dots = axes.scatter(part["L in"], part["L"], c=part["stops"], cmap="cividis", s=18, linewidths=0)
        plain(axes).set_title(recipe, fontsize=FONT, color=INK)
        axes.set_xlabel("L* of the person", fontsize=FONT)
    panels[0].set_ylabel("L* of the drawn skin", fontsize=FONT)
    figure.colorbar(dots, ax=panels[-1], label="stops")
    return figure


def sheet(one: Scene, chosen: Mapping[str, Lamp], names: Sequence[str] = SHOWN) -> F32:
    """A column a lamp: photograph, then the drawing by each recipe."""
    columns = []
    for lamp in chosen.values():
        made = _shown(one, lamp, names)
        columns.append([one.photo(lamp)[1], *made.values()])
    labels = [f"{what}, {lamp}" for what in ("photo", *names) for lamp in chosen]
    pictures = [column[k] for k in range(len(names) + 1) for column in columns]
    return contact_sheet(pictures, len(chosen), labels, cell=200)


def _shown(one: Scene, lamp: Lamp, names: Sequence[str], strength: float = 1.0) -> dict[str, F32]:
    """``results``; where the light cannot be measured the photograph stands for all."""
    try:
        return results(one, lamp, names, strength)
    except ParameterError:
        return dict.fromkeys(names, one.photo(lamp)[1])


def failures(scenes: Mapping[int, Scene], lamps: Mapping[str, Lamp], worst: pd.DataFrame) -> F32:
    """A column a recipe of ``worst``: photograph, in its worst light, of the tone that it fails most, the
    result, and the drawing in neutral light."""
    columns, labels = [], []
    for row in worst.itertuples():
        one, lamp = scenes[row.tone], lamps[row.light]
        made = _shown(one, lamp, (row.recipe,))[row.recipe]
        columns.append([one.photo(lamp)[1], made, results(one, Lamp(), ("none",))["none"]])
        labels.append(f"photo: {row.light}, Monk {row.tone}")
    pictures = [column[k] for k in range(3) for column in columns]
    names = [*labels, *worst["recipe"], *("in neutral light" for _ in columns)]
    return contact_sheet(pictures, len(columns), names, cell=220)


def closer(one: Scene, recipe: str, ev: float, light: str, strength: float) -> F32:
    """Photograph, drawing as it comes and drawing by ``recipe``, under a lamp of LAMPS with ``ev`` more."""
    lamp = replace(LAMPS[light], ev=LAMPS[light].ev + ev)
    plainly, made = _shown(one, lamp, ("none",)), _shown(one, lamp, (recipe,), strength)
    return np.hstack([one.photo(lamp)[1], plainly["none"], made[recipe]])
