"""Means and intervals over scored pictures: people are counted, not pictures."""

import numpy as np
import pytest

from wbme.metrics import scores, summary


def row(method, identity, monk, value, ita_in=10.0, ita_out=10.0):
    names = dict.fromkeys((*scores.COLUMNS, *scores.SKIN), value)
    skin = {"monk": monk, "ita_in": ita_in, "ita_out": ita_out, "ita_oracle": ita_in}
    return {"method": method, "identity": identity, **names, **skin}


ROWS = [
    row("m", *r)
    for r in (("a", 5, 1, 40, 30), ("a", 5, 3, 40, 30), ("b", 6, 6, 0, 10), ("c", 2, 10, -40, -10))
]


def test_means_count_identities_not_pictures_and_leave_out_what_is_no_value():
    found = {r["measure"]: r for r in summary.means([*ROWS, row("m", "d", 1, np.nan)])}
    assert set(found) == {*scores.COLUMNS.values(), *scores.SKIN.values()}
    line = found["line F1"]
    assert line["identities"] == 3 and line["mean"] == pytest.approx((2 + 6 + 10) / 3)
    assert line["low"] <= line["mean"] <= line["high"]
    assert [
        r["method"] for r in summary.means([row("z", "a", 1, 1), row("b", "a", 1, 1)])[:: len(found)]
    ] == [
        "z",
        "b",
    ]


def test_skin_by_tone_groups_neighbouring_tones_and_one_person_has_no_interval():
    two, one = summary.skin_by_tone(ROWS), summary.skin_by_tone(ROWS, tones=1)
    assert [(r["monk"], r["mean"], r["identities"]) for r in two] == [("1-2", 10, 1), ("5-6", 4, 2)]
    assert np.isnan(two[0]["low"]) and two[1]["low"] <= 4 <= two[1]["high"]
    assert [(r["monk"], r["mean"]) for r in one] == [("2", 10), ("5", 2), ("6", 6)]
    assert [r["monk"] for r in summary.skin_by_tone([row("m", "a", 10, 1)], tones=3)] == ["10"]


def test_skin_line_has_slope_shift_and_worst_group_gap():
    [found] = summary.skin_line(ROWS)
    assert found["worst-group gap (delta E00)"] == 6
    assert found["ITA slope (photo)"] == pytest.approx(np.polyfit([40, 40, 0, -40], [30, 30, 10, -10], 1)[0])
    assert found["ITA shift (oracle)"] == pytest.approx(5)


def test_one_group_has_no_gap():
    [found] = summary.skin_line(ROWS[:1])
    assert np.isnan(found["worst-group gap (delta E00)"])


def test_people_without_skin_in_sight_give_no_line():
    [found] = summary.skin_line([row("m", "a", 0, np.nan)])
    assert found.pop("method") == "m" and np.isnan(list(found.values())).all()


def test_by_group_has_the_means_of_each_group_and_leaves_out_who_is_in_none():
    rows = [one | {"tones": summary.tone_group(one["monk"])} for one in [*ROWS, row("m", "d", 0, 99)]]
    found = {
        (r["group"], r["measure"]): (r["mean"], r["identities"]) for r in summary.by_group(rows, "tones")
    }
    assert {group for group, _ in found} == {"1-2", "5-6"}
    assert found["1-2", "line F1"] == (10, 1) and found["5-6", "line F1"] == (4, 2)


def test_names_of_groups_of_tones():
    assert [summary.tone_group(k) for k in (1, 2, 9, 10, 0)] == ["1-2", "1-2", "9-10", "9-10", ""]
    assert [summary.tone_group(k, 3) for k in (3, 4, 10)] == ["1-3", "4-6", "10"]
    assert [summary.tone_group(k, 1) for k in (3, 10)] == ["3", "10"]
