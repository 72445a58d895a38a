"""Every notebook keeps the rules of the house, and the whole series runs through the run contract."""

import ast
import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from wbme.lab import chain, notebook, parameters, record, refs

ROOT = Path(__file__).parents[1]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)


def code_cells(path):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def test_there_are_notebooks_and_the_series_runs_them_all_in_order():
    steps = [step.notebook.path for step in chain.plan("series", preset="smoke").steps]
    assert steps == PATHS
    assert len(steps) >= 3


@each
def test_form(path):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    cells = code_cells(path)
    assert len(book.cells) <= 45
    # A parameter is a line of text for whoever turns it, so that their cell may be longer than one of code.
    limits = [40 if "parameters" in c.metadata.get("tags", []) else 30 for c in cells]
    assert all(len(c.source.splitlines()) <= most for c, most in zip(cells, limits, strict=True))
    assert sum(len(c.source.splitlines()) for c in cells) <= 200
    assert book.cells[0].cell_type == "markdown"
    assert book.cells[0].source.startswith("# ")
    assert "?" in book.cells[0].source
    assert not any(c.outputs or c.execution_count for c in cells)
    assert set(book.metadata) <= {"kernelspec"}
    assert cells[-1].source.strip().endswith("run.finish()")


@each
def test_code_is_thin(path):
    begins = 0
    for cell in code_cells(path):
        assert "%" not in [line.strip()[:1] for line in cell.source.splitlines()], "no magics"
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.ClassDef), "classes live in the package"
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 10, f"{node.name} is over ten lines"
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.match(r"/\w|~|[A-Z]:", node.value), "no absolute path"
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "lab.begin":
                begins += 1
                assert node.args[0].value == path.stem
        if "lab.explore(" in cell.source or "lab.select(" in cell.source:
            assert "interactive" in cell.metadata.get("tags", [])
    assert begins == 1


@each
def test_parameters_are_what_papermill_sees(path):
    own = parameters.declared(notebook.load(path))
    seen = papermill.inspect_notebook(path)
    assert {n: (p.type, p.help) for n, p in own.items()} == {
        n: (p["inferred_type_name"], p["help"]) for n, p in seen.items()
    }
    assert own["seed"].type == "int"
    assert all(p.help for p in own.values())


def test_no_notebook_reads_what_a_higher_number_publishes_and_no_name_has_two_makers():
    books = [notebook.load(p) for p in PATHS]
    maker = {"sweep/*": "wbme sweep"}
    for book in books:
        for wanted in book.reads:
            # Its own kind too: a training may start from what an earlier one published.
            known = [*maker, *book.publishes]
            assert any(fnmatch.fnmatchcase(made, wanted) or made == wanted for made in known), (
                book.name,
                wanted,
            )
        for made in book.publishes:
            assert made not in maker, f"{made} is published by {maker.get(made)} and {book.name}"
            maker[made] = book.name


@pytest.mark.notebooks
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_series_at_smoke_then_reused_then_without_the_launcher(tmp_path, monkeypatch):
    monkeypatch.setenv("WBME_HOME", str(tmp_path / "workspace"))
    command = [sys.executable, "-m", "wbme", "run", "--all", "--preset", "smoke", "--timeout", "120"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(PATHS)} run, 0 reused" in done.stdout
    assert "Pictures to look at:" in done.stdout
    for path in PATHS:
        [(folder, run)] = record.history(path.stem)
        assert run["status"] == "completed"
        executed = nbformat.read(folder / "notebook.ipynb", as_version=4)
        assert not [o for c in executed.cells for o in c.get("outputs", []) if o.output_type == "error"]
        book = notebook.load(path)
        declared = set(book.publishes) - set(book.optional)
        made = {refs.parse(n)[0] for n in run["outputs"]}
        assert all(fnmatch.filter(made, pattern) for pattern in declared)
        assert all(refs.read(n) for n in made), "the series promotes"
        assert all(
            (folder / "figures" / n).stat().st_size > 500 for n in run["figures"] if n.endswith(".png")
        )
        for table in (folder / "tables").glob("*.md"):
            assert "\nData: " in table.read_text(), f"{table.name} does not say its data"

    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    runs = sorted((run for _, run in record.everything()), key=lambda run: run["notebook"])
    anew: set[str] = set()  # what measures time, and what reads of it
    for run in runs:
        makers = {str(i["run"]).split("/")[0] for i in run["inputs"].values()}
        if run["measures_time"] or makers & anew:
            anew.add(run["notebook"])
    assert anew == {"00_tour", "14_background", "60_export_profile", "90_paper_figures"}
    assert f"{len(anew)} run, {len(PATHS) - len(anew)} reused" in again.stdout

    out = tmp_path / "out.ipynb"
    last = PATHS[-1]
    alone = [sys.executable, "-m", "papermill", str(last), str(out), "--no-progress-bar"]
    subprocess.run(
        alone, cwd=ROOT, env={**os.environ, "WBME_PROJECT": str(ROOT)}, check=True, capture_output=True
    )
    assert json.loads(out.read_text())["cells"]
