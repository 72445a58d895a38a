"""Figures in reports/: large ones are reduced, alike each time."""

import io

import numpy as np
from PIL import Image

from wbme.lab import report


def png(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_large_figure_is_reduced_until_it_fits_and_keeps_its_look():
    rng = np.random.default_rng(0)
    ramp = np.linspace(40, 200, 1200)[None, :, None] + rng.normal(0, 12, (900, 1200, 3))
    large = png(ramp.clip(0, 255).astype(np.uint8))
    assert len(large) > 3 * report.MAX_FIGURE
    made = report.fitted(large)
    assert len(made) <= report.MAX_FIGURE and report.fitted(large) == made
    seen = np.asarray(Image.open(io.BytesIO(made)).convert("RGB"), np.float64)
    assert seen.shape == (900, 1200, 3), "noise in it is left out before pixels are"
    columns = seen.mean((0, 2))
    np.testing.assert_allclose(columns, np.linspace(40, 200, len(columns)), atol=6)  # a ramp, no steps
