"""Preference: which of two drawings of one picture is chosen, by people who do not know what drew them.

Pictures are the witnesses. What several raters say of one picture and one pair of models is averaged first:
they look at the same two drawings, so that their choices are not independent. No difference counts half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, median
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator

F64 = NDArray[np.float64]
_FEWEST = 6  # pictures from which a bootstrap of them is not far too sure of itself
_TOLERANCE, _STEPS = 1e-9, 200  # of the fit: change of a strength, and most steps


@dataclass(frozen=True)
class Vote:
    """A choice between the drawings of models ``first`` and ``second``. ``score`` of first: 1 where it was
    chosen, 0 where the other was, 0.5 for no difference; ``left``: whether first stood on the left."""

    picture: str
    first: str
    second: str
    score: float
    left: bool
    rater: str = ""
    seconds: float = 0.0


def wilson(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion ``share`` of ``n`` trials (Wilson 1927; Newcombe 1998, method 3).

    For the mean of n independent numbers in [0, 1] it is rather too wide: none varies more than a proportion.
    Raises ParameterError where share or level lies outside [0, 1], or n is not positive.
    """
    if not (0 <= share <= 1 and 0 < level < 1 and n > 0):
        raise ParameterError(f"wilson: share {share}, n {n}, level {level}: give 0 to 1, above 0, 0 to 1")
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At 0 and at 1 an end is the share itself, but for rounding.
    return max(min(float(middle - half), share), 0.0), min(max(float(middle + half), share), 1.0)


