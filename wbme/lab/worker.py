"""The process of one step: ``python -m wbme.lab.worker FOLDER PARENT`` executes its notebook by papermill.

A process of its own, because papermill changes the working directory of the whole process and
because two kernels started by one process race for ports.
"""

import sys
import time
from pathlib import Path
from typing import Any

# Papermill's jsonschema would compile a grammar of web addresses, three seconds that no notebook needs.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import papermill  # noqa: E402
from papermill.engines import NBClientEngine, papermill_engines  # noqa: E402
from papermill.exceptions import PapermillExecutionError  # noqa: E402

from wbme.base.paths import project_root  # noqa: E402
from wbme.lab import notebook, record  # noqa: E402
from wbme.lab.parent import die_with_parent  # noqa: E402
from wbme.lab.progress import say  # noqa: E402

_START_SECONDS = 300  # papermill gives a kernel 60, which a busy machine passes
# Jupyter chooses a kernel's ports before the kernel takes them: what starts beside it may have one by then.
_STARTS, _UNSTARTED = 3, "Kernel died before replying to kernel_info"


class _Telling(NBClientEngine):
    """Papermill's own engine, telling which cell it is at."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        folder = Path(nb_man.output_path).parent
        original = nb_man.cell_start
        total = len(nb_man.nb.cells)

        def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> None:
            original(cell, cell_index, **more)
            if cell.cell_type == "code":
                say(folder, cell=(cell_index or 0) + 1, of=total)

        nb_man.cell_start = cell_start
        super().execute_managed_notebook(nb_man, kernel_name, **options)


def execute(folder: Path, cell_seconds: int | None) -> None:
    """Run the notebook of a run folder; ``run.json`` says at the end what became of it."""
    written = record.read(folder)
    found = notebook.find(written["notebook"])
    papermill_engines.register("wbme", _Telling)
    for start in range(1, _STARTS + 1):
        try:
            _run(found.path, folder, written["parameters"], cell_seconds)
        except PapermillExecutionError as error:
            message = " ".join(f"{error.ename}: {error.evalue}".split())
            _failed(folder, {"cell": error.cell_index + 1, "message": message})
        except Exception as error:
            if start < _STARTS and _UNSTARTED in str(error):
                continue
            if record.read(folder)["status"] == "running":  # a kernel may also die after its work is done
                _failed(folder, {"message": " ".join(f"{type(error).__name__}: {error}".split())[:500]})
        break
    if record.read(folder)["status"] == "running":
        _failed(folder, {"message": "the notebook ended without run.finish(): make it the last cell"})


def _run(path: Path, folder: Path, parameters: dict[str, Any], cell_seconds: int | None) -> None:
    papermill.execute_notebook(
        _unformatted(path),
        _unformatted(folder / "notebook.ipynb"),
        parameters=parameters,
        engine_name="wbme",
        kernel_name="python3",
        cwd=str(project_root()),
        progress_bar=False,
        stdout_file=sys.stdout,
        stderr_file=sys.stderr,
        start_timeout=_START_SECONDS,
        execution_timeout=cell_seconds,
    )


def _unformatted(path: Path) -> str:
    """Papermill fills braces in paths with parameters: double them."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _failed(folder: Path, error: dict[str, Any]) -> None:
    record.update(folder, status="failed", ended=time.time(), error=error)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[2]))
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else None
    execute(Path(sys.argv[1]), limit)
