"""``wbme sync``: tell a tracker about runs that are over."""

from typing import Annotated

import typer

from wbme.base.errors import WbmeError


def sync(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN...", help="NOTEBOOK/TIME-ID, a run folder, a chain, a sweep, a zip."),
    ] = None,
    tracker: Annotated[
        str, typer.Option(help="clearml, wandb, clearml-offline or wandb-offline.")
    ] = "clearml",
    all_: Annotated[bool, typer.Option("--all", help="Every finished run that is not there yet.")] = False,
) -> None:
    """Deliver finished runs to a tracker, each once: what is already there is not sent again."""
    from wbme.lab.trackers import NAMES, later, servers

    if tracker not in NAMES or tracker == "none":
        raise WbmeError(f"no tracker {tracker!r} to deliver to; there are: {', '.join(NAMES[:-1])}")
    servers.require(tracker)
    found = list(dict.fromkeys(later.targets(runs or [], all_)))
    if not found:
        raise WbmeError(
            "nothing to deliver: name a run (NOTEBOOK/TIME-ID), a chain or a sweep, or give --all"
        )
    if silent := servers.silent(tracker):
        raise WbmeError(f"{silent}: nothing was sent, try again later")
    missed = 0
    for target in found:
        there, sentence = later.deliver(target, tracker)
        missed += not there
        typer.echo(sentence, err=not there)
    raise typer.Exit(1 if missed else 0)
