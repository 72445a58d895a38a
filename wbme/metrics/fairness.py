"""Whether a drawing keeps everybody's skin alike: by Monk tone, light and character, over people.

The rows that go in are mappings with ``method``, ``character``, ``light``, ``identity``, ``monk`` (1 to 10)
and the values of ``scores.skin_score``. Views of one person are averaged first, because two views of one
person are not two witnesses; a row without a value (NaN) says nothing and is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.statistics import Interval, resampled

F64 = NDArray[np.float64]
FEWEST = 3  # people of a tone from which a number is given
MET, MISSED, UNSURE, UNKNOWN = "met", "missed", "open", "too few people"
_VALUES = ("delta_e00", "delta_e00_mean", "ita_in", "ita_oracle", "ita_out")
_KEY = ("method", "character", "light")


@dataclass(frozen=True)
class Goals:
    """What a trained student should reach on people it never saw, in neutral light: ``median`` over people
    and the median of the ``worst`` tone, CIEDE2000 of skin to the oracle, at most; ``slope``: how far the
    whitewash slope may lie from 1."""

    median: float = 2.0
    worst: float = 4.0
    slope: float = 0.05


GOALS = Goals()


def by_tone(
    rows: Sequence[Mapping[str, Any]], *, fewest: int = FEWEST, seed: int = 0
) -> list[dict[str, Any]]:
    """A row a method, character, light and Monk tone: ``people``, and the ``median`` over them of the skin's
    delta E00 to the oracle with its 95 % bootstrap interval ``low`` to ``high``; NaN for a tone of fewer
    people than ``fewest``."""
    found = []
    for key, tones in _tones(rows).items():
        for monk in sorted(tones):
            few = len(tones[monk]) < fewest
            one = None if few else resampled(_median, [tones[monk][:, 0]], seed=seed)
            low, high = (one.low, one.high) if one else (float("nan"),) * 2
            row = {**_key_of(key), "monk": monk, "people": len(tones[monk])}
            found.append(row | {"median": one.mean if one else float("nan"), "low": low, "high": high})
    return found


def summary(
    rows: Sequence[Mapping[str, Any]], *, fewest: int = FEWEST, seed: int = 0
) -> list[dict[str, Any]]:
    """A row a method, character and light: ``people``; each with its 95 % bootstrap interval NAME_low to
    NAME_high

    - ``median`` over people of delta E00 of the median skin colour, and ``pixels``, of its mean over pixels;
    - ``worst``, the highest median of a tone, with its ``tone``, and ``gap``, how far it lies above the
      lowest; people are drawn anew within their tone, and tones of fewer people than ``fewest`` are left out;
    - ``slope`` of ITA of the drawing on that of the oracle (the whitewash slope: 1 keeps every skin, below 1
      draws all towards one tone), and ``slope_photo``, on that of the photograph.

    NaN for what too few people tell: ``fewest`` in all, two tones for a gap, people who differ for a slope.
    Of few people a highest median is too high and an interval too narrow.
    """
    if fewest < 1:
        raise ParameterError(f"fewest = {fewest} people of a tone: give 1 or more")
    found = []
    for key, tones in _tones(rows).items():
        everyone = np.concatenate([tones[monk] for monk in sorted(tones)])
        known = {monk: tones[monk][:, 0] for monk in sorted(tones) if len(tones[monk]) >= fewest}
        groups, enough = list(known.values()), len(everyone) >= fewest
        entry: dict[str, Any] = {**_key_of(key), "people": len(everyone), "tones": len(known)}

        def told(statistic: Any, of: Sequence[F64], there: bool) -> Interval | None:
            return resampled(statistic, of, seed=seed) if there else None

        worst = told(_worst, groups, bool(groups))
        entry |= _named("median", told(_median, [everyone[:, 0]], enough))
        entry |= _named("pixels", told(_median, [everyone[:, 1]], enough))
        entry |= _named("worst", worst)
        entry["tone"] = max(known, key=lambda monk: float(np.median(known[monk]))) if known else 0
        entry |= _named("gap", told(_gap, groups, len(groups) > 1))
        for name, before in (("slope", 3), ("slope_photo", 2)):
            varied = enough and everyone[:, before].std() >= 1
            entry |= _named(name, told(_slope, [everyone[:, [before, 4]]], varied))
        found.append(entry)
    return found


def verdicts(entry: Mapping[str, Any], goals: Goals = GOALS) -> dict[str, str]:
    """Whether a row of ``summary`` reaches each of ``median``, ``worst`` and ``slope``: ``MET`` or
    ``MISSED``, ``UNSURE`` where the goal's limit lies within the interval, ``UNKNOWN`` without a number."""
    limits = {
        "median": (-np.inf, goals.median),
        "worst": (-np.inf, goals.worst),
        "slope": (1 - goals.slope, 1 + goals.slope),
    }
    said = {}
    for name, (least, most) in limits.items():
        value, low, high = (float(entry[name + end]) for end in ("", "_low", "_high"))
        if not np.isfinite(value):
            said[name] = UNKNOWN
            continue
        low, high = (value if np.isnan(end) else end for end in (low, high))
        inside, outside = least <= low and high <= most, high < least or low > most
        said[name] = MET if inside else MISSED if outside else UNSURE
    return said


def _key_of(key: tuple[str, str, str]) -> dict[str, str]:
    """Method, character and light by name."""
    return dict(zip(_KEY, key, strict=True))


def _tones(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], dict[int, F64]]:
    """For each method, character and light, by Monk tone: people x ``_VALUES``, in the order of identity, so
    that the order of the rows does not matter."""
    found: dict[Any, dict[int, dict[str, list[list[float]]]]] = {}
    for row in rows:
        values = [float(row[name]) for name in _VALUES]
        if row["monk"] > 0 and np.isfinite(values).all():
            people = found.setdefault(tuple(row[k] for k in _KEY), {}).setdefault(int(row["monk"]), {})
            people.setdefault(row["identity"], []).append(values)
    return {
        key: {m: np.array([np.mean(p[one], axis=0) for one in sorted(p)]) for m, p in tones.items()}
        for key, tones in found.items()
    }


def _named(name: str, found: Interval | None) -> dict[str, float]:
    nothing = Interval(float("nan"), float("nan"), float("nan"), 0)
    value = found or nothing
    return {name: value.mean, f"{name}_low": value.low, f"{name}_high": value.high}


def _median(groups: list[F64]) -> F64:
    return np.asarray(np.median(groups[0], axis=1), np.float64)


def _medians(groups: list[F64]) -> F64:
    return np.stack([np.median(group, axis=1) for group in groups])


def _worst(groups: list[F64]) -> F64:
    return np.asarray(_medians(groups).max(0), np.float64)


def _gap(groups: list[F64]) -> F64:
    return np.asarray(np.ptp(_medians(groups), axis=0), np.float64)


def _slope(groups: list[F64]) -> F64:
    """Least squares of the second column on the first; NaN where the first hardly varies, as
    ``skin.whitewash``."""
    x, y = groups[0][..., 0], groups[0][..., 1]
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    spread = (x * x).mean(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread >= 1, (x * y).mean(1) / spread, np.nan)
