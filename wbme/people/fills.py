"""What is filled in a drawing: skin and clothes, each in a few tones whose shapes follow the light."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.color.spaces import srgb_to_lab
from wbme.geometry.parsing import EYES, FACE_SKIN, INDEX, MOUTH, SKIN
from wbme.people import cel, lines
from wbme.people.camera import Camera, face_width
from wbme.people.gbuffer import GBuffer
from wbme.people.lights import Light
from wbme.people.mesh import Model
from wbme.people.sheet import Sheet, srgb

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

# The head as an egg, in its own frame: middle and half axes in metres.
_CENTRE, _EGG = np.array([0.0, -0.015, -0.08], np.float32), np.array([0.075, 0.12, 0.1], np.float32)
_CHEEKS = ((50, 234), (280, 454))  # landmarks: the cheekbone's middle, and where it goes


class Fills:
    """The regions of one view, at the final size H x W.

    Coverage comes from all samples of the G-buffer, all else from one sample a pixel: tones are blurred wider
    than a pixel before their shapes are cut.
    """

    def __init__(self, model: Model, camera: Camera, light: Light, gbuffer: GBuffer, sheet: Sheet):
        self.model, self.size, self.sheet = model, camera.size, sheet
        self.points = camera.project(model.landmarks)
        self.wide = face_width(self.points[:, :2])
        self.direction = np.asarray(light.direction, np.float32)
        label = gbuffer.label
        is_hair = label == INDEX["hair"]
        is_skin = np.isin(label, [*SKIN, *EYES, *MOUTH, INDEX["l_brow"], INDEX["r_brow"]])
        # Lashes are drawn, not filled: on the face they are skin, beyond its outline they are dark.
        solid = cv2.morphologyEx(is_skin.astype(np.uint8), cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)) > 0
        is_skin &= solid | ~lines.lashes(gbuffer)
        is_rest = (gbuffer.part != lines.NOTHING) & ~is_hair & ~is_skin
        self.is_skin = is_skin  # at the G-buffer's size
        self.skin_cover, self.rest_cover = map(self._final, (is_skin, is_rest))
        rest = self._final(np.where(is_rest[..., None], gbuffer.albedo, 0))
        self.rest_albedo = np.clip(rest / np.maximum(self.rest_cover, 1e-3)[..., None], 0, 1)
        fine = label.shape[1] // camera.size[0]
        one = (slice(fine // 2, None, fine), slice(fine // 2, None, fine))
        self.label, self.albedo, self.normal = label[one], gbuffer.albedo[one], gbuffer.normal[one]
        self.position, self.lit_by_key = gbuffer.position[one], gbuffer.shadow[one]
        self.skin_here, self.hair_here, self.rest_here = is_skin[one], is_hair[one], is_rest[one]
        self.lit = self.normal @ self.direction
        self.own_skin = self.median(FACE_SKIN, self.median(SKIN, srgb(sheet.skin.colour)))

    def median(self, labels: Iterable[int], otherwise: Floats) -> Floats:
        """Median albedo (sRGB, 3) under ``labels``; ``otherwise`` where there are hardly any."""
        here = np.isin(self.label, list(labels))
        return np.median(self.albedo[here], axis=0) if here.sum() > 12 else otherwise

    def skin(self) -> cel.Region:
        """Skin with its shadow, planes of light, and blush."""
        style, shadow = self.sheet.skin, self.sheet.shadow
        rounding = shadow.rounding * self.wide
        below = np.isin(self.label, (INDEX["neck"], INDEX["body_skin"]))
        face, body = self.skin_here & ~below, self.skin_here & below
        dark = self._dark(face, rounding, shadow.most, 0.45 * self.lit + 0.55 * self._round())
        dark |= self._dark(body, rounding, 0.75)
        cast = cel.blurred(self.lit_by_key, _weights(self.skin_here), rounding / 4) < 0.5
        # On a face an illustrator keeps of all cast shadows the fringe's, as a band of even width.
        away = cv2.distanceTransform(1 - self.hair_here.astype(np.uint8), cv2.DIST_L2, 3)
        dark |= cast & (body | (face & (away < 0.1 * self.wide)))
        lit = cel.blurred(self.lit, _weights(face), rounding * 0.8)
        bright = face & ~dark
        if bright.any():
            # Dark skin is drawn from its lights, light skin from its shadows.
            share = np.interp(srgb_to_lab(self.own_skin)[0], (25, 60), (0.55, 0.86))
            bright &= lit > max(float(np.quantile(lit[face], share)), 0.5)
        blush = np.max([self._blush(*self.points[list(pair), :2]) for pair in _CHEEKS], axis=0)
        layers = [
            (blush * face, style.blush),
            (self._shape(bright, face, rounding * 0.5), style.light),
            (self._shape(dark, self.skin_here, rounding * 0.45, hole=0.19), style.shadow),
        ]
        return cel.Region(self.skin_cover, self.own_skin, layers)

    def rest(self) -> cel.Region:
        """Clothes and what is worn: their own pattern in two tones."""
        here = self.rest_here
        cast = cel.blurred(self.lit_by_key, _weights(here), 0.015 * self.wide) < 0.4
        dark = self._dark(here, 0.04 * self.wide, 0.45) | (cast & here)
        shadow = self._shape(dark, here, 0.02 * self.wide)
        return cel.Region(self.rest_cover, self.rest_albedo, [(shadow, self.sheet.cloth)])

    def _final(self, values: NDArray) -> Floats:
        return np.asarray(cv2.resize(values.astype(np.float32), self.size, interpolation=cv2.INTER_AREA))

    def _shape(
        self, mask: Mask, here: Mask, rounding: float, speck: float = 0.055, hole: float = 0.055
    ) -> Floats:
        softness = self.sheet.shadow.softness * max(self.size) / 512
        return cel.shape(mask, here, rounding, softness, (speck * self.wide) ** 2, (hole * self.wide) ** 2)

    def _dark(self, here: Mask, rounding: float, most: float, lit: Floats | None = None) -> Mask:
        """Where a region turns away from the light, but no more than the share ``most`` of it."""
        if not here.any():
            return here
        lit = cel.blurred(self.lit if lit is None else lit, _weights(here), rounding)
        return (lit < min(self.sheet.shadow.threshold, float(np.quantile(lit[here], most)))) & here

    def _round(self) -> Floats:
        """normal . light of an egg around the head: what a drawn face's shadow follows."""
        head = self.model.head.astype(np.float32)
        out = ((self.position - head[:3, 3]) @ head[:3, :3] - _CENTRE) / _EGG**2
        return (out @ (head[:3, :3].T @ self.direction)) / np.maximum(np.linalg.norm(out, axis=2), 1e-9)

    def _blush(self, place: NDArray, side: NDArray) -> Floats:
        """A soft oval at ``place`` that lies along the way to ``side``."""
        y, x = np.mgrid[: self.size[1], : self.size[0]].astype(np.float32) + 0.5
        length = float(np.linalg.norm(side - place))
        way = (side - place) / max(length, 1e-6)
        x, y = x - place[0], y - place[1]
        along, across = x * way[0] + y * way[1], x * way[1] - y * way[0]
        long, tall = max(0.45 * length, 0.05 * self.wide), max(0.085 * self.wide, 1e-3)
        return np.exp(-1.4 * (((along - 0.2 * length) / max(long, 1e-3)) ** 2 + (across / tall) ** 2))


def _weights(mask: Mask) -> Floats:
    return mask.astype(np.float32)
