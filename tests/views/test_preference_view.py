"""What the figures and the findings of a blind test say."""

import numpy as np
import pytest

from wbme.data.blind import Comparison
from wbme.metrics import preference
from wbme.metrics.preference import Vote
from wbme.views import preference as view

MODELS = ["good", "bad"]


@pytest.fixture
def votes():
    """On 12 portraits good wins; on a synthetic one two raters disagree; one choice is undecided."""
    made = [Vote(f"portraits/{k}", "good", "bad", 1.0, bool(k % 2), "anna", 2.0) for k in range(12)]
    made += [
        Vote("people/0", "good", "bad", score, True, who) for score, who in ((0.0, "anna"), (1.0, "ben"))
    ]
    return [*made, Vote("people/1", "good", "bad", 0.5, True, "anna")]


@pytest.fixture
def pictures(votes):
    greys = {"input": 0.5, "good": 0.25, "bad": 0.75}
    names = {vote.picture for vote in votes}
    return {name: {k: np.full((40, 40, 3), g, np.float32) for k, g in greys.items()} for name in names}


def told(figure):
    figure.draw_without_rendering()
    return [[text.get_text() for text in axes.get_yticklabels()] for axes in figure.axes]


def test_the_dots_stand_at_the_rates_and_the_strongest_is_first(votes):
    rates, ranked = preference.win_rates(votes, MODELS), preference.ranking(votes, MODELS)
    figure = view.dots(rates, ranked)
    assert told(figure) == [["good over bad"], ["good", "bad"]]
    dot = figure.axes[0].lines[-1]
    assert dot.get_xdata()[0] == pytest.approx(100 * 13 / 14)
    bar = figure.axes[0].lines[-2]
    assert bar.get_xdata() == pytest.approx([100 * end for end in preference.wilson(13 / 14, 14)])
    assert "13 won, 1 lost, 1 even" in [text.get_text() for text in figure.axes[0].texts]
    assert len(view.dots([], []).axes) == 1


def test_the_knobs_leave_the_votes_that_they_name(votes):
    assert view.groups(votes) == {"pictures": ["all", "people", "portraits"], "rater": ["all", "anna", "ben"]}

    def notes(*settings):
        return [text.get_text() for text in view.chosen(votes, MODELS, *settings).axes[0].texts]

    assert notes("all", "all", "half") == ["13 won, 1 lost, 1 even"]
    assert notes("all", "all", "left out") == ["13 won, 1 lost, 0 even"]
    assert notes("people", "ben", "half") == ["1 won, 0 lost, 0 even"]
    assert notes("portraits", "ben", "half") == []


def test_the_sheet_hides_names_and_the_outcomes_tell_them(votes, pictures, monkeypatch):
    labels = []
    sheet = view.contact_sheet
    monkeypatch.setattr(view, "contact_sheet", lambda *a, **k: labels.append(k["labels"]) or sheet(*a, **k))
    asked = [Comparison(name, "bad", "good", ("1", "2")) for name in pictures]
    tiles = view.sheet(asked, pictures, most=2, cell=40)
    assert labels[:2] == [[f"{k}: {name}" for name in ("A", "photograph", "B")] for k in (1, 2)]
    assert [round(float(tiles[32, 12 + 20 + 52 * k, 0]), 2) for k in range(3)] == [0.75, 0.5, 0.25]
    view.outcomes(votes, MODELS, pictures, most=13, cell=40)
    assert labels[2][:3] == ["portraits/0", "good: 1 of 1", "bad: 0 of 1"]
    assert labels[2][-3:] == ["people/0", "good: 1 of 2", "bad: 1 of 2"]


def test_the_findings_say_what_is_sure_and_what_is_not(votes):
    def said(votes):
        rates, ranked = preference.win_rates(votes, MODELS), preference.ranking(votes, MODELS)
        return "\n".join(view.findings(rates, ranked, preference.agreement(votes), preference.raters(votes)))

    text = said(votes)
    assert "good over bad: 93 % [" in text and "on 14 pictures: preferred." in text
    assert "Order by strength: good (+" in text and "2 raters agree in 0 % of 1 comparisons" in text
    assert "No rater prefers a side" in text
    assert "undecided" in said(votes[-2:]) and "No two raters" in said(votes[:12])
    lefty = [Vote(f"p/{k}", "good", "bad", float(k % 2), bool(k % 2), "lefty") for k in range(12)]
    assert "**lefty: 100 % of the decided choices fell on the left" in said(lefty)
    assert "no common order yet" in "\n".join(view.findings([], [], preference.agreement([]), []))
