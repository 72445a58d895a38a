"""Piecewise affine displacement on the triangles between landmarks (Delaunay)."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial import Delaunay
from torch import Tensor

_ROOM = 0.6  # of the landmarks' extent, between them and the frame that stays where it is
_SIDE = 4  # points on a side of the frame


def bend(p: Tensor, d: Tensor) -> Callable[[Tensor], Tensor]:
    """Displacements d at p (both N x K x 2), affine on each triangle and 0 on a frame around the landmarks
    and beyond it."""
    parts = []
    for points, moves in zip(p, d, strict=True):
        seen = points.detach().cpu().numpy()
        frame = points.new_tensor(_frame(seen))
        every, way = torch.cat([points, frame]), torch.cat([moves, torch.zeros_like(frame)])
        mesh = Delaunay(every.detach().cpu().numpy())
        corners = torch.as_tensor(mesh.simplices.astype(np.int64), device=p.device)
        at = torch.cat([every[corners], every.new_ones(len(corners), 3, 1)], 2)
        # A sliver without area covers no place; its own map may be anything finite.
        thin = torch.linalg.det(at).abs() < 1e-14
        at = torch.where(thin[:, None, None], torch.eye(3, dtype=at.dtype, device=at.device), at)
        affine = torch.linalg.solve(at, torch.where(thin[:, None, None], 0, way[corners]))
        parts.append((mesh, affine))

    def moved(v: Tensor) -> Tensor:
        return torch.stack([_within(mesh, affine, one) for (mesh, affine), one in zip(parts, v, strict=True)])

    return moved


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


def _frame(points: np.ndarray) -> np.ndarray:
    low, high = points.min(0), points.max(0)
    room = _ROOM * (high - low).max()
    low, high = low - room, high + room
    step = np.linspace(0, 1, _SIDE, endpoint=False)[:, None]
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    ring = zip(corners, np.roll(corners, -1, 0), strict=True)
    return np.concatenate([a + step * (b - a) for a, b in ring])
