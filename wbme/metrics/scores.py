"""All scores of one picture, as several methods drew it, against the drawing that was wanted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import monk_class
from wbme.metrics import light, perceptual, skin, structure
from wbme.nets.mobilenet import BACKBONE, MobileNetV2

# Column of ``score`` -> how tables and figures name it.
COLUMNS = {
    "psnr": "PSNR (dB)",
    "perceptual": perceptual.NAME,
    "flat": "flat share",
    "line_precision": "line precision",
    "line_recall": "line recall",
    "line_f1": "line F1",
    "eyes_l1": "eyes L1",
    "eyes_psnr": "eyes PSNR (dB)",
    "mouth_l1": "mouth L1",
    "mouth_psnr": "mouth PSNR (dB)",
}
SKIN = {
    "delta_e00": "skin delta E00 to oracle",
    "delta_e00_mean": "skin delta E00 to oracle, over pixels",
    "form": "form: correlation of skin L*",
    "form_slope": "form: slope of skin L*",
}
BACKGROUND = {
    "ground_delta": "background delta E00",
    "ground_lines": "background, stray lines (1/1000)",
    "ground_skin": "background turned skin (%)",
    "ghosts": "ghost faces",
}
FACE = {
    "readable": "face found",
    "landmarks": "landmark RMSE (% of the face's width)",
    "head_iou": "head IoU",
    "who": f"identity rank-1, {BACKBONE}",
    "chance": "identity rank-1 by chance",
    "who_weights": "identity rank-1, weights of your own",
    "cosine": "identity cosine, weights of your own",
}
ALL = COLUMNS | SKIN | BACKGROUND | FACE


def score(
    made: Mapping[str, NDArray[np.float32]],
    target: NDArray[np.float32],
    meshes: NDArray[np.floating[Any]],
    network: MobileNetV2,
    *,
    tolerance: float = 2.0,
) -> dict[str, dict[str, float]]:
    """The values of ``COLUMNS`` of each picture that was ``made``, by its name, against the one ``target``:
    all H x W x 3 sRGB in [0, 1] and of one size.

    ``meshes``: heads x 468 x 2 or more, pixels; without a head the scores of eyes and mouth are NaN.
    ``network`` is the backbone of the perceptual distance, ``tolerance`` that of the lines in pixels.
    Raises ParameterError when the shapes differ.
    """
    wanted = structure.lines(target)
    boxes = {
        part: [box for mesh in meshes for box in structure.crops(mesh, part, target.shape)]
        for part in ("eyes", "mouth")
    }
    rows = {}
    for name, rgb in made.items():
        drawn = structure.line_f1(structure.lines(rgb), wanted, tolerance)
        parts = {part: structure.distance(rgb, target, boxes[part]) for part in boxes}
        row = {"psnr": structure.distance(rgb, target)[1], "flat": structure.flat_share(rgb)}
        row |= {"line_precision": drawn.precision, "line_recall": drawn.recall, "line_f1": drawn.f1}
        row |= {f"{part}_l1": l1 for part, (l1, _) in parts.items()}
        rows[name] = row | {f"{part}_psnr": psnr for part, (_, psnr) in parts.items()}
    for name, far in zip(made, perceptual.distances(network, list(made.values()), target), strict=True):
        rows[name]["perceptual"] = far
    return rows


def skin_score(
    rgb: NDArray[np.float32],
    source: NDArray[np.float32],
    oracle: NDArray[np.float32],
    labels: NDArray[np.integer[Any]],
) -> dict[str, float]:
    """Skin of ``rgb`` against the ``oracle`` (the person's own albedo under neutral light), and ITA before
    (``source``) and after, under the exact labels of face skin.

    ``delta_e00`` is that of the median colours, ``delta_e00_mean`` the mean over pixels, ``form`` and
    ``form_slope`` how far the shading of ``source`` comes through (``light.form``), ``ita_*`` in
    degrees, ``monk`` the Monk tone (1 to 10) nearest to the oracle's skin;
    NaN and 0 where the labels show no face skin.
    """
    mask = skin.face_skin(labels)
    if not mask.any():
        return dict.fromkeys((*SKIN, "ita_in", "ita_out", "ita_oracle"), float("nan")) | {"monk": 0}
    after, before, own = (skin.compare(x, oracle, mask) for x in (rgb, source, oracle))
    alike, slope = light.form(*(srgb_to_lab(np.clip(x[mask], 0, 1))[:, 0] for x in (rgb, source)))
    return {
        "form": alike,
        "form_slope": slope,
        "delta_e00": after.median,
        "delta_e00_mean": after.mean,
        "ita_in": before.ita,
        "ita_out": after.ita,
        "ita_oracle": own.ita,
        "monk": int(monk_class([own.L, own.a, own.b])),
    }
