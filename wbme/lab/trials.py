"""Running a sweep: its trials, what is kept of them, and the artifact that 51_compare_ablations reads.

workspace/sweeps/NAME/sweep.json     what was asked for; status running, stopped or completed
workspace/sweeps/NAME/trials.jsonl   outcomes of trials (``trial.execute``), a line each; the last one counts
workspace/sweeps/NAME/jobs/          files of trials that run in processes of their own, and their logs

At the end both files, without times, and trials.csv are published as ``sweep/NAME``.
"""

import csv
import io
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from wbme.base.errors import ExperimentError, StoreError
from wbme.base.hashing import digest_json
from wbme.base.paths import workspace, write_atomic
from wbme.lab import cluster, design, pool, record, refs, store, trial
from wbme.lab.comparison import SCHEMA, Results, results
from wbme.lab.design import Setting, Trial
from wbme.lab.progress import Console
from wbme.lab.search import Study
from wbme.lab.sweep import Sweep, unreported

_VOLATILE = ("seconds", "ended", "outputs")


def run(
    sweep: Sweep,
    *,
    jobs: int = 1,
    address: str = "",
    force: bool = False,
    tracker: str | None = "none",
    console: Console | None = None,
) -> Results:
    """Run all trials of ``sweep``, ``jobs`` at a time or on the Ray cluster at ``address``, and publish them.

    A trial that fails is kept as failed and the others go on. A sweep that was killed goes on: finished steps
    are reused, and with ``force`` only those made since it began. ExperimentError where another process runs
    this sweep, or where the first finished trial does not report the metric.
    """
    screen = console or Console()
    place = workspace() / "sweeps" / sweep.name
    with ExitStack() as held:
        try:
            held.enter_context(refs.lock(f"sweep-{sweep.name}", wait=False))
        except refs.BusyError:
            raise ExperimentError(
                f"the sweep {sweep.name} is running in another process: wait for it"
            ) from None
        kept = _State(place, sweep, force)
        start, slots = held.enter_context(_where(address, jobs))
        try:
            for trials in _batches(sweep, place, slots, kept):
                specs = [trial.described(sweep, each, kept.since, tracker) for each in trials]
                if jobs == 1 and not address:
                    outcomes = _one_by_one(specs, screen)
                else:
                    outcomes = pool.side_by_side(specs, place / "jobs", slots, start, screen)
                for number, outcome in enumerate(outcomes, 1):
                    kept.add(outcome)
                    screen.line(_told(sweep, outcome, number, len(specs)))
        except BaseException:
            kept.write(status="stopped")
            raise
        kept.write(status="completed")
        found = results(place)
        _publish(sweep, place, found)
        return found


@contextmanager
def _where(address: str, jobs: int) -> Iterator[tuple[pool.Start, int]]:
    """How to start trials, and how many at a time: on a cluster, where nobody says so, one a processor."""
    if not address:
        yield pool.processes(jobs), jobs
        return
    with cluster.connected(address) as (start, processors):
        yield start, processors if jobs == 1 else jobs


def _one_by_one(specs: Sequence[dict[str, Any]], screen: Console) -> Iterator[dict[str, Any]]:
    for spec in specs:
        repeat = "".join(f", {name}={value}" for name, value in spec["repeat"].items())
        screen.line(f"{spec['trial']} {spec['label']}{repeat}")
        yield trial.execute(spec, screen)


def _batches(sweep: Sweep, place: Path, jobs: int, kept: "_State") -> Iterator[list[Trial]]:
    """The trials to run, as many at once as are known: all of a design, of a search those that are drawn."""
    yield sweep.trials
    if not sweep.search:
        return
    file = place / f"study-{_study(sweep)}.jsonl"
    study = Study(file, sweep.search, sweep.goals[sweep.metric], sweep.seed)
    rounds = max(len(sweep.values), 1)
    labels: dict[str, Mapping[str, Any]] = {}
    for first in range(0, sweep.searches, jobs):
        upto = min(first + jobs, sweep.searches)
        batch: list[list[Trial]] = []
        for number, values in enumerate(study.settings(upto)[first:], first):
            rough = {n: float(f"{v:.4g}") if isinstance(v, float) else v for n, v in values.items()}
            label = design.named(rough, values)
            if labels.setdefault(label, values) != values:
                label = design.named(values, values)
            batch.append(design.repeated([Setting(label, values)], sweep.values, (number + 1) * rounds + 1))
        yield [each for several in batch for each in several]
        for number, several in enumerate(batch, first):
            told = [kept.value(each) for each in several]
            whole = [value for value in told if value is not None]
            study.tell(number, sum(whole) / len(whole) if len(whole) == len(told) else None)


