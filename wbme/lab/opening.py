"""The first line of every notebook: ``run = lab.begin("30_skin_distributions", globals())``."""

import ast
import os
import sys
from pathlib import Path
from typing import Any

from wbme.base.errors import NotebookError, ParameterError
from wbme.base.seeds import seed_everything
from wbme.lab import machine, parameters, record, refs
from wbme.lab.notebook import Notebook, find
from wbme.lab.session import Run

_current: list[Run] = []


def begin(name: str, values: dict[str, Any], measures_time: bool = False) -> Run:
    """Open the run of notebook ``name`` with the parameters found in ``values`` (the notebook's globals).

    Validates every parameter again, seeds from ``seed`` where there is one, and records what the
    result will depend on. A notebook that ``measures_time`` is never reused by the launcher.
    Raises ParameterError for an unknown or mistyped parameter.
    """
    _hush()
    notebook = find(name)
    known = parameters.declared(notebook)
    where = f"parameters of {notebook.name}"
    _refuse_unknown(values, known, where)
    given = {n: values[n] for n in known if n in values}
    settled = parameters.resolve(notebook, given, where)
    while _current:
        if not _current[-1].moves:
            raise NotebookError("lab.begin was called twice: once is enough, as the first statement")
        _current.pop().abandon()
    folder, scope = _folder(notebook, settled)
    record.update(
        folder,
        process=record.this_process(),
        versions=machine.versions(),
        device=machine.device(),
        git=machine.git(),
        seed=settled.get("seed"),
        measures_time=measures_time,
    )
    if isinstance(settled.get("seed"), int):
        seed_everything(settled["seed"])
    # A launcher moves names when the whole notebook has come to its end, and who visits a page only looks.
    moves = not (record.read(folder)["launched"] or os.environ.get("WBME_PAGE") == "1")
    run = Run(notebook, folder, scope, moves=moves, interactive=not _in_batch())
    _current.append(run)
    return run


def _folder(notebook: Notebook, settled: dict[str, Any]) -> tuple[Path, str | None]:
    """The launcher's run folder when it started this kernel, else a new one."""
    launched = os.environ.pop("WBME_RUN", None)
    if launched is None:
        content = {"notebook_sha256": notebook.sha256, "parameters": settled, "scope": refs.INTERACTIVE}
        return record.create(notebook.name, {**content, "launched": False}), refs.INTERACTIVE
    folder = Path(launched)
    written = record.read(folder)
    if written["notebook"] != notebook.name:
        raise NotebookError(
            f"{written['notebook']} calls lab.begin with the name {notebook.name}: use its own"
        )
    if written["notebook_sha256"] != notebook.sha256:
        raise NotebookError(f"{notebook.name} was changed after its chain had been planned: start it again")
    if written["parameters"] != settled:
        raise ParameterError(
            f"the parameters that reached {notebook.name} are not those of {folder / 'run.json'}: "
            "do not assign parameters between the parameters cell and lab.begin"
        )
    return folder, written.get("scope")


def _refuse_unknown(values: dict[str, Any], known: dict[str, parameters.Parameter], where: str) -> None:
    """Papermill injects unknown names silently: read them from the cell that it injected."""
    for cell in values.get("In", ()):
        if not cell.startswith("# Parameters\n"):
            continue
        for node in ast.parse(cell).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                if isinstance(target, ast.Name) and target.id not in known:
                    raise ParameterError(
                        f"{where}: no parameter {target.id!r}; there are: {', '.join(known)}"
                    )


def _hush() -> None:
    """Show an error of ours in a notebook as its sentence, without a traceback."""
    from wbme.base.errors import WbmeError

    try:
        shell = get_ipython()  # type: ignore[name-defined]
    except NameError:
        return

    def show(shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: Any = None) -> list[str]:
        sentence = [f"{kind.__name__}: {error}"]
        shell._showtraceback(kind, error, sentence)
        return sentence

    shell.set_custom_exc((WbmeError,), show)


def _in_batch() -> bool:
    """True under the launcher, papermill or nbclient; False in JupyterLab, where a session has a name, and
    under Voila, which names itself."""
    forced = os.environ.get("WBME_INTERACTIVE")
    if forced in ("0", "1"):
        return forced == "0"
    watched = "JPY_SESSION_NAME" in os.environ or os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")
    return "ipykernel" not in sys.modules or not watched
