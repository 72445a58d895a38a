"""Means over scored pictures, with bootstrap intervals over people.

The rows that go in have ``method``, ``identity`` and values of ``scores.ALL``; what they lack is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wbme.base.statistics import Interval, bootstrap
from wbme.metrics import skin
from wbme.metrics.scores import ALL


def means(rows: Sequence[Mapping[str, Any]], *, seed: int = 0) -> list[dict[str, Any]]:
    """A row a method and measure: mean, low, high, number of identities; methods as they first appear."""
    found = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        for column, name in ALL.items():
            for interval in _grouped(own, column, lambda _: 0, seed).values():
                found.append({"method": method, "measure": name, **_interval(interval)})
    return found


def by_group(rows: Sequence[Mapping[str, Any]], key: str, *, seed: int = 0) -> list[dict[str, Any]]:
    """``means`` of the rows of each value of ``key``, sorted, which stands in them as ``group``; rows without
    it are left out."""
    values = sorted({row[key] for row in rows if row.get(key)})
    parts = ((v, means([row for row in rows if row.get(key) == v], seed=seed)) for v in values)
    return [{"group": value, **one} for value, part in parts for one in part]


def tone_group(monk: int, tones: int = 2) -> str:
    """The name of the group of ``tones`` neighbouring Monk tones that ``monk`` (1 to 10) belongs to; "" for
    0, nobody's."""
    first = (monk - 1) // tones * tones + 1
    last = min(first + tones - 1, 10)
    return "" if monk < 1 else f"{first}-{last}" if last > first else f"{first}"


def skin_by_tone(rows: Sequence[Mapping[str, Any]], *, tones: int = 2, seed: int = 0) -> list[dict[str, Any]]:
    """Skin delta E00 to the oracle by groups of ``tones`` neighbouring Monk tones: a row a method and group,
    as those of ``means``."""
    found = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method and row["monk"] > 0]
        groups = _grouped(own, "delta_e00", lambda row: (row["monk"] - 1) // tones, seed)
        for group, interval in groups.items():
            name = tone_group(group * tones + 1, tones)
            found.append({"method": method, "monk": name, **_interval(interval)})
    return found


def skin_line(rows: Sequence[Mapping[str, Any]], *, tones: int = 2) -> list[dict[str, Any]]:
    """A row a method: slope and shift of ITA (``skin.whitewash``) from the photograph's to the drawing's and
    from the oracle's to the drawing's, and the worst-group gap: the highest mean delta E00 of the groups of
    ``skin_by_tone`` minus the lowest, 0 where all are served alike. NaN where too few
    are seen."""
    found = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method and row["monk"] > 0]
        after = [row["ita_out"] for row in own]
        photo, oracle = (skin.whitewash([r[c] for r in own], after) for c in ("ita_in", "ita_oracle"))
        groups = [row["mean"] for row in skin_by_tone(own, tones=tones)]
        row = {"method": method, "ITA slope (photo)": photo.slope, "ITA shift (photo)": photo.shift}
        row |= {"ITA slope (oracle)": oracle.slope, "ITA shift (oracle)": oracle.shift}
        gap = max(groups) - min(groups) if len(groups) > 1 else float("nan")
        found.append(row | {"worst-group gap (delta E00)": gap})
    return found


def _grouped(
    rows: Sequence[Mapping[str, Any]], column: str, group: Callable[[Mapping[str, Any]], Any], seed: int
) -> dict[Any, Interval]:
    """Mean and bootstrap interval of a column in each group, in their order; NaN and
    what a row does not have are left out.

    Pictures of one identity are averaged first and identities are drawn, because two pictures of one person
    are not two witnesses.
    """
    found: dict[Any, dict[Any, list[float]]] = {}
    for row in rows:
        value = row.get(column, float("nan"))
        if not np.isnan(value):
            found.setdefault(group(row), {}).setdefault(row["identity"], []).append(value)
    return {
        key: bootstrap([float(np.mean(v)) for v in found[key].values()], seed=seed) for key in sorted(found)
    }


def _interval(found: Interval) -> dict[str, Any]:
    return {"mean": found.mean, "low": found.low, "high": found.high, "identities": found.n}
