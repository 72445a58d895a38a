"""A picture carried from points to points: the flow of ``wbme.geometry.flowing`` on the part it reaches."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

F32 = NDArray[np.float32]
Floats = NDArray[np.float64]

_STILL = 1e-3  # pixels: what moves less is left as it is
_COARSE = 4  # pixels between those of the field that places are looked up in


@dataclass(frozen=True, eq=False)
class Flow:
    """Where the pixels of a part of a picture come from: ``field`` h x w x 2 (x, y) pixels of that part,
    which begins at ``low`` (x, y) of the picture."""

    field: "Tensor"
    low: NDArray[np.int64]

    @property
    def folds(self) -> bool:
        """Whether it turns any of the picture over."""
        from wbme.geometry import fields

        # At every other pixel: the field is smooth.
        return bool(fields.folds(self.field[None, ::2, ::2]).any())

    def picture(self, rgb: F32) -> F32:
        """``rgb`` (H x W x 3 in [0, 1]) carried along; what does not move is unchanged to the bit."""
        import torch

        from wbme.geometry import fields

        x, y = self.low
        high, wide = self.field.shape[:2]
        part = rgb[y : y + high, x : x + wide]
        planes = torch.from_numpy(np.ascontiguousarray(part.transpose(2, 0, 1)))[None]
        drawn = fields.resampled(planes, self.field[None])[0].permute(1, 2, 0).numpy()
        still = (self.field - fields.places((high, wide))).abs().amax(-1, keepdim=True).numpy() < _STILL
        out = rgb.copy()
        out[y : y + high, x : x + wide] = np.where(still, part, drawn)
        return out

    def points(self, places: NDArray[np.floating]) -> Floats:
        """Where ``places`` (N x 2 pixels of the picture) go, to a quarter of a pixel; what lies beyond the
        part stays."""
        import torch

        from wbme.geometry import inversion

        places = np.asarray(places, float)
        end = np.array(self.field.shape[1::-1]) - 1
        inside = ((places >= self.low) & (places <= self.low + end)).all(1)
        out = places.copy()
        if inside.any() and end.min() > 4 * _COARSE:
            where = torch.from_numpy((places[inside] - self.low) / _COARSE)
            field = self.field[::_COARSE, ::_COARSE] / _COARSE
            out[inside] = inversion.inverse(field, where=where)[0].numpy() * _COARSE + self.low
        return out


def flow(
    before: Floats, after: Floats, shape: tuple[int, ...], room: float, *, reach: float, steps: int,
    smoothing: float = 1e-3, scale: float = 1.0, step: float | None = None,
) -> Flow:  # fmt: skip
    """The flow that carries ``before`` to ``after`` (K x 2 pixels of a picture of ``shape``), on the part of
    the picture within ``room`` pixels of them. It is computed on a picture ``scale`` times as small, at least
    1, with knots ``step`` of its pixels apart, and enlarged; the rest as ``warps.Settings``.

    Raises ParameterError for points that make no warp; one of them at least must lie in the picture.
    """
    import torch

    from wbme.geometry import fields, warps

    start = np.floor(np.minimum(before, after).min(0) - room).astype(int)
    end = np.ceil(np.maximum(before, after).max(0) + room).astype(int) + 1
    low, high = start.clip(0), np.minimum(end, shape[1::-1])
    settings = warps.Settings(reach=reach, steps=steps, smoothing=smoothing)
    source, target = ((points - start + 0.5) / scale - 0.5 for points in (after, before))
    warp = warps.fit("hybrid", source, target, settings=settings)
    (x, y), (right, below) = low - start, high - start
    with torch.no_grad():
        wide, tall = (int(np.ceil(side / scale)) for side in end - start)
        field = fields.field(warp, (tall, wide), step)
        off = torch.from_numpy((low - start).astype(np.float32))
        if scale == 1:
            return Flow(field[0, y:below, x:right] - off, low)
        way = (field - fields.places((tall, wide))).permute(0, 3, 1, 2)
        here = fields.places((int(below - y), int(right - x)))
        # A pixel's centre v lies at (v + 1/2) / scale - 1/2 of the small picture.
        there = ((here + off + 0.5) / scale - 0.5)[None]
        mode = "bicubic" if scale > 2 else "bilinear"
        return Flow(here + scale * fields.resampled(way, there, mode)[0].permute(1, 2, 0), low)
