"""Whether a scheduled run is better than what is promoted, and the way there and back."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wbme.base.errors import NotebookError, RefError, WbmeError
from wbme.lab import ledger, record, refs, store
from wbme.lab.launcher import Result
from wbme.lab.schedules import Promotion, Schedule


@dataclass(frozen=True)
class Measured:
    """A metric of a run; ``low`` and ``high`` are the ends of its interval, None where it reports none."""

    metric: str
    value: float
    low: float | None
    high: float | None
    run: str

    def __str__(self) -> str:
        around = "" if self.low is None else f" ({self.low:.4g} to {self.high:.4g})"
        return f"{self.value:.4g}{around}"


@dataclass(frozen=True)
class Verdict:
    """``measured`` and ``before`` are None where a schedule states no metric, or nothing was promoted."""

    promote: bool
    why: str
    measured: Measured | None = None
    before: Measured | None = None

    @property
    def line(self) -> dict[str, Any]:
        """For the history."""
        pair = {"metric": self.measured, "before": self.before}
        return {"why": self.why} | {key: asdict(value) for key, value in pair.items() if value}


def judge(schedule: Schedule, results: Sequence[Result]) -> Verdict:
    """Whether to promote what a finished chain made, and why.

    Without ``promote`` in the schedule the chain's own setting decides. With it, the run whose names are
    promoted now is the one to beat, whoever promoted it.
    """
    rule = schedule.promotion
    if rule is None:
        own = schedule.chain.promote
        return Verdict(own, "its chain always promotes" if own else "the schedule does not ask for it")
    run = next(r.record for r in results if r.record["notebook"] == rule.step)
    new = _measured(run, rule.metric)
    if new is None:
        known = ", ".join(run.get("metrics", {})) or "none"
        return Verdict(False, f"{rule.step} reports no metric {rule.metric}; it reports: {known}")
    newest = _promoted_run(run)
    if newest is None:
        return Verdict(True, "nothing was promoted before", new)
    if newest == new.run:
        return Verdict(False, "it is the promoted run itself", new, new)
    old = _known(schedule.name, newest, rule.metric)
    if old is None:
        hint = f"'wbme run {schedule.chain.name} --promote' promotes without a comparison"
        return Verdict(False, f"{newest}, which is promoted, tells no {rule.metric}; {hint}", new)
    better, why = _better(new, old, rule)
    return Verdict(better, why, new, old)


def _better(new: Measured, old: Measured, rule: Promotion) -> tuple[bool, str]:
    """By intervals where both runs report one: neither may hold the mean of the other. Else by the margin."""
    sign = 1.0 if rule.goal == "higher" else -1.0
    gain = sign * (new.value - old.value)
    told = f"{rule.metric} {new} against {old}"
    if new.low is not None and new.high is not None and old.low is not None and old.high is not None:
        worst = min(sign * new.low, sign * new.high)
        best = max(sign * old.low, sign * old.high)
        beyond = worst > sign * old.value and sign * new.value > best
        if beyond:
            return True, f"{told}: better beyond both intervals"
        return False, f"{told}: {'not beyond the intervals' if gain > 0 else 'not better'}"
    if rule.margin is None:
        return False, f"{told}: one of them has no interval, and the schedule states no margin"
    words = f"better by more than {rule.margin:g}" if gain > rule.margin else f"not better by {rule.margin:g}"
    return gain > rule.margin, f"{told}: {words}"


def _measured(run: Mapping[str, Any], metric: str) -> Measured | None:
    if metric not in run.get("metrics", {}):
        return None
    low, high = run.get("intervals", {}).get(metric) or (None, None)
    return Measured(metric, run["metrics"][metric], low, high, run["id"])


def _promoted_run(run: Mapping[str, Any]) -> str | None:
    """The run to which the unscoped names point that this one would move."""
    now = [refs.read(refs.scoped(name, None)) for name in run["outputs"]]
    return max((ref for ref in now if ref), key=lambda ref: ref.time).run if any(now) else None


def _known(schedule: str, run: str, metric: str) -> Measured | None:
    """From the run's folder, or from the history where the folder is gone."""
    try:
        return _measured(record.read(record.runs() / run), metric)
    except NotebookError:
        told = [line.get("metric") or {} for line in ledger.history(schedule)]
        found = [row for row in told if row.get("run") == run and row.get("metric") == metric]
        return Measured(**found[-1]) if found else None


def targets(results: Sequence[Result]) -> dict[str, Any]:
    """For the history: ``promoted`` and ``previous`` {ref: digest}, and the runs that made each."""
    new = {
        refs.scoped(name, None): (output["digest"], result.record["id"])
        for result in results
        for name, output in result.record["outputs"].items()
    }
    old = {name: ref for name in new if (ref := refs.read(name))}
    return {
        "promoted": {name: digest for name, (digest, _) in new.items()},
        "runs": {name: run for name, (_, run) in new.items()},
        "previous": {name: ref.digest for name, ref in old.items()},
        "previous_runs": {name: ref.run for name, ref in old.items()},
    }


def carry_out(line: Mapping[str, Any]) -> None:
    """Move the names of a history line. Those that somebody has moved since it was written stay."""
    for name, digest in line["promoted"].items():
        ref = refs.read(name)
        if (ref.digest if ref else None) == line["previous"].get(name):
            refs.move({name: digest}, line["runs"][name])


def rollback(name: str) -> dict[str, Any]:
    """Move the names of the last promotion back, and return the history line that tells of it.

    Names that did not exist before go. WbmeError, before the first name moves, when there is nothing to
    take back, when the schedule runs now, or when somebody else moved a name since.
    """
    try:
        with refs.lock(f"schedule-{name}", wait=False):
            return _rollback(name)
    except refs.BusyError:
        raise WbmeError(f"schedule {name} runs now: wait for it, or end its process") from None


def _rollback(name: str) -> dict[str, Any]:
    past = ledger.history(name)
    undone = {line.get("undoes") for line in past}
    line = next((row for row in reversed(past) if row.get("promoted") and row["id"] not in undone), None)
    if line is None:
        raise WbmeError(f"schedule {name} has promoted nothing that could be taken back")
    foreign = [
        n for n, digest in line["promoted"].items() if _digest(n) not in (digest, line["previous"].get(n))
    ]
    if foreign:
        raise RefError(
            f"schedule {name}: {foreign[0]} was moved by somebody else after that promotion: promote what "
            "you want with 'wbme run CHAIN --promote'"
        )
    for digest in line["previous"].values():
        store.tree(digest)
    for ref, digest in line["previous"].items():
        refs.move({ref: digest}, line["previous_runs"][ref])
    refs.drop(set(line["promoted"]) - set(line["previous"]))
    why = f"takes back the promotion of {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(line['time']))}"
    back = {"time": time.time(), "status": "rolled back", "why": why, "undoes": line["id"]}
    ledger.append(name, {**back, "restored": line["previous"]})
    return {
        **back,
        "restored": line["previous"],
        "dropped": sorted(set(line["promoted"]) - set(line["previous"])),
    }


def _digest(name: str) -> str | None:
    ref = refs.read(name)
    return ref.digest if ref else None
