"""The figure to judge by: what is compared with what, and what is said of it."""

import numpy as np
import pandas as pd
import pytest

from wbme.views import judged


def scored(rows):
    """(method, as, identity, line F1, flat, flat of the target, eyes L1) as 53_judge collects them."""
    names = ("method", "as", "identity", "line_f1", "flat", "flat_target", "eyes_l1")
    rest = {"perceptual": 0.2, "mouth_l1": 0.1, "delta_e00": np.nan}
    return pd.DataFrame([dict(zip(names, row, strict=True)) | rest for row in rows])


@pytest.fixture
def frame():
    filtered = [(judged.RIVAL, as_, n, 0.4, 0.9, 0.8, 0.1) for as_ in ("romance", "ink") for n in range(6)]
    better = [("student", "romance", n, 0.5 + 0.01 * n, 0.69 + 0.02 * (n % 2), 0.8, 0.1) for n in range(6)]
    worse = [("student-ink", "ink", n, 0.35, 0.75, 0.8, 0.2 + 0.01 * n) for n in range(6)]
    return scored(filtered + better + worse)


def test_gains_are_differences_on_the_same_people_and_above_nought_is_better(frame):
    gain = judged.gains(frame, ["student", "student-ink"]).set_index(["student", "measure"])
    lines = gain.loc[("student", "line F1")]
    assert lines["gain"] == pytest.approx(0.125) and lines["low"] > 0 and lines["people better"] == 1
    # Both are off the target's flat share by 0.1 on average: one too flat, one not flat enough.
    assert gain.loc[("student", "flat share, from the target's"), "gain"] == pytest.approx(0)
    assert gain.loc[("student-ink", "flat share, from the target's"), "gain"] == pytest.approx(0.05)
    assert gain.loc[("student-ink", "eyes L1"), "high"] < 0
    assert ("student", "skin delta E00 to oracle") not in gain.index  # nobody's skin was known


def test_what_is_said_names_what_an_interval_shows(frame):
    said = judged.findings(judged.gains(frame, ["student", "student-ink"]))
    assert said == [
        "- **student** against the classical filter: better in line F1.",
        "- **student-ink** against the classical filter: better in flat share, from the target's; "
        "worse in line F1, eyes L1.",
    ]


def test_the_table_has_every_method_beside_the_target_it_is_measured_by(frame):
    table = judged.summed(frame)
    assert set(zip(table["drawn by"], table["target drawn as"], strict=True)) == {
        (judged.RIVAL, "romance"),
        (judged.RIVAL, "ink"),
        ("student", "romance"),
        ("student-ink", "ink"),
    }
    row = table[table["drawn by"] == "student-ink"].iloc[0]
    assert row["line F1"] == "0.350 (0.350 to 0.350)" and row["skin delta E00 to oracle"] == ""


def test_a_card_says_as_whom_its_graph_draws():
    assert judged.character({"characters": ["romance", "ink"], "character": "ink"}) == "ink"
    assert judged.character({"characters": ["romance", "ink"]}) == "romance"
    assert judged.character({"characters": ["default"]}) == judged.character({}) == "romance"