def win_rates(votes: Sequence[Vote], models: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each two of ``models`` that were compared: choices, how many the first won, lost, and left
    undecided, the number of pictures, its win rate (mean over pictures) and the 95 % Wilson interval."""
    found = []
    for model, against in combinations(models, 2):
        scores = _scores(votes, model, against)
        if not scores:
            continue
        every = [score for of in scores.values() for score in of]
        rate = float(np.mean([np.mean(of) for of in scores.values()]))
        low, high = wilson(rate, len(scores))
        row = {"model": model, "against": against, "pictures": len(scores), "choices": len(every)}
        row |= {"won": every.count(1.0), "lost": every.count(0.0), "no difference": every.count(0.5)}
        found.append(row | {"win rate": rate, "low": low, "high": high})
    return found


def _scores(votes: Sequence[Vote], model: str, against: str) -> dict[str, list[float]]:
    """What ``model`` got against another on each picture."""
    found: dict[str, list[float]] = {}
    for vote in votes:
        if (vote.first, vote.second) == (model, against):
            found.setdefault(vote.picture, []).append(vote.score)
        elif (vote.second, vote.first) == (model, against):
            found.setdefault(vote.picture, []).append(1 - vote.score)
    return found


def bradley_terry(wins: ArrayLike, prior: float = 1.0) -> F64:
    """Strengths ... x k, of mean 0, from ``wins`` ... x k x k: how often the one of the row beat that of the
    column, where i beats j with probability 1 / (1 + exp(s_j - s_i)) (Bradley and Terry 1952).

    Each also played ``prior`` games against an average opponent and won half of them, so that whoever won all
    or nothing has a finite strength. The likelihood is concave: Newton's method climbs it, in steps of 2 at
    most.
    """
    won = np.asarray(wins, float)
    games, count = won + np.swapaxes(won, -1, -2), won.shape[-1]
    strengths = np.zeros(won.shape[:-1])
    for _ in range(_STEPS):
        wanted = expit(strengths[..., :, None] - strengths[..., None, :])
        alone = expit(strengths)
        slope = (won - games * wanted).sum(-1) + prior * (0.5 - alone)
        shared = games * wanted * (1 - wanted)
        bend = np.eye(count) * (shared.sum(-1) + prior * alone * (1 - alone))[..., None] - shared
        step = np.linalg.solve(bend, slope[..., None])[..., 0]
        step = 2 * step / np.maximum(np.abs(step).max(-1, keepdims=True), 2)
        strengths = strengths + step
        if np.abs(step).max() < _TOLERANCE:
            break
    return strengths - strengths.mean(-1, keepdims=True)


def ranking(
    votes: Sequence[Vote], models: Sequence[str], *, resamples: int = 1_000, seed: int = 0
) -> list[dict[str, Any]]:
    """A row a model, the strongest first: Bradley-Terry strength in log odds, the percentile bootstrap over
    pictures around it, and the share of the resamples in which it is the strongest.

    A picture is one game between each two models that were compared on it. Of fewer than six pictures ends
    and share are NaN, and ends where all pictures say the same. Empty where the choices do not link all the
    models.
    """
    pictures = list(dict.fromkeys(vote.picture for vote in votes))
    wins = np.zeros((len(pictures), len(models), len(models)))
    for (a, model), (b, against) in combinations(enumerate(models), 2):
        for picture, scores in _scores(votes, model, against).items():
            mean = float(np.mean(scores))
            wins[pictures.index(picture), [a, b], [b, a]] = mean, 1 - mean
    met = wins.sum(0) + wins.sum(0).T > 0
    if len(models) < 2 or not np.linalg.matrix_power(met + np.eye(len(models)), len(models)).all():
        return []
    told = bradley_terry(wins.sum(0))
    rng = generator(seed, "preference")
    counts = rng.multinomial(len(pictures), np.full(len(pictures), 1 / len(pictures)), resamples)
    drawn = bradley_terry(np.einsum("rn,nij->rij", counts, wins))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    few = len(pictures) < _FEWEST
    fixed = few | (np.ptp(drawn, axis=0) < 1e-6)
    best = np.isclose(drawn, drawn.max(-1, keepdims=True))
    first = (best / best.sum(-1, keepdims=True)).mean(0)
    rows = [
        {"model": model, "strength": float(told[k])}
        | {"low": np.nan if fixed[k] else float(low[k]), "high": np.nan if fixed[k] else float(high[k])}
        | {"strongest in": np.nan if few else float(first[k])}
        for k, model in enumerate(models)
    ]
    return sorted(rows, key=lambda row: -row["strength"])


def krippendorff(values: ArrayLike) -> float:
    """Krippendorff's alpha of ``values``, raters x units, on the interval scale; NaN is a missing value.

    1 - D_o / D_e, observed over expected squared differences (Krippendorff 2011): 1 where all agree, 0 where
    they agree no more than chance. NaN where no unit has two values, or all values are the same.
    """
    x = np.asarray(values, float)
    x = x[:, np.isfinite(x).sum(0) >= 2]
    seen = np.isfinite(x)
    size, per = seen.sum(), seen.sum(0)
    sums, squares = np.nansum(x, 0), np.nansum(x**2, 0)
    if not size:
        return float("nan")
    observed = (2 * (per * squares - sums**2) / (per - 1)).sum() / size
    expected = 2 * (size * squares.sum() - sums.sum() ** 2) / (size * (size - 1))
    return float(1 - observed / expected) if expected > 0 else float("nan")


def agreement(votes: Sequence[Vote]) -> dict[str, Any]:
    """How far raters agree where two or more judged the same two drawings: ``comparisons`` of that kind,
    ``same``, the share of pairs of raters with the same choice, and ``alpha``.

    No rater knows which model is which, so each comparison enters alpha both ways round: chance is a coin,
    however often one model wins. (Otherwise raters who all prefer one model would seem to agree by chance.)
    """
    raters = list(dict.fromkeys(vote.rater for vote in votes))
    units: dict[tuple[str, str, str], dict[str, float]] = {}
    for vote in votes:
        first, second = sorted((vote.first, vote.second))
        score = vote.score if first == vote.first else 1 - vote.score
        units.setdefault((vote.picture, first, second), {})[vote.rater] = score
    shared = [unit for unit in units.values() if len(unit) > 1]
    pairs = [a == b for unit in shared for a, b in combinations(unit.values(), 2)]
    table = np.array([[unit.get(rater, np.nan) for unit in shared] for rater in raters])
    alpha = krippendorff(np.hstack([table, 1 - table])) if shared else float("nan")
    same = float(np.mean(pairs)) if pairs else float("nan")
    return {"raters": len(raters), "comparisons": len(shared), "same": same, "alpha": alpha}


def raters(votes: Sequence[Vote]) -> list[dict[str, Any]]:
    """A row a rater, and one of all where there are several: choices, share without a difference, median
    seconds, and of the decided ones the share that fell on the left, its Wilson interval, and the p of the
    exact binomial test that left and right are equally likely. NaN where nothing was decided."""
    from scipy.stats import binomtest

    names = sorted({vote.rater for vote in votes})
    groups = {name: [vote for vote in votes if vote.rater == name] for name in names}
    groups |= {"all": list(votes)} if len(names) > 1 else {}
    found = []
    for name, own in groups.items():
        sides = [vote.left == (vote.score == 1) for vote in own if vote.score != 0.5]
        row = {"rater": name, "choices": len(own), "no difference": 1 - len(sides) / len(own)}
        row |= {"seconds": median(vote.seconds for vote in own)}
        row |= dict.fromkeys(("left", "low", "high", "p"), float("nan"))
        if sides:
            row["left"] = sum(sides) / len(sides)
            row["low"], row["high"] = wilson(row["left"], len(sides))
            row["p"] = float(binomtest(sum(sides), len(sides)).pvalue)
        found.append(row)
    return found
