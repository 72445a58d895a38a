"""Designs of a sweep: which settings of its factors are tried, and how often each is repeated.

A factor is an address of a parameter (``wbme.lab.chain.touched``); a setting gives each factor a value. The
first setting of a design is the base that the others are compared with.
"""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wbme.base.hashing import digest_json

Factors = Mapping[str, Sequence[Any]]
_TAG = 64  # characters


@dataclass(frozen=True)
class Setting:
    """What a figure calls it, and the value of every factor."""

    label: str
    factors: Mapping[str, Any]


@dataclass(frozen=True)
class Trial:
    """One setting run once, with the value of the repeated parameter (None where nothing is repeated)."""

    number: int
    setting: Setting
    repeat: Any = None

    @property
    def key(self) -> str:
        """``007``: the name of the trial inside its sweep."""
        return f"{self.number:03d}"


def grid(factors: Factors) -> list[Setting]:
    """All combinations, the last factor changing fastest; the first levels together are the base."""
    combined = (dict(zip(factors, levels, strict=True)) for levels in itertools.product(*factors.values()))
    return [Setting(named(values, factors), values) for values in combined]


def leave_one_out(factors: Factors) -> list[Setting]:
    """The base, made of the first level of each factor; then each other level alone, the rest as before."""
    base = {name: levels[0] for name, levels in factors.items()}
    switched = [
        Setting(named({name: level}, factors), {**base, name: level})
        for name, levels in factors.items()
        for level in levels[1:]
    ]
    return [Setting("base", base), *switched]


def listed(trials: Mapping[str, Mapping[str, Any]], own: Mapping[str, Any]) -> list[Setting]:
    """The settings of ``trials`` ({label: {factor: value}}) in their order; a factor that one of them does
    not name has its value in ``own``."""
    return [Setting(label, {**own, **values}) for label, values in trials.items()]


def repeated(settings: Sequence[Setting], values: Sequence[Any], first: int = 1) -> list[Trial]:
    """Every setting with the first of ``values``, then every setting with the second, and so on, numbered
    from ``first``: a sweep that is stopped has whole rounds to compare."""
    rounds = itertools.product(values or [None], settings)
    return [Trial(first + k, setting, value) for k, (value, setting) in enumerate(rounds)]


def named(values: Mapping[str, Any], factors: Mapping[str, Any]) -> str:
    """``cutface=0.0, reflection=false``: parameters without their notebook where that is clear."""
    parts = []
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        parts.append(f"{_short(name, factors)}={text}")
    return ", ".join(parts)


def tags(factors: Mapping[str, Any]) -> list[str]:
    """One word a factor level for trackers, at most 64 characters, the most that W&B takes."""
    spelt = [f"{_short(name, factors)}={value}" for name, value in factors.items()]
    return [tag if len(tag) <= _TAG else f"{tag[: _TAG - 9]}~{digest_json(tag)[:8]}" for tag in spelt]


def _short(name: str, factors: Iterable[str]) -> str:
    """The parameter alone where no other factor is called so, else with its notebook."""
    bare = [factor.rpartition(".")[2] for factor in factors]
    short = name.rpartition(".")[2]
    return short if bare.count(short) == 1 else name
