"""Splines through scattered displacements: thin plate, and a compact kernel with a ridge."""

from collections.abc import Callable

import torch
from torch import Tensor

Bend = Callable[[Tensor], Tensor]
_TINY = 1e-20  # keeps the gradient of a root or logarithm finite where a place is a landmark


def squared(v: Tensor, p: Tensor) -> Tensor:
    """Squared distances, N x M x K, of v (N x M x 2) and p (N x K x 2)."""
    one = torch.cat([v, v.square().sum(2, keepdim=True), torch.ones_like(v[..., :1])], 2)
    other = torch.cat([-2 * p, torch.ones_like(p[..., :1]), p.square().sum(2, keepdim=True)], 2)
    return (one @ other.mT).clamp_min(0)


def thin_plate(p: Tensor, d: Tensor, share: Tensor, smoothing: float) -> Bend:
    """f(v) = a0 + A v + sum w_k U(|v - p_k|), U = r^2 log r, from [[K + S, P], [P^T, 0]] [w; a] = [d; 0].

    ``p`` and ``d`` N x K x 2; S = diag(``smoothing`` / ``share``), shares N x K x 1 in (0, 1]. Without it the
    spline interpolates and bends least.
    """
    flat = torch.cat([torch.ones_like(p[..., :1]), p], 2)
    kernel = _plate(squared(p, p)) + torch.diag_embed(smoothing / share[..., 0])
    corner = p.new_zeros(len(p), 3, 3)
    system = torch.cat([torch.cat([kernel, flat], 2), torch.cat([flat.mT, corner], 2)], 1)
    solved = torch.linalg.solve(system, torch.cat([d, d.new_zeros(len(d), 3, 2)], 1))
    weight, affine = solved[:, :-3], solved[:, -3:]
    return lambda v: torch.baddbmm(affine[:, :1], v, affine[:, 1:]) + _plate(squared(v, p)) @ weight


def _plate(r2: Tensor) -> Tensor:
    return r2 * (r2 + _TINY).log() * 0.5


def wendland(r2: Tensor, reach: float) -> Tensor:
    """(1 - r)^4 (4 r + 1) for r = distance / reach below 1, else 0 (Wendland 1995: C2, positive definite)."""
    r = (r2 / reach**2 + _TINY).sqrt()
    far = (1 - r).clamp_min(0)
    if far.requires_grad:  # else in place, which costs half
        return far.square().square() * (4 * r + 1)
    return far.square_().square_().mul_(r.mul_(4).add_(1))


def compact(p: Tensor, d: Tensor, share: Tensor, smoothing: float, reach: float) -> Bend:
    """f(v) = sum w_k phi(|v - p_k|) with Wendland's phi and (Phi + S) w = d, S as above: 0 beyond."""
    ridge = torch.diag_embed((smoothing + 1e-9) / share[..., 0])
    factor = torch.linalg.cholesky(wendland(squared(p, p), reach) + ridge)
    weight = torch.cholesky_solve(d, factor)
    return lambda v: wendland(squared(v, p.to(v)), reach) @ weight.to(v)
