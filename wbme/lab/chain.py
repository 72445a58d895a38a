"""Experiment files: chains of notebook steps with their parameters, and presets.

experiments/run/NAME.yaml       name, preset, promote, steps: [{notebook, params}]
experiments/presets/NAME.yaml   {notebook: {parameter: value}}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wbme.base import yamlfile
from wbme.base.errors import ExperimentError, ParameterError
from wbme.base.paths import project_root
from wbme.lab import notebook as notebooks
from wbme.lab import parameters, refs
from wbme.lab.notebook import Notebook

_KEYS = {"name", "preset", "promote", "steps"}


@dataclass(frozen=True)
class Step:
    """One notebook of a chain with its full, checked set of parameters."""

    notebook: Notebook
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Chain:
    """``name`` is also the scope of the refs that its steps publish."""

    name: str
    preset: str
    steps: tuple[Step, ...]
    promote: bool = False


@dataclass(frozen=True)
class _Draft:
    name: str
    preset: str | None = None
    promote: bool = False
    steps: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    where: str = "command line"


def plan(
    target: str | None,
    file: Path | None = None,
    typed: list[tuple[str, str]] | None = None,
    preset: str | None = None,
    scope: str | None = None,
) -> Chain:
    """What ``wbme run TARGET [-f FILE] [-p KEY VALUE] [--preset NAME] [--scope NAME]`` means, fully checked.

    TARGET is a chain of ``experiments/run/`` or a notebook; FILE is a chain of the user's; ``scope`` renames
    it. Later wins: the notebook's defaults, preset, the chain's params, ``-p``. ParameterError,
    ExperimentError or NotebookError before anything runs.
    """
    draft = _draft(target, file)
    draft = replace(draft, name=scope) if scope else draft
    if not refs.is_scope(draft.name) or draft.name == refs.INTERACTIVE:
        raise ExperimentError(
            f"{draft.where}: {draft.name!r} cannot name a chain: use letters, digits, '.', '_' and '-', "
            f"but not {refs.INTERACTIVE!r}"
        )
    chosen = preset or draft.preset or "demo"
    given = load_preset(chosen)
    steps = []
    for name, params in draft.steps:
        found = notebooks.find(name)
        found.reads, found.publishes  # noqa: B018  a missing opening table is said now, not after the work
        base = given.get(found.name, {})
        parameters.resolve(found, base, f"experiments/presets/{chosen}.yaml")
        parameters.resolve(found, params, draft.where)
        steps.append((found, {**base, **params}))
    for key, text in typed or []:
        _type_in(steps, key, text)
    checked = tuple(Step(n, parameters.resolve(n, p, draft.where)) for n, p in steps)
    return Chain(draft.name, chosen, checked, draft.promote)


def _draft(target: str | None, file: Path | None) -> _Draft:
    if file is not None:
        draft = read(file)
        if target is None:
            return draft
        wanted = notebooks.find(target).name
        kept = [s for s in draft.steps if notebooks.find(s[0]).name == wanted]
        if not kept:
            raise ExperimentError(f"{file} has no step {wanted}")
        return replace(draft, steps=kept)
    if target is None:
        raise ExperimentError("nothing to run: name a notebook or a chain, or give --all or -f FILE")
    known = project_root() / "experiments" / "run" / f"{target}.yaml"
    if known.is_file():
        return read(known)
    found = notebooks.find(target)
    return _Draft(found.name, steps=[(found.name, {})])


def read(path: Path) -> _Draft:
    """A chain file; ExperimentError names the first thing that is wrong with it."""
    content = yamlfile.load(path, ExperimentError)
    unknown = set(content) - _KEYS - {"publish"}
    if unknown:
        raise ExperimentError(
            f"{path}: unknown key {sorted(unknown)[0]!r}; a chain has {', '.join(sorted(_KEYS))}"
        )
    steps = content.get("steps")
    if not isinstance(steps, list) or not steps:
        raise ExperimentError(f"{path}: steps must be a list of {{notebook: NAME, params: {{...}}}}")
    parsed = []
    for number, step in enumerate(steps, 1):
        if not isinstance(step, dict) or "notebook" not in step or set(step) - {"notebook", "params"}:
            raise ExperimentError(
                f"{path}: step {number} must have notebook and, if wanted, params; it is {step!r}"
            )
        params = step.get("params") or {}
        if not isinstance(params, dict) or not all(isinstance(key, str) for key in params):
            raise ExperimentError(f"{path}: params of step {number} must be 'name: value' lines")
        parsed.append((str(step["notebook"]), params))
    name, preset, promote = (
        content.get("name", path.stem),
        content.get("preset"),
        content.get("promote", False),
    )
    if not isinstance(name, str) or not isinstance(preset, str | None) or not isinstance(promote, bool):
        raise ExperimentError(f"{path}: name and preset must be words, promote true or false")
    return _Draft(name, preset, promote, parsed, str(path))


def load_preset(name: str) -> dict[str, dict[str, Any]]:
    """``experiments/presets/NAME.yaml``: parameters by notebook. ExperimentError when there is none."""
    folder = project_root() / "experiments" / "presets"
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise ExperimentError(f"no preset {name!r} in {folder}; there are: {known}")
    found = {}
    for key, params in yamlfile.load(path, ExperimentError).items():
        if not isinstance(params, dict | None):
            raise ExperimentError(f"{path}: {key} must hold 'name: value' lines, not {params!r}")
        found[notebooks.find(key).name] = params or {}
    return found


def _type_in(steps: list[tuple[Notebook, dict[str, Any]]], key: str, text: str) -> None:
    """Put ``-p KEY TEXT`` into every step that has KEY; ``NOTEBOOK.KEY`` names one step."""
    prefix, _, bare = key.rpartition(".")
    hit = False
    for found, params in steps:
        if prefix and notebooks.find(prefix).name != found.name:
            continue
        known = parameters.declared(found)
        if bare in known:
            params[bare] = parameters.from_text(known[bare], text, f"-p {key} {text}")
            hit = True
    if hit:
        return
    if len(steps) == 1:
        parameters.resolve(steps[0][0], {bare: text}, "command line")
    raise ParameterError(f"command line: no step of this chain has a parameter {key!r}")
