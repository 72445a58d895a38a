"""``wbme run``: execute a notebook or a chain through the run contract."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from wbme.base.errors import ParameterError, WbmeError

SERIES = "series"
Tracker = Annotated[
    str | None,
    typer.Option(help="clearml, clearml-offline, wandb, wandb-offline or none; else ClearML where set up."),
]


def run(
    target: Annotated[
        str | None, typer.Argument(help="A notebook (30_skin_distributions, or 30) or a chain.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="The whole series, promoted at its end.")] = False,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="A chain of your own (YAML).")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p", "--parameter", metavar="KEY VALUE", help="NOTEBOOK.KEY names one step of a chain."
        ),
    ] = None,
    preset: Annotated[str | None, typer.Option(help="smoke, demo or full.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Run again what could be reused.")] = False,
    promote: Annotated[bool, typer.Option("--promote", help="Move the unscoped names at the end.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check the SHA-256 of every input.")] = False,
    timeout: Annotated[int | None, typer.Option(help="Most seconds that one cell may take.")] = None,
    scope: Annotated[
        str | None, typer.Option(help="Read and publish inside the names of this chain instead of its own.")
    ] = None,
    tracker: Tracker = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the notebooks with their parameters.")] = False,
) -> None:
    """Execute a notebook or a chain of notebooks, each in a process of its own, and keep what it made."""
    from wbme.lab import chain, launcher, trackers
    from wbme.lab.progress import duration
    from wbme.lab.trackers import agent, relay

    if list_:
        _listing()
        return
    began = time.monotonic()
    typed = [split(text) for text in parameter or []]
    planned = chain.plan(SERIES if all_ else target, file, typed, preset, scope)
    planned, task = agent.adopt(planned, tracker)
    mirrors = trackers.choose(tracker, typer.echo, task)
    options: dict[str, Any] = {
        "promote": promote,
        "verify": verify,
        "cell_seconds": timeout,
        "mirrors": mirrors,
    }
    try:
        results = launcher.run(planned, force=force or task is not None, **options)
    except KeyboardInterrupt:
        typer.echo("\nwbme: interrupted; finished steps are kept and reused next time", err=True)
        raise typer.Exit(130) from None
    finally:
        for sentence in relay.settle(mirrors, agent.PATIENCE if task else relay.SETTLE_SECONDS):
            typer.echo(sentence)
    fresh = sum(not r.reused for r in results)
    typer.echo(
        f"\n{planned.name} ({planned.preset}): {fresh} run, {len(results) - fresh} reused, "
        f"in {duration(time.monotonic() - began)}"
    )
    for result in results:
        for name, value in result.record.get("metrics", {}).items():
            typer.echo(f"  {result.record['notebook']}  {name} = {value:.4g}")
    pictures = [path for result in results for path in result.pictures]
    if pictures:
        typer.echo("Pictures to look at:")
        for path in pictures:
            typer.echo(f"  {_short(path)}")
    published = [n for r in results for n in r.record.get("outputs", {})]
    if published and not (promote or planned.promote):
        typer.echo(f"Published inside {planned.name}; --promote makes these names valid for all:")
        typer.echo(f"  {', '.join(published)}")


def split(text: str) -> tuple[str, str]:
    """KEY and VALUE of what was typed behind -p; ParameterError when it is no such pair."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ParameterError(f"command line: -p takes KEY VALUE, not {text!r}")
    return key, value


def _short(path: Path) -> Path:
    """Relative to here when it is below here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _listing() -> None:
    from wbme.base.paths import project_root
    from wbme.lab import notebook, parameters

    for path in sorted((project_root() / "notebooks").glob("*.ipynb")):
        try:
            found = notebook.load(path)
            known = parameters.declared(found).values()
        except WbmeError as error:
            typer.echo(f"{path.stem}  cannot be run: {error}")
            continue
        typer.echo(f"{found.name}  {found.title}")
        for parameter in known:
            typer.echo(f"    {parameter.name}: {parameter.type} = {parameter.default!r}  {parameter.help}")
