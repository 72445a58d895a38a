"""``wbme explore``: a notebook's knobs as a page in the browser."""

from typing import Annotated

import typer


def explore(
    notebook: Annotated[str, typer.Argument(help="A notebook (31_skin_reflection, or 31).")],
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="KEY VALUE", help="As for wbme run.")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(help="smoke, demo or full; each visit executes the notebook, so the least is usual."),
    ] = "smoke",
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1, or a free one near it.")] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
) -> None:
    """Turn the knobs of a notebook in the browser, without JupyterLab and its code."""
    from wbme.cli.run import split
    from wbme.lab import chain
    from wbme.lab import notebook as notebooks
    from wbme.lab.page import serve

    name = notebooks.find(notebook).name
    planned = chain.plan(name, typed=[split(text) for text in parameter or []], preset=preset)
    typer.echo(f"{name} (preset {preset}) is executed anew for each visit; Ctrl-C ends the server")
    serve(planned.steps[0], preset, port, browser, typer.echo)
