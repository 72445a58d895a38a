"""Piecewise affine displacement on the triangles between landmarks (Delaunay)."""

import numpy as np
import torch
from scipy.spatial import Delaunay
from torch import Tensor
from torch.nn import functional

_ROOM = 0.6  # of the landmarks' extent, between them and the frame that stays where it is
_SIDE = 4  # points on a side of the frame


class Bend:
    """Displacements d at p (both N x K x 2), affine on each triangle and 0 on a frame around the landmarks
    and beyond it: N x M x 2 at places, or over the rows of a grid at once."""

    def __init__(self, p: Tensor, d: Tensor):
        self.parts = [_fitted(points, moves) for points, moves in zip(p, d, strict=True)]

    def __call__(self, v: Tensor) -> Tensor:
        parts = zip(self.parts, v, strict=True)
        return torch.stack([_within(mesh, affine, one) for (mesh, affine), one in parts])

    def grid(self, x: Tensor, y: Tensor) -> Tensor:
        """The same at columns x (N x W) and rows y (N x H), both rising: float32 N x H x W x 2."""
        parts = zip(self.parts, x, y, strict=True)
        return torch.stack([_painted(mesh, affine, *where) for (mesh, affine), *where in parts])


def _fitted(points: Tensor, moves: Tensor) -> tuple[Delaunay, Tensor]:
    """The triangles, and of each the 3 x 2 matrix that (x, y, 1) is multiplied by."""
    frame = points.new_tensor(_frame(points.detach().cpu().numpy()))
    every, way = torch.cat([points, frame]), torch.cat([moves, torch.zeros_like(frame)])
    mesh = Delaunay(every.detach().cpu().numpy())
    corners = torch.as_tensor(mesh.simplices.astype(np.int64), device=points.device)
    at = torch.cat([every[corners], every.new_ones(len(corners), 3, 1)], 2)
    # A sliver without area covers no place; its own map may be anything finite.
    thin = torch.linalg.det(at).abs() < 1e-14
    at = torch.where(thin[:, None, None], torch.eye(3, dtype=at.dtype, device=at.device), at)
    return mesh, torch.linalg.solve(at, torch.where(thin[:, None, None], 0, way[corners]))


def _within(mesh: Delaunay, affine: Tensor, v: Tensor) -> Tensor:
    seen = v.detach().cpu().numpy()
    low, high = mesh.points.min(0), mesh.points.max(0)
    inside = np.flatnonzero(((seen > low) & (seen < high)).all(1))
    which = mesh.find_simplex(seen[inside])
    place = torch.as_tensor(inside[which >= 0], device=v.device)
    own = affine[torch.as_tensor(which[which >= 0], device=v.device)]
    at = v[place]
    moves = at[:, :1] * own[:, 0] + at[:, 1:] * own[:, 1] + own[:, 2]
    return torch.zeros_like(v).index_copy(0, place, moves)


def _painted(mesh: Delaunay, affine: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Along a row a triangle's displacement is slope * x + level: written span by span."""
    which, row, first, last = _spans(mesh, x.detach().cpu().numpy(), y.detach().cpu().numpy())
    if not len(which):  # no column or no row passes through the frame
        return x.new_zeros(len(y), len(x), 2, dtype=torch.float32)
    top, left, right = int(row[0]), int(first.min()), int(last.max())
    # The frame is a rectangle whose rows are full: where rounding leaves a gap, the span before it goes on.
    first[np.flatnonzero(np.diff(row, prepend=-1))] = left
    length = np.diff(first + (row - top) * (right - left), append=left + (row[-1] - top + 1) * (right - left))
    own, at, count = (torch.as_tensor(part, device=x.device) for part in (which, row, length))
    lines = torch.cat([affine[own, 0], affine[own, 1] * y[at, None] + affine[own, 2]], 1).float()
    each = torch.repeat_interleave(lines, count, 0).unflatten(0, (-1, right - left))
    moves = each[..., :2] * x.float()[left:right, None] + each[..., 2:]
    return functional.pad(moves, (0, 0, left, len(x) - right, top, len(y) - top - len(moves)))


def _spans(mesh: Delaunay, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """(triangle, row, first column, column behind the last) of each span that holds a column, row by row."""
    corners = np.sort(mesh.simplices, 1)  # two triangles compute the edge between them from the same floats
    height = mesh.points[corners, 1]
    top, end = np.searchsorted(y, height.min(1)), np.searchsorted(y, height.max(1))
    count = end - top
    which = np.repeat(np.arange(len(corners)), count)
    row = np.arange(len(which)) - np.repeat(count.cumsum() - count - top, count)
    low, high = np.full(len(which), np.inf), np.full(len(which), -np.inf)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        (ax, ay), (bx, by) = (mesh.points[corners[:, k]].T for k in (a, b))
        slope = (bx - ax) / np.where(ay == by, 1, by - ay)  # a level edge meets no row
        at = y[row]
        cut = ax[which] + (at - ay[which]) * slope[which]
        met = (np.minimum(ay, by)[which] <= at) & (at < np.maximum(ay, by)[which])
        low, high = np.fmin(low, np.where(met, cut, np.inf)), np.fmax(high, np.where(met, cut, -np.inf))
    first, last = np.searchsorted(x, low), np.searchsorted(x, high)
    kept = np.flatnonzero(first < last)
    kept = kept[np.lexsort((first[kept], row[kept]))]
    return which[kept], row[kept], first[kept], last[kept]


def _frame(points: np.ndarray) -> np.ndarray:
    low, high = points.min(0), points.max(0)
    room = _ROOM * (high - low).max()
    low, high = low - room, high + room
    step = np.linspace(0, 1, _SIDE, endpoint=False)[:, None]
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    ring = zip(corners, np.roll(corners, -1, 0), strict=True)
    return np.concatenate([a + step * (b - a) for a, b in ring])
