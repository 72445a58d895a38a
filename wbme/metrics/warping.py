"""How well a warp brings a deformed drawing to a person's geometry, against the exact correspondence."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wbme.geometry import fields
from wbme.geometry.inversion import inverse
from wbme.geometry.parsing import INDEX
from wbme.geometry.warps import Warp
from wbme.metrics import structure

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

_NOT_FACE = frozenset(INDEX[n] for n in ("neck", "neck_l", "hair"))
REGIONS = {
    "face": frozenset(range(1, 15)) - _NOT_FACE,
    "hair": frozenset({INDEX["hair"]}),
    "body": frozenset(INDEX[n] for n in ("neck", "cloth", "body_skin")),
}  # of labels in the photo
MEASURES = (
    "landmark RMSE", "face error", "hair error", "body error", "folds", "stretch", "line F1", "lines kept",
)  # fmt: skip
_TOLERANCE = 0.015  # of the face's width, between two lines that are the same


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of one drawing and photo of the same person, both H x W.

    ``places``: the photo's place of each pixel of the drawing, nan where it has none. ``source``, ``target``:
    landmarks of the photo and the drawing, 468 x 2; ``visible``, 468. ``labels`` of the photo; ``lines``,
    the drawing's centre lines. ``field``: where each pixel of the photo lies in the drawing, H x W x 2,
    where it is ``known``; ``wanted``: the drawing's lines as they would lie in the photo's geometry.
    """

    places: F32
    source: NDArray[np.float64]
    target: NDArray[np.float64]
    visible: Mask
    labels: NDArray[np.uint8]
    lines: Mask
    field: Tensor
    known: Mask
    wanted: Mask

    @property
    def width(self) -> float:
        """Width of the drawing's face in pixels, which errors are shares of."""
        return float(np.linalg.norm(self.target[234] - self.target[454]))


def truth(
    drawing: F32,
    places: F32,
    source: NDArray[np.float64],
    target: NDArray[np.float64],
    visible: Mask,
    labels: NDArray[np.uint8],
) -> Truth:
    """The truth of a ``drawing`` H x W x 3; the others as in ``Truth``."""
    field, known = inverse(torch.from_numpy(places), labels.shape)
    drawn = structure.lines(drawing)
    return Truth(
        places, source, target, visible, labels, drawn, field, known.numpy(),
        marked(torch.from_numpy(places[drawn]), labels.shape),
    )  # fmt: skip


def marked(places: Tensor, shape: tuple[int, int]) -> Mask:
    """A map of ``shape`` that is true at ``places`` (M x 2 pixels, nan for nowhere)."""
    there = places.numpy()
    there = np.rint(there[np.isfinite(there).all(1)]).astype(int)
    inside = (there >= 0).all(1) & (there < shape[::-1]).all(1)
    out = np.zeros(shape, bool)
    out[there[inside, 1], there[inside, 0]] = True
    return out


def dense_error(field: Tensor, truth: Truth) -> F32:
    """How far a field (H x W x 2) misses each pixel of the drawing, H x W in shares of the face's width:
    pixel d lies at g(d) in the photo, and the field f misses it by |f(g(d)) - d|; nan where g is unknown."""
    known = np.isfinite(truth.places).all(-1)
    where = torch.from_numpy(truth.places[known])[None]
    own = fields.places(truth.places.shape[:2])[torch.from_numpy(known)]
    out = np.full(known.shape, np.nan, np.float32)
    out[known] = (fields.at(field[None].float(), where)[0] - own).norm(dim=1).numpy() / truth.width
    return out


def shown(labels: NDArray[np.uint8], places: F32) -> NDArray[np.uint8]:
    """``labels`` of the photo for each pixel of the drawing, 0 where it has no place there."""
    known = np.isfinite(places).all(-1)
    column, row = np.rint(places[known]).astype(int).T
    out = np.zeros(known.shape, np.uint8)
    high, wide = labels.shape
    out[known] = labels[row.clip(0, high - 1), column.clip(0, wide - 1)]
    return out


def stretches(field: Tensor) -> Tensor:
    """By how much more a field (H x W x 2) stretches one way than across it: the ratio of the singular values
    of its Jacobian, H x W, 1 where shapes keep their form."""
    j = fields.jacobian(field[None].double())[0]
    # Of a 2 x 2 matrix: (q + r) / |q - r| from its conformal and its anticonformal part.
    q = torch.hypot(j[..., 0, 0] + j[..., 1, 1], j[..., 1, 0] - j[..., 0, 1])
    r = torch.hypot(j[..., 0, 0] - j[..., 1, 1], j[..., 1, 0] + j[..., 0, 1])
    return (q + r) / (q - r).abs().clamp_min(1e-6)


def scores(warp: Warp, field: Tensor, warped: F32 | None, truth: Truth) -> dict[str, float]:
    """``MEASURES`` of one warp: its ``field`` (H x W x 2) and the drawing through it, H x W x 3 on the ground
    of the drawing, or None to leave the lines out, which take most of the time.

    Landmark RMSE (all of them that are seen, whichever were used) and errors in % of the face's width; folds:
    % of the head's pixels; stretch: its 95th percentile on the head; line F1: the lines of the warped drawing
    against the exact ones; lines kept: against the drawing's own lines carried by the same field, which is
    what drawing anew costs, not geometry. nan where a region is not seen.
    """
    at = torch.from_numpy(truth.source[truth.visible])
    miss = warp(at)[0].detach().numpy() - truth.target[truth.visible]
    out = {"landmark RMSE": 100 * float(np.sqrt((miss**2).sum(1).mean())) / truth.width}
    error, on = dense_error(field, truth), shown(truth.labels, truth.places)
    for name, region in REGIONS.items():
        part = error[np.isin(on, list(region)) & np.isfinite(error)]
        out[f"{name} error"] = 100 * float(part.mean()) if len(part) >= 30 else np.nan
    head = np.isin(truth.labels, list(REGIONS["face"] | REGIONS["hair"]))
    out["folds"] = 100 * float(fields.folds(field[None])[0].numpy()[head].mean())
    out["stretch"] = float(np.quantile(stretches(field).numpy()[head], 0.95))
    if warped is None:
        return out
    found, tolerance = structure.lines(warped), max(_TOLERANCE * truth.width, 1.0)
    out["line F1"] = structure.line_f1(found & head, truth.wanted & head, tolerance).f1
    where = fields.places(truth.lines.shape)[torch.from_numpy(truth.lines)]
    back, reached = inverse(field, truth.lines.shape, where)
    own = marked(back[reached], truth.labels.shape)
    out["lines kept"] = structure.line_f1(found & head, own & head, tolerance).f1
    return out
