"""The figure to judge by: everybody as every method draws them; what each student gains over the filter."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wbme.base.statistics import bootstrap
from wbme.metrics import perceptual
from wbme.views.overlay import contact_sheet

F32 = NDArray[np.float32]
RIVAL = "classical filter"
# Measure -> how the table names it, and whether more is better.
MEASURES = {
    "line_f1": ("line F1", True),
    "flat_off": ("flat share, from the target's", False),
    "perceptual": (perceptual.NAME, False),
    "eyes_l1": ("eyes L1", False),
    "mouth_l1": ("mouth L1", False),
    "delta_e00": ("skin delta E00 to oracle", False),
}


def character(card: Mapping[str, Any]) -> str:
    """As whom the graph of a model's card draws; romance, in whose pairs all began, where it does not say."""
    known = card.get("characters") or ["romance"]
    name = str(card.get("character") or known[0])
    return "romance" if name == "default" else name


def sheet(rows: Sequence[Mapping[str, F32]], cell: int) -> F32:
    """A row a person: the pictures by name, the same names in each, fitted into ``cell`` pixels."""
    names = list(rows[0])
    return contact_sheet([row[n] for row in rows for n in names], len(names), names * len(rows), cell=cell)


def _measured(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(flat_off=(frame["flat"] - frame["flat_target"]).abs())


def summed(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A row a method and character: mean and 95 % interval over people of each of ``MEASURES``, as text."""
    rows = []
    for (name, method), own in _measured(frame).groupby(["as", "method"], sort=False):
        row = {"drawn by": method, "target drawn as": name}
        for column, (words, _) in MEASURES.items():
            row[words] = _told(own[column].dropna().to_numpy(), seed)
        rows.append(row)
    return pd.DataFrame(rows)


def gains(frame: pd.DataFrame, students: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """A row a student and measure: its mean difference from the filter on the same people, better counted
    above 0, with ``low`` and ``high`` of the 95 % interval, and the share of people for whom it is better."""
    groups = _measured(frame).groupby(["as", "method"], sort=False)
    rows, of = [], {key: own.set_index("identity") for key, own in groups}
    for (name, method), own in of.items():
        if method not in students:
            continue
        other = of[name, RIVAL]
        for column, (words, more) in MEASURES.items():
            apart = (own[column] - other[column]).dropna() * (1 if more else -1)
            if len(apart):
                found = bootstrap(apart, seed=seed)
                row = {"student": method, "measure": words, "gain": found.mean, "low": found.low}
                rows.append(row | {"high": found.high, "people better": float((apart > 0).mean())})
    return pd.DataFrame(rows)


def _told(values: NDArray[np.float64], seed: int) -> str:
    if not len(values):
        return ""
    found = bootstrap(values, seed=seed)
    interval = f" ({found.low:.3f} to {found.high:.3f})" if found.n > 1 else ""
    return f"{found.mean:.3f}{interval}"


def findings(gain: pd.DataFrame) -> list[str]:
    """What each student gains or loses against the filter, where the interval shows it, as Markdown lines."""
    said = []
    for student, own in gain.groupby("student", sort=False):
        shown = {"better": own[own["low"] > 0], "worse": own[own["high"] < 0]}
        told = [f"{how} in {', '.join(some['measure'])}" for how, some in shown.items() if len(some)]
        said.append(f"- **{student}** against the {RIVAL}: {'; '.join(told) or 'no difference shown'}.")
    return said
