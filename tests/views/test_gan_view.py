"""What is drawn of the prototype's training."""

import numpy as np

from wbme.views import gan, training


def test_the_histogram_counts_every_score():
    rng = np.random.default_rng(0)
    times, kinds = ("before the GAN", "after the GAN"), ("target", "generator")
    rows = [
        {"when": when, "what": what, "score": float(score)}
        for when in times
        for what in kinds
        for score in rng.random(32)
    ]
    figure = gan.verdicts(rows)
    assert [axes.get_title() for axes in figure.axes] == list(times)
    for axes in figure.axes:
        labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        assert labels == list(kinds)
        for patch in axes.patches:
            box = patch.get_path().get_extents()
            assert (box.x0 >= 0, box.x1 <= 1, box.y1 <= 32) == (True, True, True)


def test_the_three_phases_have_a_panel_each():
    series = [name for _, names, _ in gan.PANELS for name in names]
    history = [(name, 1.0 + index, step) for index, name in enumerate(series) for step in (10, 20)]
    figure = training.curves({"prototype": history}, gan.PANELS)
    assert [len(axes.lines) for axes in figure.axes] == [len(names) for _, names, _ in gan.PANELS]
