"""What may stand in for fp32: the guard names each number that fails, and lets equal drawings through."""

import numpy as np
import pytest

from wbme.metrics import fidelity
from wbme.metrics.fidelity import refusals, summary

EXACT = {"psnr": 100.0, "line_f1": 0.5, "worst": 3.0, "monk": 9}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"psnr": 38.0, "line_f1": 0.4901, "worst": 3.5}, []),
        ({"worst": 1.0}, []),
        ({"psnr": 37.9}, ["its PSNR to fp32 is 37.9 dB, below 38"]),
        ({"psnr": float("nan")}, ["its PSNR to fp32 is nan dB, below 38"]),
        ({"line_f1": 0.48}, ["its line F1 changes by -4.0%, more than 2%"]),
        ({"line_f1": 0.52}, ["its line F1 changes by +4.0%, more than 2%"]),
        ({"worst": 3.75}, ["its worst tone of skin is 0.75 delta E00 worse, more than 0.5"]),
        ({"worst": float("nan")}, ["no skin is seen, so that its worst tone is unknown"]),
    ],
)
def test_the_guard_says_which_number_failed(change, why):
    assert refusals(EXACT, {**EXACT, **change}) == why


def test_all_that_failed_is_named():
    assert len(refusals(EXACT, {"psnr": 30.0, "line_f1": 0.1, "worst": 9.0})) == 3


def test_the_worst_tone_is_the_largest_mean_of_a_tone_of_that_graph():
    rows = [
        {"graph": graph, "psnr": 40.0, "line_f1": 0.4, "monk": monk, "delta_e00": error}
        for graph, monk, error in (
            ("int8", 2, 1.0),
            ("int8", 2, 3.0),
            ("int8", 9, 2.5),
            ("int8", 0, float("nan")),
            ("fp32", 9, 99.0),
        )
    ]
    assert summary(rows, "int8") == {"psnr": 40.0, "line_f1": 0.4, "worst": 2.5, "monk": 9}
    unseen = summary([row | {"monk": 0} for row in rows], "int8")
    assert np.isnan(unseen["worst"]) and unseen["monk"] == 0


def test_equal_drawings_are_let_through_and_a_brighter_skin_is_seen():
    draw = np.random.default_rng(0)
    picture = draw.uniform(0.3, 0.7, (64, 64, 3)).astype(np.float32)
    pair = {
        "src": picture,
        "tgt": picture,
        "oracle": np.full_like(picture, 0.5),
        "points": np.zeros((1, 468, 2)),
    }
    pair["labels"] = np.ones((64, 64), np.uint8)  # skin
    rows = fidelity.compare({"fp32": picture, "int8": picture + np.float32(0.1)}, pair)
    exact, fast = (summary(rows, name) for name in ("fp32", "int8"))
    assert refusals(exact, exact) == []
    assert fast["psnr"] == pytest.approx(20, abs=0.01)
    assert fast["worst"] > exact["worst"] + 1
    assert [limit for limit in fidelity.limits(exact).values()][-1] == [exact["worst"] + 0.5]
    del pair["labels"]  # as an imported set of folders
    assert all(row["monk"] == 0 for row in fidelity.compare({"fp32": picture}, pair))
