"""The statistics of blind choices: against published numbers, and against raters whose truth is known."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.metrics import preference
from wbme.metrics.preference import Vote

# Newcombe (1998), Statistics in Medicine 17, table I, method 3.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]
# Games of the American League's eastern division in 1987, and their fit: Agresti, Categorical Data Analysis.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
GAMES = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]
FITTED = [1.581, 1.436, 1.294, 1.248, 1.108, 0.684, 0.0]


@pytest.mark.parametrize(("won", "n", "low", "high"), NEWCOMBE)
def test_wilsons_interval_is_that_of_the_paper(won, n, low, high):
    assert preference.wilson(won / n, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 200), st.floats(0, 1))
def test_wilsons_interval_holds_the_share_and_turns_with_it(n, share):
    low, high = preference.wilson(share, n)
    assert 0 <= low <= share <= high <= 1
    assert preference.wilson(1 - share, n) == pytest.approx((1 - high, 1 - low))


def test_wilson_refuses_what_is_no_proportion():
    for share, n, level in ((1.2, 5, 0.95), (0.5, 0, 0.95), (0.5, 5, 1.0), (float("nan"), 5, 0.95)):
        with pytest.raises(ParameterError, match="wilson"):
            preference.wilson(share, n, level)


def test_bradley_terry_gives_the_strengths_of_a_textbook():
    strengths = preference.bradley_terry(GAMES, prior=1e-9)
    assert strengths - strengths[-1] == pytest.approx(FITTED, abs=1e-3)


def test_the_prior_keeps_a_perfect_record_finite_and_changes_long_ones_little():
    strengths = preference.bradley_terry([[0, 8], [0, 0]])
    assert np.isfinite(strengths).all() and strengths[0] == -strengths[1] > 1
    usual = preference.bradley_terry(GAMES)
    assert usual - usual[-1] == pytest.approx(FITTED, abs=0.06)


def simulated(strengths, pictures, raters=1, ties=0.0, seed=0):
    """Votes of raters who choose by Bradley and Terry's law, or with probability ``ties`` not at all."""
    rng, votes = np.random.default_rng(seed), []
    for picture in range(pictures):
        for rater in range(raters):
            for a, b in combinations(strengths, 2):
                wins = rng.random() < 1 / (1 + np.exp(strengths[b] - strengths[a]))
                score = 0.5 if rng.random() < ties else float(wins)
                votes.append(Vote(f"p{picture}", a, b, score, bool(rng.random() < 0.5), f"r{rater}", 1.0))
    return votes


def test_known_strengths_are_found():
    truth = {"a": 1.0, "b": 0.2, "c": -0.3, "d": -0.9}
    rows = preference.ranking(simulated(truth, 600), list(truth), resamples=200)
    assert [row["model"] for row in rows] == list(truth)
    for row in rows:
        assert row["strength"] == pytest.approx(truth[row["model"]], abs=0.15)
        assert row["low"] < row["strength"] < row["high"]
    assert sum(row["strongest in"] for row in rows) == pytest.approx(1)


def test_the_intervals_hold_the_truth_as_often_as_they_promise():
    """Of 100 blind tests of 24 pictures each; 95 % give 89 or more with a probability of 0.99."""
    truth, held, strong = {"a": 0.6, "b": 0.0, "c": -0.6}, 0, 0
    rate = 1 / (1 + np.exp(-0.6))
    for seed in range(100):
        votes = simulated(truth, 24, seed=seed)
        row = preference.win_rates(votes, list(truth))[0]
        held += row["low"] <= rate <= row["high"]
        first = {r["model"]: r for r in preference.ranking(votes, list(truth), resamples=100)}["a"]
        strong += first["low"] <= truth["a"] <= first["high"]
    assert held >= 89 and strong >= 86, (held, strong)


def test_raters_of_one_mind_are_not_more_witnesses():
    """Ten raters who always say the same give the interval of one; no difference counts half."""
    own = simulated({"a": 0.4, "b": -0.4}, 20, ties=0.2)
    many = [Vote(v.picture, v.first, v.second, v.score, v.left, f"r{k}") for v in own for k in range(10)]
    one, ten = (preference.win_rates(votes, ["a", "b"])[0] for votes in (own, many))
    assert [one[k] for k in ("win rate", "low", "high")] == [ten[k] for k in ("win rate", "low", "high")]
    assert ten["choices"] == 200 and ten["pictures"] == 20
    assert one["win rate"] == (one["won"] + one["no difference"] / 2) / 20
    assert preference.ranking(own, ["a", "b"]) == preference.ranking(many, ["a", "b"])


