"""Labels as pictures and tables: overlays, held-out examples, how well each class is found."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from wbme.base import statistics
from wbme.data.parser_truth import Truth
from wbme.geometry.parsing import INDEX, LABELS, SKIN
from wbme.metrics import parsing as metrics
from wbme.views import style
from wbme.views.overlay import contact_sheet
from wbme.views.training import Panels

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

FINE = tuple(INDEX[n] for n in ("l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "mouth", "u_lip", "l_lip"))
PANELS: Panels = (
    ("loss", {"loss/train": "all", "loss/entropy": "cross entropy", "loss/dice": "Dice"}, True),
    ("held-out IoU", {"held_out/iou": "mean", "held_out/skin": "skin", "held_out/hair": "hair"}, False),
)
# Left and right of a pair lie apart, neighbours in a face are far in hue.
_COLOURS = np.array(
    [(30, 30, 34), (240, 190, 150), (150, 75, 30), (205, 120, 40), (40, 120, 255), (0, 200, 255),
     (250, 250, 60), (255, 120, 120), (200, 60, 90), (255, 255, 255), (255, 225, 110), (120, 0, 40),
     (230, 60, 120), (255, 110, 180), (200, 140, 110), (180, 255, 255), (60, 110, 190), (130, 70, 180),
     (70, 170, 90), (255, 165, 130)], np.float32,
) / 255  # fmt: skip


def painted(rgb: F32, labels: U8, share: float = 0.6) -> F32:
    """``rgb`` (H x W x 3 in [0, 1]) with ``share`` of each label's colour over it, but on background."""
    weight = share * (labels > 0).astype(np.float32)[..., None]
    return rgb + weight * (_COLOURS[labels] - rgb)


def sheet(
    rows: Sequence[Sequence[F32 | U8]], labels: Sequence[str], cell: int = 256, width: float = 7.0
) -> Figure:
    """Rows of pictures (H x W x 3 in [0, 1]) and labels (H x W uint8), named by column, over a legend of the
    classes."""
    tiles = [one if one.ndim == 3 else _COLOURS[one] for row in rows for one in row]
    picture = contact_sheet(tiles, len(labels), [*labels] * len(rows), cell=cell)
    high = width * picture.shape[0] / picture.shape[1]
    figure = Figure(figsize=(width, high + 1.0))
    axes = figure.add_axes((0.0, 1.0 / (high + 1.0), 1.0, high / (high + 1.0)))
    axes.imshow(picture, interpolation="none")
    axes.set_axis_off()
    seen = np.unique(np.concatenate([np.unique(one) for row in rows for one in row if one.ndim == 2] or [[]]))
    shown = [k for k in range(len(LABELS)) if k in seen] or range(len(LABELS))
    patches = [Patch(facecolor=_COLOURS[k], edgecolor=style.FAINT, label=LABELS[k]) for k in shown]
    figure.legend(handles=patches, loc="lower center", ncols=7, fontsize=style.FONT - 2, frameon=False)
    return figure


def classes(counts: Mapping[str, NDArray[np.int64]]) -> list[dict[str, Any]]:
    """A row for each class from the ``metrics.parsing.confusion`` of each person: IoU over all pixels, its
    mean over the people who show the class, with a bootstrap interval over them, and their number. The last
    row is the mean over the classes but the background."""
    whole = metrics.ious(np.sum(list(counts.values()), axis=0))
    each = [metrics.ious(one) for one in counts.values()]
    rows = []
    for name, iou in whole.items():
        found = statistics.bootstrap([one[name] for one in each if name in one])
        rows.append({"class": name, "IoU": iou, "mean over people": found.mean, "low": found.low,
                     "high": found.high, "people": found.n})  # fmt: skip
    found = statistics.bootstrap([metrics.mean(one) for one in each])
    return [*rows, {"class": "mean without background", "IoU": metrics.mean(whole),
                    "mean over people": found.mean, "low": found.low, "high": found.high,
                    "people": found.n}]  # fmt: skip


def against(labels: U8, truth: Truth) -> dict[str, float]:
    """What hand-drawn masks say of ``labels``: IoU of skin with brows, eyes, mouth and frames in it, without
    them, IoU of hair, and the share of what is called skin that lies on none."""
    skin, fine = np.isin(labels, list(SKIN)), np.isin(labels, FINE)
    return {
        "skin IoU": metrics.iou(skin | fine, truth.skin),
        "skin IoU without brows, eyes, mouth": metrics.iou(skin, truth.skin & ~truth.fine),
        "hair IoU": metrics.iou(labels == INDEX["hair"], truth.hair),
        "skin that is none": metrics.leak(labels, truth.skin),
    }
