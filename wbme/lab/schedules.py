"""``experiments/schedules.yaml``: what runs when, and what a run must show to be promoted.

NAME:
  cron: "30 2 * * *"        five fields, in quotes
  zone: Europe/Berlin       whose clock they are read on
  chain: retrain            of experiments/run/, or a file (*.yaml)
  preset: demo              as of 'wbme run'
  params: {41_train_student.steps: 8000}
  when: inputs-changed      or always
  watch: [~/Pictures/wbme]  files and folders whose contents decide
  steps: false              whether a step that could not be reused decides too; true without watch
  promote: {step: 50_evaluate, metric: line_f1/student, against: line_f1/student@promoted, goal: higher}
  missed: run-once          or skip, for a tick later than grace
  grace: 60                 minutes
  overlap: skip             or wait, for ticks while a run goes on
  limit: 600                minutes that one cell of a notebook may take; without it, any time
  enabled: true
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wbme.base import yamlfile
from wbme.base.errors import ExperimentError, WbmeError
from wbme.base.paths import project_root
from wbme.lab import chain as chains
from wbme.lab import cron, refs
from wbme.lab.chain import Chain


class Promotion(BaseModel):
    """The metric that decides, the step that reports it, and which way is better.

    ``against``: a metric of the same run, of what is promoted now; without it, the metric of the run that is
    promoted now. ``margin`` counts only there, where a run reports no interval.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    metric: str
    step: str
    goal: Literal["higher", "lower"]
    against: str | None = None
    margin: float | None = Field(None, ge=0, allow_inf_nan=False)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    cron: str
    zone: str
    chain: str
    preset: str | None = None
    params: dict[str, Any] = {}
    when: Literal["always", "inputs-changed"] = "always"
    watch: list[str] = []
    steps: bool = False
    promote: Promotion | None = None
    missed: Literal["run-once", "skip"] = "run-once"
    grace: int = Field(60, ge=1, le=100_000)
    overlap: Literal["skip", "wait"] = "skip"
    limit: int | None = Field(None, ge=1, le=100_000)
    enabled: bool = True


@dataclass(frozen=True)
class Schedule:
    """One checked entry. ``watch`` and ``steps`` are both empty where it runs at every tick."""

    name: str
    cron: cron.Cron
    chain: Chain
    watch: tuple[Path, ...]
    steps: bool
    promotion: Promotion | None
    run_missed: bool
    grace: timedelta
    wait: bool
    enabled: bool
    cell_seconds: int | None = None


def path() -> Path:
    return project_root() / "experiments" / "schedules.yaml"


def read() -> tuple[dict[str, Schedule], dict[str, str]]:
    """(schedules, sentences about those that cannot be used), both by name.

    ExperimentError when the file itself cannot be read.
    """
    good: dict[str, Schedule] = {}
    bad: dict[str, str] = {}
    for name, content in yamlfile.load(path(), ExperimentError).items():
        try:
            good[name] = _check(name, content)
        except WbmeError as error:
            bad[name] = str(error)
    return good, bad


def find(name: str) -> Schedule:
    """The schedule called ``name``; ExperimentError when there is none or it cannot be used."""
    good, bad = read()
    if name in good:
        return good[name]
    known = ", ".join([*good, *bad]) or "none"
    raise ExperimentError(bad.get(name) or f"{path()} has no schedule {name!r}; there are: {known}")


def _check(name: str, content: object) -> Schedule:
    where = f"{path()}: schedule {name}"
    if not refs.is_scope(name):
        raise ExperimentError(f"{where}: use letters, digits, '.', '_' and '-' in its name")
    try:
        entry = _Entry.model_validate(content)
    except ValidationError as error:
        raise ExperimentError(f"{where}: {_sentence(error)}") from None
    changed = entry.when == "inputs-changed"
    if not changed and (entry.watch or entry.steps):
        raise ExperimentError(f"{where}: watch and steps need 'when: inputs-changed'")
    clock = cron.parse(entry.cron, entry.zone, where)
    chain = _chain(entry, where)
    if entry.promote:
        _promotable(entry.promote, chain, where)
    return Schedule(
        name=name,
        cron=clock,
        chain=chain,
        watch=tuple(project_root() / Path(place).expanduser() for place in entry.watch),
        steps=changed and (entry.steps or not entry.watch),
        promotion=entry.promote,
        run_missed=entry.missed == "run-once",
        grace=timedelta(minutes=entry.grace),
        wait=entry.overlap == "wait",
        cell_seconds=entry.limit and 60 * entry.limit,
        enabled=entry.enabled,
    )


def _chain(entry: _Entry, where: str) -> Chain:
    folder = project_root() / "experiments" / "run"
    own = entry.chain.endswith((".yaml", ".yml"))
    file = project_root() / Path(entry.chain).expanduser() if own else folder / f"{entry.chain}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise ExperimentError(f"{where}: there is no chain {entry.chain!r} in {folder}; there are: {known}")
    typed = [(key, v if isinstance(v, str) else json.dumps(v)) for key, v in entry.params.items()]
    try:
        return chains.plan(None, file, typed, entry.preset)
    except WbmeError as error:
        raise ExperimentError(f"{where}: {str(error).replace('command line: ', 'params: ')}") from error


def _promotable(promotion: Promotion, chain: Chain, where: str) -> None:
    books = {step.name: step.notebook for step in chain.steps}
    if promotion.step not in books:
        raise ExperimentError(
            f"{where}: promote names the step {promotion.step!r}, but {chain.name} has: {', '.join(books)}"
        )
    if not promotion.against and not books[promotion.step].publishes:
        raise ExperimentError(
            f"{where}: promote: {promotion.step} publishes nothing, so that the run promoted last could not "
            "be found again; name a step that publishes a table"
        )


def _sentence(error: ValidationError) -> str:
    """The first complaint, in words of this file."""
    first: Mapping[str, Any] = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        inside = len(first["loc"]) > 1
        known = Promotion.model_fields if inside else _Entry.model_fields
        return f"unknown key {key!r}; there are: {', '.join(known)}"
    if first["type"] == "missing":
        return f"{key} is missing"
    if not key:
        return "must hold 'key: value' lines"
    return f"{key} {first['msg'].removeprefix('Input ')}, not {first['input']!r}"
