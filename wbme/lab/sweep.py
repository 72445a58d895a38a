"""Sweep files: ``experiments/sweeps/NAME.yaml``, read and wholly checked before anything runs.

chain: NAME of experiments/run/, or a list of steps     preset: demo
metric: NAME that the last step reports                 goal: higher | lower
also: {METRIC: higher | lower}                          further metrics to compare
design: grid | leave_one_out                            factors: {NOTEBOOK.parameter: [levels]}
design: list                                            trials: [{label: NAME, set: {ADDRESS: value}}]
search: {library: optuna, trials: 20, ranges: {NOTEBOOK.parameter: [low, high]}}     instead of a design
repeat: {param: NOTEBOOK.parameter, values: [0, 1, 2]}
data: what the metrics are measured on, for the tables
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wbme.base import yamlfile
from wbme.base.errors import ExperimentError
from wbme.base.hashing import canonical_json
from wbme.base.paths import project_root
from wbme.lab import chain as chains
from wbme.lab import design, record, refs
from wbme.lab.chain import Chain
from wbme.lab.design import Setting, Trial
from wbme.lab.search import Range, ranges

_KEYS = {
    "name", "chain", "preset", "metric", "goal", "also", "design", "factors", "trials", "repeat", "search",
    "data",
}  # fmt: skip
DESIGNS = ("grid", "leave_one_out", "list")
GOALS = ("higher", "lower")


@dataclass(frozen=True)
class Sweep:
    """A checked sweep. ``settings`` are those known beforehand, the base first; ``search`` finds more."""

    name: str
    where: str
    chain: Chain
    goals: Mapping[str, str]
    design: str
    settings: tuple[Setting, ...]
    repeat: str = ""
    values: tuple[Any, ...] = ()
    search: Mapping[str, Range] = field(default_factory=dict)
    searches: int = 0
    seed: int = 0
    data: str = ""

    @property
    def metric(self) -> str:
        """The metric that decides, first of ``goals``."""
        return next(iter(self.goals))

    @property
    def trials(self) -> list[Trial]:
        """The trials known beforehand, in the order in which they run."""
        return design.repeated(self.settings, self.values)

    def repeated(self, trial: Trial) -> dict[str, Any]:
        """{parameter: value} of what is repeated in ``trial``; empty where nothing is."""
        return {self.repeat: trial.repeat} if self.repeat else {}

    def chain_of(self, trial: Trial) -> Chain:
        """The chain of one trial, called SWEEP.NNN; ParameterError for a value of another type."""
        changes = {**trial.setting.factors, **self.repeated(trial)}
        return chains.vary(self.chain, f"{self.name}.{trial.key}", changes, self.where)


def folder() -> Path:
    return project_root() / "experiments" / "sweeps"


def find(target: str) -> Sweep:
    """The sweep of a file, or of that name in ``experiments/sweeps/``; ExperimentError where none is."""
    path = Path(target)
    if path.suffix not in (".yaml", ".yml"):
        path = folder() / f"{target}.yaml"
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in folder().glob("*.yaml"))) or "none"
            raise ExperimentError(
                f"no sweep {target!r} in {folder()}; there are: {known}; or name a .yaml file"
            )
    return read(path)


def read(path: Path) -> Sweep:
    """A sweep file; ExperimentError or ParameterError names the first thing that is wrong with it."""
    content = yamlfile.load(path, ExperimentError)
    where = str(path)
    _only(content, _KEYS, where)
    name = content.get("name", path.stem)
    if not isinstance(name, str) or not refs.is_scope(f"{name}.001"):
        raise ExperimentError(f"{where}: {name!r} cannot name a sweep: use letters, digits, '.', '_' and '-'")
    base = _chain(content, name, where)
    found = _search(content, base, where) if "search" in content else {}
    given = [_base(base, found["search"])] if found else _settings(content, base, where)
    settings = [_typed(base, setting, where) for setting in given]
    seen: dict[str, str] = {}
    for setting in settings:
        twin = seen.setdefault(canonical_json(setting.factors), setting.label)
        if twin != setting.label:
            raise ExperimentError(f"{where}: trials {twin!r} and {setting.label!r} set the same values")
    repeat, values = _repeat(content.get("repeat"), where)
    _apart(base, [*settings[0].factors, *([repeat] if repeat else [])], where)
    made = Sweep(
        name, where, base, _goals(content, where), "search" if found else content["design"],
        tuple(settings), repeat, tuple(values), **found, data=_word(content, "data", where),
    )  # fmt: skip
    for trial in made.trials:
        made.chain_of(trial)  # refuses what no notebook would take
    _reported(made)
    return made


def _only(content: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in content:
        if key not in known:
            raise ExperimentError(f"{where}: unknown key {key!r}; there are: {', '.join(sorted(known))}")


def _word(content: Mapping[str, Any], key: str, where: str) -> str:
    word = content.get(key, "")
    if not isinstance(word, str):
        raise ExperimentError(f"{where}: {key} must be text, not {word!r}")
    return word


def _chain(content: Mapping[str, Any], name: str, where: str) -> Chain:
    steps, preset = content.get("chain"), _word(content, "preset", where) or None
    if isinstance(steps, str) and steps:
        return chains.plan(steps, preset=preset)
    if not isinstance(steps, list):
        raise ExperimentError(f"{where}: chain must name a chain of experiments/run/ or be a list of steps")
    return chains.from_steps(name, steps, preset, where)


def _goals(content: Mapping[str, Any], where: str) -> dict[str, str]:
    metric, also = content.get("metric"), content.get("also") or {}
    if not isinstance(metric, str) or not metric:
        raise ExperimentError(
            f"{where}: metric must name a metric of the last step, such as perceptual/student"
        )
    if not isinstance(also, dict):
        raise ExperimentError(f"{where}: also must hold 'metric: higher' or 'metric: lower' lines")
    goals = {metric: content.get("goal"), **{k: v for k, v in also.items() if k != metric}}
    for name, goal in goals.items():
        if goal not in GOALS:
            key = "goal" if name == metric else f"also: {name}"
            raise ExperimentError(f"{where}: {key} must be higher or lower, not {goal!r}")
    return goals


def _settings(content: Mapping[str, Any], base: Chain, where: str) -> list[Setting]:
    kind = content.get("design")
    if kind not in DESIGNS:
        raise ExperimentError(f"{where}: design must be one of {', '.join(DESIGNS)}, not {kind!r}")
    given = "trials" if kind == "list" else "factors"
    if {"trials", "factors"} & set(content) != {given}:
        raise ExperimentError(f"{where}: design {kind} takes {given}, and only that")
    if kind == "list":
        return _listed(content["trials"], base, where)
    factors = content["factors"]
    if not isinstance(factors, dict) or not factors:
        raise ExperimentError(f"{where}: factors must hold 'NOTEBOOK.parameter: [levels]' lines")
    for name, levels in factors.items():
        if not isinstance(levels, list) or not levels or any(levels.count(v) > 1 for v in levels):
            raise ExperimentError(f"{where}: {name} must have a list of levels, no two alike, not {levels!r}")
    return design.grid(factors) if kind == "grid" else design.leave_one_out(factors)


def _listed(trials: Any, base: Chain, where: str) -> list[Setting]:
    if not isinstance(trials, list) or not trials:
        raise ExperimentError(f"{where}: trials must be a list of {{label: ..., set: {{...}}}}")
    named: dict[str, dict[str, Any]] = {}
    for number, trial in enumerate(trials, 1):
        values = (trial.get("set") or {}) if isinstance(trial, dict) else None
        if not isinstance(values, dict) or set(trial) - {"label", "set"}:
            raise ExperimentError(f"{where}: trial {number} must have label and set; it is {trial!r}")
        label = trial.get("label")
        if not isinstance(label, str) or not label.strip() or label in named:
            raise ExperimentError(f"{where}: trial {number} needs a label of its own, not {label!r}")
        named[label] = values
    own = {name: _own(base, name, where) for values in named.values() for name in values}
    settings = design.listed(named, own)
    return settings


def _typed(base: Chain, setting: Setting, where: str) -> Setting:
    """The setting with its values as the notebooks get them: 0 of a float is 0.0."""
    varied = chains.vary(base, base.name, setting.factors, where)
    return Setting(setting.label, {name: _own(varied, name, where) for name in setting.factors})


def _own(base: Chain, address: str, where: str) -> Any:
    """The value that the chain itself gives the parameter."""
    return base.steps[chains.touched(base, address, where)[0]].params[address.rpartition(".")[2]]


def _repeat(given: Any, where: str) -> tuple[str, list[Any]]:
    if given is None:
        return "", []
    if (
        not isinstance(given, dict)
        or set(given) != {"param", "values"}
        or not isinstance(given["param"], str)
    ):
        raise ExperimentError(f"{where}: repeat must hold param and values, such as seed and [0, 1, 2]")
    values = given["values"]
    if not isinstance(values, list) or not values or any(values.count(v) > 1 for v in values):
        raise ExperimentError(f"{where}: repeat needs a list of values, no two alike, not {values!r}")
    return given["param"], values


def _apart(base: Chain, addresses: list[str], where: str) -> None:
    """No parameter is set by two of the addresses."""
    seen: dict[tuple[int, str], str] = {}
    for address in addresses:
        for number in chains.touched(base, address, where):
            key = (number, address.rpartition(".")[2])
            if key in seen:
                raise ExperimentError(f"{where}: {seen[key]} and {address} set the same parameter: keep one")
            seen[key] = address


def _search(content: Mapping[str, Any], base: Chain, where: str) -> dict[str, Any]:
    given = content["search"]
    if {"design", "factors", "trials"} & set(content):
        raise ExperimentError(f"{where}: a sweep has a design or a search: take one out")
    if not isinstance(given, dict):
        raise ExperimentError(f"{where}: search must hold library, trials and ranges")
    _only(given, {"library", "trials", "ranges", "seed"}, f"{where}: search")
    if given.get("library") != "optuna":
        raise ExperimentError(f"{where}: search: library must be optuna, not {given.get('library')!r}")
    trials, seed = given.get("trials"), given.get("seed", 0)
    if type(trials) is not int or type(seed) is not int or trials < 1:
        raise ExperimentError(f"{where}: search: trials must be a whole number above 0, seed a whole number")
    return {"search": ranges(given.get("ranges"), base, where), "searches": trials, "seed": seed}


def _base(base: Chain, searched: Mapping[str, Range]) -> Setting:
    return Setting("base", {name: _own(base, name, "search") for name in searched})


def _reported(sweep: Sweep) -> None:
    """Refuse a metric of which it is known that the last step will not report it."""
    last = sweep.chain.steps[-1]
    if not any(".metric(" in "".join(c.get("source", "")) for c in last.notebook.cells):
        raise ExperimentError(f"{sweep.where}: the last step, {last.notebook.name}, reports no metric at all")
    for _, run in record.history(last.notebook.name):
        if run.get("status") == "completed" and run["notebook_sha256"] == last.notebook.sha256:
            wanted = [name for name in sweep.goals if name not in run["metrics"]]
            if wanted and run["parameters"] == dict(last.params):
                raise ExperimentError(unreported(sweep, wanted[0], run["metrics"]))
            return


def unreported(sweep: Sweep, metric: str, found: Mapping[str, float]) -> str:
    """The sentence about a metric that the last step does not report."""
    name = sweep.chain.steps[-1].notebook.name
    there = ", ".join(found) or "none"
    return f"{sweep.where}: the last step, {name}, does not report the metric {metric!r}; it reports: {there}"
