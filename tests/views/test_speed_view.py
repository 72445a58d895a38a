"""Speed and quality side by side: what stands in table and figure is what was measured."""

import pandas as pd
import pytest

from wbme.metrics import fidelity
from wbme.views import speed

SIZE = "864 x 480"
RUNTIMES = ("torch eager", "OpenVINO", "OpenVINO, int8")
TIMES = pd.DataFrame(
    [
        {"runtime": runtime, "size": size, "CPU ms": cpu, "p50 ms": cpu / 2}
        for size, factor in ((SIZE, 1), ("1920 x 1088", 5))
        for runtime, cpu in zip(RUNTIMES, (200.0 * factor, 100.0 * factor, 40.0 * factor), strict=True)
    ]
)
QUALITY = {
    "fp32": {"psnr": 100.0, "line_f1": 0.5, "worst": 3.0, "monk": 9},
    "int8": {"psnr": 45.0, "line_f1": 0.499, "worst": 3.1, "monk": 9},
}
PEERS = {"AnimeGANv2": {"million weights": 2.1, "CPU ms": 1000.0, "p50 ms": 500.0}}


def test_the_table_has_ratios_within_the_run():
    table = speed.quality_table(TIMES, SIZE, "student", QUALITY, PEERS).set_index("network")
    assert list(table.index) == ["student, fp32", "student, int8", "AnimeGANv2, fp32"]
    assert table.loc["AnimeGANv2, fp32", "CPU to fp32"] == 10
    assert table.loc["AnimeGANv2, fp32", "CPU to int8"] == 25
    assert table.loc["student, int8", "pictures/s"] == 50
    assert table.loc["student, int8", "PSNR to fp32 (dB)"] == 45
    assert table["line F1"].tolist()[:2] == [0.5, 0.499]
    assert table.loc["student, fp32":"student, fp32", "PSNR to fp32 (dB)"].isna().all()


@pytest.mark.parametrize(
    ("slower", "met"),
    [
        (1, ["met, 50; by its CPU time two free cores draw 50", "met, 1 / 25"]),
        (2, ["missed, 25; by its CPU time two free cores draw 25", "missed, 1 / 12"]),
    ],
)
def test_the_goals_are_met_or_missed_by_the_numbers(slower, met):
    times = TIMES.assign(**{name: slower * TIMES[name] for name in ("CPU ms", "p50 ms")})
    said = speed.goals(speed.quality_table(times, SIZE, "student", QUALITY, PEERS), SIZE)
    assert "AnimeGANv2, fp32 takes 1000 CPU-ms" in said[0]
    assert all(words in line for words, line in zip(met, said[1:], strict=True))


def test_without_int8_and_peers_only_speed_is_left():
    times = TIMES[TIMES["runtime"] != "OpenVINO, int8"]
    table = speed.quality_table(times, SIZE, "student", {}, {})
    assert list(table) == ["network", "CPU ms", "p50 ms", "pictures/s", "CPU to fp32"]
    assert speed.goals(table, SIZE) == []
    assert len(speed.beside(table, ["CPU ms"]).axes) == 1


def test_the_figure_has_a_dot_where_a_number_is_known_and_dashes_at_the_limits():
    table = speed.quality_table(TIMES, SIZE, "student", QUALITY, PEERS)
    limits = fidelity.limits(QUALITY["fp32"])
    figure = speed.beside(table, ["CPU ms", *fidelity.COLUMNS.values()], limits)
    time, psnr, lines, tone = figure.axes
    assert [text.get_text() for text in time.texts] == ["100", "40", "1,000"]
    assert [text.get_text() for text in psnr.texts] == ["45"]
    dashed = [
        [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"] for axes in figure.axes
    ]
    assert dashed == [[], [38.0], pytest.approx([0.49, 0.51]), [3.5]]
    low, high = tone.get_xlim()
    assert low < 3.0 and high > 3.5
    assert lines.get_title() == "line F1"
