"""Experiment files: chains of notebook steps with their parameters, and presets.

experiments/run/NAME.yaml       name, preset, promote, steps: [{notebook, params, as}]
experiments/presets/NAME.yaml   {notebook: {parameter: value}}

A notebook that stands twice in a chain gets a name of its own with ``as``, so that its parameters can be told
apart: ``NOTEBOOK.parameter`` then means the step without such a name, ``NAME.parameter`` the one with it.
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
_TAKEN = (refs.INTERACTIVE, refs.PROMOTED)


@dataclass(frozen=True)
class Step:
    """One notebook of a chain with its full, checked set of parameters; ``alias`` is its ``as``, or empty."""

    notebook: Notebook
    params: Mapping[str, Any]
    alias: str = ""

    @property
    def name(self) -> str:
        """What tells it apart from the other steps of its chain."""
        return self.alias or self.notebook.name


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
    steps: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
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
    return _settled(draft, typed or [], preset)


def from_steps(name: str, steps: Any, preset: str | None, where: str) -> Chain:
    """The chain of ``steps`` as a chain file writes them, fully checked like ``plan``; ``where`` is named in
    its sentences."""
    return _settled(_Draft(name, preset, False, _steps(steps, where), where), [], None)


def _settled(draft: _Draft, typed: list[tuple[str, str]], preset: str | None) -> Chain:
    if not refs.is_scope(draft.name) or draft.name in _TAKEN:
        raise ExperimentError(
            f"{draft.where}: {draft.name!r} cannot name a chain: use letters, digits, '.', '_' and '-', "
            f"but not {' or '.join(map(repr, _TAKEN))}"
        )
    chosen = preset or draft.preset or "demo"
    given = load_preset(chosen)
    steps = []
    for name, params, alias in draft.steps:
        found = notebooks.find(name)
        found.reads, found.publishes  # noqa: B018  a missing opening table is said now, not after the work
        base = given.get(found.name, {})
        parameters.resolve(found, base, f"experiments/presets/{chosen}.yaml")
        parameters.resolve(found, params, draft.where)
        steps.append((found, {**base, **params}, alias))
    for key, text in typed:
        _type_in(steps, key, text)
    checked = tuple(Step(n, parameters.resolve(n, p, draft.where), a) for n, p, a in steps)
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
    return _Draft(found.name, steps=[(found.name, {}, "")])


def read(path: Path) -> _Draft:
    """A chain file; ExperimentError names the first thing that is wrong with it."""
    content = yamlfile.load(path, ExperimentError)
    unknown = set(content) - _KEYS - {"publish"}
    if unknown:
        raise ExperimentError(
            f"{path}: unknown key {sorted(unknown)[0]!r}; a chain has {', '.join(sorted(_KEYS))}"
        )
    parsed = _steps(content.get("steps"), str(path))
    name, preset, promote = (
        content.get("name", path.stem),
        content.get("preset"),
        content.get("promote", False),
    )
    if not isinstance(name, str) or not isinstance(preset, str | None) or not isinstance(promote, bool):
        raise ExperimentError(f"{path}: name and preset must be words, promote true or false")
    return _Draft(name, preset, promote, parsed, str(path))


def _steps(steps: Any, where: str) -> list[tuple[str, dict[str, Any], str]]:
    """(notebook, params, alias) of each step; ExperimentError where one is no step."""
    if not isinstance(steps, list) or not steps:
        raise ExperimentError(f"{where}: steps must be a list of {{notebook: NAME, params: {{...}}}}")
    parsed: list[tuple[str, dict[str, Any], str]] = []
    for number, step in enumerate(steps, 1):
        if not isinstance(step, dict) or "notebook" not in step or set(step) - {"notebook", "params", "as"}:
            raise ExperimentError(
                f"{where}: step {number} must have notebook and, if wanted, params and as; it is {step!r}"
            )
        params = step.get("params") or {}
        if not isinstance(params, dict) or not all(isinstance(key, str) for key in params):
            raise ExperimentError(f"{where}: params of step {number} must be 'name: value' lines")
        alias = step.get("as", "")
        if not isinstance(alias, str) or (alias and not refs.is_scope(alias)) or "." in alias:
            raise ExperimentError(
                f"{where}: step {number} is called {alias!r}: use letters, digits, '_', '-'"
            )
        if alias and alias in [taken for _, _, taken in parsed]:
            raise ExperimentError(f"{where}: two steps are called {alias!r}: give each a name of its own")
        parsed.append((str(step["notebook"]), params, alias))
    return parsed


def vary(chain: Chain, name: str, changes: Mapping[str, Any], where: str) -> Chain:
    """``chain`` called ``name``, not promoting, with the parameters in ``changes`` ({address: value}, see
    ``touched``) set. ParameterError for an address that no step has, or for a value of another type."""
    own: list[dict[str, Any]] = [{} for _ in chain.steps]
    for address, value in changes.items():
        for number in touched(chain, address, where):
            own[number][address.rpartition(".")[2]] = value
    steps = tuple(
        replace(step, params=parameters.resolve(step.notebook, {**step.params, **new}, where))
        for step, new in zip(chain.steps, own, strict=True)
    )
    return replace(chain, name=name, promote=False, steps=steps)


def touched(chain: Chain, address: str, where: str) -> list[int]:
    """Numbers of the steps that ``address`` means: ``NOTEBOOK.parameter``, ``ALIAS.parameter``, or a bare
    ``parameter`` of every step that has it. ParameterError where there is none."""
    prefix, _, bare = address.rpartition(".")
    steps = [n for n, step in enumerate(chain.steps) if not prefix or _called(prefix, step)]
    found = [n for n in steps if bare in chain.steps[n].params]
    if not found and len(steps) == 1:
        parameters.resolve(chain.steps[steps[0]].notebook, {bare: None}, where)
    if not found:
        known = ", ".join(dict.fromkeys(step.name for step in chain.steps))
        raise ParameterError(f"{where}: no step has the parameter {address!r}; the steps are: {known}")
    return found


def _called(prefix: str, step: Step) -> bool:
    if step.alias:
        return prefix == step.alias
    return prefix in (step.notebook.name, step.notebook.name.split("_", maxsplit=1)[0])


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


def _type_in(steps: list[tuple[Notebook, dict[str, Any], str]], key: str, text: str) -> None:
    """Put ``-p KEY TEXT`` into every step that has KEY; ``NOTEBOOK.KEY`` and ``ALIAS.KEY`` name one step."""
    prefix, _, bare = key.rpartition(".")
    hit = False
    named = prefix not in ("", *(alias for _, _, alias in steps)) and notebooks.find(prefix).name
    for found, params, alias in steps:
        if prefix and (alias or found.name) != (named or prefix):
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
