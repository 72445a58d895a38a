"""Views of an evaluation: scores with their intervals, skin by tone, best and worst, lines, pixels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.data.pairs import Pairs
from wbme.metrics import distribution, perceptual, skin, structure
from wbme.views.overlay import contact_sheet
from wbme.views.skin_planes import legend
from wbme.views.style import BLUE, FAINT, FONT, INK, ORANGE, VERMILION, colour, marker, plain

F32 = NDArray[np.float32]
_PALE = "#DDEAF2"
LAYERS = ("drawing", "lines", "difference")
# What stands in one figure: measure of ``metrics.summary.means`` -> title and which way is better.
_PANELS = {
    "line F1": ("line F1", "more is better"),
    "flat share": ("flat share", "near the target's is better"),
    perceptual.NAME: (perceptual.NAME, "less is better"),
    "skin delta E00 to oracle": ("skin ΔE00 to the oracle", "less is better"),
    "eyes L1": ("eyes, L1", "less is better"),
    "mouth L1": ("mouth, L1", "less is better"),
}


def intervals(means: pd.DataFrame, target: str = "target") -> Figure:
    """Mean and interval of the main measures, a panel each and a line a method, in the order of ``means``
    (rows of ``metrics.summary.means``); the line of the method ``target`` crosses its panels."""
    methods = list(dict.fromkeys(means["method"]))
    figure = Figure(figsize=(10, 1.6 + 0.5 * len(methods)), layout="constrained")
    panels = figure.subplots(2, 3, sharey=True).flat
    for axes, (measure, (title, way)) in zip(panels, _PANELS.items(), strict=True):
        plain(axes).set_title(f"{title}\n({way})", fontsize=FONT, color=INK)
        own = means[means["measure"] == measure].set_index("method")
        for place, name in enumerate(methods):
            if name not in own.index or not np.isfinite(own.loc[name, "mean"]):
                continue
            mean, low, high = own.loc[name, ["mean", "low", "high"]].astype(float)
            if name == target:
                axes.axvline(mean, color=FAINT, lw=1, ls=":")
            if np.isfinite(low):
                axes.plot([low, high], [place, place], color=colour(place), lw=2, solid_capstyle="butt")
            axes.plot(mean, place, marker(place), color=colour(place), ms=6)
        axes.set_yticks(range(len(methods)), methods)
        axes.set_ylim(len(methods) - 0.5, -0.5)
        axes.grid(axis="x", color="#E4E4E4", lw=0.7)
        axes.set_axisbelow(True)
    return figure


def skin_tones(tones: pd.DataFrame, rows: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """For whom the skin is kept. Left: delta E00 to the oracle by Monk tones (``summary.skin_by_tone``);
    right: ITA of each picture in ``rows``, in the oracle and in the drawing, with each method's line."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    groups = list(dict.fromkeys(tones["monk"]))
    groups.sort(key=lambda name: int(name.split("-")[0]))
    for index, method in enumerate(methods):
        own = tones[tones["method"] == method]
        beside = 0.6 * ((index + 0.5) / len(methods) - 0.5)
        at = [groups.index(name) + beside for name in own["monk"]]
        bars = np.abs(own[["low", "high"]].to_numpy(float).T - own["mean"].to_numpy(float))
        style = {"color": colour(index), "fmt": marker(index), "ms": 6, "elinewidth": 1.5}
        left.errorbar(at, own["mean"], yerr=np.nan_to_num(bars), label=method, **style)
        _ita(right, rows[(rows["method"] == method) & (rows["monk"] > 0)], index)
    plain(left).set_xticks(range(len(groups)), groups)
    left.set_ylim(bottom=0)
    left.set_xlabel("Monk skin tones of the person", fontsize=FONT)
    left.set_ylabel("skin ΔE00 to the oracle", fontsize=FONT)
    ends = plain(right).get_xlim()
    right.plot(ends, ends, color=FAINT, lw=1, ls=":", zorder=1)
    right.set_xlabel("ITA of the oracle (degrees)", fontsize=FONT)
    right.set_ylabel("ITA of the drawing (degrees)", fontsize=FONT)
    legend(figure, *left.get_legend_handles_labels())
    return figure


def _ita(axes: Axes, own: pd.DataFrame, index: int) -> None:
    if not len(own):
        return
    before, after = own["ita_oracle"].to_numpy(float), own["ita_out"].to_numpy(float)
    axes.plot(before, after, marker(index), color=colour(index), ms=4, alpha=0.7)
    line = skin.whitewash(before, after)
    ends = np.array([before.min(), before.max()])
    axes.plot(ends, line.slope * ends + line.intercept, color=colour(index), lw=1.5)


def examples(shown: Sequence[tuple[str, Mapping[str, F32], Mapping[str, str]]], cell: int = 300) -> F32:
    """A row a picture: its versions by name, all the same names in each, the first headed by what the picture
    is; under each its name and what ``notes`` say of it."""
    tiles, labels = [], []
    for heading, versions, notes in shown:
        for place, (name, rgb) in enumerate(versions.items()):
            tiles.append(rgb)
            note = notes.get(name, "")
            labels.append(f"{heading}: {name}" if not place else f"{name}{f': {note}' if note else ''}")
    return contact_sheet(tiles, columns=len(shown[0][1]) if shown else 1, labels=labels, cell=cell)


