"""Warps as fields of a picture: where each pixel comes from, N x H x W x 2 (x, y), float32 pixels."""

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from torch import Tensor
from torch.nn import functional

from wbme.base.errors import ParameterError
from wbme.geometry.warps import Warp

_GAPS = (1.0, 8.0)  # pixels between knots around the landmarks, least and most
_COARSE = 16  # ... and far from them
_GROWTH = 1.4  # from one gap to the next, away from them
_SNAP = 8  # pixels to which the fine part is rounded, so that frames of a video share their knots


def field(warp: Warp, shape: tuple[int, int], step: float | None = None) -> Tensor:
    """The field of ``warp`` on pictures of ``shape`` (height, width), differentiable.

    What bends beyond the base is computed on a grid with knots ``step`` pixels apart around the landmarks
    (default: as the method asks) and wider ones elsewhere, and interpolated by cubic splines; piecewise
    affine fields, which have edges, are written triangle by triangle. Raises ParameterError where landmarks
    lie farther outside the picture than half its side.
    """
    _near(warp, shape)
    columns, rows = (torch.arange(n, device=warp.source.device) for n in shape[::-1])
    edged = warp.grid(columns, rows)
    if edged is not None:
        return _based(warp, shape) + edged
    low, high = _extent(warp)
    gap = float(np.clip(step or warp.step, *_GAPS))
    x, y = (_knots(shape[1 - k], low[k], high[k], gap) for k in (0, 1))
    along, down = (_spline(t, n).to(warp.source) for t, n in ((x, shape[1]), (y, shape[0])))
    grid = torch.stack(torch.meshgrid(torch.tensor(y), torch.tensor(x), indexing="ij")[::-1], -1)
    off = warp.off(grid.reshape(1, -1, 2).to(warp.source).expand(len(warp.source), -1, 2), quick=True)
    off = off.unflatten(1, (len(y), len(x))).permute(0, 3, 1, 2).float()
    # The base is two more columns of the same product: A00 x + t, and A01 for each row's y.
    base, columns = warp.base.float(), torch.arange(shape[1], device=off.device)
    level = (base[:, :, :1] * columns + base[:, :, 2:])[:, :, None]
    rise = base[:, :, 1:2, None].expand_as(level)
    rows = torch.arange(shape[0], dtype=torch.float32, device=off.device)[:, None]
    left = torch.cat([down.float(), torch.ones_like(rows), rows], 1)
    return (left @ torch.cat([off @ along.float().mT, level, rise], 2)).permute(0, 2, 3, 1)


def dense(warp: Warp, shape: tuple[int, int]) -> Tensor:
    """``field`` with the warp computed at each pixel."""
    _near(warp, shape)
    grid = places(shape).to(warp.source)
    off = warp.off(grid.reshape(1, -1, 2).expand(len(warp.source), -1, 2))
    return _based(warp, shape) + off.float().unflatten(1, shape)


def places(shape: tuple[int, int]) -> Tensor:
    """The place of each pixel: the field of the identity, float32 H x W x 2."""
    rows, columns = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in shape), indexing="ij")
    return torch.stack([columns, rows], -1)


def _based(warp: Warp, shape: tuple[int, int]) -> Tensor:
    grid, base = places(shape).to(warp.source.device), warp.base.float()
    if torch.equal(base, torch.eye(3, device=base.device)[:2].expand_as(base)):
        return grid
    along = grid[0, :, :1] * base[:, None, :, 0] + base[:, None, :, 2]
    return along[:, None] + (grid[:, 0, 1:] * base[:, None, :, 1])[:, :, None]


def _near(warp: Warp, shape: tuple[int, int]) -> None:
    size = warp.source.new_tensor(shape[::-1])
    beyond = torch.maximum(-warp.source, warp.source - (size - 1)).amax((0, 1)) / size
    if (beyond > 0.5).any():
        raise ParameterError(
            f"landmarks lie outside the picture of {shape[1]} x {shape[0]} pixels, farther than half its "
            "side: give them in its pixels"
        )


def _extent(warp: Warp) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = warp.source.detach().flatten(0, 1).cpu().numpy()
    return points.min(0), points.max(0)


def _knots(size: int, low: float, high: float, gap: float) -> tuple[float, ...]:
    """Knots from 0 to size - 1 at least: ``gap`` apart from ``low`` to ``high``, wider outwards."""
    low, high = np.floor(low / _SNAP) * _SNAP - gap, np.ceil(high / _SNAP) * _SNAP + gap
    low, high = (float(np.clip(end, 0, size - 1)) for end in (low, high))
    if high - low < 4:
        low, high = 0.0, float(max(size - 1, 4))
    inner = list(np.linspace(low, high, max(int(np.ceil((high - low) / gap)) + 1, 4)))
    wide = gap
    while inner[0] > 0:
        wide = min(wide * _GROWTH, _COARSE)
        inner.insert(0, inner[0] - wide)
    wide = gap
    while inner[-1] < size - 1:
        wide = min(wide * _GROWTH, _COARSE)
        inner.append(inner[-1] + wide)
    return tuple(inner)


@functools.lru_cache(64)
def _spline(knots: tuple[float, ...], size: int) -> Tensor:
    """size x len(knots): values at knots to the cubic spline through them at 0 .. size - 1."""
    return torch.from_numpy(make_interp_spline(knots, np.eye(len(knots)), k=3)(np.arange(size)))


def resampled(pictures: Tensor, field: Tensor, mode: str = "bicubic") -> Tensor:
    """``pictures`` (N x C x h x w) seen through a field (N x H x W x 2): N x C x H x W, differentiable.

    Beyond the border lies its nearest pixel. ``mode``: ``bicubic`` (clamped to the range of the pictures) or
    ``bilinear``.
    """
    high, wide = pictures.shape[2:]
    size = field.new_tensor([wide, high])
    scaled = (2 * field + 1) / size - 1
    out = functional.grid_sample(pictures, scaled, mode=mode, padding_mode="border", align_corners=False)
    return out.clamp(pictures.min(), pictures.max()) if mode == "bicubic" else out


def at(field: Tensor, where: Tensor) -> Tensor:
    """A field (N x H x W x 2) at places N x M x 2, bilinear: N x M x 2."""
    high, wide = field.shape[1:3]
    size = field.new_tensor([wide, high])
    scaled = ((2 * where.to(field) + 1) / size - 1)[:, None]
    mixed = functional.grid_sample(
        field.permute(0, 3, 1, 2), scaled, padding_mode="border", align_corners=False
    )
    return mixed[:, :, 0].mT


def jacobian(field: Tensor) -> Tensor:
    """Differences of a field (N x H x W x 2) along x and y, N x H x W x 2 x 2: [..., i, j] = df_i / dx_j."""
    y, x = torch.gradient(field, dim=(1, 2))
    return torch.stack([x, y], -1)


def folds(field: Tensor) -> Tensor:
    """Where a field turns the picture over, bool N x H x W: det J <= 0."""
    j = jacobian(field)
    return j[..., 0, 0] * j[..., 1, 1] - j[..., 0, 1] * j[..., 1, 0] <= 0