def test_which_model_is_named_first_does_not_matter():
    votes = simulated({"a": 0.5, "b": 0.0, "c": -0.5}, 12, raters=2, ties=0.1)
    turned = [Vote(v.picture, v.second, v.first, 1 - v.score, not v.left, v.rater) for v in votes]
    for what in (preference.win_rates, preference.ranking):
        assert what(votes, ["a", "b", "c"]) == what(turned, ["a", "b", "c"])
    assert preference.agreement(votes) == preference.agreement(turned)


def test_no_order_where_models_never_met_and_no_interval_where_nothing_varies():
    apart = [Vote("p", "a", "b", 1.0, True), Vote("p", "c", "d", 1.0, True)]
    assert preference.ranking(apart, list("abcd")) == [] == preference.ranking([], [])
    always = [Vote(f"p{k}", "a", "b", 1.0, True) for k in range(8)]
    first, second = preference.ranking(always, ["a", "b"])
    assert np.isnan([first["low"], first["high"], second["low"]]).all() and first["strongest in"] == 1
    for row in preference.ranking(always[:4], ["a", "b"]):  # too few, even if they differed
        assert np.isnan([row["low"], row["high"], row["strongest in"]]).all()
    assert preference.win_rates(always, ["a", "b"])[0]["low"] == pytest.approx(0.676, abs=1e-3)


# Krippendorff (2011), Computing Krippendorff's alpha-reliability, section D: four observers, twelve units.
N = float("nan")
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]


def test_alpha_is_that_of_krippendorffs_example():
    assert preference.krippendorff(OBSERVERS) == pytest.approx(0.849, abs=5e-4)
    assert np.isnan(preference.krippendorff([[1, 2, N], [N, N, 3]]))


def test_agreement_of_one_mind_of_coins_and_of_opposites():
    rng = np.random.default_rng(3)

    def pair(scores, others):
        rows = zip(scores, others, strict=True)
        return [
            Vote(f"p{k}", "a", "b", score, True, rater)
            for k, both in enumerate(rows)
            for rater, score in zip(("x", "y"), both, strict=True)
        ]

    mostly = np.where(rng.random(400) < 0.95, 1.0, 0.0)  # all prefer a: agreement all the same
    same = preference.agreement(pair(mostly, mostly))
    assert same == {"raters": 2, "comparisons": 400, "same": 1.0, "alpha": 1.0}
    coins = preference.agreement(pair(rng.integers(2, size=400) * 1.0, rng.integers(2, size=400) * 1.0))
    assert abs(coins["alpha"]) < 0.12 and coins["same"] == pytest.approx(0.5, abs=0.06)
    assert preference.agreement(pair(mostly, 1 - mostly))["alpha"] == pytest.approx(-1, abs=0.01)
    alone = preference.agreement([Vote("p", "a", "b", 1.0, True, "x")])
    assert alone["comparisons"] == 0 and np.isnan(alone["alpha"])


def test_a_habit_of_the_side_is_seen_and_a_fair_rater_is_not_accused():
    lefty = [Vote(f"p{k}", "a", "b", float(k % 2), bool(k % 2), "lefty", 2.0) for k in range(20)]
    fair = [Vote(f"p{k}", "a", "b", float(k % 2), k % 4 < 2, "fair", k) for k in range(20)]
    unsure = [Vote("p0", "a", "b", 0.5, True, "unsure", 1.0)]
    rows = {row["rater"]: row for row in preference.raters([*lefty, *fair, *unsure])}
    assert rows["lefty"]["left"] == 1 and rows["lefty"]["p"] == pytest.approx(2 / 2**20)
    assert rows["fair"]["left"] == 0.5 and rows["fair"]["p"] == 1 and rows["fair"]["seconds"] == 9.5
    assert rows["unsure"]["no difference"] == 1 and np.isnan(rows["unsure"]["p"])
    assert rows["all"]["choices"] == 41 and rows["all"]["left"] == 0.75
