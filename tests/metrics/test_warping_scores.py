"""Scores of warps against a correspondence that is known in closed form."""

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from wbme.base.seeds import generator
from wbme.geometry import fields
from wbme.geometry.parsing import INDEX
from wbme.geometry.warps import fit
from wbme.metrics import structure, warping

SIZE = 160
CENTRE, SCALE = np.array([80.0, 80.0]), 1.25


def to_photo(places):
    """The drawing is the photo enlarged about its middle and shifted."""
    return (np.asarray(places, float) - CENTRE - [6, -4]) / SCALE + CENTRE


@pytest.fixture(scope="module")
def truth():
    drawing = np.full((SIZE, SIZE, 3), 0.9, np.float32)
    cv2.circle(drawing, (86, 76), 45, (0.1, 0.1, 0.1), 2)
    cv2.line(drawing, (60, 90), (110, 90), (0.1, 0.1, 0.1), 2)
    grid = fields.places((SIZE, SIZE)).numpy()
    places = to_photo(grid).astype(np.float32)
    places[:20] = np.nan
    labels = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(labels, (80, 80), 60, INDEX["hair"], -1)
    cv2.circle(labels, (80, 80), 40, INDEX["skin"], -1)
    rng = generator(0, "points")
    source = rng.uniform(45, 115, (468, 2))
    while (close := cKDTree(source).query(source, 2)[0][:, 1] < 0.3).any():
        source[close] = rng.uniform(45, 115, (close.sum(), 2))
    target = (source - CENTRE) * SCALE + CENTRE + [6, -4]
    return drawing, warping.truth(drawing, places, source, target, np.ones(468, bool), labels)


def scored(truth, drawing, warp):
    field = fields.field(warp, (SIZE, SIZE))
    planes = torch.from_numpy(drawing.transpose(2, 0, 1))[None]
    picture = fields.resampled(planes, field)[0].permute(1, 2, 0).numpy()
    return warping.scores(warp, field[0], picture, truth)


def test_the_exact_field_is_the_inverse_of_the_correspondence(truth):
    _, known = truth
    grid = fields.places((SIZE, SIZE)).numpy()
    want = (grid - CENTRE) * SCALE + CENTRE + [6, -4]
    apart = np.abs(known.field.numpy() - want)[known.known]
    assert apart.max() < 0.1 and known.known.mean() > 0.5
    assert np.isin(known.wanted, [True, False]).all() and known.wanted.any()


def test_the_right_warp_has_no_error_and_damages_no_line(truth):
    drawing, known = truth
    got = scored(known, drawing, fit("similarity", known.source, known.target))
    for name in ("landmark RMSE", "face error", "hair error"):
        assert got[name] < 0.02
    assert got["folds"] == 0 and got["stretch"] == pytest.approx(1, abs=1e-4)
    assert got["line F1"] > 0.97 and got["lines kept"] > 0.97
    assert np.isnan(got["body error"])  # there is none
    assert list(got) == list(warping.MEASURES)


def test_no_warp_misses_by_what_the_drawing_moved(truth):
    drawing, known = truth
    got = scored(known, drawing, fit("similarity", known.source, known.target, 0.0))
    miss = np.linalg.norm(known.source - known.target, axis=1)
    assert got["landmark RMSE"] == pytest.approx(100 * np.sqrt((miss**2).mean()) / known.width, rel=1e-6)
    assert got["face error"] > 3 and got["line F1"] < 0.6
    assert got["lines kept"] > 0.99  # nothing is resampled


def test_stretch_is_the_ratio_of_the_singular_values():
    matrix = torch.tensor([[2.0, 0.6], [-0.2, 0.7]])
    field = fields.places((12, 12)) @ matrix.T
    values = torch.linalg.svdvals(matrix)
    torch.testing.assert_close(warping.stretches(field), (values[0] / values[1]).double().expand(12, 12),
                               rtol=1e-4, atol=0)  # fmt: skip


def test_lines_are_marked_where_they_go_and_nowhere_else():
    places = torch.tensor([[3.2, 1.6], [float("nan"), 2.0], [99.0, 0.0], [-1.0, 0.0]])
    found = warping.marked(places, (5, 6))
    assert found.sum() == 1 and found[2, 3]
    assert structure.line_f1(found, found).f1 == 1
