"""The command line: light to start, one sentence for an error, three words for a parameter."""

import subprocess
import sys
from pathlib import Path

import pytest

from wbme.cli import joined

ROOT = Path(__file__).parents[2]


def wbme(*words, cwd=ROOT):
    command = [sys.executable, "-m", "wbme", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_help_lists_the_commands_and_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['wbme', '--help']\n"
        "from wbme.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    for command in ("run", "explore", "stylize", "trace", "report", "doctor", "assets", "init"):
        assert f"\n  {command} " in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {"numpy", "torch", "matplotlib", "pandas", "papermill", "openvino", "IPython", "pydantic", "cv2"}
    assert loaded & heavy == set()


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (["run", "x", "-p", "a", "1"], ["run", "x", "-p", "a=1"]),
        (["-p", "a=1", "-p", "b", "[1, 2]", "--force"], ["-p", "a=1", "-p", "b=[1, 2]", "--force"]),
        (["-p", "a", "-3"], ["-p", "a=-3"]),
        (["-p"], ["-p"]),
    ],
)
def test_three_words_for_a_parameter(words, done):
    assert joined(words) == done


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "nope"], "no notebook called 'nope'"),
        (["run"], "nothing to run: name a notebook or a chain"),
        (["run", "00", "-p", "sead", "1"], "00_tour has no parameter 'sead'; did you mean 'seed'?"),
        (["run", "00", "-p", "seed", "(1, 2)"], "seed must be int"),
        (["run", "00", "--preset", "huge"], "no preset 'huge'"),
        (["run", "-f", "nowhere.yaml"], "cannot read nowhere.yaml"),
        (["explore", "60"], "60_export_profile has no cell tagged 'interactive' and so nothing to turn"),
        (["explore", "30", "-p", "sead", "1"], "30_skin_distributions has no parameter 'sead'"),
        (["trace", "README.md"], "no run and no report knows README.md"),
        (["trace", "nowhere.png"], "nowhere.png is not a file"),
    ],
)
def test_an_error_is_one_sentence_on_stderr(home, words, sentence):
    done = wbme(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("wbme: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_outside_a_project_the_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("WBME_HOME", raising=False)
    done = wbme("run", "00", cwd=tmp_path)
    assert done.returncode == 2
    assert "wbme init FOLDER" in done.stderr


def test_list_shows_every_notebook_with_its_parameters():
    done = wbme("run", "--list")
    assert done.returncode == 0
    assert "00_tour  A tour of the workbench" in done.stdout
    assert "seed: int = 0" in done.stdout


def test_reports_are_as_published():
    done = wbme("report", "--check")
    assert done.stdout.splitlines()[-1] == "reports/ is as it was published", done.stdout
    assert done.returncode == 0
