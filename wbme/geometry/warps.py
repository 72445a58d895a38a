"""Warps of the plane that carry landmarks to landmarks, behind one interface.

A warp f is a backward map: the result at place v shows the picture at f(v). To bring a character's drawing
to a person's geometry, ``source`` holds the person's landmarks and ``target`` the drawing's. Written as

    f(v) = S(v + r D((v - c) / r)),

S is the base, c and r are centre and spread of the source, and D is fitted to what S leaves, times the
strength: strength 0 is S itself. Every method is linear in that rest or a smooth function of it that
vanishes with it, so a warp of equal landmarks is the identity without rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from wbme.base.errors import ParameterError
from wbme.geometry import flowing, moving, piecewise, splines

Base = Literal["identity", "similarity", "robust"]
BASES: tuple[Base, ...] = ("identity", "similarity", "robust")
METHODS = (
    "similarity", "piecewise", "tps", "rbf", "mls_affine", "mls_similarity", "mls_rigid", "hybrid",
)  # fmt: skip
LEAST = 3  # landmarks
_FEW = 128
_ENTRIES = 1 << 17  # places x landmarks
_TWINS = 1e-5  # of the spread: two landmarks nearer than this are one
_FLAT = 1e-3  # narrower than this share of their length, landmarks lie on a line
_CROWD = 0.06  # of the spread: landmarks nearer than this share their weight
_ROUNDS, _TOLERANCE = 6, 0.06  # of the robust fit: rounds, and the spread's share that counts as a misfit


@dataclass(frozen=True)
class Settings:
    """What the methods can be told. ``alpha``: the exponent of moving least squares, w = 1 / d^(2 alpha), 0.5
    to 2; ``blur``: within which distance, in spreads, a
    landmark's weight stops growing, 0.001 to 0.5. ``smoothing``: how much of a landmark's own way splines
    may miss, 0 (none) to 1. ``reach``: radius
    of the kernels of ``rbf`` and ``hybrid`` in spreads of the landmarks, 0.5 to 5. ``steps``: of the hybrid's
    flow, 1 to 16."""

    alpha: float = 1.5
    smoothing: float = 1e-3
    reach: float = 1.5
    steps: int = 2
    blur: float = 0.08

    def __post_init__(self) -> None:
        ranges = {"alpha": (0.5, 2.0), "smoothing": (0.0, 1.0), "reach": (0.5, 5.0), "steps": (1, 16)}
        ranges["blur"] = (1e-3, 0.5)
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ParameterError(f"a warp's {name} is {value}: choose {low:g} to {high:g}")


@dataclass(frozen=True, eq=False)
class Warp:
    """A fitted warp of N pictures; call it with places. ``source`` N x K x 2 and ``centre`` N x 1 x 2 in
    pixels, ``spread`` N x 1 x 1; ``base`` N x 2 x 3; ``bend`` is D, on places in spreads from the centre;
    ``step``: how far apart, in pixels, D needs to be known; 0 where it has edges; ``single``: whether D,
    fitted in double precision, may be followed in single."""

    source: Tensor
    centre: Tensor
    spread: Tensor
    base: Tensor
    bend: Callable[[Tensor], Tensor]
    step: float
    single: bool = False

    def __call__(self, places: Tensor) -> Tensor:
        """Where N x M x 2 (or M x 2, the same for all N) places come from, float64 N x M x 2 pixels."""
        places = places.to(self.source).expand(len(self.source), -1, 2)
        return self.based(places) + self.off(places)

    def based(self, places: Tensor) -> Tensor:
        """S of places N x M x 2."""
        return places @ self.base[:, :, :2].mT + self.base[:, None, :, 2]

    def grid(self, x: Tensor, y: Tensor) -> Tensor | None:
        """``off`` at columns x and rows y (pixels, rising), float32 N x H x W x 2; None where only single
        places are known."""
        if not isinstance(self.bend, piecewise.Bend):
            return None
        local = [(t - self.centre[..., k]) / self.spread[..., 0] for k, t in enumerate((x, y))]
        bent = self.bend.grid(*local)
        return self.spread[..., None].float() * bent @ self.base[:, None, :, :2].mT.float()

    def off(self, places: Tensor, quick: bool = False) -> Tensor:
        """f - S at places N x M x 2; ``quick``: in single precision where that may be."""
        local = (places - self.centre) / self.spread
        if quick and self.single and not (torch.is_grad_enabled() and self.source.requires_grad):
            local = local.float()
        rows = max(_ENTRIES // (len(self.source) * self.source.shape[1]), 64) if self.step else local.shape[1]
        # In parts that stay in the cache: one large product would be twice as slow.
        bent = torch.cat([self.bend(part) for part in local.split(rows, 1)], 1)
        return self.spread * bent.to(self.base) @ self.base[:, :, :2].mT


def fit(
    method: str,
    source: ArrayLike | Tensor,
    target: ArrayLike | Tensor,
    strength: float = 1.0,
    *,
    base: Base = "identity",
    settings: Settings | None = None,
) -> Warp:
    """The warp of ``METHODS`` that carries ``source`` to ``target``, both N x K x 2 or K x 2 pixels.

    ``similarity``: least squares (Umeyama 1991). ``piecewise``: affine on the triangles of Delaunay.
    ``tps``: thin-plate spline (Bookstein 1989). ``rbf``: Wendland's compact kernel with a ridge.
    ``mls_affine``, ``mls_similarity``, ``mls_rigid``: moving least squares (Schaefer et al. 2006).
    ``hybrid``: a flow of compact kernels, see ``wbme.geometry.flowing``.

    ``base`` is what strength 0 gives and what holds far from the face: the identity, the similarity of all
    landmarks, or the one that most of them agree on (``robust``: enlarged eyes do not enlarge the head).
    Tensors that ask for gradients get them, with respect to both. Raises ParameterError, one sentence, for
    landmarks that are too few, not finite, equal or on a line, and for an unknown method or strength.
    """
    if method not in METHODS or base not in BASES:
        raise ParameterError(f"no warp is called {method!r} on {base!r}: choose one of {', '.join(METHODS)}, "
                             f"on {', '.join(BASES)}")  # fmt: skip
    if not 0 <= strength <= 1:
        raise ParameterError(f"a warp's strength is {strength}: choose 0 to 1")
    settings = settings or Settings()
    p, q = checked(source, "source"), checked(target, "target")
    if p.shape != q.shape:
        raise ParameterError(
            f"landmarks of shapes {tuple(p.shape)} and {tuple(q.shape)} cannot be matched: give the same "
            "points"
        )
    centre = p.mean(1, keepdim=True)
    spread = (p - centre).square().sum(2).mean(1).sqrt()[:, None, None]
    u = (p - centre) / spread
    share = shares(u)
    matrix = torch.eye(3, dtype=p.dtype, device=p.device)[:2].expand(len(p), 2, 3)
    if base != "identity":
        matrix = similarity(p, q, share if base == "robust" else None)
    turned = matrix[:, :, :2]
    rest = torch.linalg.solve(turned, (q - p @ turned.mT - matrix[:, None, :, 2]).mT).mT
    bend = _bend(method, u, strength * rest / spread, share, settings)
    fine = {"similarity": 1.0, "piecewise": 0.0, "hybrid": 0.06, "tps": 0.05, "rbf": 0.05}
    # Few landmarks bend the plane more slowly.
    slow = 1.25 if p.shape[1] < _FEW and method == "hybrid" else 1.0
    step = slow * fine.get(method, 0.55 * settings.blur) * float(spread.detach().min())
    return Warp(p, centre, spread, matrix, bend, step, method in ("rbf", "hybrid"))


def shares(p: Tensor) -> Tensor:
    """What each of p (N x K x 2, in spreads) counts, N x K x 1 in (0, 1]: less where landmarks crowd, as they
    do along the lids and at the far side of a turned face. 1 / sum_j exp(-|p_k - p_j|^2 / h^2)."""
    return 1 / (-splines.squared(p, p) / _CROWD**2).exp().sum(2, keepdim=True)


def _bend(method: str, u: Tensor, d: Tensor, share: Tensor, settings: Settings) -> Callable[[Tensor], Tensor]:
    if method == "similarity":
        linear = similarity(u, u + d) - torch.eye(3, dtype=u.dtype, device=u.device)[:2]
        return lambda v: v @ linear[:, :, :2].mT + linear[:, None, :, 2]
    if method == "piecewise":
        return piecewise.Bend(u, d)
    if method == "tps":
        return splines.thin_plate(u, d, share, settings.smoothing)
    if method == "rbf":
        return splines.compact(u, d, share, settings.smoothing, settings.reach)
    if method == "hybrid":
        return flowing.bend(u, d, share, settings.smoothing, settings.reach, settings.steps)
    return moving.bend(u, d, share, settings.alpha, settings.blur, method.removeprefix("mls_"))


def checked(points: ArrayLike | Tensor, name: str) -> Tensor:
    """``points`` as a float64 tensor N x K x 2; ParameterError where no warp can be fitted to them."""
    given = points if isinstance(points, Tensor) else torch.as_tensor(np.asarray(points, np.float64))
    if given.ndim == 2:
        given = given[None]
    if given.ndim != 3 or given.shape[2] != 2 or given.shape[1] < LEAST or not len(given):
        raise ParameterError(
            f"{name} landmarks of shape {tuple(given.shape)} make no warp: give {LEAST} or more points (x, y)"
        )
    given = given.double()
    seen = given.detach().cpu().numpy()
    for number, one in enumerate(seen):
        where = f"{name} landmarks" + (f" of picture {number}" if len(seen) > 1 else "")
        if not np.isfinite(one).all():
            lost = int(np.flatnonzero(~np.isfinite(one).all(1))[0])
            raise ParameterError(f"{where}: point {lost} is not a finite number; leave it out or correct it")
        spread = np.linalg.svd(one - one.mean(0), compute_uv=False)
        if spread[0] < 1e-9 or spread[1] < _FLAT * spread[0]:
            raise ParameterError(f"{where} lie on a line or in one place: add a point beside it")
        if name == "source":
            _apart(one, where, _TWINS * spread[0] / len(one) ** 0.5)
    return given


def _apart(points: np.ndarray, where: str, least: float) -> None:
    from scipy.spatial import cKDTree

    away, near = cKDTree(points).query(points, k=2)
    one = int(away[:, 1].argmin())
    if away[one, 1] < least:
        first, second = sorted((one, int(near[one][near[one] != one][0])))
        raise ParameterError(f"{where}: points {first} and {second} fall on one place; leave one of them out")


def similarity(p: Tensor, q: Tensor, share: Tensor | None = None) -> Tensor:
    """The turn, scale and shift, N x 2 x 3, that carries p to q (N x K x 2) best.

    As complex numbers q = a p + b; a = sum w conj(p - p*) (q - q*) / sum w |p - p*|^2, w = 1. With
    shares it is robust: w = share (s^2 / (s^2 + e^2))^2 (Geman and McClure), found in rounds, s being the
    spread of q times 0.06.
    """
    weight = torch.ones_like(p[..., :1])
    if share is None:
        return _weighted(p, q, weight)
    for _ in range(_ROUNDS):
        matrix = _weighted(p, q, weight)
        miss = (q - p @ matrix[:, :, :2].mT - matrix[:, None, :, 2]).square().sum(2, keepdim=True)
        size = (q - q.mean(1, keepdim=True)).square().sum(2).mean(1)[:, None, None]
        weight = share * (_TOLERANCE**2 * size / (_TOLERANCE**2 * size + miss)).square()
    return _weighted(p, q, weight)


def _weighted(p: Tensor, q: Tensor, weight: Tensor) -> Tensor:
    weight = weight / weight.sum(1, keepdim=True)
    from_, to = (weight * p).sum(1), (weight * q).sum(1)
    a, b = p - from_[:, None], q - to[:, None]
    size = (weight * a.square()).sum((1, 2))
    cos = (weight * a * b).sum((1, 2)) / size
    sin = (weight[..., 0] * (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])).sum(1) / size
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    return torch.cat([turn, (to - (turn @ from_[..., None])[..., 0])[..., None]], 2)
