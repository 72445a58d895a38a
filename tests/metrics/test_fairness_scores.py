"""Fairness over people: intervals by hand, exact slopes, groups too small, and who whitens is caught."""

import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.base.statistics import resampled
from wbme.metrics import fairness


def row(identity, monk, error, ita=(20.0, 20.0), light="neutral", method="m"):
    """``ita`` of the oracle and of the drawing; the photograph's is the oracle's less 5."""
    named = {"method": method, "character": "romance", "light": light, "identity": identity, "monk": monk}
    values = {"delta_e00": error, "delta_e00_mean": error + 1}
    return named | values | {"ita_oracle": ita[0], "ita_in": ita[0] - 5, "ita_out": ita[1]}


def panel(change, people=4):
    """``people`` of each tone, ITA 80 to -80, whose drawings have ``change(ita)`` and miss by what that is
    off, a tenth of a degree each."""
    rows = []
    for monk in range(1, 11):
        for k in range(people):
            ita = 80 - 160 * (monk - 1) / 9 + k
            rows.append(row(f"p{monk}-{k}", monk, abs(change(ita) - ita) / 10, (ita, change(ita))))
    return rows


def median(groups):
    return np.median(groups[0], axis=1)


def test_of_three_people_each_end_is_the_median_of_7_in_27_resamples():
    """Of 27 equally likely resamples of 0, 3 and 10, seven have 0 in the middle, thirteen 3 and seven 10."""
    whole, third = (resampled(median, [[0, 3, 10]], share=share) for share in (0.95, 0.4))
    assert (whole.mean, whole.low, whole.high, whole.n) == (3, 0, 10, 3)
    assert (third.low, third.high) == (3, 3)
    drawn = []
    resampled(lambda groups: drawn.append(median(groups)) or drawn[-1], [[0, 3, 10]], resamples=20_000)
    share = [np.mean(drawn[1] == value) for value in (0, 3, 10)]
    np.testing.assert_allclose(share, np.array([7, 13, 7]) / 27, atol=0.012)


def test_groups_are_drawn_within_themselves():
    spread = resampled(lambda g: g[1].mean(1) - g[0].mean(1), [[1, 1], [5, 5, 5]])
    assert (spread.mean, spread.low, spread.high, spread.n) == (4, 4, 4, 5)
    one = resampled(median, [[7]])
    assert one.mean == 7 and np.isnan([one.low, one.high]).all()


@pytest.mark.parametrize("groups", [[], [[1.0], []]])
def test_nobody_is_refused(groups):
    with pytest.raises(ParameterError, match="groups of"):
        resampled(median, groups)


def test_people_are_counted_and_not_their_views():
    many = [row("a", 4, 0.0)] * 50 + [row("b", 4, 6.0), row("c", 4, 8.0), row("c", 4, 12.0)]
    [tone] = fairness.by_tone(many)
    assert (tone["people"], tone["median"], tone["low"], tone["high"]) == (3, 6, 0, 10)
    [of] = fairness.summary(many)
    assert (of["median"], of["pixels"], of["worst"], of["tone"]) == (6, 7, 6, 4)


def test_a_slope_that_is_exact_is_told_exactly_with_no_width():
    [found] = fairness.summary(panel(lambda ita: 0.9 * ita + 7))
    for name in ("slope", "slope_photo"):
        assert [found[name + end] for end in ("", "_low", "_high")] == pytest.approx([0.9] * 3)


def test_a_model_that_whitens_half_way_is_caught():
    [fair] = fairness.summary(panel(lambda ita: ita))
    [white] = fairness.summary(panel(lambda ita: ita + 0.5 * (80 - ita)))
    assert set(fairness.verdicts(fair).values()) == {fairness.MET} and fair["gap"] == 0
    assert white["slope"] == pytest.approx(0.5) and white["tone"] == 10
    # Tone 10 has ITA -80 to -77 and is drawn 78.5 to 80 lighter; tone 1, 80 to 83, 0 to 1.5 darker.
    assert white["worst"] == pytest.approx(7.925) and white["gap"] == pytest.approx(7.925 - 0.075)
    assert white["gap_low"] <= white["gap"] <= white["gap_high"]
    assert fairness.verdicts(white) == {
        "median": fairness.MISSED,
        "worst": fairness.MISSED,
        "slope": fairness.MISSED,
    }


def test_a_goal_within_the_interval_is_open():
    rows = [row(f"p{k}", 5, error, (10.0 * k, 10.0 * k)) for k, error in enumerate((1, 1.5, 1.9, 2.5, 3))]
    said = fairness.verdicts(fairness.summary(rows)[0])
    assert said == {"median": fairness.UNSURE, "worst": fairness.MET, "slope": fairness.MET}


def test_too_few_people_give_no_number():
    rows = [row("a", 1, 1.0), row("b", 1, 2.0), row("c", 9, 30.0)]
    assert all(np.isnan([r["median"], r["low"], r["high"]]).all() for r in fairness.by_tone(rows))
    [found] = fairness.summary(rows)
    assert found["people"] == 3 and found["tones"] == found["tone"] == 0 and found["median"] == 2
    assert np.isnan([found["worst"], found["gap"], found["slope"]]).all()
    assert fairness.verdicts(found)["slope"] == fairness.UNKNOWN
    assert [r["people"] for r in fairness.by_tone(rows, fewest=2)] == [2, 1]
    assert fairness.by_tone(rows, fewest=2)[0]["median"] == 1.5
    with pytest.raises(ParameterError, match="fewest = 0"):
        fairness.summary(rows, fewest=0)


def test_rows_without_a_value_say_nothing():
    assert fairness.by_tone([row("a", 3, np.nan), row("b", 0, 1.0)]) == []
    assert fairness.summary([]) == []


def test_neither_the_order_of_the_rows_nor_a_second_run_changes_a_number():
    rng = np.random.default_rng(0)
    rows = [{**r, "delta_e00": r["delta_e00"] + rng.random()} for r in panel(lambda ita: 0.8 * ita)]
    shuffled = [rows[k] for k in rng.permutation(len(rows))]
    assert fairness.summary(rows, seed=3) == fairness.summary(shuffled, seed=3)
    assert fairness.by_tone(rows, seed=3) == fairness.by_tone(shuffled, seed=3)
    assert fairness.summary(rows, seed=3) != fairness.summary(rows, seed=4)
