"""``wbme schedule``: chains that run by the clock, and what became of them."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wbme.base.errors import WbmeError
from wbme.cli.run import Tracker

if TYPE_CHECKING:
    from wbme.lab.mirror import Mirror
    from wbme.lab.schedules import Schedule

app = typer.Typer(no_args_is_help=True, help="Run chains by the clock (experiments/schedules.yaml).")
_Name = Annotated[str, typer.Argument(help="A schedule of experiments/schedules.yaml.")]
_QUIET = {"idle", "busy", "disabled"}  # what a cron that calls every minute need not mail


@app.command("list")
def list_() -> None:
    """Show the schedules, when each is next due, and what became of its last tick."""
    from wbme.lab import ledger, schedules

    good, bad = schedules.read()
    for name, found in good.items():
        at = found.cron.next(datetime.now(UTC)) if found.enabled else None
        due = f"next {at.astimezone(found.cron.zone):%Y-%m-%d %H:%M}" if at else "off"
        typer.echo(f"{name}  {found.cron.line}  {found.cron.zone.key}  {found.chain.name}  {due}")
        for line in ledger.history(name)[-1:]:
            typer.echo(f"    last: {_told(line)}")
    for sentence in bad.values():
        typer.echo(f"cannot be used: {sentence}")
    if not good and not bad:
        typer.echo(f"no schedules in {schedules.path()}")


@app.command()
def tick(
    name: Annotated[str | None, typer.Argument(help="Only this schedule.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Run NAME now, whatever clock and inputs say.")
    ] = False,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="As if it were this time (ISO).")] = None,
    tracker: Tracker = None,
) -> None:
    """Run what is due, once, and end. For cron and systemd timers: call it as often as you like."""
    import functools
    import signal

    from wbme.lab import cron, schedules, scheduling, trackers
    from wbme.lab.trackers import relay

    if force and not name:
        raise typer.BadParameter("--force needs the NAME of a schedule")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a step as Ctrl-C does
    now = cron.moment(at) if at else datetime.now(UTC)
    good, bad = ({name: schedules.find(name)}, {}) if name else schedules.read()
    mirrors: list[Mirror] = []

    @functools.cache  # a server that does not answer is waited for once
    def track() -> "list[Mirror]":
        mirrors.extend(trackers.choose(tracker, typer.echo))
        return mirrors

    troubles = list(bad.values())
    try:
        for found in good.values():
            try:
                outcome = scheduling.look(found, now, force=force, mirrors=track)
            except WbmeError as error:
                troubles.append(f"schedule {found.name}: {error}")
                continue
            if not outcome.well:
                troubles.append(f"schedule {found.name} {outcome.status}: {outcome.why}")
            elif name or outcome.status not in _QUIET:
                typer.echo(f"{found.name}: {outcome.status}: {outcome.why}")
    except KeyboardInterrupt:
        typer.echo("wbme: interrupted; finished steps are kept and reused next time", err=True)
        raise typer.Exit(130) from None
    finally:
        for sentence in relay.settle(mirrors):
            typer.echo(sentence)
        for sentence in troubles:
            typer.echo(f"wbme: {sentence}", err=True)
    if troubles:
        raise typer.Exit(2)


@app.command()
def serve() -> None:
    """Look every minute, in the foreground, until SIGTERM or Ctrl-C; a job runs in a process of its own."""
    import signal
    import subprocess
    import sys
    import threading

    from wbme.lab import schedules

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    typer.echo(f"serving {schedules.path()}; Ctrl-C ends it")
    jobs: dict[str, subprocess.Popen[bytes]] = {}
    said: set[str] = set()
    while not stop.is_set():
        now = datetime.now(UTC)
        names, troubles = _due(now)
        for sentence in sorted(troubles - said):
            typer.echo(f"wbme: {sentence}", err=True)
        said = troubles
        jobs = {name: job for name, job in jobs.items() if job.poll() is None}
        for name in names:
            if name not in jobs:
                jobs[name] = subprocess.Popen([sys.executable, "-m", "wbme", "schedule", "tick", name])
        stop.wait(60 - datetime.now(UTC).timestamp() % 60)
    for job in jobs.values():
        job.send_signal(signal.SIGTERM)
    for job in jobs.values():
        job.wait()
    typer.echo("stopped; finished steps are kept and reused next time")


def _due(now: datetime) -> tuple[list[str], set[str]]:
    """(schedules that have something to do, sentences about what cannot be used)"""
    from wbme.lab import schedules, scheduling

    try:
        good, bad = schedules.read()
    except WbmeError as error:  # being edited: the next minute may find it whole
        return [], {str(error)}
    names, troubles = [], set(bad.values())
    for name, found in good.items():
        try:
            if scheduling.due(found, now):
                names.append(name)
        except WbmeError as error:
            troubles.add(f"schedule {name}: {error}")
    return names, troubles


@app.command()
def history(
    name: _Name,
    last: Annotated[int, typer.Option(min=1, help="Most lines.")] = 20,
) -> None:
    """Show what a schedule did at its ticks: runs, metrics, promoted or not, and why."""
    from wbme.lab import ledger, schedules

    lines = ledger.history(name)
    if not lines:
        schedules.find(name)
        typer.echo(f"{name} has not run yet")
    for line in lines[-last:]:
        typer.echo(_told(line))
        for notebook, run in line.get("steps", {}).items():
            typer.echo(f"    {notebook}  {run.rpartition('/')[2]}")
        for ref, digest in line.get("promoted", {}).items():
            before = line["previous"].get(ref)
            typer.echo(f"    {ref}  {before[:12] if before else 'nothing'} -> {digest[:12]}")


def _told(line: dict[str, Any]) -> str:
    """A history line in words, at the local time of the reader."""
    when = datetime.fromtimestamp(line["time"]).strftime("%Y-%m-%d %H:%M")
    missed = f" ({line['missed']} earlier ticks were missed)" if line.get("missed") else ""
    return f"{when}  {line['status']}: {line.get('why', '')}{missed}"


@app.command()
def rollback(name: _Name) -> None:
    """Move the names that the last promotion moved back to what they were."""
    from wbme.lab import ledger, promotion, schedules

    if not ledger.history(name):
        schedules.find(name)
    done = promotion.rollback(name)
    for ref, digest in done["restored"].items():
        typer.echo(f"{ref} -> {digest[:12]}")
    for ref in done["dropped"]:
        typer.echo(f"{ref} is no name any more: there was none before")


@app.command()
def push(
    name: _Name,
    task: Annotated[
        str | None, typer.Option(metavar="ID", help="The ClearML Task to clone each time; else one is made.")
    ] = None,
    queue: Annotated[str, typer.Option(help="The queue of the agents that run it.")] = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the mapping only.")] = False,
) -> None:
    """Hand a schedule to ClearML's TaskScheduler, as far as that can express it, and keep that going."""
    from wbme.lab import clearml_schedule, schedules

    found: Schedule = schedules.find(name)
    if not found.enabled:
        raise WbmeError(f"schedule {name} is off: take 'enabled: false' out before it is handed to ClearML")
    when = clearml_schedule.arguments(found, datetime.now(UTC))
    words = ", ".join(f"{key}={value!r}" for key, value in when.items())
    typer.echo(f"{name}: {found.cron.line} {found.cron.zone.key} -> add_task({words}), in UTC")
    typer.echo("It knows no 'missed': a tick that passes while it is down is lost.")
    if dry_run:
        return
    of = f"Task {task}" if task else f"a Task that runs 'wbme schedule tick {name} --force'"
    typer.echo(f"Clones of {of} go to the queue {queue}; Ctrl-C ends this.")
    try:
        clearml_schedule.serve(found, when, task, queue)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
