"""Stability in time: clips whose motion is known, and what stands in table and figures."""

import numpy as np
import pandas as pd
import pytest

from wbme.views import stability
from wbme.views.stability import UNIT, Clip


@pytest.fixture
def panning():
    still = np.random.default_rng(0).random((60, 80, 3)).astype(np.float32)
    return stability.panning(still, "p1", 4, 0.0, seed=0)


def steady(clip):
    return list(clip)


def flickering(clip):
    return [np.clip(rgb + 0.02 * (k % 2), 0, 1) for k, rgb in enumerate(0.9 * clip)]


def test_who_only_follows_the_motion_is_steady_and_who_flickers_is_measured(panning):
    drawn = {"input": steady(panning.rgb), "flickers": flickering(panning.rgb)}
    rows = {row["method"]: row for row in stability.measure(panning, drawn)}
    assert rows["input"][UNIT] == 0 and rows["flickers"][UNIT] == pytest.approx(4.0, rel=1e-3)
    assert {(row["kind"], row["identity"]) for row in rows.values()} == {("panning", "p1")}


def test_a_summary_has_intervals_over_clips_and_ratios_to_each_clip_itself():
    rows = [
        {"kind": "turning", "identity": who, "method": method, UNIT: value}
        for who, values in (("a", (2.0, 1.0)), ("b", (4.0, 4.0)))
        for method, value in zip(("input", "m"), values, strict=True)
    ]
    found = stability.summary(rows).set_index("method")
    assert list(found[UNIT]) == [3.0, 2.5] and list(found["to input"]) == [1.0, 0.75]
    assert (found["low"] <= found[UNIT]).all() and list(found["clips"]) == [2, 2]
    assert stability.findings(found.reset_index(), ["m", "n"]) == [
        "- m: E_warp 0.75 on a turning clip, in shares of the clip's own."
    ]
    assert stability.summary([]).empty and stability.findings(stability.summary([]), ["m"]) == []


def test_the_figure_has_a_panel_a_kind_and_the_clip_itself_across():
    rows = [
        {"clip": kind, "method": m, UNIT: v, "low": v - 0.5, "high": v + 0.5, "to input": 1.0, "clips": 2}
        for kind in stability.KINDS
        for m, v in (("input", 2.0), ("m", 1.0))
    ]
    left, right = stability.intervals(pd.DataFrame(rows)).axes
    assert [t.get_text() for t in left.get_yticklabels()] == ["input", "m"]
    for axes, kind in ((left, "panning"), (right, "turning")):
        assert axes.get_title().startswith(kind)
        assert [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"] == [2.0]


def test_flicker_is_dark_where_the_drawing_changes_and_grey_where_nothing_is_seen():
    clip = np.full((3, 40, 40, 3), 0.5, np.float32)
    seen = np.ones((3, 40, 40), bool)
    seen[:, :10] = False
    one = Clip("turning", "x", clip, np.zeros((3, 40, 40, 2), np.float32), seen)
    drawn = [rgb + 0.1 * (k % 2) * (np.arange(40) >= 30)[:, None, None] for k, rgb in enumerate(clip)]
    sheet = stability.flicker(one, {"m": [x.astype(np.float32) for x in drawn]}, cell=40)
    change = sheet[-(40 + 15 + 12) : -(15 + 12), 12:52, 0]
    np.testing.assert_allclose([change[5, 20], change[20, 20], change[35, 20]], [0.8, 1.0, 0.2], atol=0.01)
