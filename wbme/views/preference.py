"""Views of a blind test: the pairs, win rates and strengths with their intervals, who won where."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.data.blind import Comparison
from wbme.metrics import preference
from wbme.metrics.preference import Vote
from wbme.views.overlay import contact_sheet
from wbme.views.style import BLUE, FAINT, FONT, INK, VERMILION, plain, shortened

F32 = NDArray[np.float32]
TIES = ("half", "left out")
_EVERY = "all"
_BETWEEN = 36  # pixels between two comparisons in a row of the sheet
_SURE = 0.05  # the p under which a side is said to be preferred


def sheet(
    comparisons: Sequence[Comparison], pictures: Mapping[str, Mapping[str, F32]], most: int, cell: int = 240
) -> F32:
    """The first ``most`` of the ``comparisons`` as raters see them, two in a row: A, the photograph, B; no
    names. ``pictures``: of each picture the photograph as "input" and the drawings by model."""
    numbered = list(enumerate(comparisons[:most], 1))
    halves = []
    for column in (numbered[0::2], numbered[1::2]) if len(numbered) > 1 else (numbered,):
        tiles, labels = [], []
        for number, one in column:
            for name, version in (("A", one.left), ("photograph", "input"), ("B", one.right)):
                tiles.append(pictures[one.picture][version])
                labels.append(f"{number}: {name}")
        halves.append(contact_sheet(tiles, columns=3, labels=labels, cell=cell))
    high, wide = max(len(half) for half in halves), _BETWEEN * (len(halves) - 1)
    page = np.ones((high, sum(half.shape[1] for half in halves) + wide, 3), np.float32)
    for half, at in zip(halves, (0, halves[0].shape[1] + wide), strict=False):
        page[: len(half), at : at + half.shape[1]] = half
    return page


def dots(rates: Sequence[Mapping[str, Any]], ranked: Sequence[Mapping[str, Any]]) -> Figure:
    """Left, the win rates of ``preference.win_rates``; right, the strengths of ``preference.ranking``, if
    there are any; each with its 95 % interval."""
    rows = max(len(rates), len(ranked), 1)
    figure = Figure(figsize=(10, 1.5 + 0.42 * rows), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2)) if ranked else (figure.subplots(), None)
    left.axvline(50, color=FAINT, lw=1, ls=":")
    for place, row in enumerate(rates):
        low, high = 100 * row["low"], 100 * row["high"]
        decided = BLUE if low > 50 else VERMILION if high < 50 else INK
        _dot(left, place, 100 * row["win rate"], low, high, decided)
        told = f"{row['won']} won, {row['lost']} lost, {row['no difference']} even"
        left.annotate(
            told,
            (1.03, place),
            xycoords=("axes fraction", "data"),
            fontsize=FONT - 1,
            color=FAINT,
            va="center",
        )
    names = [f"{shortened(row['model'], 24)} over {shortened(row['against'], 24)}" for row in rates]
    _rows(left, names, "chosen, no difference counting half (%)")
    left.set_xlim(0, 100)
    if right is None:
        return figure
    right.axvline(0, color=FAINT, lw=1, ls=":")
    for place, row in enumerate(ranked):
        _dot(right, place, row["strength"], row["low"], row["high"], INK)
    _rows(right, [shortened(row["model"], 24) for row in ranked], "strength (log odds,\nBradley and Terry)")
    return figure


def _dot(axes: Axes, place: int, middle: float, low: float, high: float, ink: str) -> None:
    if np.isfinite(low):
        axes.plot([low, high], [place, place], color=ink, lw=2, solid_capstyle="butt")
    axes.plot(middle, place, "o", color=ink, ms=6, clip_on=False, zorder=3)


def _rows(axes: Axes, names: Sequence[str], title: str) -> None:
    plain(axes).set_yticks(range(len(names)), names)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    axes.set_xlabel(title, fontsize=FONT)
    axes.grid(axis="x", color="#E4E4E4", lw=0.7)
    axes.set_axisbelow(True)


def groups(votes: Sequence[Vote]) -> dict[str, list[str]]:
    """What the votes can be told apart by: "pictures", the sources they come from, and "rater"; all first."""
    sources = sorted({vote.picture.split("/")[0] for vote in votes})
    return {"pictures": [_EVERY, *sources], "rater": [_EVERY, *sorted({vote.rater for vote in votes})]}


def chosen(votes: Sequence[Vote], models: Sequence[str], pictures: str, rater: str, ties: str) -> Figure:
    """``dots`` of the votes on the ``pictures`` of one source and of one ``rater``, as ``groups`` names them;
    ``ties``: of ``TIES``, whether no difference counts half a win or nothing."""
    kept = [
        vote
        for vote in votes
        if pictures in (_EVERY, vote.picture.split("/")[0])
        and rater in (_EVERY, vote.rater)
        and (ties == TIES[0] or vote.score != 0.5)
    ]
    return dots(preference.win_rates(kept, models), preference.ranking(kept, models))


def outcomes(
    votes: Sequence[Vote],
    models: Sequence[str],
    pictures: Mapping[str, Mapping[str, F32]],
    most: int,
    cell: int = 300,
) -> F32:
    """A row a picture, at most ``most`` of them: the photograph and the drawing of each of the ``models``,
    with what it won there of the choices it was in; the pictures on which they differ most come first."""
    points: dict[str, dict[str, list[float]]] = {}
    for vote in votes:
        of = points.setdefault(vote.picture, {model: [] for model in models})
        of[vote.first].append(vote.score)
        of[vote.second].append(1 - vote.score)
    spread = {p: np.ptp([np.mean(own) for own in of.values() if own]) for p, of in points.items()}
    tiles, labels = [], []
    for picture in sorted(points, key=lambda name: -spread[name])[:most]:
        tiles.append(pictures[picture]["input"])
        labels.append(picture)
        for model, own in points[picture].items():
            tiles.append(pictures[picture][model])
            labels.append(f"{shortened(model, 24)}: {sum(own):g} of {len(own)}")
    return contact_sheet(tiles, columns=1 + len(models), labels=labels, cell=cell)


def findings(
    rates: Sequence[Mapping[str, Any]],
    ranked: Sequence[Mapping[str, Any]],
    agreed: Mapping[str, Any],
    raters: Sequence[Mapping[str, Any]],
) -> list[str]:
    """What the choices say, as lines of Markdown, from the rows of ``wbme.metrics.preference``."""
    said = []
    for row in rates:
        sure = "preferred" if row["low"] > 0.5 else "less liked" if row["high"] < 0.5 else "undecided"
        said.append(
            f"- {row['model']} over {row['against']}: {100 * row['win rate']:.0f} % "
            f"[{100 * row['low']:.0f}, {100 * row['high']:.0f}] on {row['pictures']} pictures: {sure}."
        )
    if ranked:
        order = ", ".join(f"{row['model']} ({row['strength']:+.2f})" for row in ranked)
        share = ranked[0]["strongest in"]
        sure = f"the first is the strongest in {100 * share:.0f} % of the resamples"
        sure = sure if np.isfinite(share) else "too few pictures to say how sure that is"
        said.append(f"- Order by strength: {order}; {sure}.")
    else:
        said.append("- The choices do not link all models: they have no common order yet.")
    if agreed["comparisons"]:
        alpha = f"{agreed['alpha']:.2f}" if np.isfinite(agreed["alpha"]) else "unknown, all undecided"
        said.append(
            f"- {agreed['raters']} raters agree in {100 * agreed['same']:.0f} % of {agreed['comparisons']} "
            f"comparisons that two or more judged; Krippendorff's alpha {alpha}."
        )
    else:
        said.append("- No two raters judged the same drawings: how far people agree is not known.")
    for row in raters:
        if row["p"] < _SURE:
            share = f"{100 * row['left']:.0f} % of the decided choices fell on the left (p = {row['p']:.3f})"
            said.append(f"- **{row['rater']}: {share}: the side counts, not only the drawing.**")
    if not any(row["p"] < _SURE for row in raters):
        said.append("- No rater prefers a side more than chance explains.")
    return said
