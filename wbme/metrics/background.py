"""What a drawing does where nobody is: colour, lines and skin where the target has none."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.metrics import skin, structure

INSET = 4  # pixels between a person and what counts as background: outlines lie there
LEAST = 200  # pixels of background from which it is told
ALIKE = 6.0  # delta E00 to the person's skin below which a pixel has its colour


def score(
    rgb: NDArray[np.float32],
    target: NDArray[np.float32],
    labels: NDArray[np.integer[Any]],
    *,
    tolerance: float = 2.0,
) -> dict[str, float]:
    """The damage of ``rgb`` against ``target`` (H x W x 3 sRGB in [0, 1]) on the pixels that ``labels``
    (H x W) call background, ``INSET`` pixels away from everybody:

    - ``ground_delta``: mean CIEDE2000 to the target;
    - ``ground_lines``: pixels of centre lines without one of the target within ``tolerance`` pixels, for each
      thousand pixels of background;
    - ``ground_skin``: % of pixels that took the colour of the face's skin: within ``ALIKE`` of the median
      that the drawing gives it, where the target's pixel lies twice as far or more; NaN without a face.

    NaN where less than ``LEAST`` pixels of background are seen.
    """
    around = np.ones((2 * INSET + 1,) * 2, np.uint8)
    ground = cv2.erode((labels == 0).astype(np.uint8), around, borderType=cv2.BORDER_REPLICATE) > 0
    count = np.count_nonzero(ground)
    if count < LEAST:
        return dict.fromkeys(("ground_delta", "ground_lines", "ground_skin"), float("nan"))
    drawn, wanted = (srgb_to_lab(np.clip(x[ground], 0, 1)) for x in (rgb, target))
    stray = structure.lines(rgb) & ~structure.near(structure.lines(target), tolerance) & ground
    face, share = skin.face_skin(labels), float("nan")
    if np.count_nonzero(face) >= skin.LEAST:
        own = np.median(srgb_to_lab(np.clip(rgb[face], 0, 1)), axis=0)
        taken = (delta_e00(drawn, own) < ALIKE) & (delta_e00(wanted, own) >= 2 * ALIKE)
        share = 100 * float(taken.mean())
    return {
        "ground_delta": float(delta_e00(drawn, wanted).mean()),
        "ground_lines": 1000 * np.count_nonzero(stray) / count,
        "ground_skin": share,
    }
