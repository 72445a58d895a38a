"""``wbme sweep`` and ``wbme compare``: trials of a chain under varied parameters, and what came of them."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wbme.base.errors import ParameterError, WbmeError
from wbme.cli.run import Tracker

if TYPE_CHECKING:
    from wbme.lab.comparison import Results
    from wbme.lab.sweep import Sweep


def sweep(
    target: Annotated[
        str, typer.Argument(metavar="FILE|NAME", help="A sweep of experiments/sweeps/ or a file.")
    ],
    jobs: Annotated[int, typer.Option(min=1, help="Trials that run at the same time.")] = 1,
    ray: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Run on this Ray cluster, whose machines share the workspace."),
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Reuse nothing made before this sweep began.")
    ] = False,
    tracker: Tracker = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the trials and run nothing.")] = False,
) -> None:
    """Run a chain once for each setting of a sweep; started again, it goes on where it was stopped."""
    from wbme.lab import sweep as sweeps
    from wbme.lab import trackers, trials

    planned = sweeps.find(target)
    if dry_run:
        _plan(planned)
        return
    trackers.choose(tracker, typer.echo)  # what cannot be is said before anything runs
    if ray:
        typer.echo("trials run as tasks of the Ray cluster, whose machines must share project and workspace")
    try:
        found = trials.run(planned, jobs=jobs, address=ray, force=force, tracker=tracker)
    except KeyboardInterrupt:
        typer.echo("\nwbme: interrupted; finished steps are kept and reused next time", err=True)
        raise typer.Exit(130) from None
    typer.echo("")
    rows = _table(found, [], "")
    if planned.search:
        best = max if planned.goals[planned.metric] == "higher" else min
        told = [row for row in rows if row["metric"] == planned.metric and not isnan(row["mean"])]
        typer.echo(
            f"best: {best(told, key=lambda row: row['mean'])['setting']}" if told else "nothing measured"
        )
    typer.echo(f"published sweep/{planned.name}; a figure: 'wbme run 51 -p sweep {planned.name}'")
    raise typer.Exit(1 if found.failed else 0)


def compare(
    name: Annotated[str, typer.Argument(metavar="SWEEP", help="Name of a sweep that ran here.")],
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Any metric of the last step; default: the sweep's own."),
    ] = None,
    base: Annotated[str, typer.Option(help="Setting to compare with; default: the sweep's base.")] = "",
    csv: Annotated[Path | None, typer.Option(help="Write the table to this file as well.")] = None,
) -> None:
    """Compare the settings of a sweep: mean, interval, difference to the base, verdict."""
    from wbme.lab import comparison

    found = comparison.of(name)
    if found.head["status"] != "completed":
        typer.echo(f"{name} is not finished: these are the trials so far")
    rows = _table(found, metric or [], base)
    if csv is not None:
        _write(csv, rows)


def _plan(planned: "Sweep") -> None:
    trials = planned.trials
    steps = {
        (step.notebook.name, repr(sorted(step.params.items())))
        for each in trials
        for step in planned.chain_of(each).steps
    }
    typer.echo(f"{planned.name}: {planned.design} over {planned.chain.name} ({planned.chain.preset})")
    typer.echo(
        f"{len(trials)} trials of {len(planned.chain.steps)} steps, by parameters {len(steps)} different ones"
    )
    for each in trials:
        repeat = "".join(f"  {name}={value}" for name, value in planned.repeated(each).items())
        factors = ", ".join(f"{name}={value}" for name, value in each.setting.factors.items())
        typer.echo(f"  {each.key}  {each.setting.label}{repeat}  ({factors})")
    if planned.search:
        typer.echo(f"then {planned.searches} settings drawn by optuna from:")
        for name, space in planned.search.items():
            span = f"{list(space.choices)}" if space.choices else f"{space.low} to {space.high}"
            typer.echo(f"  {name}: {span}{', logarithmic' if space.log else ''}")


def _table(found: "Results", metrics: list[str], base: str) -> list[dict[str, Any]]:
    """Print the comparison, a block a metric, and the trials that failed; return its rows."""
    from wbme.lab import comparison

    rows = comparison.compare(found, metrics, base) if found.trials else []
    head = ("setting", "n", "mean", "95 % interval", "difference", "95 % interval", "verdict")
    for metric in dict.fromkeys(row["metric"] for row in rows):
        goal = found.head["goals"].get(metric)
        typer.echo(f"{metric}" + (f" ({goal} is better)" if goal else ""))
        cells = [head, *(_cells(row) for row in rows if row["metric"] == metric)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            typer.echo("  " + "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip())
    for row in found.failed:
        typer.echo(f"{row['trial']} {row['label']} failed: {row['error']}")
    return rows


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    def numbers(*keys: str) -> str:
        return "-" if any(isnan(row[key]) for key in keys) else " to ".join(f"{row[key]:.4g}" for key in keys)

    mean, gap = (numbers("mean"), numbers("low", "high")), numbers("difference")
    apart = numbers("difference low", "difference high")
    return (row["setting"], str(row["repeats"]), *mean, gap, apart, row["verdict"])


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    import csv as csvlib
    import io

    if not path.parent.is_dir():
        raise ParameterError(f"--csv {path}: there is no folder {path.parent}")
    text = io.StringIO()
    writer = csvlib.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    try:
        path.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise WbmeError(f"cannot write {path}: {error.strerror}; choose another --csv") from error
    typer.echo(f"wrote {path}")
