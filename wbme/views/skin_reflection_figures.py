"""Figures of colour reflection and its rivals: people by tone, one person by method and light, curves."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wbme.views.overlay import contact_sheet
from wbme.views.skin_reflection import (
    ALL,
    F32,
    METERED,
    OURS,
    TALK,
    Case,
    over_people,
    reflected,
    slope,
    told,
)
from wbme.views.style import FAINT, FONT, INK, colour, dash, marker, plain

_SHOWN = (TALK, OURS, METERED)


def cut(one: Case, picture: F32) -> F32:
    """A square around the head of the view, or the whole picture where no head is seen."""
    box, (height, width) = one.layers.boxes[0], picture.shape[:2]
    if not np.isfinite(box).all():
        return picture
    side = int(min(1.15 * max(box[2] - box[0], box[3] - box[1]), height, width))
    x, y = (int(np.clip((box[k] + box[k + 2] - side) / 2, 0, (width, height)[k] - side)) for k in (0, 1))
    return picture[y : y + side, x : x + side]


def tones(cases: Iterable[Case], light: str, mask: str = "exact") -> F32:
    """A column a view, by Monk tone: photograph, palette, the talk's formula, ours, and the oracle."""
    chosen = sorted(cases, key=lambda one: one.monk)
    made = [
        [one.photos[light], one.palette, *(reflected(one, m, light, mask) for m in (TALK, OURS)), one.oracle]
        for one in chosen
    ]
    names = ("photo", "palette", TALK, OURS, "oracle")
    labels = [f"{name}, Monk {one.monk}" for name in names for one in chosen]
    pictures = [cut(one, row[k]) for k in range(len(names)) for one, row in zip(chosen, made, strict=True)]
    return contact_sheet(pictures, len(chosen), labels, cell=192)


def methods(one: Case, light: str, mask: str = "exact") -> F32:
    """One person by every method, between the photograph and the oracle."""
    made = {
        "photo": one.photos[light],
        **{m: reflected(one, m, light, mask) for m in ALL},
        "oracle": one.oracle,
    }
    names = ["palette" if name == "none" else name for name in made]
    return contact_sheet([cut(one, picture) for picture in made.values()], 6, names, cell=240)


def lights(one: Case) -> F32:
    """A column a light: photograph, the talk's formula, ours, ours metered, and the oracle."""
    names = list(one.photos)
    rows = [[one.photos[n] for n in names]]
    rows += [[reflected(one, method, n) for n in names] for method in _SHOWN]
    rows.append([one.oracle for _ in names])
    labels = [f"{what}, {n}" for what in ("photo", *_SHOWN, "oracle") for n in names]
    return contact_sheet([cut(one, p) for row in rows for p in row], len(names), labels, cell=200)


def closer(one: Case, light: str, method: str, mask: str, strength: float) -> F32:
    """Photograph, palette, coloured as told, and oracle of one view side by side; the photograph stands for
    the coloured where the parser found no skin."""
    there = mask in one.masks(light)
    made = reflected(one, method, light, mask, strength=strength) if there else one.photos[light]
    shown = one.photos[light], one.palette, made, one.oracle
    return np.hstack([_sized(cut(one, picture)) for picture in shown])


def _sized(picture: F32, side: int = 256) -> F32:
    return np.clip(cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)


def ita_figure(rows: pd.DataFrame, lights_shown: Sequence[str]) -> Figure:
    """ITA of the drawn skin on that of the person, with the identity line: a panel a light."""
    figure = Figure(figsize=(4.4 * len(lights_shown), 4.4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(lights_shown), sharey=True, sharex=True))
    kept = rows[(rows["mask"] == "exact") & rows["method"].isin(("none", *_SHOWN))]
    kept = kept[kept["light"].isin(lights_shown)]
    for axes, light in zip(panels, lights_shown, strict=True):
        part = kept[kept["light"] == light]
        ends = [kept[["ITA in", "ITA out"]].min().min(), kept[["ITA in", "ITA out"]].max().max()]
        axes.plot(ends, ends, color=FAINT, linewidth=1, linestyle="--", zorder=1)
        for k, (name, one) in enumerate(part.groupby("method", sort=False)):
            found = slope(one)
            label = f"{name}: slope {found:.2f}" if np.isfinite(found) else str(name)
            look = {"s": 24, "color": colour(k), "marker": marker(k), "linewidths": 0, "alpha": 0.8}
            axes.scatter(one["ITA in"], one["ITA out"], label=label, **look)
        plain(axes).set_xlabel("ITA of the person's skin (°)", fontsize=FONT)
        axes.set_title(f"light: {light}", fontsize=FONT + 1, color=INK)
        axes.legend(fontsize=FONT - 1, frameon=False, loc="upper left")
    panels[0].set_ylabel("ITA of the drawn skin (°)", fontsize=FONT)
    return figure