def closer(versions: Mapping[str, F32], method: str, layer: str, cell: int = 420) -> F32:
    """Input, what ``method`` drew, and target of one picture (``versions`` by name, "input" and "target"
    among them) side by side: the drawing itself or, of ``LAYERS``, its lines or its difference from the
    target, three times as strong."""
    drawn, target = versions[method], versions["target"]
    middle = {
        "drawing": lambda: drawn,
        "lines": lambda: line_errors(drawn, target),
        "difference": lambda: 1 - np.clip(3 * np.abs(drawn - target), 0, 1),
    }
    labels = ["input", method if layer == "drawing" else f"{method}, {layer}", "target"]
    return contact_sheet([versions["input"], middle[layer](), target], 3, labels, cell=cell)


def line_errors(drawn: F32, target: F32, tolerance: float = 2.0) -> F32:
    """The drawing, pale, with its lines: black where both have one within ``tolerance`` pixels, red where
    only the drawing has one, blue where only the target has."""
    own, wanted = structure.lines(drawn), structure.lines(target)
    near = [cv2.distanceTransform((~m).astype(np.uint8), cv2.DIST_L2, 5) <= tolerance for m in (own, wanted)]
    picture = 1 - 0.25 * (1 - drawn)
    for mask, ink in ((own & near[1], INK), (own & ~near[1], VERMILION), (wanted & ~near[0], BLUE)):
        wide = cv2.dilate(mask.astype(np.uint8), np.ones((2, 2), np.uint8)).astype(bool)
        picture[wide] = to_rgb(ink)
    return picture.astype(np.float32)


def pixels(found: Mapping[str, NDArray[np.float64]]) -> Figure:
    """What the pixels of data sets show, by height in the picture: a panel for each result of
    ``metrics.distribution.pixel_distribution``, with the shares of all pixels beneath its name."""
    figure = Figure(figsize=(1 + 2.9 * len(found), 3.4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(found), sharey=True))
    for axes, (name, shares) in zip(panels, found.items(), strict=True):
        height = np.linspace(0, 100, len(shares), endpoint=False)
        edges = 100 * np.cumsum(np.pad(shares, ((0, 0), (1, 0))), axis=1).T
        whole = []
        for k, (kind, fill) in enumerate(zip(distribution.CLASSES, (ORANGE, BLUE, _PALE), strict=True)):
            bar = {"height": 100 / len(shares), "align": "edge", "color": fill, "label": kind}
            axes.barh(height, edges[k + 1] - edges[k], left=edges[k], **bar)
            whole.append(f"{kind} {100 * shares[:, k].mean():.0f} %")
        plain(axes).set_title(f"{name}\n{', '.join(whole)}", fontsize=FONT, color=INK)
        axes.set(xlim=(0, 100), ylim=(100, 0))
        axes.set_xlabel("share of pixels (%)", fontsize=FONT)
    panels[0].set_ylabel("height in the picture (%, 0 is top)", fontsize=FONT)
    legend(figure, *panels[0].get_legend_handles_labels())
    return figure


def label_maps(made: Pairs, rows: Iterable[dict[str, Any]]) -> dict[str, list[NDArray[np.uint8]]]:
    """Labels of the pairs of those rows, by what they show: faces cut out as FFHQ's are, pictures of one
    person, and all."""
    maps: dict[str, list[NDArray[np.uint8]]] = {
        name: [] for name in ("faces, as FFHQ crops them", "one person", "all pairs")
    }
    faces, alone, every = maps.values()
    for row in rows:
        found = made.load(row, ("labels", "landmarks"))
        every.append(found["labels"])
        if not row["lineage"].get("cutface") and np.isfinite(found["points"]).all():
            alone.append(found["labels"])
            crops = [distribution.face_crop(found["labels"], points) for points in found["points"]]
            faces += [crop for crop in crops if min(crop.shape) >= 32]
    return maps


def findings(wide: pd.DataFrame, lines: pd.DataFrame, students: Sequence[str]) -> list[str]:
    """What the scores say of ``students``, as lines of Markdown. ``wide``: a row a method, a column a
    measure; ``lines``: rows of ``summary.skin_line`` by method."""
    said = [
        f"- {name}: line F1 {wide.loc[name, 'line F1']:.3f} (photograph {wide.loc['input', 'line F1']:.3f}),"
        f" flat share {wide.loc[name, 'flat share']:.3f} (target {wide.loc['target', 'flat share']:.3f}),"
        f" feature distance {wide.loc[name, perceptual.NAME]:.3f} (photograph "
        f"{wide.loc['input', perceptual.NAME]:.3f})."
        for name in students
    ]
    said.append(
        f"- The lines nearest to the targets' are those of: {wide['line F1'].drop('target').idxmax()}."
    )
    for name in students:
        known = lines.loc[name, ["ITA slope (oracle)", "worst-group gap (delta E00)"]]
        slope, gap = ("unknown, too few people" if np.isnan(v) else f"{v:.2f}" for v in known)
        said.append(f"- {name}: ITA slope against the oracle {slope}; gap between tones, ΔE00: {gap}.")
    return said