def _study(sweep: Sweep) -> str | None:
    """A word for what a search looks for: of other ranges it is another search."""
    if not sweep.search:
        return None
    ranges = {n: vars(r) for n, r in sweep.search.items()}
    return digest_json([ranges, sweep.goals[sweep.metric], sweep.metric, sweep.seed])[:12]


def _told(sweep: Sweep, outcome: dict[str, Any], number: int, of: int) -> str:
    what = f"{outcome['trial']} [{number}/{of}] {outcome['label']}"
    if outcome["status"] == "failed":
        return f"{what}: FAILED, {outcome['error']}"
    return f"{what}: {sweep.metric} = {outcome['metrics'][sweep.metric]:.4g}"


class _State:
    """The two files of a sweep that is being run."""

    def __init__(self, place: Path, sweep: Sweep, force: bool):
        self._place, self._sweep = place, sweep
        self._file = place / "trials.jsonl"
        before = _read(place / "sweep.json")
        going_on = before.get("status") in ("running", "stopped")
        self.since: float | None = before.get("since") if going_on else None
        if force:
            self.since = time.time()
        self._outcomes: dict[str, dict[str, Any]] = {}
        if going_on and not force:  # what a kill left is shown by `wbme compare` until it is made again
            planned = {each.key: each for each in sweep.trials}
            searched = sweep.search and before.get("study") == _study(sweep)
            with suppress(StoreError):  # damaged or not there: all is made again, or reused
                for row in results(place).trials:
                    if searched or _same(row, planned.get(row["trial"]), sweep):
                        self._outcomes[row["trial"]] = row
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in self._outcomes.values()]
        write_atomic(self._file, "".join(lines))
        self._fresh: set[str] = set()
        self.write(status="running")

    def write(self, status: str) -> None:
        sweep = self._sweep
        head = {
            "schema": SCHEMA,
            "name": sweep.name,
            "status": status,
            "design": sweep.design,
            "goals": dict(sweep.goals),
            "factors": list(sweep.settings[0].factors),
            "base": sweep.settings[0].label,
            "repeat": {"param": sweep.repeat, "values": list(sweep.values)} if sweep.repeat else None,
            "steps": [step.name for step in sweep.chain.steps],
            "preset": sweep.chain.preset,
            "data": sweep.data,
            "study": _study(sweep),
            "file": sweep.where,
            "since": self.since,
            "process": record.this_process(),
            "updated": time.time(),
        }
        write_atomic(self._place / "sweep.json", json.dumps(head, indent=1, ensure_ascii=False) + "\n")

    def add(self, outcome: dict[str, Any]) -> None:
        """Keep the outcome of a trial; ExperimentError when the first that completes lacks a metric."""
        lacking = [name for name in self._sweep.goals if name not in outcome["metrics"]]
        if outcome["status"] == "completed" and lacking:
            sentence = unreported(self._sweep, lacking[0], outcome["metrics"])
            if not any(self._outcomes[key]["status"] == "completed" for key in self._fresh):
                raise ExperimentError(sentence)
            outcome |= {"status": "failed", "error": sentence}
        self._outcomes[outcome["trial"]] = outcome
        self._fresh.add(outcome["trial"])
        with open(self._file, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(outcome, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def value(self, each: Trial) -> float | None:
        """The metric that decides, of one trial; None where it failed."""
        outcome = self._outcomes[each.key]
        return None if outcome["status"] == "failed" else float(outcome["metrics"][self._sweep.metric])


def _same(row: dict[str, Any], planned: Trial | None, sweep: Sweep) -> bool:
    return planned is not None and (row["factors"], row["repeat"]) == (
        dict(planned.setting.factors),
        sweep.repeated(planned),
    )


def _read(path: Path) -> dict[str, Any]:
    """A JSON file, or nothing: one that is damaged is written anew."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError):
        return {}


def _publish(sweep: Sweep, place: Path, found: Results) -> None:
    """Equal results give equal bytes, so that a notebook that reads them need not run again."""
    head = {k: v for k, v in found.head.items() if k not in ("since", "process", "updated", "file")}
    rows = [{k: v for k, v in row.items() if k not in _VOLATILE} for row in found.trials]
    for row in rows:
        row["runs"] = [{k: v for k, v in served.items() if k != "reused"} for served in row["runs"]]
    with tempfile.TemporaryDirectory(prefix=".", dir=place) as own:
        folder = Path(own)
        write_atomic(folder / "sweep.json", json.dumps(head, indent=1, ensure_ascii=False) + "\n")
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        write_atomic(folder / "trials.jsonl", "".join(lines))
        write_atomic(folder / "trials.csv", _csv(found))
        digest, _ = store.add(folder)
    refs.move({f"sweep/{sweep.name}": digest}, f"sweep/{sweep.name}")


def _csv(found: Results) -> str:
    text = io.StringIO()
    rows = found.flat()
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
