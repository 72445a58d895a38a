"""Skin of a pair set: the photograph, the target before and after colour reflection, and the oracle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.base.statistics import bootstrap
from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import hue, ita, monk_class, wrap
from wbme.data.pairs import Pairs
from wbme.metrics.skin import LEAST, face_skin, whitewash
from wbme.views.skin_planes import legend
from wbme.views.style import FAINT, FONT, INK, colour, dash, marker, plain

STAGES = ("photograph", "before", "after", "oracle")
MEASURES = {"ITA": "ITA (degrees)", "L*": "L*", "hue": "hue angle h* (degrees)"}
ERROR = "ΔE00"
TONES = {"all": (1, 10), "1-3": (1, 3), "4-7": (4, 7), "8-10": (8, 10)}
VIEWS = ("slope", "CDF")
_AT = 201  # places of a curve


@dataclass(frozen=True, eq=False)
class PairSkin:
    """``faces``: a row a pair and stage with pair, identity, Monk (1 to 10, of the oracle), stage, the median
    colour L*, a, b, its hue and ITA, and ``ERROR``, its delta E00 to the oracle's. ``pixels``: pair, Monk,
    stage and ITA, L*, hue and ``ERROR`` to the oracle's pixel at the same place, as many of each face.
    ``left_out``: how many pairs tell nothing, by reason."""

    faces: pd.DataFrame
    pixels: pd.DataFrame
    left_out: dict[str, int]

    def of(self, tones: str) -> "PairSkin":
        """Those of the Monk tones named in ``TONES``. ParameterError for another name."""
        if tones not in TONES:
            raise ParameterError(f"tones {tones!r}: choose of {', '.join(TONES)}")
        low, high = TONES[tones]
        faces, pixels = (table[table["Monk"].between(low, high)] for table in (self.faces, self.pixels))
        return PairSkin(faces, pixels, self.left_out)


def measured(made: Pairs, rows: Iterable[dict[str, Any]], *, per_face: int = 400, seed: int = 0) -> PairSkin:
    """The face's skin of each of ``rows``, under its exact labels.

    What the target was before colour reflection follows from the shift that the pair's lineage tells: it is
    that much of L*a*b* away, pixel by pixel ("Lab mean") or on the mean (other methods of a recipe). Left out
    are pairs of several people, without labels or oracle (photographs, imported pairs), with too little skin
    of a face, and those composed before the shift was kept. Raises ParameterError, which says why, where
    nothing is left.
    """
    left: dict[str, int] = {}
    faces, pixels = [], []
    for row in rows:
        why = _unfit(row)
        found = {} if why else made.load(row, ("src", "tgt", "oracle", "labels", "landmarks"))
        if not why and len(found["points"]) != 1:
            why = "several people"
        mask = None if why else face_skin(found["labels"])
        if mask is not None and np.count_nonzero(mask) < LEAST:
            why = "too little skin of a face"
        if why or mask is None:
            left[why] = left.get(why, 0) + 1
            continue
        shift = row["lineage"]["reflection"]
        lab = {
            name: srgb_to_lab(found[key][mask]).astype(np.float64)
            for name, key in zip(STAGES, ("src", "tgt", "tgt", "oracle"), strict=True)
        }
        lab["before"] = lab["after"] - (np.array(shift[0]) if shift else 0.0)
        some = generator(seed, "skin of pairs", row["id"]).choice(len(lab["oracle"]), per_face)
        middle = {name: np.median(of, axis=0) for name, of in lab.items()}
        tone = int(monk_class(middle["oracle"]))
        for name in STAGES:
            named = {"pair": row["id"], "identity": row["identity"], "Monk": tone, "stage": name}
            faces.append({**named, **_columns(middle[name][None], middle["oracle"][None], first=True)})
            columns = _columns(lab[name][some], lab["oracle"][some])
            pixels.append(pd.DataFrame({**columns, "pair": row["id"], "Monk": tone, "stage": name}))
    if not faces:
        told = ", ".join(f"{count} {why}" for why, count in left.items()) or "there is none"
        raise ParameterError(f"no pair tells of its skin before and after ({told}): compose pairs with 15")
    return PairSkin(pd.DataFrame(faces), pd.concat(pixels, ignore_index=True), left)


def _unfit(row: dict[str, Any]) -> str:
    if row["labels"] is None or row["oracle"] is None:
        return "without labels or oracle"
    if "reflection" not in row["lineage"]:
        return "composed before the shift was kept"
    if "+" in row["identity"] or len(row["lineage"].get("cutface") or ()) > 1:
        return "several people"
    return "without a shift" if row["lineage"]["reflection"] == [None] else ""


def _columns(lab: NDArray[Any], oracle: NDArray[Any], first: bool = False) -> dict[str, Any]:
    angle = 55 + wrap(hue(lab[:, 1], lab[:, 2]) - 55)  # all angles within half a turn of the middle of skin
    found = {"L*": lab[:, 0], "a": lab[:, 1], "b": lab[:, 2], "hue": angle}
    found |= {"ITA": ita(lab[:, 0], lab[:, 2]), ERROR: delta_e00(lab, oracle)}
    return {name: float(column[0]) if first else column for name, column in found.items()}


def table(found: PairSkin, seed: int = 0) -> pd.DataFrame:
    """A row a stage but the oracle: people, mean delta E00 of the median colour to the oracle's with its 95 %
    bootstrap interval over people, slope and shift of ITA on the oracle's, and the share of skin pixels
    within delta E00 5."""
    wanted = found.faces[found.faces["stage"] == "oracle"].set_index("pair")
    entries = []
    for name in STAGES[:-1]:
        own = found.faces[found.faces["stage"] == name]
        mean = bootstrap(own.groupby("identity")[ERROR].mean(), seed=seed)
        line = whitewash(wanted.loc[own["pair"], "ITA"], own["ITA"])
        near = found.pixels.loc[found.pixels["stage"] == name, ERROR] <= 5
        known = np.isfinite([mean.low, mean.high]).all()
        interval = f" ({mean.low:.1f} to {mean.high:.1f})" if known else ""
        entry = {"stage": name, "pairs": len(own), "people": mean.n}
        entry |= {"ΔE00 to the oracle": f"{mean.mean:.1f}{interval}"}
        entry["ITA slope"] = f"{line.slope:.2f}" if np.isfinite(line.slope) else "one skin"
        entry |= {"ITA shift (degrees)": f"{line.shift:+.1f}"}
        entries.append(entry | {"pixels within ΔE00 5 (%)": f"{100 * near.mean():.0f}"})
    return pd.DataFrame(entries)


def slope(found: PairSkin, measures: Sequence[str] = ("ITA", "L*"), against: str = "oracle") -> Figure:
    """A measure of each face's median skin on that of the stage ``against``, a panel a measure: marks and
    least-squares line of every other stage, the identity dashed. ParameterError for an unknown name."""
    if against not in STAGES or not set(measures) <= set(MEASURES):
        raise ParameterError(f"{measures} against {against!r}: choose of {', '.join((*MEASURES, *STAGES))}")
    figure = Figure(figsize=(1 + 4.5 * len(measures), 4.9), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(measures)))
    base = found.faces[found.faces["stage"] == against].set_index("pair")
    for axes, measure in zip(panels, measures, strict=True):
        ends = [found.faces[measure].min(), found.faces[measure].max()] if len(base) else [0, 1]
        axes.plot(ends, ends, color=FAINT, lw=1, ls="--", zorder=1)
        for name in (stage for stage in STAGES if stage != against):
            own, index = found.faces[found.faces["stage"] == name], STAGES.index(name)
            x, y = base.loc[own["pair"], measure].to_numpy(), own[measure].to_numpy()
            line = whitewash(x, y)
            known = np.isfinite(line.slope)
            label = f"{name}: {line.slope:.2f}" if known else f"{name}: one skin"
            axes.plot(x, y, marker(index), color=colour(index), ms=5, alpha=0.6, mew=0, label=label)
            if known:
                span = np.array([x.min(), x.max()])
                axes.plot(span, line.slope * span + line.intercept, color=colour(index), lw=1.5)
        plain(axes).set_xlabel(f"{MEASURES[measure]} of the {_called(against)}", fontsize=FONT)
        axes.set_ylabel(f"{MEASURES[measure]}", fontsize=FONT)
        axes.legend(frameon=False, fontsize=FONT, title="slope", title_fontsize=FONT, loc="upper left")
    return figure


def cdf(found: PairSkin, measures: Sequence[str] = (ERROR, "ITA", "L*")) -> Figure:
    """The share of skin pixels below each value of a measure, a panel a measure and a curve a stage; every
    face counts the same. ParameterError for an unknown name."""
    if not set(measures) <= {ERROR, *MEASURES}:
        raise ParameterError(f"{measures}: choose of {', '.join((ERROR, *MEASURES))}")
    figure = Figure(figsize=(1 + 3.6 * len(measures), 4.1), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(measures), sharey=True))
    for axes, measure in zip(panels, measures, strict=True):
        shown = [name for name in STAGES if measure != ERROR or name != "oracle"]
        columns = {n: np.sort(found.pixels.loc[found.pixels["stage"] == n, measure]) for n in shown}
        _curves(axes, columns)
        plain(axes).set_xlabel(_axis(measure), fontsize=FONT)
        axes.set(ylim=(0, 100))
        axes.grid(color="#E4E4E4", lw=0.7)
    panels[0].set_ylabel("share of skin pixels below (%)", fontsize=FONT)
    handles, labels = panels[-1].get_legend_handles_labels()
    if labels:
        legend(figure, handles, labels)
    return figure


def _curves(axes: Axes, columns: dict[str, NDArray[Any]]) -> None:
    every = np.concatenate(list(columns.values()))
    if not every.size:
        axes.text(0.5, 0.5, "nobody of these tones", transform=axes.transAxes, ha="center", color=INK)
        return
    low, high = np.quantile(every, [0.002, 0.99])
    at = np.linspace(min(low, 0) if low >= 0 and high < 60 else low, high, _AT)
    for name, values in columns.items():
        if len(values):
            index = STAGES.index(name)
            share = 100 * np.searchsorted(values, at, side="right") / len(values)
            axes.plot(at, share, color=colour(index), ls=dash(index), lw=1.8, label=_called(name))


def _axis(measure: str) -> str:
    return "ΔE00 to the oracle, pixel by pixel" if measure == ERROR else MEASURES[measure]


def _called(stage: str) -> str:
    return {"before": "target before reflection", "after": "target"}.get(stage, stage)


def chosen(found: PairSkin, view: str, measure: str, against: str, tones: str) -> Figure:
    """One panel of ``slope``, or of ``cdf`` with that of the error, for the Monk ``tones`` of ``TONES``:
    quick enough to follow a choice. ParameterError for an unknown name."""
    some = found.of(tones)
    if view == "slope":
        return slope(some, (measure,), against)
    if view != "CDF":
        raise ParameterError(f"view {view!r}: choose of {', '.join(VIEWS)}")
    return cdf(some, (ERROR, measure))


def findings(found: PairSkin | None) -> list[str]:
    """What the pairs say, as lines of Markdown; nothing where there are none."""
    if found is None:
        return []
    rows = table(found).set_index("stage")
    before, after = rows.loc["before"], rows.loc["after"]
    return [
        f"- Pairs: colour reflection takes the target's skin from ΔE00 {before['ΔE00 to the oracle']} to "
        f"{after['ΔE00 to the oracle']} of the oracle's and its ITA slope from {before['ITA slope']} to "
        f"{after['ITA slope']}; the photograph itself lies at "
        f"{rows.loc['photograph', 'ΔE00 to the oracle']}."
    ]
