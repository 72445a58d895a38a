"""Views of an evaluation: scores with their intervals, skin by tone, best and worst, lines, pixels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.data.pairs import Pairs
from wbme.data.sources import Source
from wbme.metrics import distribution, perceptual, skin, structure, summary
from wbme.metrics.scores import ALL, BACKGROUND, FACE, SKIN
from wbme.views.fairness_figures import told
from wbme.views.overlay import contact_sheet
from wbme.views.skin_planes import legend
from wbme.views.style import BLUE, FAINT, FONT, INK, ORANGE, VERMILION, colour, marker, plain, spanned

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
    SKIN["form"]: ("form: correlation of skin L*", "near the target's is better"),
    FACE["landmarks"]: ("landmark RMSE, % of the face's width", "less is better"),
    FACE["who"]: ("identity rank-1,\nMobileNetV2 (ImageNet)", "more is better"),
    BACKGROUND["ground_delta"]: ("background ΔE00", "less is better"),
    BACKGROUND["ground_lines"]: ("stray lines of the background", "less is better"),
    BACKGROUND["ghosts"]: ("ghost faces a picture", "less is better"),
}
_NUMBERS = {
    "perceptual": "perceptual", "line_f1": "line_f1", "flat": "flat", "skin": "delta_e00", "form": "form",
    "identity": "who", "background": "ground_delta", "ghosts": "ghosts",
}  # fmt: skip
_BY_GROUP = ("line_f1", "perceptual", "delta_e00", "form", "landmarks", "who", "ground_delta")


def intervals(means: pd.DataFrame, target: str = "target") -> Figure:
    """Mean and interval of the main measures, a panel each and a line a method, in the order of ``means``
    (rows of ``metrics.summary.means``); the line of the method ``target`` crosses its panels."""
    methods = list(dict.fromkeys(means["method"]))
    there = {m: said for m, said in _PANELS.items() if (means["measure"] == m).any()}
    lines = max(-(-len(there) // 3), 1)
    figure = Figure(figsize=(10, (0.8 + 0.25 * len(methods)) * lines), layout="constrained")
    panels = np.atleast_1d(figure.subplots(lines, 3, sharey=True)).ravel()
    for axes in panels[len(there) :]:
        axes.set_visible(False)
    for axes, (measure, (title, way)) in zip(panels, there.items(), strict=False):
        plain(axes).set_title(f"{title}\n({way})", fontsize=FONT, color=INK)
        own = means[means["measure"] == measure].set_index("method")
        for place, name in enumerate(methods):
            if name not in own.index or not np.isfinite(own.loc[name, "mean"]):
                continue
            mean, low, high = own.loc[name, ["mean", "low", "high"]].astype(float)
            if name == target:
                axes.axvline(mean, color=FAINT, lw=1, ls=":")
            spanned(axes, place, mean, low, high)
        axes.set_yticks(range(len(methods)), methods)
        axes.set_ylim(len(methods) - 0.5, -0.5)
        if np.ptp(own["mean"]) < 1e-9:  # all alike: Matplotlib would zoom in on rounding
            axes.set_xlim(own["mean"].iloc[0] - 0.5, own["mean"].iloc[0] + 0.5)
        axes.grid(axis="x", color="#E4E4E4", lw=0.7)
        axes.set_axisbelow(True)
    return figure


def numbers(
    means: pd.DataFrame, rows: pd.DataFrame, methods: Sequence[str]
) -> Iterator[tuple[str, float, tuple[float, float], dict[str, float]]]:
    """Name, mean, interval and mean of each person of what is compared between models, for each of
    ``methods``; ``means`` as for ``intervals``, of the ``rows``. What nobody was measured by is left out."""
    known = means.set_index(["method", "measure"])[["mean", "low", "high"]]
    for name in methods:
        for title, column in _NUMBERS.items():
            if (name, ALL[column]) in known.index:
                mean, low, high = known.loc[(name, ALL[column])].astype(float)
                cases = rows[rows["method"] == name].groupby("identity")[column].mean().to_dict()
                yield f"{title}/{name}", mean, (low, high), cases


def with_intervals(means: pd.DataFrame, columns: Iterable[str], key: str = "method") -> pd.DataFrame:
    """A row a method and a column a measure of ``columns``, those known: ``mean (low to high)``."""
    ends = means[["mean", "low", "high"]].itertuples(index=False)
    shown = means.assign(text=[told(*row, digits=2) for row in ends])
    wide = shown.pivot(index=key, columns="measure", values="text")
    there = [name for name in columns if name in wide.columns]
    return wide.reindex(list(dict.fromkeys(means[key])))[there].fillna("").reset_index()


def by_groups(rows: Sequence[Mapping[str, Any]], groups: Mapping[str, str], seed: int = 0) -> pd.DataFrame:
    """A row a group of people and method, with intervals: ``groups`` are names of groupings and the entry of
    a row that tells the group."""
    parts = []
    for name, key in groups.items():
        found = summary.by_group(rows, key, seed=seed)
        for group in dict.fromkeys(one["group"] for one in found):
            means = pd.DataFrame([one for one in found if one["group"] == group])
            table = with_intervals(means, [ALL[column] for column in _BY_GROUP])
            table.insert(0, "people", int(means["identities"].max()))
            table.insert(0, "group", f"{name} {group}")
            parts.append(table)
    return pd.concat(parts).fillna("") if parts else pd.DataFrame(columns=["group", "people", "method"])


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


def extremes(
    made: Pairs, rows: Sequence[dict[str, Any]], frame: pd.DataFrame, draws: Mapping[str, Any], first: str,
    most: int,
) -> list[tuple[str, dict[str, F32], dict[str, str]]]:  # fmt: skip
    """The ``most`` best and worst of the pairs' ``rows`` by the feature distance of the method ``first``, as
    ``examples`` shows them; ``frame``: their scores."""
    order = frame[frame["method"] == first].sort_values("perceptual")["pair"].tolist()
    worst = order[max(len(order) - most, min(most, len(order))) :][::-1]
    by_id, found = {row["id"]: row for row in rows}, []
    for heading, name in [("best", n) for n in order[:most]] + [("worst", n) for n in worst]:
        arrays = made.load(by_id[name], ("src", "tgt"))
        drawn = {**{n: draw(arrays["src"]) for n, draw in draws.items()}, "target": arrays["tgt"]}
        scored = frame[frame["pair"] == name].set_index("method")
        values = scored[["perceptual", "line_f1", "flat"]].itertuples()
        notes = {row[0]: ", ".join(f"{value:.2f}" for value in row[1:]) for row in values}
        notes["target"] = f"{scored.loc['target', 'flat']:.2f} flat"
        found.append((f"{heading}: {name}", drawn, notes))
    return found


def portraits(source: Source, draws: Mapping[str, Any]) -> tuple[list[F32], list[str], list[dict[str, Any]]]:
    """The pictures of a source, each beside what ``draws`` (of a picture and its faces) make of it; their
    labels, and a row a picture: portrait, method, flat share."""
    tiles, labels, flat = [], [], []
    for row in source.pictures:
        rgb, faces = source.rgb(row), source.found(row)
        drawn = {"input": rgb} | {name: draw(rgb, faces) for name, draw in draws.items()}
        for name, picture in drawn.items():
            share = structure.flat_share(picture)
            flat.append({"portrait": row["name"], "method": name, "flat share": share})
            tiles.append(picture)
            labels.append(f"{name}: flat {share:.2f}")
    return tiles, labels, flat


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
        chance = wide.loc[name, FACE["chance"]]
        if np.isfinite(chance):
            own, photo = (wide.loc[n, FACE["who"]] for n in (name, "input"))
            said.append(
                f"- {name}: the nearest photograph of another view is the same person's for {own:.2f} of the "
                f"drawings, {photo:.2f} of the photographs, and blindly {chance:.2f}."
            )
        ground = (wide.loc[n, BACKGROUND["ground_delta"]] for n in (name, "input"))
        said.append("- {}: background ΔE00 {:.1f} to the target's (photograph {:.1f}).".format(name, *ground))
    for name in students:
        known = lines.loc[name, ["ITA slope (oracle)", "worst-group gap (delta E00)"]]
        slope, gap = ("unknown, too few people" if np.isnan(v) else f"{v:.2f}" for v in known)
        said.append(f"- {name}: ITA slope against the oracle {slope}; gap between tones, ΔE00: {gap}.")
    return said
