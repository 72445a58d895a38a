"""Colour reflection against the oracle: how near it comes, for whom, and what it does to the rest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.base.statistics import Interval, bootstrap
from wbme.color.difference import delta_e00
from wbme.color.reflection import mean_lab, reflect
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import ita
from wbme.data.rendered import Layers
from wbme.geometry.parsing import SKIN
from wbme.perception import faces
from wbme.synth.composite import UNDER, inked, over, reflected
from wbme.views.overlay import contact_sheet
from wbme.views.style import FAINT, FONT, colour, marker, plain

F32 = NDArray[np.float32]
GREY = 0.5  # sRGB, behind everybody
MOST = 20_000  # skin pixels of a view that are compared one by one
OURS = "skin, Lab"
_BY = ["source", "mask", "method"]


@dataclass(frozen=True, eq=False)
class Case:
    """One view: ``layers``; ``pictures`` H x W x 3 sRGB in [0, 1] by name: photo (over grey), albedo, fill
    (the character's palette alone), palette and oracle (whole drawings). H x W masks: the ``person``; its
    ``skin`` without lines and what is drawn on it; ``region``, all that is painted over the skin colour;
    ``predicted``, the skin that the mesh finds in the photo (None: no face)."""

    view: str
    identity: str
    monk: int
    layers: Layers
    pictures: dict[str, F32]
    skin: NDArray[np.bool_]
    region: NDArray[np.bool_]
    predicted: F32 | None

    def finished(self, fill: F32) -> F32:
        """The whole drawing on that fill."""
        return inked(over(self.layers.drawn, fill), self.layers.ink)


def case(row: dict[str, Any], layers: Layers) -> Case:
    """The view of that row, with its face looked for."""
    grey = np.full((*layers.labels.shape, 3), GREY, np.float32)
    pictures = {
        "photo": over(layers.photo, grey),
        "albedo": layers.albedo,
        "fill": over(layers.palette, grey),
    }
    skin = np.isin(layers.labels, list(SKIN)) & (layers.ink < 0.02) & (layers.drawn[..., 3] < 0.02)
    found = faces.detect(pictures["photo"], max_faces=1, irises=False)
    predicted = faces.skin_mask(found[0], grey.shape) if found else None
    region = np.isin(layers.labels, list(UNDER))
    one = Case(
        row["id"], row["identity"], int(row["facts"]["monk"]), layers, pictures, skin, region, predicted
    )
    pictures["palette"] = one.finished(pictures["fill"])
    pictures["oracle"] = one.finished(over(layers.oracle, grey))
    return one


def _ours(one: Case, source: F32, mask: NDArray[Any]) -> F32:
    return one.finished(reflected(one.pictures["fill"], one.skin, one.region, source, mask))


def _in_rgb(one: Case, source: F32, mask: NDArray[Any]) -> F32:
    fill = one.pictures["fill"]
    shift = np.average(source[mask > 0], axis=0, weights=mask[mask > 0]) - fill[one.skin].mean(0)
    return one.finished((fill + one.region[..., None] * shift).astype(np.float32))


def _everywhere(one: Case, source: F32, mask: NDArray[Any]) -> F32:
    return reflected(one.pictures["palette"], one.skin, one.layers.labels > 0, source, mask)


METHODS: dict[str, Callable[[Case, F32, NDArray[Any]], F32]] = {
    "none": lambda one, source, mask: one.pictures["palette"],
    "whole person, Lab": _everywhere,
    "skin, RGB": _in_rgb,
    OURS: _ours,
}


def measure(one: Case) -> list[dict[str, Any]]:
    """A row for each source of colour (photo, which holds the light, or albedo), mask and method.

    delta E00 of skin pixels to the oracle, ITA of the source's skin and of the result's, the share of skin
    pixels that leave the gamut (%), and the mean delta E00 to the palette of what is no skin.
    """
    chosen = np.flatnonzero(one.skin)
    chosen = chosen[:: max(len(chosen) // MOST, 1)]
    others = np.flatnonzero((one.layers.labels > 0) & ~one.region)[::4]
    wanted = srgb_to_lab(one.pictures["oracle"].reshape(-1, 3)[chosen])
    kept = srgb_to_lab(one.pictures["palette"].reshape(-1, 3)[others])
    cases = [("photo", "exact", one.skin), ("albedo", "exact", one.skin)]
    if one.predicted is not None and one.predicted.any():
        cases.insert(1, ("photo", "predicted", one.predicted))
    rows = []
    for source, kind, mask in cases:
        given = one.pictures[source]
        own = mean_lab(given, one.skin)
        for name, method in METHODS.items():
            raw = method(one, given, mask).reshape(-1, 3)
            skin, rest = (srgb_to_lab(np.clip(raw[part], 0, 1)) for part in (chosen, others))
            lost = (raw[chosen] < -1e-3) | (raw[chosen] > 1 + 1e-3)
            row = {
                "view": one.view,
                "identity": one.identity,
                "Monk": one.monk,
                "source": source,
                "mask": kind,
                "method": name,
            }
            row |= {"delta E00": float(delta_e00(skin, wanted).mean()), "clipped": 100 * lost.any(1).mean()}
            row |= {"ITA in": float(ita(own[0], own[2])), "ITA out": float(ita(*skin.mean(0)[[0, 2]]))}
            rows.append({**row, "elsewhere": float(delta_e00(rest, kept).mean()) if len(others) else 0.0})
    return rows


def slope(frame: pd.DataFrame) -> float:
    """Slope of ITA out on ITA in, least squares: 1 keeps every skin, 0 gives all the same; nan for one
    skin."""
    x, y = frame["ITA in"], frame["ITA out"]
    return float(np.polyfit(x, y, 1)[0]) if len(x) > 1 and np.ptp(x) > 1e-6 else float("nan")


def _over_people(part: pd.DataFrame, seed: int) -> Interval:
    """Two views of one person are not two witnesses."""
    return bootstrap(part.groupby("identity")["delta E00"].mean(), seed=seed)


def table(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A row a source of colour, mask and method: delta E00 with 95 % bootstrap interval over people, the
    worst Monk tone, whitewash slope, clipping (%) and what changes elsewhere (delta E00)."""
    entries = []
    for key, part in rows.groupby(_BY, sort=False):
        mean, tones = _over_people(part, seed), part.groupby("Monk")["delta E00"].mean()
        entry = dict(zip(_BY, key, strict=True)) | {
            "views": len(part),
            "people": mean.n,
            "delta E00": round(mean.mean, 2),
        }
        entry |= {"95 %": f"{mean.low:.2f} to {mean.high:.2f}"}
        entry |= {"worst tone": f"{tones.max():.2f} (Monk {tones.idxmax()})", "slope": round(slope(part), 2)}
        entry |= {"clipped (%)": round(part["clipped"].mean(), 1)}
        entries.append(entry | {"delta E00 elsewhere": round(part["elsewhere"].mean(), 2)})
    return pd.DataFrame(entries)


def by_tone(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """delta E00 of our method by Monk tone, with 95 % bootstrap intervals: a row a tone, source and mask."""
    entries = []
    for key, part in rows[rows["method"] == OURS].groupby(["Monk", "source", "mask"]):
        mean = _over_people(part, seed)
        entries.append((*key, len(part), mean.n, mean.mean, mean.low, mean.high))
    return pd.DataFrame(entries, columns=["Monk", "source", "mask", "views", "people", "mean", "low", "high"])


def tones(cases: Iterable[Case]) -> F32:
    """A column a view, by Monk tone: photograph, palette, reflected and oracle."""
    chosen = sorted(cases, key=lambda one: one.monk)
    rows = [closer(one, 1.0, "lab", "photo", stacked=False) for one in chosen]
    names = ("photo", "palette", "reflected", "oracle")
    labels = [f"{name}, Monk {one.monk}" for name in names for one in chosen]
    return contact_sheet([row[k] for k in range(4) for row in rows], len(chosen), labels, cell=192)


def closer(one: Case, strength: float, channels: str, source: str, stacked: bool = True) -> Any:
    """Photograph, palette, reflected as told, and oracle of one view around its head: side by side, or four
    pictures where they are not ``stacked``."""
    given, box = one.pictures[source], one.layers.boxes[0]
    if (strength, channels) == (1.0, "lab"):  # as it is measured
        fill = reflected(one.pictures["fill"], one.skin, one.region, given, one.skin)
    else:
        fill = reflect(
            one.pictures["fill"], one.region, given, one.skin, strength=strength, channels=channels
        )
    shown = one.pictures["photo"], one.pictures["palette"], one.finished(fill), one.pictures["oracle"]
    height, width = fill.shape[:2]
    side = int(min(1.15 * max(box[2] - box[0], box[3] - box[1]), height, width))
    x, y = (int(np.clip((box[k] + box[k + 2] - side) / 2, 0, (width, height)[k] - side)) for k in (0, 1))
    cut = [picture[y : y + side, x : x + side] for picture in shown]
    return np.hstack(cut) if stacked else cut


def ita_figure(rows: pd.DataFrame) -> Figure:
    """ITA of the drawn skin on ITA of its source, with the identity line: colour from the photo, the
    albedo."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    both = figure.subplots(1, 2, sharey=True)
    for axes, source in zip(both, ("photo", "albedo"), strict=True):
        part = rows[(rows["source"] == source) & (rows["method"] != "whole person, Lab")]
        ends = [part[["ITA in", "ITA out"]].min().min(), part[["ITA in", "ITA out"]].max().max()]
        axes.plot(ends, ends, color=FAINT, linewidth=1, linestyle="--", zorder=1)
        part = part[(part["mask"] == "exact") | (part["method"] == OURS)]
        for k, ((mask, name), one) in enumerate(part.groupby(["mask", "method"], sort=False)):
            label = f"{name}, {mask} mask: slope {slope(one):.2f}"
            look = {"s": 46 - 10 * k, "color": colour(k), "marker": marker(k), "linewidths": 0}
            axes.scatter(one["ITA in"], one["ITA out"], label=label, **look)
        plain(axes).set_xlabel("ITA of the person's skin (°)", fontsize=FONT)
        axes.set_title(f"colour from the {source}", fontsize=FONT + 1)
        axes.legend(fontsize=FONT - 1, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    both[0].set_ylabel("ITA of the drawn skin (°)", fontsize=FONT)
    return figure


def tone_figure(summary: pd.DataFrame) -> Figure:
    """delta E00 to the oracle by Monk tone, with intervals: a line a source of colour and mask."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = plain(figure.subplots())
    for k, ((source, mask), part) in enumerate(summary.groupby(["source", "mask"], sort=False)):
        errors = [np.nan_to_num(abs(part["mean"] - part[end])) for end in ("low", "high")]
        look = {"color": colour(k), "marker": marker(k), "markersize": 5, "capsize": 2, "linewidth": 1.2}
        label = f"{source}, {mask} mask"
        axes.errorbar(part["Monk"] + 0.12 * (k - 1), part["mean"], errors, label=label, **look)
    axes.set(xticks=range(1, 11), ylim=(0, None))
    axes.set_xlabel("Monk skin tone", fontsize=FONT)
    axes.set_ylabel("ΔE00 of skin to the oracle", fontsize=FONT)
    axes.legend(fontsize=FONT - 1, frameon=False)
    return figure
