"""The hybrid: landmarks flow to their targets in small steps, each a smooth field of compact kernels.

Close to the flows of Beg et al. (LDDMM, 2005): a step whose displacement changes slowly enough is one to
one, and a chain of such steps is too. Beyond the kernels' reach nothing moves, so hair, neck and background
keep the base. Kernels stand at a spread-out part of the landmarks and are fitted to all of them.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from wbme.geometry.splines import squared, wendland

_CENTRES = 144


def bend(
    p: Tensor, d: Tensor, share: Tensor, smoothing: float, reach: float, steps: int
) -> Callable[[Tensor], Tensor]:
    """Displacement of the flow that carries p along d (both N x K x 2) in ``steps`` equal steps.

    Each step: with c the centres where they are by then, Phi = phi(|p - c|), the weights are
    (Phi^T S Phi + s sum S G)^-1 Phi^T S (way left / steps left), G = phi(|c - c|) the kernels' own energy and
    S the landmarks' shares.
    """
    chosen = spread_out(p.detach(), _CENTRES)[..., None].expand(-1, -1, 2)
    goal, at, total = p + d, p, share.sum(1, keepdim=True)
    own = torch.eye(chosen.shape[1], dtype=p.dtype, device=p.device)
    fields: list[tuple[Tensor, Tensor]] = []
    for left in range(steps, 0, -1):
        centres = at.gather(1, chosen)
        phi = wendland(squared(at, centres), reach)
        energy = wendland(squared(centres, centres), reach)
        shared = (share * phi).mT
        normal = shared @ phi + total * (smoothing * energy + 1e-9 * own)
        weight = torch.cholesky_solve(shared @ ((goal - at) / left), torch.linalg.cholesky(normal))
        fields.append((centres, weight))
        at = at + phi @ weight

    def moved(v: Tensor) -> Tensor:
        way = torch.zeros_like(v)
        for centres, weight in fields:
            way = way + wendland(squared(v + way, centres.to(v)), reach) @ weight.to(v)
        return way

    return moved


def spread_out(points: Tensor, most: int) -> Tensor:
    """Indices, N x at most ``most``, of points (N x K x 2) that lie far from each other: the farthest from
    all chosen before comes next (Gonzalez 1985)."""
    if points.shape[1] <= most:
        return torch.arange(points.shape[1], device=points.device).expand(len(points), -1)
    every = squared(points, points)
    first = points.square().sum(2).argmin(1)

    def row(one: Tensor) -> Tensor:
        return every.gather(1, one[:, None, None].expand(-1, 1, points.shape[1]))[:, 0]

    chosen, away = [first], row(first)
    for _ in range(most - 1):
        chosen.append(away.argmax(1))
        away = torch.minimum(away, row(chosen[-1]))
    return torch.stack(chosen, 1)
