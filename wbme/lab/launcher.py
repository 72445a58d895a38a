"""Runs a chain: one notebook, one process, one run folder after another; reuses what is unchanged."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbme.base.errors import NotebookError, StoreError
from wbme.base.hashing import digest_json
from wbme.base.paths import project_root, workspace
from wbme.lab import record, refs
from wbme.lab.chain import Chain, Step
from wbme.lab.fingerprint import reusable
from wbme.lab.mirror import Mirror, Mirrors
from wbme.lab.notebook import covers
from wbme.lab.progress import Console, Tail, duration
from wbme.lab.redact import redact

_POLL_SECONDS = 0.2
# A kernel that inherits these would join somebody else's session or tracker task, or could print a key.
FOREIGN = ("JPY_SESSION_NAME", "JPY_PARENT_PID", "WBME_RUN")
_TRACKERS = ("CLEARML_", "TRAINS_", "WANDB_")


@dataclass(frozen=True)
class Result:
    """What became of one step: its run folder and record, and whether an earlier run served."""

    folder: Path
    record: Mapping[str, Any]
    reused: bool

    @property
    def pictures(self) -> list[Path]:
        return [self.folder / "figures" / n for n in self.record.get("figures", {}) if n.endswith(".png")]


def run(
    chain: Chain,
    *,
    force: bool = False,
    promote: bool = False,
    verify: bool = False,
    cell_seconds: int | None = None,
    mirrors: Sequence[Mirror] = (),
    console: Console | None = None,
    notes: Mapping[str, Any] | None = None,
    since: float | None = None,
    finished: Callable[[Step, Result], None] | None = None,
) -> list[Result]:
    """Execute ``chain`` and return a result a step.

    Steps publish under ``NAME@CHAIN``; with ``promote`` (or the chain's own) the unscoped names move
    when every step has completed. ``notes`` go into the records of what is run; only runs begun at ``since``
    or later (seconds since 1970) are reused; ``finished`` is told of each step at its end.
    NotebookError when a step fails: what was finished stays reusable.
    """
    screen = console or Console()
    how = _How(force, verify, cell_seconds, mirrors, notes or {}, since, finished)
    with _alone(chain.name, screen):
        results = _run(chain, how, screen)
        if promote or chain.promote:
            _promote(results)
        return results


@dataclass(frozen=True)
class _How:
    """What ``run`` was asked for besides the chain."""

    force: bool
    verify: bool
    cell_seconds: int | None
    mirrors: Sequence[Mirror]
    notes: Mapping[str, Any]
    since: float | None
    finished: Callable[[Step, Result], None] | None


@contextmanager
def _alone(name: str, screen: Console) -> Iterator[None]:
    """One launcher a chain: two would read each other's names in the same scope."""
    with _turn(f"chain-{name}", screen, f"another launcher runs the chain {name}: waiting for it"):
        yield


@contextmanager
def _turn(lock: str, screen: Console, told: str) -> Iterator[None]:
    """Hold ``lock``; where it must be waited for, ``told`` says so first."""
    with ExitStack() as held:
        try:
            held.enter_context(refs.lock(lock, wait=False))
        except refs.BusyError:
            screen.line(told)
            held.enter_context(refs.lock(lock))
        yield


def _run(chain: Chain, how: _How, screen: Console) -> list[Result]:
    expected = [_seconds_last_time(step, chain.preset) for step in chain.steps]
    results: list[Result] = []
    for number, step in enumerate(chain.steps):
        head = f"[{number + 1}/{len(chain.steps)}] {step.name}"
        told = f"{head}  another launcher makes the same: waiting for it"
        # Of two chains that need an equal step the second finds it made.
        with ExitStack() if how.force else _turn(_lock_name(step, results), screen, told):
            found = None if how.force else reusable(step, chain.name, how.verify, how.since)
            result = _reuse(chain, *found) if found else None
            if result:
                screen.line(f"{head}  reused, made by {result.record['id']}")
            else:
                rest = sum(s or 0.0 for s in expected[number + 1 :])
                watch = _Watch(screen, head, expected[number], rest)
                result = _execute(chain, step, watch, how)
        results.append(result)
        if how.finished:
            how.finished(step, result)
    return results


def _lock_name(step: Step, before: Sequence[Result]) -> str:
    """Equal for steps of equal notebook, parameters, and inputs made earlier in their chains."""
    made = {refs.parse(n)[0]: o["digest"] for r in before for n, o in r.record["outputs"].items()}
    inputs = {name: digest for name, digest in made.items() if covers(step.notebook.reads, name)}
    return f"step-{digest_json([step.notebook.sha256, dict(step.params), inputs])[:20]}"


def _reuse(chain: Chain, folder: Path, run: record.Record) -> Result | None:
    """Point this chain's names at what the earlier run made; None when gc has just taken it."""
    outputs = {refs.scoped(n, chain.name): o for n, o in run["outputs"].items()}
    try:
        refs.move({n: o["digest"] for n, o in outputs.items()}, run["id"])
    except StoreError:
        if all(refs.manifest_file(o["digest"]).is_file() for o in outputs.values()):
            raise
        return None
    if not folder.is_dir():  # gc takes a run folder under the lock of the names, unless one names it
        return None
    return Result(folder, {**run, "outputs": outputs}, reused=True)


def _promote(results: list[Result]) -> None:
    for result in results:
        targets = {refs.scoped(n, None): o["digest"] for n, o in result.record["outputs"].items()}
        refs.move(targets, result.record["id"])


def _execute(chain: Chain, step: Step, watch: "_Watch", how: _How) -> Result:
    folder = record.create(
        step.notebook.name,
        {
            "notebook_sha256": step.notebook.sha256,
            "parameters": dict(step.params),
            "preset": chain.preset,
            "chain": chain.name,
            "scope": chain.name,
            "launched": True,
            **how.notes,
        },
    )
    told = Mirrors(how.mirrors, folder, watch.screen.line)
    told.open(record.read(folder))
    command = [sys.executable, "-m", "wbme.lab.worker", str(folder), str(os.getpid())]
    command += [str(how.cell_seconds)] if how.cell_seconds else []
    with open(folder / "log.txt", "ab") as log:
        process = subprocess.Popen(
            command, env=_environment(folder, how.verify), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        while process.poll() is None:
            time.sleep(_POLL_SECONDS)
            watch.look(folder)
            told.follow()
    except BaseException:
        kill_all(process)
        _clean(folder / "log.txt")
        if record.read(folder)["status"] == "running":
            record.update(folder, status="failed", ended=time.time(), error={"message": "interrupted"})
        told.close(record.read(folder))
        raise
    _clean(folder / "log.txt")
    final = record.read(folder)
    if final["status"] == "running":
        message = f"its process ended with code {process.returncode} (killed, or out of memory)"
        final = record.update(folder, status="failed", ended=time.time(), error={"message": message})
    told.close(final)
    if final["status"] != "completed":
        cell = f" in cell {final['error']['cell']}" if "cell" in final["error"] else ""
        raise NotebookError(f"{step.notebook.name} failed{cell}: {final['error']['message']}; see {folder}")
    refs.move_outputs(final)
    watch.done(final["seconds"])
    return Result(folder, final, reused=False)


def _clean(log: Path) -> None:
    """Hold back what a notebook printed of passwords and tokens."""
    with suppress(OSError):
        text = log.read_text(encoding="utf-8", errors="surrogateescape")
        if (cleaned := redact(text)) != text:
            log.write_text(cleaned, encoding="utf-8", errors="surrogateescape")


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of ours and all below it: of a step also the kernel, which lives in a session of its
    own, and whatever the notebook started. Who follows a run for a tracker is left to tell of its end."""
    import psutil

    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):  # it may be ending by itself
        family.append(psutil.Process(process.pid))
        family += [p for p in family[0].children(recursive=True) if not _follower(p)]
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family[1:], timeout=10)
    process.wait()


def _follower(process: Any) -> bool:
    import psutil

    try:
        return "wbme.lab.trackers.process" in process.cmdline()
    except psutil.Error:
        return False


def _environment(folder: Path, verify: bool) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in FOREIGN and not k.startswith(_TRACKERS)}
    return {
        **kept,
        "WBME_RUN": str(folder),
        "WBME_PROJECT": str(project_root()),
        "WBME_HOME": str(workspace()),
        "WBME_INTERACTIVE": "0",
        "WBME_VERIFY": "1" if verify else "0",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }


def _seconds_last_time(step: Step, preset: str) -> float | None:
    for _, run in record.history(step.notebook.name):
        if run.get("status") == "completed" and run.get("preset") == preset:
            return float(run["seconds"])
    return None


class _Watch:
    """Turns the progress file of a step into what the user sees: which cell, which work, how long to go."""

    def __init__(self, screen: Console, head: str, expected: float | None, rest: float):
        self.screen = screen
        self._head = head
        self._expected = expected
        self._rest = rest
        self._began = time.monotonic()
        self._cell = ""
        self._what = ""
        self._work: tuple[str, float, float] | None = None  # its name, and when and where it was first seen
        self._ahead = 0.0
        self._tail: Tail | None = None
        about = f", about {duration(expected)}" if expected else ""
        screen.line(f"{head}  started{about}")

    def look(self, folder: Path) -> None:
        self._tail = self._tail or Tail(folder / "progress.jsonl")
        for row in self._tail.rows():
            if "cell" in row:
                self._cell, self._what = f"cell {row['cell']} of {row['of']}", ""
                self._work, self._ahead = None, 0.0
            else:
                of = f" of {row['of']}" if row["of"] else ""
                self._what = f", {row['what']} {row['done']}{of}"
                self._ahead = self._left(row)
        spent = time.monotonic() - self._began
        left = ""
        if self._expected:
            ahead = max(1.0, self._expected - spent, self._ahead) + self._rest
            left = f", about {duration(ahead)} to go"
        elif self._ahead >= 1:
            left = f", at least {duration(self._ahead)} to go"
        self.screen.living(f"{self._head}  {self._cell}{self._what}, {duration(spent)}{left}")

    def _left(self, row: dict[str, Any]) -> float:
        """Seconds that the work of this row will still take if it goes on as it went: a run that is longer
        than the last one is not over when that was."""
        now, done = time.monotonic(), float(row["done"])
        if self._work is None or self._work[0] != row["what"] or done < self._work[2]:
            self._work = (row["what"], now, done)
        _, since, first = self._work
        return (now - since) * (row["of"] - done) / (done - first) if row["of"] and done > first else 0.0

    def done(self, seconds: float) -> None:
        whole = time.monotonic() - self._began
        self.screen.line(f"{self._head}  done in {duration(whole)} ({duration(seconds)} in the notebook)")
