"""Figures of the live controls: a strip, curves of tone, lines against known ink, flat tones, settings."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wbme.views.overlay import contact_sheet
from wbme.views.style import FAINT, FONT, INK, colour, dash, marker, plain
from wbme.views.tone import F32, KNOBS, Subject, middle

_HARD = 0.15


def strip(subject: Subject, start: Mapping[str, Any], inks: Mapping[str, list[float]]) -> F32:
    """A row a control, a column a value, all others as ``start`` has them; last the colours of ``inks``.
    Levels and phase are shown with hard edges, because soft ones hide them."""
    rows = []
    for knob, (*_, values) in KNOBS.items():
        hard = (
            {"softness": min(float(start.get("softness", 0)), _HARD)} if knob in ("levels", "phase") else {}
        )
        told = f", softness {hard['softness']:g}" if hard else ""
        rows.append(
            [(f"{knob.replace('_', ' ')} {value:g}{told}", {knob: value, **hard}) for value in values]
        )
    few = list(inks.items())[: len(rows[0])]
    rows.append([(f"ink, {name}", {"ink_colour": rgb}) for name, rgb in few])
    cells = [(label, middle(subject.draw({**start, **change}))) for row in rows for label, change in row]
    labels, pictures = zip(*cells, strict=True)
    return contact_sheet(pictures, len(rows[0]), labels, cell=216)


def sheet(subjects: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]]) -> F32:
    """A row a picture: photograph, then its drawing under each setting."""
    cells, labels = [], []
    for name, subject in subjects.items():
        cells += [subject.rgb, *(subject.draw(controls) for controls in settings.values())]
        labels += [name, *settings]
    return contact_sheet(cells, len(settings) + 1, labels, cell=224)


def responses(curves: pd.DataFrame) -> Figure:
    """Luma out on luma in, a panel a control: lines by formula, dots measured on a ramp."""
    knobs = list(dict.fromkeys(curves["knob"]))
    figure = Figure(figsize=(2.75 * len(knobs), 3.3), layout="constrained")
    for axes, knob in zip(np.atleast_1d(figure.subplots(1, len(knobs), sharey=True)), knobs, strict=True):
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
        part = curves[curves["knob"] == knob]
        for k, (told, one) in enumerate(part.groupby("setting", sort=False)):
            axes.plot(one["in"], one["exact"], color=colour(k), linewidth=1.3, label=told)
            few = one.iloc[8 + 6 * k :: 28]
            axes.plot(
                few["in"],
                few["measured"],
                color=colour(k),
                marker=marker(k),
                markersize=3.2,
                linestyle="none",
            )
        plain(axes).set_title(knob, fontsize=FONT, color=INK)
        axes.set_xlabel("luma of the base", fontsize=FONT)
        axes.legend(fontsize=FONT - 3, frameon=False, loc="upper left")
        axes.set(xlim=(0, 1), ylim=(0, 1.12), aspect="auto")
    figure.axes[0].set_ylabel("luma of the drawing", fontsize=FONT)
    return figure


def lines(rows: pd.DataFrame) -> Figure:
    """Line scores by character and ink density on threshold, width on gain; the known ink dashed."""
    figure = Figure(figsize=(11.2, 3.7), layout="constrained")
    first, second, third, fourth = figure.subplots(1, 4)
    swept = rows[rows["swept"] == "threshold"]
    names = list(dict.fromkeys(rows["character"]))
    for k, name in enumerate(names):
        by = swept[swept["character"] == name].groupby("value")[["precision", "recall", "F1"]].mean()
        look = {"color": colour(k), "marker": marker(k), "markersize": 3.5, "linewidth": 1.2}
        for axes, kind in ((first, "precision"), (second, "recall"), (third, "F1")):
            axes.plot(by.index, by[kind], label=name, **look)
    for axes, kind in ((first, "precision"), (second, "recall"), (third, "F1")):
        _named(axes, "line threshold", "", kind)
        axes.set_ylim(0, 1)
    density = swept.groupby("value")["density"].mean()
    fourth.plot(density.index, density, color=INK, linewidth=1.5, label="student's ink, all pictures")
    known = rows[rows["swept"] == "known"].groupby("character")["density"].mean()
    for k, name in enumerate(names):
        fourth.axhline(known[name], color=colour(k), linestyle="--", linewidth=1)
    _named(fourth, "line threshold", "", "ink (% of the picture); known ink dashed")
    fourth.set_yscale("log")
    fourth.yaxis.set_major_formatter("{x:g}")
    handles = [*first.get_legend_handles_labels()[0], *fourth.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=FONT - 1, frameon=False)
    return figure


def widths(rows: pd.DataFrame) -> Figure:
    """Covered area over length of centre line, on gain and on threshold; the known ink dashed."""
    figure = Figure(figsize=(7.2, 3.3), layout="constrained")
    for axes, what in zip(figure.subplots(1, 2, sharey=True), ("gain", "threshold"), strict=True):
        by = rows[rows["swept"] == what].groupby("value")["width"].mean()
        axes.plot(by.index, by, color=INK, marker="o", markersize=4, label="student")
        known = rows[rows["swept"] == "known"].groupby("character", sort=False)["width"].mean()
        for k, (name, width) in enumerate(known.items()):
            axes.axhline(width, color=colour(k), linestyle="--", linewidth=1, label=str(name))
        _named(axes, f"line {what}", "ink over centre line (px)" if what == "gain" else "", "")
        axes.set_ylim(0, min(16, axes.get_ylim()[1]))
    figure.axes[0].set_xscale("log", base=2)
    figure.axes[0].xaxis.set_major_formatter("{x:g}")
    handles = figure.axes[0].get_legend_handles_labels()[0]
    figure.legend(handles=handles, loc="outside right center", fontsize=FONT - 1, frameon=False)
    return figure


def flats(rows: pd.DataFrame) -> Figure:
    """Flat share on levels, a line a softness; the characters' own drawings dashed."""
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    drawn = rows[rows["what"] == "student"]
    for k, (softness, part) in enumerate(drawn.groupby("softness")):
        by = part.groupby("levels")["flat"].mean()
        axes.plot(
            by.index, by, color=INK, linestyle=dash(k), marker=marker(k), label=f"softness {softness:g}"
        )
    own = rows[rows["what"] != "student"].groupby("what", sort=False)["flat"].mean()
    for k, (name, share) in enumerate(own.items()):
        axes.axhline(share, color=colour(k), linewidth=1, linestyle="--", label=str(name))
    _named(axes, "levels", "flat pixels (%)", "")
    axes.legend(fontsize=FONT - 2, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _named(axes: Axes, across: str, up: str, title: str) -> None:
    plain(axes).set_title(title, fontsize=FONT, color=INK)
    axes.set_xlabel(across, fontsize=FONT)
    axes.set_ylabel(up, fontsize=FONT)


def closer(subject: Subject, controls: Mapping[str, Any]) -> F32:
    """Photograph and drawing side by side."""
    return np.hstack([subject.rgb, subject.draw(controls)])
