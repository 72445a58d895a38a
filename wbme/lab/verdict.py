"""Whether a scheduled run is better than what is promoted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wbme.base.errors import NotebookError
from wbme.base.statistics import paired
from wbme.lab import record, refs
from wbme.lab.launcher import Result
from wbme.lab.schedules import Promotion, Schedule

FEWEST = 3  # cases that a paired comparison needs
_PROMOTED = f"@{refs.PROMOTED}"


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

    Without ``promote`` in the schedule the chain's own setting decides.
    """
    rule = schedule.promotion
    if rule is None:
        own = schedule.chain.promote
        return Verdict(own, "its chain always promotes" if own else "the schedule does not ask for it")
    steps = zip(schedule.chain.steps, results, strict=True)
    run = next(result.record for step, result in steps if step.name == rule.step)
    new = _measured(run, rule.metric)
    if new is None:
        known = ", ".join(run.get("metrics", {})) or "none"
        return Verdict(False, f"{rule.step} reports no metric {rule.metric}; it reports: {known}")
    return _side_by_side(run, new, rule) if rule.against else _run_by_run(run, new, rule, schedule)


def _side_by_side(run: Mapping[str, Any], new: Measured, rule: Promotion) -> Verdict:
    """Both measured by one run, on the same cases: the t interval of their paired differences decides."""
    old = _measured(run, rule.against or "")
    if old is None:
        lacking = [n for n, i in run["inputs"].items() if i["digest"] is None and n.endswith(_PROMOTED)]
        if lacking:
            return Verdict(True, f"nothing was promoted before: there was no {lacking[0]}", new)
        return Verdict(False, f"{rule.step} reports no metric {rule.against} to compare with", new)
    cases = [run.get("cases", {}).get(metric, {}) for metric in (rule.metric, rule.against)]
    shared = sorted(set(cases[0]) & set(cases[1]))
    told = f"{rule.metric} {new.value:.4g} against {old.value:.4g}"
    if len(shared) < FEWEST:
        why = f"{told}: {len(shared)} cases that both have are too few to tell, {FEWEST} are needed"
        return Verdict(False, why, new, old)
    gap = paired([cases[0][key] for key in shared], [cases[1][key] for key in shared])
    low, high = (gap.low, gap.high) if rule.goal == "higher" else (-gap.high, -gap.low)
    words = "better" if low > 0 else "worse" if high < 0 else "no difference shown"
    why = f"{told}, difference over {len(shared)} cases {gap.low:+.4g} to {gap.high:+.4g}: {words}"
    return Verdict(low > 0, why, new, old)


def _run_by_run(run: Mapping[str, Any], new: Measured, rule: Promotion, schedule: Schedule) -> Verdict:
    """Against the run whose names are promoted now, whoever promoted it."""
    newest = _promoted_run(run)
    if newest is None:
        return Verdict(True, "nothing was promoted before", new)
    if newest == new.run:
        return Verdict(False, "it is the promoted run itself", new, new)
    hint = f"'wbme run {schedule.chain.name} --promote' promotes without a comparison"
    try:
        before = record.read(record.runs() / newest)
    except NotebookError:
        return Verdict(False, f"{newest}, which is promoted, is no run any more; {hint}", new)
    old = _measured(before, rule.metric)
    if old is None:
        return Verdict(False, f"{newest}, which is promoted, tells no {rule.metric}; {hint}", new)
    if apart := _apart(run, before):
        return Verdict(False, f"{newest}, which is promoted, was measured with other {apart}; {hint}", new)
    better, why = _better(new, old, rule)
    return Verdict(better, why, new, old)


def _apart(run: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """What besides the models differs between two measurements, empty where nothing does."""
    if run["notebook"] != before["notebook"]:
        return f"notebook ({before['notebook']})"
    both = {*run["parameters"], *before["parameters"]}
    names = [n for n in sorted(both) if run["parameters"].get(n) != before["parameters"].get(n)]
    kinds = {n for n in (*run["inputs"], *before["inputs"]) if not n.startswith("model/")}
    digests = [{n: i["digest"] for n, i in side["inputs"].items()} for side in (run, before)]
    names += [n for n in sorted(kinds) if digests[0].get(n) != digests[1].get(n)]
    return ", ".join(names)


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
