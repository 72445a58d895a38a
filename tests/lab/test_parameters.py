"""Parameters are refused before a kernel starts, with a sentence that says what to write instead."""

import papermill
import pytest

from wbme.base.errors import NotebookError, ParameterError
from wbme.lab import chain, notebook, parameters

CELL = """\
seed: int = 0  # seed of everything
rate: float = 1e-3  # learning rate
name: str = "x"  # a name
live: bool = False  # on or off
size: list[int] = [64, 64]  # height, width
"""


@pytest.fixture
def book(write_notebook):
    return notebook.load(write_notebook("41_train", CELL))


def test_defaults_and_overlay(book):
    got = parameters.resolve(book, {"rate": 2, "size": [1, 2]}, "test")
    assert got == {"seed": 0, "rate": 2.0, "name": "x", "live": False, "size": [1, 2]}
    assert isinstance(got["rate"], float)


def test_declared_is_what_papermill_sees(book):
    seen = papermill.inspect_notebook(book.path)
    own = parameters.declared(book)
    assert list(seen) == list(own)
    for name, parameter in own.items():
        assert (seen[name]["inferred_type_name"], seen[name]["help"]) == (parameter.type, parameter.help)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sead": 1}, ["41_train", "'sead'", "did you mean 'seed'?"]),
        ({"size": (64, 64)}, ["size must be list[int]", "[64, 64]"]),
        ({"size": "(64, 64)"}, ["size must be list[int]", "instead of a tuple"]),
        ({"rate": "1e-4"}, ["rate must be float", "YAML reads 1e-4 as text: write 1.0e-4"]),
        ({"rate": "fast"}, ["rate must be float", "'fast'"]),
        ({"live": "yes"}, ["live must be bool", "true or false"]),
        ({"live": 1}, ["live must be bool"]),
        ({"seed": 1.0}, ["seed must be int"]),
        ({"seed": True}, ["seed must be int"]),
        ({"rate": float("nan")}, ["rate must be a finite number"]),
        ({"rate": float("inf")}, ["rate must be a finite number"]),
        ({"name": b"\xff".decode("utf-8", "surrogateescape")}, ["name is not UTF-8"]),
        ({"name": 8}, ["name must be str", "quotes"]),
        ({"size": [1, "2"]}, ["size must be list[int]"]),
    ],
)
def test_refusals_say_what_where_and_what_to_do(book, given, words):
    with pytest.raises(ParameterError) as error:
        parameters.resolve(book, given, "exp.yaml")
    sentence = str(error.value)
    assert sentence.startswith("exp.yaml: ")
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("rate", "1e-4", 1e-4),
        ("seed", "7", 7),
        ("live", "True", True),
        ("name", "1e-4", "1e-4"),
        ("size", "[3, 4]", [3, 4]),
        ("size", "3,4", [3, 4]),
    ],
)
def test_typed_on_the_command_line(book, key, text, value):
    planned = chain.plan("41_train", typed=[(key, text)])
    assert planned.steps[0].params[key] == value


@pytest.mark.parametrize(
    ("key", "text"), [("size", "(3, 4)"), ("seed", "1e3"), ("rate", "nan"), ("live", "no"), ("sead", "1")]
)
def test_wrong_on_the_command_line(book, key, text):
    with pytest.raises(ParameterError, match=r"command line|-p"):
        chain.plan("41_train", typed=[(key, text)])


@pytest.mark.parametrize(
    "line", ["seed = 0", "seed: dict = {}", "seed: int = len([1])", "import os", "seed: int = '0'"]
)
def test_a_malformed_cell_is_named(write_notebook, line):
    book = notebook.load(write_notebook("41_train", line))
    with pytest.raises((NotebookError, ParameterError), match="parameters cell of 41_train"):
        parameters.declared(book)


def test_a_chain_file_with_a_decayed_float(project, book):
    path = project / "exp.yaml"
    path.write_text("name: a\nsteps:\n  - notebook: 41_train\n    params: {rate: 1e-4}\n")
    with pytest.raises(ParameterError, match=r"exp\.yaml: rate must be float.*write 1\.0e-4"):
        chain.plan(None, path)


def test_precedence_of_preset_chain_and_command_line(project, book):
    (project / "experiments/presets/demo.yaml").write_text("41_train: {seed: 1, rate: 0.1, name: p}\n")
    path = project / "exp.yaml"
    path.write_text("steps:\n  - notebook: 41_train\n    params: {rate: 0.2, name: c}\n")
    params = chain.plan(None, path, [("41_train.name", "t")]).steps[0].params
    assert (params["seed"], params["rate"], params["name"], params["live"]) == (1, 0.2, "t", False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps: []", "steps must be a list"),
        ("stepz: 1", "unknown key 'stepz'"),
        ("steps: [{notebok: 1}]", "step 1 must have notebook"),
        ("steps: [{notebook: 41_train, params: [1]}]", "params of step 1"),
        ("steps: [", "cannot be read as YAML"),
        ("steps: [{notebook: 41_train, params: {seed: 010}}]", "010 would be read as another number"),
        ("steps: [{notebook: 41_train, params: {seed: 1:30}}]", "1:30 would be read as another number"),
        ("steps: [{notebook: 41_train, params: {seed: 2024-99-99}}]", "cannot be read as YAML"),
        ("steps: [{notebook: 41_train, params: {seed: 1, seed: 2}}]", "'seed' stands there twice"),
        ("steps: [{notebook: 41_train, params: {1: 2}}]", "params of step 1"),
        ("steps: [{notebook: 41_train}]\npromote: 'no'", "promote true or false"),
        ("steps: [{notebook: 41_train}]\nname: my chain", "'my chain' cannot name a chain"),
        ("steps: [{notebook: 41_train}]\nname: interactive", "cannot name a chain"),
        ("steps: !!python/object/apply:os.system [ls]", "cannot be read as YAML"),
        ("{1: 2, foo: 3}", "must hold 'name: value' lines"),
        ("- a", "must hold 'name: value' lines"),
        ("steps: [{notebook: nope}]", "no notebook called 'nope'"),
    ],
)
def test_a_malformed_chain_is_one_sentence(project, book, text, words):
    path = project / "exp.yaml"
    path.write_text(text)
    with pytest.raises((chain.ExperimentError, NotebookError), match=words.replace("(", r"\(")):
        chain.plan(None, path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("41_trian: {seed: 1}", "no notebook called '41_trian'"),
        ("41_train: {sead: 1}", "did you mean 'seed'"),
        ("41_train: 3", "must hold 'name: value' lines"),
    ],
)
def test_a_preset_is_as_strict(project, book, text, words):
    (project / "experiments/presets/demo.yaml").write_text(text)
    with pytest.raises((chain.ExperimentError, NotebookError, ParameterError), match=words):
        chain.plan("41_train")


def test_a_preset_may_name_the_number_in_quotes(project, book):
    (project / "experiments/presets/demo.yaml").write_text("'41': {seed: 9}")
    assert chain.plan("41_train").steps[0].params["seed"] == 9


def test_a_notebook_without_its_table_is_refused_before_it_runs(project, book):
    text = book.path.read_text().replace("| reads |", "| takes |")
    book.path.write_text(text)
    with pytest.raises(NotebookError, match="does not say what it reads"):
        chain.plan("41_train")


def test_a_notebook_elsewhere_is_not_mistaken_for_the_projects_own(project, book):
    with pytest.raises(NotebookError, match="is not one of the project's notebooks"):
        chain.plan("elsewhere/41_train.ipynb")
