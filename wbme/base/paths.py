"""Where things are: the project root, the workspace, and files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path

from wbme.base.errors import StoreError, WbmeError


def project_root(start: str | Path | None = None) -> Path:
    """The nearest folder at or above ``start`` (default: the current one) that holds both
    ``notebooks/`` and ``experiments/``; ``WBME_PROJECT`` overrides the search.

    Raises WbmeError where there is none.
    """
    given = os.environ.get("WBME_PROJECT")
    if given:
        return Path(given).expanduser().resolve()
    here = Path(start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "experiments").is_dir():
            return folder
    raise WbmeError(
        f"no project at or above {here}: wbme looks for a folder with notebooks/ and experiments/; "
        "go there, or make one with 'wbme init FOLDER'"
    )


def workspace() -> Path:
    """The one folder that holds everything generated: ``WBME_HOME``, or ``workspace/`` of the project."""
    given = os.environ.get("WBME_HOME")
    folder = Path(given).expanduser().resolve() if given else project_root() / "workspace"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the workspace {folder}: {error.strerror}; set WBME_HOME") from error
    return folder


def write_atomic(path: Path, data: bytes | str) -> Path:
    """Write ``data`` to ``path`` so that a reader, or a kill at any moment, sees the old file or the new one.

    Raises StoreError with one sentence when the disk is full or the folder cannot be written.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise StoreError(f"cannot write {path}: {error.strerror}; free space or write elsewhere") from error
    return path
