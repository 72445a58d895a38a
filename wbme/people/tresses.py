"""How hair is filled in a drawing: one base tone, shadow shapes, and a ring of light broken by the locks.

The ring lies around the head's crown, across the flow; its edges run out along the locks in points, which is
how illustrators abbreviate the highlight of Kajiya and Kay (1989).
"""

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.geometry.parsing import INDEX
from wbme.people import cel
from wbme.people.clumps import LOCKS
from wbme.people.gbuffer import GBuffer
from wbme.people.mesh import Model
from wbme.people.sheet import Sheet, srgb

Floats = NDArray[np.float32]

_SKULL = np.array([0.0, 0.02, -0.085])  # its middle in the head's frame, metres
_RINGS = ((32.0, 10.0), (52.0, 4.0))  # degrees from the crown's axis, half width
_BEHIND = 0.038  # metres behind what surrounds it: hair behind neck and cheek


def fill(
    model: Model, gbuffer: GBuffer, sheet: Sheet, direction: Floats, wide: float, size: tuple[int, int]
) -> cel.Region:
    """The hair of one view at its final ``size``: direction: unit, to the light, in the scene; wide: width of
    the face, seen from the front, in final pixels."""
    return _Tresses(model, gbuffer, sheet, direction, wide, size).region()


class _Tresses:
    """Hair's samples as flat arrays: shapes are cut at the G-buffer's size, where their points stay sharp."""

    def __init__(
        self, model: Model, gbuffer: GBuffer, sheet: Sheet, direction: Floats, wide: float,
        size: tuple[int, int],
    ):  # fmt: skip
        self.sheet, self.size, self.wide, self.gbuffer = sheet, size, wide, gbuffer
        self.fine = gbuffer.label.shape[1] / size[0]
        self.mask = gbuffer.label == INDEX["hair"]
        self.here = np.flatnonzero(self.mask)
        self.head, self.direction = model.head.astype(np.float32), direction
        out = self._samples(gbuffer.position) - (model.head @ np.append(_SKULL, 1))[:3].astype(np.float32)
        self.out = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
        u = self._samples(gbuffer.uv[..., 0])
        self.middle = np.clip(1 - np.abs(2 * u - 1), 0, 1)  # 0 at a lock's borders, 1 in its middle
        self.clump = self._samples(gbuffer.clump).astype(np.int64)
        self.chance = _chance(self.clump)

    def _samples(self, values: NDArray) -> NDArray:
        return values.reshape(self.mask.size, -1)[self.here].squeeze()

    def _picture(self, values: NDArray, nothing: float = 0.0) -> Floats:
        """Samples of hair as a picture of the G-buffer's size."""
        flat = np.full(self.mask.size, nothing, np.float32)
        flat[self.here] = values
        return flat.reshape(self.mask.shape)

    def _mean(self, values: NDArray, sigma: float) -> Floats:
        """``values`` blurred within the hair; ``sigma``: share of a face's width."""
        weight = self._picture(np.ones(len(values)))
        return cel.blurred(self._picture(values), weight, sigma * self.wide * self.fine).ravel()[self.here]

    def _cover(self, chosen: NDArray, speck: float) -> Floats:
        """Share of each final pixel; pieces smaller than ``speck`` (share of a face's width) are dropped."""
        shape = self._picture(chosen).astype(np.uint8)
        _, names, stats, _ = cv2.connectedComponentsWithStats(shape, connectivity=4)
        large = stats[:, cv2.CC_STAT_AREA] >= (speck * self.wide * self.fine) ** 2
        large[0] = False
        # A soft lens of half a pixel takes the stairs of the samples away.
        smooth = cv2.GaussianBlur(large[names].astype(np.float32), (0, 0), 0.45 * self.fine)
        smooth = np.clip((smooth - 0.5) * 1.8 + 0.5, 0, 1)
        return np.asarray(cv2.resize(smooth, self.size, interpolation=cv2.INTER_AREA))

    def region(self) -> cel.Region:
        style = self.sheet.hair
        cover = cv2.resize(self.mask.astype(np.float32), self.size, interpolation=cv2.INTER_AREA)
        if not len(self.here):
            return cel.Region(cover, srgb("#4a3328"))
        base = srgb_to_lab(np.median(self._samples(self.gbuffer.albedo).reshape(-1, 3), axis=0))
        base[0] = style.darkest + base[0] * (1 - style.darkest / 100)  # black hair keeps its drawing
        deep = self._cover(self._behind(), 0.05)
        shadow = self._cover(self._turned_away() | self._under(), 0.035)
        light = self._cover(self._ring(), 0.03 if self._volume.any() else 0.012) * (1 - shadow) * (1 - deep)
        layers = [(shadow, style.shadow), (deep, style.deep), (light, style.light)]
        return cel.Region(cover, np.asarray(lab_to_srgb(base), np.float32), layers)

    def _ring(self) -> NDArray[np.bool_]:
        """Bands of light around the crown, across the locks, in each of another width."""
        style = self.sheet.hair
        axis = self.head[:3, 1] + 0.34 * self.head[:3, 2] + 0.3 * self.direction
        axis = axis / np.linalg.norm(axis)
        angle = np.degrees(np.arccos(np.clip(self.out @ axis, -1, 1)))
        # None where hair runs along the ring instead of across it.
        tangent = self._samples(self.gbuffer.tangent)
        round_ = np.cross(axis, self.out)
        round_ /= np.maximum(np.linalg.norm(round_, axis=1, keepdims=True), 1e-3)
        across = np.clip(1.6 - 1.9 * np.abs((tangent * round_).sum(1)), 0, 1)
        width = (0.3 + 0.7 * self.middle) * (0.6 + 0.6 * self.chance[1])
        width = np.where((self.chance[2] < 0.12) | (self.clump == 0), 0, width) * across * style.reach
        bands = np.zeros(len(angle), bool)
        for centre, half in _RINGS[: style.bands]:
            bands |= np.abs(angle - centre - 4 * (self.chance[0] - 0.5)) < half * width
        return bands | (self._curls(angle, axis) & bool(style.bands))

    @cached_property
    def _volume(self) -> NDArray[np.bool_]:
        """Hair without locks (an afro), whose curls are round."""
        volume = self.clump == 0
        curly = volume.mean() > 0.5 and np.mean(self._samples(self.gbuffer.smooth) < 0.92) > 0.5
        return volume & curly

    def _curls(self, angle: Floats, axis: Floats) -> NDArray[np.bool_]:
        """Light on a volume of curls: a band around the crown, on the sides of those that look up to it."""
        volume, reach = self._volume, self.sheet.hair.reach
        if not volume.any():
            return volume
        bright = self._mean(self._samples(self.gbuffer.normal) @ axis, 0.012) - 0.02 * np.abs(angle - 30)
        return volume & (bright > np.quantile(bright[volume], 1 - 0.2 * reach))

    def _turned_away(self) -> NDArray[np.bool_]:
        """Where the mass of hair turns from the light; the border follows the locks in points."""
        normal = self._samples(self.gbuffer.normal)
        lit = 0.3 * (normal @ self.direction) + 0.7 * (self.out @ self.direction)
        volume = self._volume
        if volume.any():  # round below too, and shaded by itself there
            lit = np.where(volume, 0.5 * lit + 0.6 * (self.out @ self.head[:3, 1]), lit)
        lit = self._mean(lit, 0.025 if volume.any() else 0.05)
        lit = lit + np.where(volume, 0, 0.22 * (self.middle - 0.5) + 0.12 * (self.chance[1] - 0.5))
        least = float(np.quantile(lit, 0.33 if volume.any() else 0.4))
        return lit < (least if volume.any() else min(self.sheet.shadow.threshold, least))

    def _under(self) -> NDArray[np.bool_]:
        """What a lock nearer to the light throws on the hair behind it: a narrow shape along its border."""
        depth = np.where(np.isfinite(self.gbuffer.depth), self.gbuffer.depth, 9).astype(np.float32)
        depth[self.gbuffer.label != INDEX["hair"]] = 9
        x, y = self.direction[:2] / max(float(np.linalg.norm(self.direction[:2])), 1e-6)
        step = 0.028 * self.wide * self.fine
        shift = np.array([[1, 0, -x * step], [0, 1, max(y, 0.5) * step]], np.float32)
        size = (depth.shape[1], depth.shape[0])
        moved = cv2.warpAffine(depth, shift, size, flags=cv2.INTER_NEAREST, borderValue=9)
        lower = self._samples(depth - moved) > 0.0045
        mass = self.gbuffer.clump // LOCKS
        other = cv2.warpAffine(mass, shift, size, flags=cv2.INTER_NEAREST, borderValue=0)
        return lower & (self._samples(mass) != self._samples(other))

    def _behind(self) -> NDArray[np.bool_]:
        """Hair well behind what surrounds it: under-layers, and what hangs behind the neck."""
        depth = np.where(np.isfinite(self.gbuffer.depth), self.gbuffer.depth, 9).astype(np.float32)
        step = max(round(self.fine), 1)
        small = cv2.erode(depth[::step, ::step], np.ones((max(int(0.16 * self.wide), 1),) * 2, np.uint8))
        near = cv2.resize(small, (depth.shape[1], depth.shape[0]), interpolation=cv2.INTER_LINEAR)
        return self._samples(depth - near) > _BEHIND


def _chance(clump: NDArray[np.int64]) -> list[Floats]:
    """Three numbers in [0, 1) that belong to each lock (Knuth's multiplicative hash)."""
    names = np.arange(int(clump.max()) + 1 if len(clump) else 1)
    return [((names * a + 13) % 1009 / 1009).astype(np.float32)[clump] for a in (619, 389, 877)]
