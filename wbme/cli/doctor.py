"""``wbme doctor``: what this machine has, what it lacks, and what to do about it. Looks only; no network."""

import json as jsonlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Annotated, Literal

import typer

from wbme.base.errors import WbmeError

SETUP = "run 'make setup' in the project"
NUMERIC_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "bf16", "i8mm")


@dataclass(frozen=True)
class Finding:
    """One line of the screen. ``state`` 'missing' is an error, 'absent' concerns something optional."""

    name: str
    state: Literal["ok", "absent", "missing"]
    found: str
    todo: str = ""


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of the table.")] = False,
) -> None:
    """Show what this machine has and lacks; exit 1 only when something required is missing."""
    findings = list(examine())
    if json:
        typer.echo(jsonlib.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for row in findings:
            colour = {"ok": "green", "absent": "yellow", "missing": "red"}[row.state]
            state = typer.style(f"{row.state:<8}", fg=colour)
            typer.echo(f"{row.name:<15}{state}{row.found}" + (f"  ->  {row.todo}" if row.todo else ""))
    if any(row.state == "missing" for row in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """All findings: the machine first, then what is required, then what is optional."""
    yield from _machine()
    yield _workspace()
    yield from _system()
    yield from _packages()
    yield _assets()
    yield from _optional()


def _machine() -> Iterator[Finding]:
    from wbme.lab.machine import device

    here = device()
    new_enough = sys.version_info >= (3, 11)
    version = f"{sys.version.split()[0]} ({sys.executable})"
    yield Finding(
        "Python", "ok" if new_enough else "missing", version, "" if new_enough else "use Python 3.11+"
    )
    flags = " ".join(flag for flag in NUMERIC_FLAGS if flag in here["flags"]) or "no wide vector unit"
    yield Finding("CPU", "ok", f"{here['cpu']}, {here['cores']} cores, {flags}")
    roomy = here["memory"] > 7e9
    yield Finding(
        "memory", "ok" if roomy else "absent", _gigabytes(here["memory"]), "" if roomy else "8 GB are advised"
    )
    if here["gpu"]:
        yield Finding("GPU", "ok", ", ".join(here["gpu"]))
    else:
        yield Finding(
            "GPU", "absent", "no NVIDIA driver answers", "optional: everything also runs on the CPU"
        )


def _workspace() -> Finding:
    from wbme.base.paths import workspace

    try:
        folder = workspace()
    except (WbmeError, OSError) as error:
        return Finding("workspace", "missing", str(error), "set WBME_HOME to a folder that can be written")
    if not os.access(folder, os.W_OK):
        return Finding(
            "workspace", "missing", f"{folder} cannot be written", "set WBME_HOME to another folder"
        )
    free = shutil.disk_usage(folder).free
    found = f"{folder}, {_gigabytes(free)} free"
    return Finding(
        "workspace", "ok" if free > 5e9 else "absent", found, "" if free > 5e9 else "5 GB are advised"
    )


def _system() -> Iterator[Finding]:
    from wbme.cli import setup

    lacking = setup.missing_libraries()
    if lacking:
        yield Finding(
            "libraries", "missing", f"not found: {', '.join(lacking)}", f"apt-get install {' '.join(lacking)}"
        )
    else:
        yield Finding("libraries", "ok", ", ".join(setup.LIBRARIES))
    yield _renderer()
    git = shutil.which("git")
    yield Finding(
        "git", "ok" if git else "absent", git or "not on PATH", "" if git else "apt-get install git"
    )
    browser = setup.find_chromium()
    todo = "" if browser else "only the tests drive it: apt-get install chromium"
    yield Finding("chromium", "ok" if browser else "absent", browser or "not on PATH", todo)


def _renderer() -> Finding:
    """What draws synthetic people."""
    try:
        from wbme.people.context import renderer

        return Finding("renderer", "ok", renderer())
    except Exception as error:  # a broken library is a finding, not a failure of this command
        found, _, todo = str(error).partition(": run ")
        return Finding("renderer", "missing", found, f"run {todo}" if todo else SETUP)


def _packages() -> Iterator[Finding]:
    """The runtimes with their devices, then OpenCV and JupyterLab by version alone."""
    try:
        from wbme.runtime import available

        for backend in available():
            found = f"{backend.version} on {', '.join(backend.devices)}"
            yield Finding(backend.name, "ok", found) if backend.version else _lacking(backend.name)
    except Exception as error:  # a broken library is a finding, not a failure of this command
        yield Finding("runtimes", "missing", f"cannot be asked ({type(error).__name__}: {error})", SETUP)
    for name in ("opencv-python", "jupyterlab"):
        version = _version(name)
        yield Finding(name, "ok", version) if version else _lacking(name)


def _lacking(name: str) -> Finding:
    return Finding(name, "missing", "not installed", SETUP)


def _assets() -> Finding:
    from wbme.base.assets import catalog, folder, state

    bad = [asset.name for asset in catalog() if state(asset) != "here"]
    if bad:
        return Finding(
            "assets", "absent", f"{len(bad)} of {len(catalog())} not in {folder()}", "wbme assets get"
        )
    return Finding("assets", "ok", f"{len(catalog())} files in {folder()}")


def _optional() -> Iterator[Finding]:
    """What a user may bring: PyAV for video, TensorRT, a ClearML server."""
    av = _version("av")
    yield Finding(
        "PyAV", "ok" if av else "absent", av or "no video", "" if av else "pip install 'wbme[video]'"
    )
    engines = {name: _version(name) for name in ("tensorrt", "tensorrt-rtx-cu13")}
    found = ", ".join(f"{name} {version}" for name, version in engines.items() if version)
    todo = "" if found else "optional: pip install 'wbme[tensorrt]' beside an NVIDIA GPU"
    yield Finding("TensorRT", "ok" if found else "absent", found or "not installed", todo)
    config = Path(os.environ.get("CLEARML_CONFIG_FILE") or "~/clearml.conf").expanduser()
    if util.find_spec("clearml") and (config.is_file() or os.environ.get("CLEARML_API_HOST")):
        yield Finding("ClearML", "ok", f"configured in {config if config.is_file() else 'the environment'}")
    else:
        yield Finding("ClearML", "absent", "no server configured", "optional: clearml-init")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
