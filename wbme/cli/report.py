"""``wbme report``: the figures and tables under ``reports/``, made again, published or checked."""

from typing import Annotated

import typer


def report(
    name: Annotated[str, typer.Argument(help="A chain of experiments/run that publishes.")] = "report",
    publish: Annotated[bool, typer.Option("--publish", help="Run it and update reports/.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check reports/ against SOURCES.json.")] = False,
    preset: Annotated[str | None, typer.Option(help="Preset instead of the chain's own.")] = None,
) -> None:
    """Without an option, run the chain experiments/run/NAME.yaml and say where its results are."""
    from wbme.base.paths import project_root
    from wbme.lab import chain, launcher
    from wbme.lab import report as reports

    if check:
        wrong = reports.check()
        for sentence in wrong:
            typer.echo(sentence)
        typer.echo(
            "reports/ is as it was published" if not wrong else f"{len(wrong)} things are wrong in reports/"
        )
        raise typer.Exit(1 if wrong else 0)
    planned = chain.plan(None, reports.chain_file(name), preset=preset)
    results = launcher.run(planned)
    if publish:
        for path in reports.publish(planned.name):
            typer.echo(f"wrote {path.relative_to(project_root())}")
        return
    for result in results:
        typer.echo(f"{result.record['notebook']}: {result.folder}")
