"""Comparing the settings of a sweep: means over repeats, differences to the base, and a verdict on each."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbme.base.errors import ExperimentError, ParameterError, StoreError
from wbme.base.hashing import canonical_json
from wbme.base.paths import workspace
from wbme.base.statistics import bootstrap, paired

SCHEMA = 1
FEWEST = 3  # repeats that a verdict needs
BETTER, WORSE, NONE, FEW = "better", "worse", "no difference shown", "too few repeats"
SAME = "its repeats are identical"  # what is repeated does not matter: they are one measurement


@dataclass(frozen=True)
class Results:
    """``head`` is sweep.json; ``trials`` are the last outcomes of the trials, by number."""

    head: dict[str, Any]
    trials: list[dict[str, Any]]

    @property
    def settings(self) -> list[list[dict[str, Any]]]:
        """The trials of each setting; the settings in the order of their first trials."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in self.trials:
            groups.setdefault(canonical_json(row["factors"]), []).append(row)
        return list(groups.values())

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [row for row in self.trials if row["status"] == "failed"]

    def flat(self) -> list[dict[str, Any]]:
        """A row a trial: trial, setting, factors, repeated parameter, status, metrics, the run that reported
        them, and the error where it failed."""
        return [
            {
                "trial": row["trial"],
                "setting": row["label"],
                **row["factors"],
                **row["repeat"],
                "status": row["status"],
                **row["metrics"],
                "run": row["runs"][-1]["run"] if row["runs"] else "",
                "error": row.get("error") or "",
            }
            for row in self.trials
        ]


def of(name: str) -> Results:
    """What the sweep called ``name`` has measured in this workspace, finished or not.

    ExperimentError where it never ran here.
    """
    folder = workspace() / "sweeps" / name
    if Path(name).name != name or not (folder / "sweep.json").is_file():
        known = ", ".join(sorted(p.parent.name for p in folder.parent.glob("*/sweep.json"))) or "none"
        raise ExperimentError(
            f"no sweep {name!r} has run here; there are: {known}; start it with 'wbme sweep {name}'"
        )
    return results(folder)


def results(folder: Path) -> Results:
    """The results in a folder of ``sweep.json`` and ``trials.jsonl``; a last line that a kill cut off is left
    out. StoreError where they are damaged."""
    try:
        head = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
        lines = (folder / "trials.jsonl").read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines[:-1] if line]
        if head["schema"] != SCHEMA:
            raise StoreError(
                f"{folder}/sweep.json has schema {head['schema']!r}; this wbme reads schema {SCHEMA}"
            )
        last = {row["trial"]: row for row in rows}
        for row in rows:
            row["label"], row["factors"], row["repeat"], row["status"], row["metrics"], row["runs"]
        return Results(head, [last[key] for key in sorted(last, key=int)])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{folder} is damaged: run the sweep again ({type(error).__name__}: {error})"
        ) from error


def compare(
    found: Results, metrics: Sequence[str] = (), base: str = "", seed: int = 0
) -> list[dict[str, Any]]:
    """A row a metric and setting: mean over repeats with its bootstrap interval, mean difference to the base
    over the repeats that both have with its t interval (``statistics.paired``), and a verdict.

    ``metrics``: all of the sweep's own when empty; ``base``: label of the setting to compare with, the
    sweep's base when empty; ``seed``: of the bootstrap. A missing number is NaN. ParameterError for a metric
    or label that is not there.
    """
    wanted = list(metrics) or list(found.head["goals"])
    known = {name for row in found.trials for name in row["metrics"]}
    for name in metrics:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise ParameterError(
                f"no trial of {found.head['name']} reports the metric {name!r}; there are: {listed}"
            )
    settings = found.settings
    labels = [rows[0]["label"] for rows in settings]
    base = base or found.head["base"]
    if base not in labels:
        raise ParameterError(
            f"{found.head['name']} has no setting {base!r}; there are: {', '.join(labels) or 'none'}"
        )
    against = settings[labels.index(base)]
    return [
        _row(name, rows, against, found.head["goals"].get(name), seed) for name in wanted for rows in settings
    ]


def _row(
    metric: str,
    rows: list[dict[str, Any]],
    against: list[dict[str, Any]],
    goal: str | None,
    seed: int,
) -> dict[str, Any]:
    own, other = _values(rows, metric), _values(against, metric)
    nothing = float("nan")
    row: dict[str, Any] = {"metric": metric, "setting": rows[0]["label"], "repeats": len(own)}
    row |= {"failed": sum(r["status"] == "failed" for r in rows)}
    row |= dict.fromkeys(("mean", "low", "high", "difference", "difference low", "difference high"), nothing)
    if own:
        mean = bootstrap(list(own.values()), seed=seed)
        row |= {"mean": mean.mean, "low": mean.low, "high": mean.high}
    shared = [key for key in own if key in other]
    row |= {"pairs": len(shared), "verdict": "the base" if rows is against else FEW}
    if shared and rows is not against:
        gap = paired([own[k] for k in shared], [other[k] for k in shared])
        row |= {"difference": gap.mean, "difference low": gap.low, "difference high": gap.high}
        if gap.n >= FEWEST:
            alike = all(len({side[key] for key in shared}) == 1 for side in (own, other))
            row["verdict"] = SAME if alike else _verdict(gap.low, gap.high, goal)
    return row


def _values(rows: list[dict[str, Any]], metric: str) -> dict[str, float]:
    """The metric by repeated value, of the trials that have it."""
    return {canonical_json(row["repeat"]): row["metrics"][metric] for row in rows if metric in row["metrics"]}


def _verdict(low: float, high: float, goal: str | None) -> str:
    if math.isnan(low) or low <= 0 <= high:
        return NONE
    if goal is None:
        return "higher" if low > 0 else "lower"
    return BETTER if (low > 0) == (goal == "higher") else WORSE
