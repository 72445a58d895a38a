"""The inverse of a field, found numerically."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wbme.geometry import fields

_ROUNDS = 16
_FAR = 8.0  # pixels that one step may go
_CLOSE = 0.05  # pixels that the field may miss a place by
_FLAT = 1e-3  # determinant below which a step would be wild


def inverse(
    field: Tensor, shape: tuple[int, int] | None = None, where: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """For each place u of a picture of ``shape`` (default: the field's) the v with f(v) = u, H x W x 2, and
    whether it was found, H x W; or for the places ``where`` alone, M x 2 and M.

    ``field`` f: H x W x 2 pixels, read bilinearly; parts of it may be nan. Newton's method, v <- v - J^-1
    (f(v) - u), from the pixel that lands nearest to u; found where f(v) misses u by less than 0.05 pixels.
    Where the field folds, one of several v is found; what it does not reach is not.
    """
    field = field.detach()
    shape = shape or (field.shape[0], field.shape[1])
    start = torch.from_numpy(_nearest(field.cpu().numpy(), shape))
    u = (fields.places(shape) if where is None else where.float()).reshape(1, -1, 2)
    v = start.reshape(1, -1, 2)
    if where is not None:
        near = where.round().long()
        v = start[near[:, 1].clamp(0, shape[0] - 1), near[:, 0].clamp(0, shape[1] - 1)][None]
    both = torch.cat([field[None], fields.jacobian(field[None]).flatten(3)], -1)
    best, least = v, torch.full(v.shape[:2], np.inf)
    size = v.new_tensor([field.shape[1] - 1, field.shape[0] - 1])
    for _ in range(_ROUNDS):
        there = fields.at(both, v)
        miss = there[..., :2] - u
        away = miss.norm(dim=2)
        better = away < least
        best, least = torch.where(better[..., None], v, best), torch.where(better, away, least)
        a, b, c, d = there[..., 2:].unbind(2)
        x, y = miss.unbind(2)
        over = a * d - b * c
        over = torch.where(over.abs() < _FLAT, torch.copysign(torch.full_like(over, _FLAT), over), over)
        step = torch.stack([d * x - b * y, a * y - c * x], 2) / over[..., None]
        step = step * (_FAR / step.norm(dim=2, keepdim=True).clamp_min(_FAR))
        v = torch.minimum(v - step.nan_to_num(0), size).clamp_min(0)
    found = least < _CLOSE
    if where is not None:
        return best[0], found[0]
    return best.reshape(*shape, 2), found.reshape(shape)


def _nearest(field: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """For each place of a picture of ``shape`` a pixel of the field that lands on it or near it."""
    with np.errstate(invalid="ignore"):
        x, y = np.moveaxis(np.rint(field), -1, 0)
        rows, columns = np.nonzero((x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0]))
    landed = np.full(shape, -1, np.int64)
    landed[y[rows, columns].astype(int), x[rows, columns].astype(int)] = rows * field.shape[1] + columns
    if (landed < 0).all():
        return fields.places(shape).numpy()
    hit = (landed < 0).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(hit, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.zeros(label.max() + 1, np.int64)
    known[label[landed >= 0]] = landed[landed >= 0]
    row, column = np.divmod(known[label], field.shape[1])
    return np.stack([column, row], -1).astype(np.float32)
