"""Views of the prototype's training: losses of its phases, and what its critic says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from wbme.views import style
from wbme.views.training import Panels

# For ``views.training.curves``: title, series (name in the history: label), logarithmic.
PANELS: Panels = (
    (
        "generator alone",
        {"generator/all": "all", **{f"generator/{k}": k for k in ("pixels", "features", "style")}},
        True,
    ),
    ("critic alone", {"critic/loss": "loss", "critic/accuracy": "accuracy"}, False),
    (
        "both in turn",
        {"gan/critic": "critic", "gan/features": "features", "gan/pixels": "pixels", "gan/style": "style"},
        True,
    ),
)
_BINS = np.linspace(0, 1, 21)


def verdicts(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Histograms of the critic's scores (rows when, what, score in [0, 1]), a panel for each ``when``."""
    times = list(dict.fromkeys(row["when"] for row in rows))
    kinds = list(dict.fromkeys(row["what"] for row in rows))
    figure = Figure(figsize=(0.5 + 3.5 * len(times), 2.8), layout="constrained")
    panels = figure.subplots(1, len(times), sharey=True, squeeze=False)[0]
    for axes, when in zip(panels, times, strict=True):
        style.plain(axes).set_title(when, fontsize=style.FONT, color=style.INK)
        for index, what in enumerate(kinds):
            scores = [row["score"] for row in rows if (row["when"], row["what"]) == (when, what)]
            look = {"histtype": "stepfilled", "color": style.colour(index), "ec": style.colour(index)}
            axes.hist(scores, _BINS, alpha=0.55, lw=1.2, label=what, **look)
        axes.axvline(0.5, color=style.FAINT, lw=1, ls=":")
        axes.set_xlabel("critic's probability of a drawing of the set", fontsize=style.FONT)
    panels[0].set_ylabel("held-out crops", fontsize=style.FONT)
    panels[0].legend(fontsize=style.FONT - 2, frameon=False)
    return figure
