"""Moving least squares (Schaefer, McPhail and Warren: Image Deformation Using Moving Least Squares, 2006)."""

from collections.abc import Callable

import torch
from torch import Tensor

from wbme.geometry.splines import squared

_RIDGE = 1e-12


def bend(
    p: Tensor, d: Tensor, share: Tensor, alpha: float, blur: float, kind: str
) -> Callable[[Tensor], Tensor]:
    """Displacements d at p (both N x K x 2) between which each place moves by the map that fits best there.

    w_k = share_k / (|v - p_k|^2 + blur^2)^alpha; with p* and d* the weighted means, the displacement of v is
    d* + (v - p*) M. ``kind``: ``affine``, M = (sum w p^T p)^-1 sum w p^T d of the centred points;
    ``similarity``, the best M = m - 1 with m a turn and scale; ``rigid``, with the scale of m taken out. All
    sums are one product of the weights with the moments of the landmarks.
    """
    cross = p[..., :, None] * d[..., None, :]
    own = torch.stack([p[..., 0] ** 2, p[..., 0] * p[..., 1], p[..., 1] ** 2], -1)
    moments = share * torch.cat([torch.ones_like(p[..., :1]), p, d, own, cross.flatten(2)], 2)

    def moved(v: Tensor) -> Tensor:
        away = squared(v, p) + blur**2
        sums = _weights(away, alpha) @ moments
        sums = sums[..., 1:] / sums[..., :1]
        from_, by = sums[..., :2], sums[..., 2:4]
        xx = sums[..., 4] - from_[..., 0] ** 2 + _RIDGE
        xy = sums[..., 5] - from_[..., 0] * from_[..., 1]
        yy = sums[..., 6] - from_[..., 1] ** 2 + _RIDGE
        mixed = sums[..., 7:].unflatten(-1, (2, 2)) - from_[..., :, None] * by[..., None, :]
        x, y = (v - from_).unbind(-1)
        if kind == "affine":
            one, other = (yy * x - xy * y)[..., None], (xx * y - xy * x)[..., None]
            return by + (one * mixed[..., 0, :] + other * mixed[..., 1, :]) / (xx * yy - xy**2)[..., None]
        real = (mixed[..., 0, 0] + mixed[..., 1, 1]) / (xx + yy)
        turn = (mixed[..., 0, 1] - mixed[..., 1, 0]) / (xx + yy)
        if kind == "rigid":
            size = torch.hypot(1 + real, turn).clamp_min(_RIDGE)
            real, turn = (1 + real) / size - 1, turn / size
        return by + torch.stack([real * x - turn * y, turn * x + real * y], -1)

    return moved


def _weights(r2: Tensor, alpha: float) -> Tensor:
    if alpha == 1.5:  # the usual one, and a power costs ten times as much
        return r2.reciprocal() * r2.rsqrt()
    return r2.reciprocal() if alpha == 1 else r2.pow(-alpha)
