"""The files that describe the project agree: pyproject, lock, environment.yml, wheel, CI, citation."""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import wbme

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
LOCK_LINES = (ROOT / "requirements.lock").read_text().splitlines()
LOCK = {canonicalize_name(name): version for name, version in (line.split("==") for line in LOCK_LINES)}


def extra(name: str) -> list[Requirement]:
    """The requirements of an extra, with those of the extras it names."""
    found: list[Requirement] = []
    for line in map(Requirement, PROJECT["optional-dependencies"][name]):
        found += [r for inner in line.extras for r in extra(inner)] if line.name == "wbme" else [line]
    return found


ALL = [*map(Requirement, PROJECT["dependencies"]), *extra("all")]


def test_lock_lines_are_name_and_version():
    assert all(re.fullmatch(r"[A-Za-z0-9][\w.-]*==[\w.]+", line) for line in LOCK_LINES)
    names = [canonicalize_name(line.split("==")[0]) for line in LOCK_LINES]
    assert names == sorted(set(names))


def test_the_lock_satisfies_every_requirement():
    unmet = [str(r) for r in ALL if not r.specifier.contains(LOCK.get(canonicalize_name(r.name), "0"))]
    assert unmet == []


def test_the_lock_is_good_for_the_python_of_debian_12():
    """Debian 12 has 3.11.2, and a release of 3.11 for 'new enough patches only' would not install there."""
    asked = {n: metadata.metadata(n)["Requires-Python"] for n, v in LOCK.items() if _installed(n) == v}
    assert asked and {n: r for n, r in asked.items() if r and not SpecifierSet(r).contains("3.11.2")} == {}


def test_the_licence_bound_tensorrt_is_not_in_the_lock():
    assert "tensorrt" not in LOCK and "tensorrt-rtx-cu13" in LOCK
    assert "tensorrt" not in {r.name for r in ALL}


def test_the_lock_is_the_closure_of_extra_all():
    """Walks the metadata of what is installed: nothing that is needed is missing, nothing is superfluous."""
    different = {n: v for n, v in LOCK.items() if _installed(n) != v}
    if different:
        pytest.skip(f"this environment is not the lock's: {', '.join(sorted(different)[:5])} ...")
    todo, seen, names = list(ALL), set(), set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        names.add(name)
        assert wanted.specifier.contains(LOCK[name], prereleases=True), f"{wanted} is not met by {LOCK[name]}"
        for line in map(Requirement, metadata.requires(name) or []):
            if not line.marker or any(line.marker.evaluate({"extra": e}) for e in ("", *wanted.extras)):
                todo.append(line)
    assert names == set(LOCK)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def conda_lines() -> list[str]:
    lines = ENVIRONMENT["dependencies"]
    return [line for line in lines if isinstance(line, str)] + next(
        d["pip"] for d in lines if isinstance(d, dict)
    )


def test_environment_yml_says_the_same_as_pyproject():
    """Names, ranges and markers, both ways; tensorrt, which the lock leaves out, included."""
    ours = {str(r) for r in [*ALL, *extra("tensorrt")]}
    theirs = {str(Requirement(line)) for line in conda_lines() if not line.startswith("-e")}
    python = f"python{PROJECT['requires-python']}"
    assert theirs - ours == {python, "pip"}
    assert ours - theirs == set()
    assert ENVIRONMENT["channels"] == ["conda-forge"] and "-e ." in conda_lines()


def test_every_dependency_of_environment_yml_says_why():
    lines = (ROOT / "environment.yml").read_text().split("dependencies:\n")[1].splitlines()
    silent = [line for line in lines if not re.search(r"  # \S+", line) and line.strip() != "- pip:"]
    assert silent == []


def test_the_command_line_of_ci_is_the_contributors_own():
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["test"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert job["timeout-minutes"] == 90


def recipe(target: str) -> list[str]:
    """What make would run; the make that runs these tests must not colour the answer."""
    outside = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.check_output(["make", "-n", target], cwd=ROOT, text=True, env=outside).splitlines()


def test_make_test_sets_up_first_and_ends_with_all_tests():
    lines = recipe("test")
    assert "setup.py --tests" in lines[0]
    # All of them: no path, and nothing left out by a mark or an expression.
    assert lines[-1].partition("-m pytest ")[2] == "-n 2 --dist loadfile --no-loadscope-reorder"
    assert [
        word
        for word in ("ruff check", "ruff format", "lint-imports", "mypy", "nbstripout")
        if word not in str(lines)
    ] == []


def test_make_alone_lists_the_targets():
    said = subprocess.check_output(["make"], cwd=ROOT, text=True)
    assert all(f"make {target}" in said for target in ("run", "lab", "test", "check"))


def test_make_run_is_the_main_job():
    assert recipe("run")[-1].endswith("-m wbme run --all --preset demo")


def test_without_a_fit_python_one_sentence_is_said():
    done = subprocess.run(["make", "setup", "PYTHON="], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode and "wbme needs Python 3.11 or newer" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_licence_and_citation():
    licence = (ROOT / "LICENSE").read_bytes()
    assert hashlib.md5(licence, usedforsecurity=False).hexdigest() == "3b83ef96387f14655fc854ddc3c6bd57"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == wbme.__version__
    assert citation["license"] == PROJECT["license"] == "Apache-2.0"


@pytest.mark.slow
def test_the_wheel_carries_the_project(tmp_path):
    """Installed from its wheel alone, wbme still has its notebooks, experiments, data files and command."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), "."]
    subprocess.run(build, cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    members = zipfile.ZipFile(wheel).namelist()
    for part in ("notebooks", "experiments"):
        ours = {p.relative_to(ROOT).as_posix() for p in (ROOT / part).rglob("*") if p.is_file()}
        assert {f"wbme/_project/{name}" for name in ours if ".ipynb_checkpoints" not in name} <= set(members)
    assert (
        "wbme/base/assets.json" in members
        and f"wbme-{wbme.__version__}.dist-info/entry_points.txt" in members
    )
    assert not [name for name in members if name.startswith(("tests/", "workspace/")) or ".venv" in name]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    start = "from pathlib import Path; from wbme.cli.init import init; init(Path('mine'))"
    subprocess.run(
        [sys.executable, "-c", start], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")}, check=True
    )
    assert (tmp_path / "mine" / ".gitignore").exists()
    assert sorted(p.name for p in (tmp_path / "mine" / "notebooks").iterdir()) == sorted(
        Path(name).name for name in members if "/notebooks/" in name
    )
