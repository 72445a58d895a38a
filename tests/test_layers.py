"""The rules of the house: layers, one door to each heavy library, thin files, nothing unused, a tidy top."""

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "wbme").rglob("*.py"))
WORDS = {
    "heavy": "clearml wandb papermill fastai diffusers ipywidgets openvino onnxruntime tensorrt tensorrt_rtx "
    "nncf ray aiortc moderngl voila",
    "slow": "torch cv2 numpy scipy pandas matplotlib skimage PIL av onnx nbformat jupyter_client",
    "top": "README.md environment.yml notebooks wbme experiments reports tests pyproject.toml "
    "requirements.lock Makefile LICENSE CHANGELOG.md CITATION.cff CONTRIBUTING.md .ci .github",
}
HEAVY, SLOW, TOP = (set(words.split()) for words in WORDS.values())
DOTFILES = {".gitignore", ".gitattributes", ".editorconfig", ".pre-commit-config.yaml"}
# Called by no line of ours: libraries call them by name.
CALLED_FROM_OUTSIDE = {"execute_managed_notebook", "construct_mapping"}


def room(path: Path) -> str:
    return path.relative_to(ROOT / "wbme").parts[0]


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of all that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def code_lines(source: str) -> int:
    """Lines that hold code: no blanks, comments or docstrings."""
    lines: set[int] = set()
    blank = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in blank:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_the_layers_of_the_design():
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout)


def test_a_heavy_library_has_one_door_a_room():
    doors = defaultdict(list)
    for path in FILES:
        for library in imported(ast.parse(path.read_text())) & HEAVY:
            doors[room(path), library].append(short(path))
    assert {key: files for key, files in doors.items() if len(files) > 1} == {}


def test_only_lab_knows_trackers():
    reached = [
        short(p)
        for p in FILES
        if room(p) != "lab" and imported(ast.parse(p.read_text())) & {"clearml", "wandb"}
    ]
    assert reached == []


def test_no_file_is_long():
    lengths = {short(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_the_package_is_thin():
    """The renderer of people, which draws bodies, hair, clothes and lines, and the run contract with its
    trackers, sweeps and schedules are counted by themselves."""
    lines = defaultdict(int)
    for path in FILES:
        lines[room(path) if room(path) in ("people", "lab") else "the rest"] += code_lines(path.read_text())
    assert lines["people"] < 7_000 and lines["lab"] < 5_500 and lines["the rest"] < 19_500, dict(lines)


def test_code_lines_leave_out_comments_docstrings_and_blanks():
    assert (
        code_lines(
            '"""Doc\n\nstring."""\n\n# why\nx = """a\nb"""\n\ndef f():\n    """Doc."""\n    return x\n'
        )
        == 4
    )


def test_the_top_level_is_tidy():
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    files = done.stdout.splitlines()
    assert {name.split("/")[0] for name in files} - TOP - DOTFILES == set()
    assert [name for name in files if name.startswith(".ci/")] == [".ci/run"]
    assert [name for name in files if name.startswith(".github/")] == [".github/workflows/ci.yml"]


def loaded_by(statement: str) -> set[str]:
    """Top-level modules in memory after ``statement``, in a process of its own."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps([m for m in sys.modules if '.' not in m]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_base_needs_little_more_than_the_standard_library():
    """NumPy for seeds; everything else waits for the function that needs it."""
    modules = [f"wbme.base.{p.stem}" for p in (ROOT / "wbme" / "base").glob("*.py") if p.stem != "__init__"]
    light = {"numpy", "wbme"} | set(sys.stdlib_module_names)
    loaded = loaded_by(f"import {', '.join(modules)}") - loaded_by("")
    assert "wbme" in loaded and loaded & set(metadata.packages_distributions()) - light == set()


def test_the_command_starts_light():
    assert loaded_by("from wbme.cli import application; application()") & (HEAVY | SLOW) == set()


class Names(ast.NodeVisitor):
    """Public functions, classes and methods that a file defines, and the names it uses outside their body."""

    def __init__(self) -> None:
        self.defined: set[str] = set()
        self.used: set[str] = set()
        self.inside: list[str] = []

    def visit_def(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        if not node.name.startswith("_"):
            nested = any(name.islower() for name in self.inside)  # a function inside a function
            if not nested:
                self.defined.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
            if "command" in ast.unparse(decorator) or "callback" in ast.unparse(decorator):
                self.used.add(node.name)
        self.inside.append(node.name)
        for field, value in ast.iter_fields(node):
            if field != "decorator_list":
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self.visit(child)
        self.inside.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_def

    def use(self, name: str) -> None:
        if name not in self.inside:
            self.used.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        self.use(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.use(node.attr)
        self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if self.reexports:
            return  # a room's __init__ that passes a name on does not use it
        for alias in node.names:
            self.use(alias.name)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and re.fullmatch(r"wbme[.\w]*:\w+", node.value):
            self.use(node.value.split(":")[1])  # a class named for importlib

    def read(self, source: str, reexports: bool = False) -> "Names":
        self.reexports = reexports
        self.visit(ast.parse(source))
        return self


def notebook_code(path: Path) -> str:
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    return "\n".join(re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in lines)


def test_no_public_function_is_unused():
    """A name counts as used when a notebook, a command or another function names it; tests do not count."""
    defined, used = {}, set(CALLED_FROM_OUTSIDE)
    for path in FILES:
        names = Names().read(path.read_text(), reexports=path.name == "__init__.py" and room(path) != "cli")
        defined |= dict.fromkeys(names.defined, short(path))
        used |= names.used
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        used |= Names().read(notebook_code(path)).used
    unused = [f"{file}: {name}" for name, file in defined.items() if name not in used]
    assert not unused, "\n".join(unused)
