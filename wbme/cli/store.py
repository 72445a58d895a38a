"""``wbme store``: whether what is kept is whole, and room for more."""

from typing import Annotated

import typer

from wbme.base.errors import ParameterError

app = typer.Typer(no_args_is_help=True, help="Published artifacts: check them, delete what nothing needs.")
SHOWN = 40  # lines a kind of thing


@app.command()
def check(
    verify: Annotated[bool, typer.Option("--verify", help="Hash every file (SHA-256) as well.")] = False,
) -> None:
    """Look at every name, artifact and run; exit 1 when a published file is missing or changed."""
    from wbme.lab import upkeep

    state = upkeep.check(verify)
    for kind, (number, size) in state.sizes.items():
        typer.echo(f"{kind:24} {number:6}  {size / 1e6:10.1f} MB")
    for sentence in state.notes:
        typer.echo(f"note: {sentence}")
    for sentence in state.wrong:
        typer.echo(f"wrong: {sentence}")
    typer.echo(f"{len(state.wrong)} things are wrong" if state.wrong else "the store is whole")
    raise typer.Exit(1 if state.wrong else 0)


@app.command()
def gc(
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only show what would go.")] = False,
    keep_days: Annotated[
        float, typer.Option(help="Leave what was published, used or named in the last days.")
    ] = 7.0,
    runs: Annotated[bool, typer.Option("--runs", help="Old run folders and unfinished work, too.")] = False,
    forget: Annotated[
        str | None,
        typer.Option(metavar="SCOPE", help="First drop the names of these scopes, such as 'ablation.*'."),
    ] = None,
) -> None:
    """Delete artifacts that no name, report, living run, schedule or unfinished sweep needs."""
    from wbme.lab import collect

    if not keep_days >= 0:
        raise ParameterError(f"--keep-days {keep_days}: give a number of days that is not negative")
    plan = collect.plan(keep_days, runs, forget)
    _listing("name", [f"{ref.name} (of {ref.run})" for ref in plan.names])
    _listing("tree", [f"{digest[:12]}  {words}" for digest, words in plan.trees.items()])
    _listing("run", list(plan.runs.values()))
    _listing("unfinished work", [str(path) for path in plan.unfinished])
    kept = ", ".join(f"{number} for {why}" for why, number in plan.kept.most_common())
    typer.echo(f"trees that stay: {kept or 'none'}")
    typer.echo(f"and {len(plan.blobs)} blobs, {len(plan.leftovers)} leftovers of killed processes")
    if plan.shared:
        typer.echo(f"{plan.shared / 1e6:.1f} MB of it are in run folders too and stay there (see --runs)")
    if not plan:
        typer.echo("nothing to delete")
    elif not yes:
        typer.echo(f"{plan.freed / 1e6:.1f} MB would come free; nothing was deleted: --yes deletes")
    else:
        typer.echo(f"{collect.carry_out(plan) / 1e6:.1f} MB came free")


def _listing(kind: str, lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        typer.echo(f"{kind}  {line}")
    if len(lines) > SHOWN:
        typer.echo(f"{kind}  ... and {len(lines) - SHOWN} more")
