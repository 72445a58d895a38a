"""One look at a schedule: is it due, does it run, is it promoted. Any number of schedulers may look at once.

A scheduler holds the lock of a schedule as long as its job runs, and the system releases it even after
kill -9: a claim in the state that nobody holds the lock of means that the job died. Its tick was used up
when it was claimed.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from wbme.base.errors import WbmeError
from wbme.base.hashing import digest_json
from wbme.lab import launcher, ledger, promotion, refs, verdict, watching
from wbme.lab.fingerprint import reusable
from wbme.lab.mirror import Mirror
from wbme.lab.progress import Console, duration
from wbme.lab.schedules import Schedule

MOST_TRIES = 3  # of equal inputs, when runs fail or die
_NEW = {"last": 0, "claim": None, "inputs": None, "tries": 0, "line": None, "kept": False}
_FIRST = timedelta(minutes=1)  # how far a schedule that nobody looked at before looks back
_WRONG_CLOCK = timedelta(days=1)


@dataclass(frozen=True)
class Outcome:
    """``status`` as in the history, or idle, busy, disabled. ``well``: nothing that somebody must see to."""

    status: str
    why: str

    @property
    def well(self) -> bool:
        return self.status not in ("failed", "crashed")


def due(schedule: Schedule, now: datetime) -> bool:
    """Whether ``look`` would have something to do. Changes nothing; StoreError for a damaged state."""
    known = ledger.load(schedule.name)
    if not schedule.enabled:
        return False
    return known is None or bool(known["claim"]) or bool(_waiting(schedule, _state(schedule, now), now))


def look(
    schedule: Schedule,
    now: datetime,
    *,
    force: bool = False,
    mirrors: Callable[[], Sequence[Mirror]] = tuple,
    console: Console | None = None,
) -> Outcome:
    """Run the chain if a tick is due at ``now``, at most once however many ticks have passed.

    With ``force`` it runs whatever the clock and the inputs say. ``mirrors`` is asked for when it runs.
    WbmeError when the state is damaged or cannot be written: then nothing has run. KeyboardInterrupt is
    passed on after it was recorded.
    """
    try:
        with refs.lock(f"schedule-{schedule.name}", wait=False):
            return _Look(schedule, now, force, mirrors, console or Console()).do()
    except refs.BusyError:
        return Outcome("busy", "another scheduler runs it")


def _state(schedule: Schedule, now: datetime) -> dict[str, Any]:
    """What is remembered, or a beginning: the first time, after a change of the line, or of the clock."""
    line = [schedule.cron.line, schedule.cron.zone.key]
    state = ledger.load(schedule.name) or dict(_NEW)
    ahead = state["last"] > (now + _WRONG_CLOCK).timestamp()
    if state["line"] != line or ahead:
        state |= {"line": line, "last": (now - _FIRST).timestamp()}
    return state


def _waiting(schedule: Schedule, state: dict[str, Any], now: datetime) -> list[datetime]:
    return schedule.cron.since(datetime.fromtimestamp(state["last"], UTC), now)


class _Look:
    def __init__(
        self,
        schedule: Schedule,
        now: datetime,
        force: bool,
        mirrors: Callable[[], Sequence[Mirror]],
        console: Console,
    ):
        self.schedule, self.now, self.force = schedule, now, force
        self.mirrors, self.console = mirrors, console
        self.name = schedule.name
        self.known = ledger.load(self.name)
        self.state = _state(schedule, now)
        self.began = time.monotonic()

    def do(self) -> Outcome:
        died = self._bury()
        if self.force:
            return self._run([self.now], self._watched())
        if not self.schedule.enabled:
            if self.known:
                self._save(last=self.now.timestamp())  # what is missed while it is off is not made up for
            return died or Outcome("disabled", "enabled is false")
        ticks = _waiting(self.schedule, self.state, self.now)
        if not ticks:
            if self.known != self.state:
                self._save()
            return died or Outcome("idle", "no tick is due")
        late = self.now - ticks[-1]
        if late > self.schedule.grace and not (self.schedule.run_missed or self.state["kept"]):
            spent = duration(late.total_seconds())
            return self._skip(ticks, f"missed: the scheduler came {spent} late, and missed is skip")
        inputs = self._watched()
        reason = self._unchanged(inputs)
        return self._skip(ticks, reason) if reason else self._run(ticks, inputs)

    def _bury(self) -> Outcome | None:
        """Tell of a job whose process is gone, and finish what it was about to do when it went."""
        claim = self.state["claim"]
        if not claim:
            return None
        line = next((x for x in ledger.history(self.name) if x.get("id") == claim["id"]), None)
        if line is None:
            why = "its process ended without a word: killed, out of memory, or the machine went down"
            self._tell(status="crashed", why=why, id=claim["id"], tick=claim["tick"])
            self._save(claim=None)
            return Outcome("crashed", "the run before died; its tick is used up")
        if line.get("promoted"):
            try:
                promotion.carry_out(line)
            except WbmeError as error:  # what it made is gone or damaged: the names stay where they are
                self._tell(status="failed", why=f"could not be promoted afterwards: {error}")
        self._save(claim=None, tries=0 if "steps" in line else self.state["tries"])
        return None

    def _watched(self) -> str | None:
        """Digest of what decides besides the clock: contents that are watched, and the chain as planned.

        None where files are watched and there is none.
        """
        schedule = self.schedule
        found = ""
        if schedule.watch:
            digest = watching.contents(schedule.watch, ledger.folder(self.name) / "watched.json")
            if digest is None:
                return None
            found = digest
        steps = [[s.notebook.sha256, dict(s.params)] for s in schedule.chain.steps] if schedule.steps else []
        return digest_json([found, steps])

    def _unchanged(self, inputs: str | None) -> str | None:
        """Why not to run, or None."""
        schedule, state = self.schedule, self.state
        if not schedule.watch and not schedule.steps:
            return None
        if inputs is None:
            return f"there is no file yet in {', '.join(str(place) for place in schedule.watch)}"
        if inputs != state["inputs"]:
            return None
        if state["tries"] >= MOST_TRIES:
            return f"the inputs are unchanged, and {MOST_TRIES} runs with them came to nothing"
        if state["tries"] or (schedule.steps and self._outdated()):
            return None
        return "the inputs are unchanged"

    def _outdated(self) -> bool:
        """Whether a step of the chain would have to run again."""
        return any(reusable(step, self.schedule.chain.name) is None for step in self.schedule.chain.steps)

    def _run(self, ticks: list[datetime], inputs: str | None) -> Outcome:
        mark = {"id": secrets.token_hex(6), "tick": ticks[-1].timestamp()}
        tries = self.state["tries"] + 1 if inputs == self.state["inputs"] else 1
        last = max(mark["tick"], self.state["last"])
        self._save(last=last, claim=mark, inputs=inputs, tries=tries, kept=False)
        self.console.line(f"{self.name}: {self.schedule.chain.name} ({self.schedule.chain.preset}) begins")
        told: dict[str, Any] = {**mark, "missed": len(ticks) - 1}
        try:
            chain = replace(self.schedule.chain, promote=False)
            results = launcher.run(
                chain,
                mirrors=self.mirrors(),
                cell_seconds=self.schedule.cell_seconds,
                console=self.console,
            )
            judged = verdict.judge(self.schedule, results)
            steps = zip(chain.steps, results, strict=False)
            told["steps"] = {step.name: result.record["id"] for step, result in steps}
            told |= judged.line | (promotion.targets(results) if judged.promote else {})
        except KeyboardInterrupt:
            self._end({**told, "status": "interrupted", "why": "stopped from outside"})
            raise
        except Exception as error:  # a fault of one schedule must not stop the others
            kind = "" if isinstance(error, WbmeError) else f"{type(error).__name__}: "
            why = " ".join(f"{kind}{error}".split())
            self._end({**told, "status": "failed", "why": why})
            return Outcome("failed", why)
        status = "promoted" if judged.promote else "not promoted"
        self._end({**told, "status": status}, tries=0)
        return Outcome(status, judged.why)

    def _end(self, line: dict[str, Any], **changes: Any) -> None:
        """Write what happened, then move the names: a kill in between is made good by the next look."""
        end = self.now + timedelta(seconds=time.monotonic() - self.began)
        self._tell(**line)
        if line.get("promoted"):
            promotion.carry_out(line)
        passed = _waiting(self.schedule, self.state, end)
        if passed and not self.schedule.wait:
            why = f"{len(passed)} passed while the run before went on, and overlap is skip"
            self._tell(status="skipped", why=why, tick=passed[-1].timestamp())
            changes["last"] = passed[-1].timestamp()
        self._save(claim=None, kept=bool(passed) and self.schedule.wait, **changes)

    def _skip(self, ticks: list[datetime], why: str) -> Outcome:
        self._tell(status="skipped", why=why, tick=ticks[-1].timestamp(), missed=len(ticks) - 1)
        self._save(last=ticks[-1].timestamp(), kept=False)
        return Outcome("skipped", why)

    def _tell(self, **line: Any) -> None:
        seconds = round(time.monotonic() - self.began, 1)
        ledger.append(self.name, {"time": time.time(), "seconds": seconds, **line})

    def _save(self, **changes: Any) -> None:
        self.state |= changes
        ledger.save(self.name, self.state)