def curve(
    summary: pd.DataFrame, group: str, shown: Sequence[str] = (TALK, "Reinhard", "1-D transport", *_SHOWN[1:])
) -> Figure:
    """delta E00 to the oracle by Monk tone or by light, with 95 % intervals: a line a method, a panel a
    mask."""
    masks = [m for m in ("exact", "predicted") if (summary["mask"] == m).any()]
    figure = Figure(figsize=(5.2 * len(masks), 3.8), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(masks), sharey=True))
    places = sorted(summary[group].unique()) if group == "Monk" else list(dict.fromkeys(summary[group]))
    for axes, mask in zip(panels, masks, strict=True):
        for k, method in enumerate(shown):
            part = summary[(summary["mask"] == mask) & (summary["method"] == method)].set_index(group)
            part = part.reindex([p for p in places if p in part.index])
            at = np.array([places.index(p) for p in part.index]) + 0.09 * (k - len(shown) / 2)
            errors = [np.nan_to_num(abs(part["mean"] - part[end])) for end in ("low", "high")]
            look = {
                "color": colour(k),
                "marker": marker(k),
                "markersize": 4.5,
                "capsize": 2,
                "linewidth": 1.1,
            }
            line = dash(k) if group == "Monk" else "none"
            axes.errorbar(at, part["mean"], errors, label=method, linestyle=line, **look)
        plain(axes).set_xticks(
            range(len(places)), [str(p) for p in places], rotation=0 if group == "Monk" else 30
        )
        axes.set_title(f"{mask} mask", fontsize=FONT + 1, color=INK)
        axes.set_xlabel("Monk skin tone" if group == "Monk" else "light of the photograph", fontsize=FONT)
        axes.set_xlim(-0.5, len(places) - 0.5)
    panels[0].set_ylim(bottom=0)
    panels[0].set_ylabel("ΔE00 of skin to the oracle", fontsize=FONT)
    panels[0].legend(fontsize=FONT - 1, frameon=False)
    return figure


def findings(rows: pd.DataFrame, seed: int = 0) -> list[str]:
    """What the rows say, as lines of Markdown."""
    lines = []
    for mask in ("exact", "predicted"):
        part = rows[(rows["light"] == "neutral") & (rows["mask"] == mask)]
        if part.empty:
            lines.append("- The parser found no skin in any neutral photograph, or was not asked.")
            continue
        means = part.groupby("method")["delta E00"].mean()
        kept = [name for name in means.index if name != "none"]
        best = means[kept].idxmin()
        talk = told(over_people(_of(part, TALK), seed))
        line = f"- Neutral light, {mask} mask: the talk's formula {talk} ΔE00"
        tones = _of(part, OURS).groupby("Monk")["delta E00"].mean()
        found = slope(_of(part, OURS))
        line += (
            f", ours {told(over_people(_of(part, OURS), seed))}; nearest: {best}. Ours fares worst for Monk "
        )
        line += f"{tones.idxmax()} ({tones.max():.1f})"
        lines.append(line + (f"; its whitewash slope is {found:.2f}." if np.isfinite(found) else "."))
        touched = part.groupby("method")[["touched", "elsewhere"]].mean()
        lines.append(
            f"- What is no skin, {mask} mask: the talk's formula changes "
            f"{touched.loc[TALK, 'touched']:.1f} % of it, "
            f"ours {touched.loc[OURS, 'touched']:.1f} %; over the whole person "
            f"{touched.loc['Lab mean, region', 'touched']:.0f} %."
        )
    predicted = rows[(rows["light"] == "neutral") & (rows["mask"] == "predicted")]
    if len(predicted):
        found = predicted.groupby("Monk")["found"].mean()
        lines.append(
            f"- The parser finds {predicted['found'].mean():.0f} % of the skin in neutral light, least for "
            f"Monk {found.idxmin()} ({found.min():.0f} %): where it fails, no method can help."
        )
    exact = rows[(rows["mask"] == "exact") & ~rows["light"].isin(("albedo", "neutral"))]
    if len(exact):
        far = exact.groupby(["method", "light"])["delta E00"].mean().unstack()
        hardest = far.loc[TALK].idxmax()
        lines.append(
            f"- Other lights: {far.loc[TALK].mean():.1f} ΔE00 with the talk's formula, "
            f"{far.loc[OURS].mean():.1f} with "
            f"ours, {far.loc[METERED].mean():.1f} metered. The hardest is {hardest}: "
            f"{far.loc[TALK, hardest]:.1f}, "
            f"{far.loc[OURS, hardest]:.1f} and {far.loc[METERED, hardest]:.1f}."
        )
        neutral = (
            rows[(rows["mask"] == "exact") & (rows["light"] == "neutral")]
            .groupby("method")["delta E00"]
            .mean()
        )
        lines.append(
            f"- The meter's price: in neutral light, where there is nothing to take away, "
            f"{neutral[METERED]:.1f} instead "
            f"of {neutral[OURS]:.1f}."
        )
    return [*lines, "- These are synthetic people: no claim about photographs follows."]


def _of(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    return rows[rows["method"] == method]
