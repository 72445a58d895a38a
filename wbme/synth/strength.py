"""How strongly a picture is drawn: thinner lines, softer shading, finer tones, less of a grade below 1.

Strength is learned as a condition of the student. It is no cross-fade of photograph and drawing: at every
strength the picture is drawn, with clean shapes and sharp lines, only lighter.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.synth.composite import Drawing
from wbme.synth.ink import Ink
from wbme.synth.texture import Texture

F32 = NDArray[np.float32]
PARTS = ("drawing", "texture", "ink")  # of a pair's settings, which change with it
_SOFTER = 18.0  # pixels: how much wider edges between tones are at strength 0
_THINNER = 1.2  # pixels that lines lose on either side at strength 0
_MOST = 0.35  # strength below which tones become no finer


def drawing(full: Drawing, strength: float) -> Drawing:
    """``full`` with the edges between its tones softer, until shades run into each other."""
    return replace(
        full, softness=full.softness + _SOFTER * (1 - strength), texture_ink=full.texture_ink * strength
    )


def texture(full: Texture, strength: float) -> Texture:
    """``full`` with more detail, finer steps and less of its grade."""
    return replace(
        full,
        flat=max(full.flat * strength**2, 1e-4),
        lift=full.lift**strength,
        contrast=full.contrast * strength,
        saturation=full.saturation**strength,
        levels=full.levels / max(strength, _MOST),
        softness=full.softness + (1 - full.softness) * (1 - strength),
    )


def ink(full: Ink, strength: float) -> Ink:
    """``full`` with thinner lines."""
    return replace(full, sigma=full.sigma * (0.6 + 0.4 * strength))


def thinned(coverage: F32, strength: float) -> F32:
    """Coverage of ink H x W in [0, 1] whose lines are thinner, and gone at strength 0."""
    if strength >= 1:
        return coverage
    whole, part = divmod(_THINNER * (1 - strength), 1)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(coverage, cross, iterations=int(whole)) if whole else coverage
    inner = inner + np.float32(part) * (cv2.erode(inner, cross) - inner)
    return np.asarray(min(1.0, 2 * strength) * inner, np.float32)
