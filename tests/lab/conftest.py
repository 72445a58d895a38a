"""A small project of its own: notebooks written by the test, a workspace that nobody else uses."""

import os
import subprocess

import nbformat
import pytest

HEAD = "# {name}\n\nA question?\n\n| reads | publishes |\n|---|---|\n| {reads} | {publishes} |"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Folder of an empty project; the current one, and with WBME_HOME inside."""
    for part in ("notebooks", "experiments/run", "experiments/presets"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "experiments/presets/demo.yaml").write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WBME_PROJECT", str(tmp_path))
    monkeypatch.setenv("WBME_HOME", str(tmp_path / "workspace"))
    monkeypatch.delenv("WBME_RUN", raising=False)
    return tmp_path


@pytest.fixture
def write_notebook(project):
    """write_notebook(name, parameters, *cells, reads=..., publishes=...) -> path of a real notebook."""

    def write(name, parameters, *cells, reads="-", publishes="-", finish=True):
        book = nbformat.v4.new_notebook()
        book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        tagged = nbformat.v4.new_code_cell(parameters)
        tagged.metadata.tags = ["parameters"]
        begin = f'from wbme import lab\n\nrun = lab.begin("{name}", globals())'
        sources = [begin, *cells, *(["run.finish()"] if finish else [])]
        book.cells = [
            nbformat.v4.new_markdown_cell(HEAD.format(name=name, reads=reads, publishes=publishes)),
            tagged,
            *(nbformat.v4.new_code_cell(source) for source in sources),
        ]
        path = project / "notebooks" / f"{name}.ipynb"
        nbformat.write(book, path)
        return path

    return write


@pytest.fixture
def small_disk(project, monkeypatch):
    """A disk of 600 kB, the workspace of this test and of what it starts."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = project / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], check=False).returncode:
        pytest.skip("this system does not let us mount a small disk")
    try:
        monkeypatch.setenv("WBME_HOME", str(disk))
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)
