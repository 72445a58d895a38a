"""One trial of a sweep, told and answered in JSON, so that any process that sees the workspace can run it.

``python -m wbme.lab.trial NNN.json PARENT`` writes what became of the trial beside it, as NNN.out.json.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from wbme.base.errors import StoreError, WbmeError
from wbme.base.paths import write_atomic
from wbme.lab import chain, launcher, parent, trackers
from wbme.lab.chain import Step
from wbme.lab.design import Trial
from wbme.lab.launcher import Result
from wbme.lab.mirror import Mirror
from wbme.lab.progress import Console
from wbme.lab.sweep import Sweep
from wbme.lab.trackers import relay

QUIET_SECONDS = 60.0


def described(
    sweep: Sweep, trial: Trial, since: float | None, tracker: str | None = "none"
) -> dict[str, Any]:
    """All that ``execute`` needs to know of one trial, as JSON; see ``launcher.run`` about ``since``,
    ``trackers.choose`` about ``tracker``."""
    planned = sweep.chain_of(trial)
    steps = [
        {"notebook": s.notebook.name, "params": dict(s.params), **({"as": s.alias} if s.alias else {})}
        for s in planned.steps
    ]
    about = {"label": trial.setting.label, "factors": dict(trial.setting.factors)}
    return {
        "sweep": sweep.name,
        "trial": trial.key,
        **about,
        "repeat": sweep.repeated(trial),
        "chain": {"name": planned.name, "preset": planned.preset, "steps": steps},
        "since": since,
        "tracker": tracker,
    }


def execute(spec: dict[str, Any], console: Console | None = None) -> dict[str, Any]:
    """Run the chain of a ``described`` trial and return its outcome: status, metrics of its last step, which
    run folder served each step, what it published, and the sentence of its error where it failed."""
    told = {key: spec[key] for key in ("trial", "label", "factors", "repeat")}
    mine = {"name": spec["sweep"], **{key: spec[key] for key in ("trial", "label", "factors")}}
    served: list[dict[str, Any]] = []
    outputs: dict[str, str] = {}
    metrics: dict[str, float] = {}

    def finished(step: Step, result: Result) -> None:
        served.append({"step": step.name, "run": result.record["id"], "reused": result.reused})
        outputs.update({name: output["digest"] for name, output in result.record["outputs"].items()})
        metrics.clear()
        metrics.update(result.record["metrics"])

    began = time.monotonic()
    error, screen = None, console or Console()
    mirrors = _mirrors(spec["tracker"], screen)
    try:
        given = spec["chain"]
        planned = chain.from_steps(given["name"], given["steps"], given["preset"], f"trial {spec['trial']}")
        launcher.run(
            planned,
            console=screen,
            mirrors=mirrors,
            notes={"sweep": mine},
            since=spec["since"],
            finished=finished,
        )
    except WbmeError as failure:
        error = str(failure)
    except OSError as failure:
        error = f"the system refuses {failure.filename or 'a file'}: {failure.strerror}; free it"
    finally:
        for sentence in relay.settle(mirrors):
            screen.line(sentence)
    status = (
        {"status": "failed", "error": error, "metrics": {}}
        if error
        else {"status": "completed", "metrics": metrics}
    )
    seconds = round(time.monotonic() - began, 1)
    return {**told, **status, "runs": served, "outputs": outputs, "seconds": seconds, "ended": time.time()}


def _mirrors(tracker: str | None, screen: Console) -> list[Mirror]:
    """None where this machine cannot reach the tracker: a trial does not fail for that."""
    try:
        return trackers.choose(tracker, screen.line)
    except WbmeError as error:
        screen.line(f"{error}: this trial is not tracked; 'wbme sync' delivers it later")
        return []


def answer(file: Path) -> Path:
    """Where the outcome of the trial in ``file`` stands."""
    return file.with_suffix(".out.json")


def outcome(file: Path, ended: str) -> dict[str, Any]:
    """What the process of the trial in ``file`` left; a failure that says ``ended`` where it left nothing."""
    try:
        found: dict[str, Any] = json.loads(answer(file).read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        spec = json.loads(file.read_text(encoding="utf-8"))
        told = {key: spec[key] for key in ("trial", "label", "factors", "repeat")}
        lost = {"status": "failed", "error": f"{ended}; see {file.with_suffix('.log')}", "metrics": {}}
        return {**told, **lost, "runs": [], "outputs": {}, "seconds": 0.0, "ended": time.time()}
    except (OSError, ValueError) as error:
        raise StoreError(f"{answer(file)} cannot be read: {error}; start the sweep again") from error


def main(file: Path) -> int:
    """Run the trial in ``file``, its console on standard output."""
    for name in launcher.FOREIGN:
        os.environ.pop(name, None)
    spec = json.loads(file.read_text(encoding="utf-8"))
    try:
        done = execute(spec, Console(sys.stdout, quiet=QUIET_SECONDS))
    except KeyboardInterrupt:
        return 130
    write_atomic(answer(file), json.dumps(done, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    parent.die_with_parent(int(sys.argv[2]))
    sys.exit(main(Path(sys.argv[1])))
