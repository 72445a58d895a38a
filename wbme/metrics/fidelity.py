"""Whether a faster graph still draws what the exact one draws: int8 against fp32."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.metrics import scores, structure

LEAST_PSNR = 38.0  # dB, of the drawing to that of fp32
MOST_LINES = 0.02  # share by which the line F1 to the targets may change
MOST_TONE = 0.5  # delta E00 by which the worst tone of skin may get worse
# Value of ``summary`` -> how tables and figures name it.
COLUMNS = {"psnr": "PSNR to fp32 (dB)", "line_f1": "line F1", "worst": "worst tone (delta E00)"}


def compare(
    drawn: Mapping[str, NDArray[np.float32]], pair: Mapping[str, NDArray[Any]]
) -> list[dict[str, Any]]:
    """A row for each drawing of the photograph of a pair, by the name of its graph, "fp32" among them.

    ``pair`` holds src and tgt (``data.pairs``), and where they are known labels, oracle and the heads'
    points. ``psnr`` is that to the drawing of fp32 (dB), ``line_f1`` that to tgt; ``delta_e00`` and ``monk``
    are those of ``scores.skin_score``, NaN and 0 where one person and the oracle are not given.
    """
    source, target = pair["src"], pair["tgt"]
    alone = "labels" in pair and "oracle" in pair and len(pair["points"]) == 1
    labels = pair["labels"] if alone else np.zeros(source.shape[:2], np.uint8)
    wanted, rows = structure.lines(target), []
    for name, rgb in drawn.items():
        row = {"graph": name, "psnr": structure.distance(rgb, drawn["fp32"])[1]}
        row["line_f1"] = structure.line_f1(structure.lines(rgb), wanted).f1
        rows.append(row | scores.skin_score(rgb, source, pair.get("oracle", target), labels))
    return rows


def summary(rows: Sequence[Mapping[str, Any]], graph: str) -> dict[str, float]:
    """Means of ``psnr`` and ``line_f1`` over the rows of ``graph``, and ``worst``, the largest mean of
    delta E00 over a Monk tone, with its ``monk``; NaN and 0 where no row shows skin."""
    own = [row for row in rows if row["graph"] == graph]
    tones = {
        monk: float(np.mean([row["delta_e00"] for row in own if row["monk"] == monk]))
        for monk in sorted({row["monk"] for row in own} - {0})
    }
    monk = max(tones, key=lambda one: tones[one], default=0)
    means = {name: float(np.mean([row[name] for row in own])) for name in ("psnr", "line_f1")}
    return {**means, "worst": tones.get(monk, float("nan")), "monk": monk}


def limits(exact: Mapping[str, float]) -> dict[str, list[float]]:
    """The values at which ``refusals`` begin, by the names of ``COLUMNS``."""
    lines = [exact["line_f1"] * (1 + sign * MOST_LINES) for sign in (-1, 1)]
    values = [LEAST_PSNR], lines, [exact["worst"] + MOST_TONE]
    return dict(zip(COLUMNS.values(), values, strict=True))


def refusals(exact: Mapping[str, float], fast: Mapping[str, float]) -> list[str]:
    """Why the graph with the summary ``fast`` is no stand-in for the ``exact`` one: a clause for each number
    beyond its limit or unknown; [] where all hold."""
    change = fast["line_f1"] / max(exact["line_f1"], 1e-9) - 1
    worse = fast["worst"] - exact["worst"]
    found = []
    if not fast["psnr"] >= LEAST_PSNR:
        found.append(f"its PSNR to fp32 is {fast['psnr']:.1f} dB, below {LEAST_PSNR:g}")
    if not abs(change) <= MOST_LINES:
        found.append(f"its line F1 changes by {change:+.1%}, more than {MOST_LINES:.0%}")
    if np.isnan(worse):
        found.append("no skin is seen, so that its worst tone is unknown")
    elif worse > MOST_TONE:
        found.append(f"its worst tone of skin is {worse:.2f} delta E00 worse, more than {MOST_TONE:g}")
    return found
