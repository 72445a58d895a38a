"""A search by Optuna: which setting to try next, kept in a file of the sweep so that a kill loses nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbme.base.errors import ExperimentError
from wbme.lab import chain as chains
from wbme.lab import parameters
from wbme.lab.chain import Chain


@dataclass(frozen=True)
class Range:
    """What a searched parameter may be: a number from ``low`` to ``high``, or one of ``choices``."""

    low: float = 0
    high: float = 0
    log: bool = False
    choices: tuple[Any, ...] = ()

    def drawn(self, trial: Any, name: str) -> Any:
        """A value suggested by an Optuna trial."""
        if self.choices:
            return trial.suggest_categorical(name, list(self.choices))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


def ranges(given: Any, base: Chain, where: str) -> dict[str, Range]:
    """``{NOTEBOOK.parameter: [low, high] | {low, high, log} | {choices: [...]}}``, checked against ``base``.

    ExperimentError for what is no range, ParameterError for a parameter that no step has or a limit of
    another type.
    """
    if not isinstance(given, dict) or not given:
        raise ExperimentError(f"{where}: search: ranges must hold 'NOTEBOOK.parameter: [low, high]' lines")
    return {name: _range(name, value, base, where) for name, value in given.items()}


def _range(name: str, value: Any, base: Chain, where: str) -> Range:
    if isinstance(value, list) and len(value) == 2:
        value = {"low": value[0], "high": value[1]}
    shape = set(value) if isinstance(value, dict) else set()
    if shape != {"choices"} and not {"low", "high"} <= shape <= {"low", "high", "log"}:
        raise ExperimentError(
            f"{where}: the range of {name} is [low, high], {{low, high, log}} or {{choices}}"
        )
    [number, *_] = chains.touched(base, name, where)
    declared = parameters.declared(base.steps[number].notebook)[name.rpartition(".")[2]]
    if "choices" in value:
        if not isinstance(value["choices"], list) or not value["choices"]:
            raise ExperimentError(f"{where}: the choices of {name} must be a list")
        return Range(choices=tuple(parameters.check(declared, v, where) for v in value["choices"]))
    if declared.type not in ("int", "float"):
        raise ExperimentError(f"{where}: {name} is {declared.type}: search it with {{choices: [...]}}")
    low, high = (parameters.check(declared, value[end], where) for end in ("low", "high"))
    log = value.get("log", False)
    if not low < high or not isinstance(log, bool) or (log and low <= 0):
        raise ExperimentError(
            f"{where}: {name} cannot lie between {low} and {high}: low below high, above 0 for log"
        )
    return Range(low, high, log)


class Study:
    """The settings that Optuna has asked for so far, in the file ``path``.

    ExperimentError where Optuna is not installed.
    """

    def __init__(self, path: Path, searched: Mapping[str, Range], goal: str, seed: int):
        try:
            import optuna
            from optuna.storages.journal import JournalFileBackend
        except ModuleNotFoundError as error:
            raise ExperimentError("a search needs Optuna: pip install 'wbme[search]'") from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._ranges, self._seed = optuna, searched, seed
        path.parent.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
        ways = optuna.study.StudyDirection
        way = ways.MAXIMIZE if goal == "higher" else ways.MINIMIZE
        self._study = optuna.create_study(
            storage=storage, study_name="sweep", direction=way, load_if_exists=True
        )

    def settings(self, count: int) -> list[dict[str, Any]]:
        """The values of the first ``count`` settings, those of them that are new drawn now."""
        while len(self._study.trials) < count:
            # A sampler of its own for each draw: one that went on after a kill would begin its numbers anew.
            seed = self._seed + len(self._study.trials)
            self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, constant_liar=True)
            trial = self._study.ask()
            for name, space in self._ranges.items():
                space.drawn(trial, name)
        return [trial.params for trial in self._study.trials[:count]]

    def tell(self, number: int, value: float | None) -> None:
        """The result of setting ``number`` (from 0); None where it failed. Told twice it stays the first."""
        failed = self._optuna.trial.TrialState.FAIL if value is None else None
        self._study.tell(number, value, state=failed, skip_if_finished=True)
