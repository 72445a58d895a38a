"""A notebook as the contract sees it: its parameters cell, its question, what it reads and publishes."""

import fnmatch
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from wbme.base.errors import NotebookError
from wbme.base.hashing import digest_json
from wbme.base.paths import project_root

_CODE_SPAN = re.compile(r"`([^`]+)`")
_IF = re.compile(r"`([^`]+)` if\b")


@dataclass(frozen=True)
class Notebook:
    """One file of ``notebooks/``. ``name`` is its stem, such as ``30_skin_distributions``."""

    path: Path
    cells: tuple[dict[str, Any], ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def sha256(self) -> str:
        """Digest of what runs and what is read: cell types, sources and tags, never outputs."""
        return digest_json(
            [[c["cell_type"], source(c), c.get("metadata", {}).get("tags", [])] for c in self.cells]
        )

    @cached_property
    def title(self) -> str:
        first = source(self.cells[0]).strip() if self.cells else ""
        return first.splitlines()[0].lstrip("# ").strip() if first else self.name

    @cached_property
    def parameters_source(self) -> str:
        """Source of the one cell tagged ``parameters``; NotebookError where there are none or two."""
        tagged = [source(c) for c in self.cells if "parameters" in c.get("metadata", {}).get("tags", [])]
        if len(tagged) != 1:
            raise NotebookError(
                f"notebook {self.name} has {len(tagged)} cells tagged 'parameters': tag exactly one"
            )
        return tagged[0]

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Ref patterns in the ``reads`` column of the opening table."""
        return self._column("reads")

    @cached_property
    def publishes(self) -> tuple[str, ...]:
        """Ref patterns in the ``publishes`` column: every one must be published by a completed run, but
        those of ``optional``."""
        return self._column("publishes")

    @cached_property
    def optional(self) -> tuple[str, ...]:
        """Those ref patterns in the ``publishes`` column that are followed by "if" and what they need."""
        return self._column("publishes", _IF)

    def _column(self, heading: str, spelled: re.Pattern[str] = _CODE_SPAN) -> tuple[str, ...]:
        for cell in self.cells:
            if cell["cell_type"] != "markdown":
                continue
            rows = [
                [entry.strip() for entry in line.strip().strip("|").split("|")]
                for line in source(cell).splitlines()
                if line.strip().startswith("|")
            ]
            if len(rows) < 2 or heading not in rows[0]:
                continue
            column = rows[0].index(heading)
            found = [spelled.findall(row[column]) for row in rows[2:] if len(row) > column]
            return tuple(ref for refs in found for ref in refs)
        raise NotebookError(
            f"notebook {self.name} does not say what it {heading}: begin it with a table that has "
            "the columns reads and publishes"
        )


def covers(patterns: tuple[str, ...], name: str) -> bool:
    """Whether one of the ref patterns of an opening table covers the unscoped ``name``."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def source(cell: dict[str, Any]) -> str:
    """A cell's source as one string (the file format allows a list of lines)."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def load(path: Path) -> Notebook:
    """Read a notebook file; NotebookError when it is missing or is not a notebook."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = tuple(content["cells"])
        for cell in cells:
            source(cell), cell["cell_type"]
        return Notebook(path, cells)
    except FileNotFoundError as error:
        raise NotebookError(f"no notebook {path}; 'wbme run --list' shows what there is") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotebookError(f"{path} is not a readable notebook: {error}") from error


def find(name: str) -> Notebook:
    """The project's notebook ``name`` (``30_skin_distributions``, with or without suffix, or just ``30``)."""
    folder = project_root() / "notebooks"
    stem = Path(name).stem
    matches = [p for p in sorted(folder.glob("*.ipynb")) if p.stem == stem or p.stem.split("_")[0] == stem]
    if len(matches) != 1:
        known = ", ".join(p.stem for p in sorted(folder.glob("*.ipynb"))) or "none"
        raise NotebookError(f"no notebook called {name!r} in {folder}; there are: {known}")
    if Path(name).parent != Path() and Path(name).resolve() != matches[0].resolve():
        raise NotebookError(f"{name} is not one of the project's notebooks: copy it to {folder}")
    return load(matches[0])
