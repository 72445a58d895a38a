"""``wbme assets``: the files that wbme takes out of packages of the registry: list, get, check."""

import json
from pathlib import Path
from typing import Annotated

import typer

from wbme.base import assets

app = typer.Typer(no_args_is_help=True, help="Files taken out of packages of the Python registry.")

MARK = {"here": "yes", "missing": "no", "damaged": "damaged"}


@app.command("list")
def list_() -> None:
    """Show every file: name, package, version, size, licence, whether it is here, and its purpose.

    The networks that come with wbme stand last.
    """
    head = ("NAME", "PACKAGE", "VERSION", "MB", "LICENCE", "HERE", "PURPOSE")
    rows = [
        (
            asset.name,
            asset.package,
            asset.version,
            f"{asset.size / 1e6:.1f}",
            asset.licence,
            MARK[assets.state(asset)],
            asset.purpose,
        )
        for asset in assets.catalog()
    ]
    for about in sorted((Path(__file__).parents[1] / "assets").glob("*.json")):
        card = json.loads(about.read_text("utf-8"))
        size = about.with_suffix(".safetensors").stat().st_size
        what = f"{card['architecture']}, {card['head']}: {card['note']}"
        rows.append((card["name"], "wbme", "", f"{size / 1e6:.1f}", card["licence"], "yes", what))
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    typer.echo(f"kept in {assets.folder()}")


@app.command()
def get(names: Annotated[list[str] | None, typer.Argument(help="Names; default: all.")] = None) -> None:
    """Fetch files that are missing or damaged, each package once, and print where they are."""
    for name, path in assets.get_all(names or None, say=typer.echo).items():
        typer.echo(f"{name}: {path}")


@app.command()
def check() -> None:
    """Hash every file; exit 1 when one is missing or damaged."""
    wrong = [asset for asset in assets.catalog() if assets.state(asset) != "here"]
    for asset in wrong:
        typer.echo(f"{asset.name}: {assets.state(asset)} ({asset.path})")
    if wrong:
        typer.echo(f"fetch with 'wbme assets get {' '.join(asset.name for asset in wrong)}'")
        raise typer.Exit(1)
    typer.echo(f"all {len(assets.catalog())} files are the promised ones")
