"""``wbme trace``: where a figure or a table came from."""

import json as jsonlib
import time
from pathlib import Path
from typing import Annotated, Any

import typer


def trace(
    file: Annotated[Path, typer.Argument(help="A figure, a table, or a file of the store.")],
    json: Annotated[bool, typer.Option("--json", help="Everything that is known, as JSON.")] = False,
) -> None:
    """Find FILE by its bytes and say which notebook, parameters, code and inputs made it."""
    from wbme.lab.trace import trace as find

    found = find(file)
    if json:
        typer.echo(jsonlib.dumps(found, indent=1, ensure_ascii=False))
        return
    for line in _lines(found):
        typer.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    git = found.get("git", {})
    state = " with uncommitted changes" if git.get("dirty") else ""
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found["started"]))
    lines = [
        f"{found['found']}",
        f"  sha256      {found['sha256']}",
        f"  run         {found['id']}, {made}",
        f"  notebook    {found['notebook']} (sha256 {found['notebook_sha256'][:12]})",
        f"  commit      {git.get('commit', 'not in a git checkout')}{state}",
    ]
    lines += [f"  parameter   {n} = {v!r}" for n, v in found["parameters"].items()]
    lines += [
        f"  input       {n} = {i['digest'][:12]}, made by {i['run']}" for n, i in found["inputs"].items()
    ]
    lines += [f"  brought     {n} (signature {d[:12]})" for n, d in found["externals"].items()]
    versions = found["versions"]
    lines.append("  versions    " + ", ".join(f"{n} {v}" for n, v in versions.items()))
    lines.append(f"  machine     {found['device']['cpu']}, {', '.join(found['device']['gpu']) or 'no GPU'}")
    return lines
