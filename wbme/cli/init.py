"""``wbme init``: start a project of one's own from the notebooks and experiments that wbme ships."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from wbme.base.errors import WbmeError

PARTS = ("notebooks", "experiments")
IGNORE = "workspace/\n.ipynb_checkpoints/\n__pycache__/\n"


def init(
    folder: Annotated[Path, typer.Argument(help="Where the project goes; made when it does not exist.")],
) -> None:
    """Copy the notebooks and experiments into FOLDER; nothing that exists is overwritten."""
    source = shipped()
    files = [p for part in PARTS for p in sorted((source / part).rglob("*")) if p.is_file() and _belongs(p)]
    targets = [folder / file.relative_to(source) for file in files]
    taken = [target for target in [*targets, folder / ".gitignore"] if target.exists()]
    if taken:
        raise WbmeError(
            f"{taken[0]} exists already ({len(taken)} such files) and nothing is overwritten: "
            "choose a new folder, or move them away"
        )
    try:
        for file, target in zip(files, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        (folder / ".gitignore").write_text(IGNORE)
    except OSError as error:
        raise WbmeError(
            f"cannot write {error.filename or folder}: {error.strerror}; choose another folder"
        ) from error
    typer.echo(f"{len(files)} files in {folder}: next 'cd {folder}' and 'wbme run 00_tour'")


def shipped() -> Path:
    """Where wbme's own notebooks and experiments are: in the installed wheel, or in the source tree."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "_project", package.parent):
        if all((place / part).is_dir() for part in PARTS):
            return place
    raise WbmeError(f"{package} was installed without its notebooks: install wbme again from its wheel")


def _belongs(file: Path) -> bool:
    return not {".ipynb_checkpoints", "__pycache__"} & set(file.parts)
