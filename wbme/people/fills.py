"""What is filled in a drawing: skin and clothes, each in a few tones whose shapes follow the light."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.color.spaces import srgb_to_lab
from wbme.geometry.parsing import EYES, FACE_SKIN, INDEX, MOUTH, SKIN
from wbme.people import cel, lines, strokes
from wbme.people.camera import Camera, face_width
from wbme.people.gbuffer import GBuffer
from wbme.people.lights import Light
from wbme.people.mesh import Model
from wbme.people.sheet import Sheet, Tone, srgb

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

# The head as an egg, in its own frame: middle and half axes in metres.
_CENTRE, _EGG = np.array([0.0, -0.015, -0.08], np.float32), np.array([0.075, 0.12, 0.1], np.float32)
FACE_WIDTH = 0.148  # metres, of the mean person
_CHEEKS = ((50, 234), (280, 454))  # landmarks: the cheekbone's middle, and where it goes
_HALFTONES = 0.22  # of normal . light, by which the first of several shadow tones comes before the last
_HATCH = 6.5  # pixels at 512 between two lines


class Fills:
    """The regions of one view, at the final size H x W.

    Coverage comes from all samples of the G-buffer, all else from one sample a pixel: tones are blurred wider
    than a pixel before their shapes are cut.
    """

    def __init__(self, model: Model, camera: Camera, light: Light, gbuffer: GBuffer, sheet: Sheet):
        self.model, self.size, self.sheet = model, camera.size, sheet
        self.points = camera.project(model.landmarks)
        # A face that turns aside looks narrower; what is measured by it stays as it is.
        near = max(float(np.median(self.points[:, 2])), 1e-6)
        self.wide = face_width(model.landmarks) * camera.pixels_per_radian / near
        self.direction = _sided(light, sheet.shadow.side)
        label = gbuffer.label
        is_hair = label == INDEX["hair"]
        is_skin = np.isin(label, [*SKIN, *EYES, *MOUTH, INDEX["l_brow"], INDEX["r_brow"]])
        # Lashes are drawn, not filled: on the face they are skin, beyond its outline they are nothing.
        beyond = lines.lashes_beyond(gbuffer, round(0.047 * self.wide * label.shape[1] / camera.size[0]))
        is_skin &= ~beyond
        is_rest = (gbuffer.part != lines.NOTHING) & ~is_hair & ~is_skin & ~beyond
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
        self.spots = np.zeros(self.skin_here.shape, np.float32)  # ink that stands for shade
        self.shade = np.zeros_like(self.spots)  # the skin's
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
        # Above 0 in the light, below in the shadow.
        field = self._field(face, rounding, shadow.most, 0.45 * self.lit + 0.55 * self._round())
        field = np.where(body, self._field(body, rounding, 0.75), field)
        cast = cel.blurred(self.lit_by_key, _weights(self.skin_here), rounding / 4) < 0.5
        # On a face an illustrator keeps of all cast shadows the fringe's, as a band of even width.
        away = cv2.distanceTransform(1 - self.hair_here.astype(np.uint8), cv2.DIST_L2, 3)
        cast &= body | (face & (away < 0.1 * self.wide))
        shades = self._shades(field, self.skin_here, cast, rounding * 0.45, style.shadow, hole=0.19)
        dark = (field < 0) & self.skin_here | cast
        lit = cel.blurred(self.lit, _weights(face), rounding * 0.8)
        bright = face & ~dark
        if bright.any():
            # Dark skin is drawn from its lights, light skin from its shadows.
            share = np.interp(srgb_to_lab(self.own_skin)[0], (25, 60), (0.55, 0.86))
            bright &= lit > max(float(np.quantile(lit[face], share)), 0.5)
        blush = np.max([self._blush(*self.points[list(pair), :2]) for pair in _CHEEKS], axis=0)
        self.shade = shades[-1][0]
        layers = [(blush * face, style.blush), (self._shape(bright, face, rounding * 0.5), style.light)]
        if style.edge.lightness or style.edge.a or style.edge.b:
            soft = cel.blurred(shades[-1][0], _weights(self.skin_here), 0.03 * self.wide)
            layers.append((4 * soft * (1 - soft), style.edge))
        self._spot(field, self.skin_here, cast & body, rounding * 0.3)
        return cel.Region(self.skin_cover, self.own_skin, layers + shades)

    def rest(self) -> cel.Region:
        """Clothes and what is worn: their own pattern in two tones."""
        here = self.rest_here
        cast = (cel.blurred(self.lit_by_key, _weights(here), 0.015 * self.wide) < 0.4) & here
        field = self._field(here, 0.04 * self.wide, 0.45)
        shades = self._shades(field, here, cast, 0.02 * self.wide, self.sheet.cloth)
        self._spot(field, here, cast & (field < 0), 0.012 * self.wide)
        return cel.Region(self.rest_cover, self.rest_albedo, shades)

    def _shades(
        self, field: Floats, here: Mask, cast: Mask, rounding: float, tone: Tone, hole: float = 0.055
    ) -> list[tuple[Floats, Tone]]:
        """The steps of a shadow where ``field`` sinks below 0, and where one is ``cast``, lightest first."""
        steps = self.sheet.shadow.steps
        offsets = np.linspace(_HALFTONES, -0.6 * _HALFTONES, steps) if steps > 1 else np.zeros(1)
        layers = []
        for number, offset in enumerate(offsets, start=1):
            dark = (field < offset) & here
            dark |= cast & (offset >= 0)  # what lies in the light's shadow takes no deeper tone by itself
            share = number / steps
            part = Tone(**{name: value * share for name, value in tone.model_dump().items()})
            layers.append((self._shape(dark, here, rounding, hole=hole), part))
        return layers

    def _spot(self, field: Floats, here: Mask, cast: Mask, rounding: float) -> None:
        """Add the darkest of a shadow to ``spots``: solid black, and hatching that runs out of it."""
        style, dark = self.sheet.shadow, (field < 0) & here
        if not (style.black or style.hatch) or dark.sum() < 12:
            return
        depth = -field
        deepest = (
            float(np.quantile(depth[dark], 1 - style.black)) if style.black else float(depth[dark].max())
        )
        if style.black:
            self.spots = np.maximum(self.spots, self._shape(dark & (depth > deepest) | cast, here, rounding))
        if style.hatch:
            strength = np.clip((depth / max(deepest, 1e-3) + 0.2) / 1.2, 0, 1) * here
            period = _HATCH * max(self.size) / 512
            lines = strokes.hatched((style.hatch * strength).astype(np.float32), period)
            self.spots = np.maximum(self.spots, lines * (depth > -0.2 * deepest))

    def _final(self, values: NDArray) -> Floats:
        return np.asarray(cv2.resize(values.astype(np.float32), self.size, interpolation=cv2.INTER_AREA))

    def _shape(
        self, mask: Mask, here: Mask, rounding: float, speck: float = 0.055, hole: float = 0.055
    ) -> Floats:
        style = self.sheet.shadow
        softness = style.softness * max(self.size) / 512
        if style.angles:
            mask = strokes.straightened(mask, style.angles * self.wide) & here
            rounding = min(rounding, 0.006 * self.wide)
        # A border is never softer than what its shape was rounded by.
        rounding = max(rounding, softness / 2.5) if style.softness > 3 else rounding
        return cel.shape(mask, here, rounding, softness, (speck * self.wide) ** 2, (hole * self.wide) ** 2)

    def _field(self, here: Mask, rounding: float, most: float, lit: Floats | None = None) -> Floats:
        """How far a region turns to the light: below 0 in its shadow, which no more than the share ``most``
        of it is."""
        if not here.any():
            return np.ones(here.shape, np.float32)
        lit = cel.blurred(self.lit if lit is None else lit, _weights(here), rounding)
        if self.sheet.shadow.brush:
            lit = lit + 0.07 * self.sheet.shadow.brush * strokes.brushed(*self.size, 0.016 * self.wide)
        return lit - min(self.sheet.shadow.threshold, float(np.quantile(lit[here], most)))

    def _round(self) -> Floats:
        """normal . light of an egg around the head: what a drawn face's shadow follows."""
        head = self.model.head.astype(np.float32)
        size = face_width(self.model.landmarks) / FACE_WIDTH if self.sheet.deformation else 1.0
        out = ((self.position - head[:3, 3]) @ head[:3, :3] / np.float32(size) - _CENTRE) / _EGG**2
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


def _sided(light: Light, share: float) -> Floats:
    """Where the light comes from, moved by ``share`` to 55 degrees beside the viewer and 25 above."""
    way = np.asarray(light.direction, float)
    if share:
        aside = np.array([0.74 * (1 if way[0] > 0 else -1), 0.42, 0.52])
        way = way + share * (aside - way)
    return np.asarray(way / np.linalg.norm(way), np.float32)


def _weights(mask: Mask) -> Floats:
    return mask.astype(np.float32)
