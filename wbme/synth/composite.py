"""A person before a background, photographed and drawn: the full-body-aware composite and its layers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.reflection import mean_lab
from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.color.transfer import BY_TONE, LAB_MEAN, LEAST, Side, transfer
from wbme.data.rendered import Layers
from wbme.geometry.parsing import EYES, HEAD, INDEX, MOUTH, SKIN

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]  # H x W
INK_COLOUR = np.array([0.06, 0.05, 0.07], np.float32)  # sRGB
UNDER = SKIN | EYES | MOUTH | {INDEX["l_brow"], INDEX["r_brow"]}  # what skin lies under
_FLOOR = 0.12  # luma: in the dark, small differences are no tones
_AROUND = 0.045  # of the head's width: how far sockets and lips shade the skin
_ISLAND = 5  # of the light's sigma: shades smaller than its square are left out
_HAIR, _CLOTH = {INDEX["hair"]}, {INDEX["cloth"], INDEX["hat"]}


@dataclass(frozen=True)
class Drawing:
    """How a person is drawn.

    ``head``: "flat" (the photograph's colours in a few tones a region, with the drawn eyes, brows and mouth)
    or "toon" (the character's own fill); ``reflection``: the drawn skin takes the photograph's colour, as the
    recipe says. ``erode`` and ``feather`` (sigma) of the head's mask,
    pixels. ``tone``: step between two tones, as a share of the region's lit luminance; ``softness`` of their
    edges, pixels; ``smooth``: sigma of the light that they follow, as a share of the head's width;
    ``warmth``: how much redder skin is in the shade, a*. ``texture_ink``: strength in [0, 1] of the
    photograph's own lines on hair and cloth.
    """

    head: str = "flat"
    reflection: bool = True
    erode: float = 1.0
    feather: float = 1.0
    tone: float = 0.16
    softness: float = 1.5
    smooth: float = 0.042
    warmth: float = 6.0
    texture_ink: float = 0.35

    def __post_init__(self) -> None:
        least = min(self.erode, self.feather, self.smooth, self.softness)
        share = 0 <= self.texture_ink <= 1
        if self.head not in ("flat", "toon") or least < 0 or self.tone <= 0 or not share:
            raise ParameterError(
                f"{self}: head is 'flat' or 'toon', tone is above 0, texture_ink lies in [0, 1], and erode, "
                "feather, smooth and softness are not negative"
            )


class Region(NamedTuple):
    """A region of one person: ``name`` (skin, hair or cloth), boolean H x W where to ``sample`` it and what
    to ``fill`` with it, the ``width`` of the head in pixels, and its number from 1."""

    name: str
    sample: Mask
    fill: Mask
    width: float
    head: int


def over(top: F32, below: F32) -> F32:
    """A picture H x W x 4 (straight alpha) over an opaque one H x W x 3, both sRGB in [0, 1]."""
    return below + top[..., 3:] * (top[..., :3] - below)


def before(photo: F32, background: F32, wrap: float = 0.25) -> F32:
    """The person ``photo`` (H x W x 4, straight alpha) before ``background``, H x W x 3, sRGB in [0, 1].

    ``wrap`` in [0, 1]: how much of the blurred background's light falls around the person's edge.
    """
    alpha = photo[..., 3]
    out = over(photo, background)
    if wrap > 0:
        near = np.clip(cv2.GaussianBlur(1 - alpha, (0, 0), 2.5) * 2 - 0.1, 0, 1) * alpha
        glow = cv2.GaussianBlur(background, (0, 0), 12)
        out = out + wrap * near[..., None] * np.maximum(glow - out, 0)
    return np.clip(out, 0, 1).astype(np.float32)


def head_mask(labels: NDArray[np.uint8], erode: float, feather: float) -> F32:
    """M_head: face, neck and hair of ``labels`` as a soft mask H x W in [0, 1].

    Shrunk by ``erode`` pixels, then softened by a Gaussian of sigma ``feather``.
    """
    inside = np.isin(labels, list(HEAD)).astype(np.uint8)
    padded = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    mask = np.clip(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] - erode, 0, 1)
    return cv2.GaussianBlur(mask, (0, 0), feather) if feather > 0 else mask


def full_body_aware(toon: F32, styled: F32, mask: F32) -> F32:
    """X_fb = X_toon * M_head + X_sty * (1 - M_head) (WebtoonMe, arXiv 2210.10335), H x W x 3 sRGB."""
    return (styled + mask[..., None] * (toon - styled)).astype(np.float32)


def tones(
    rgb: F32, light: F32, sample: Mask, sigma: float, drawing: Drawing, main: float = 50, warm: float = 0
) -> tuple[F32, list[int], F32]:
    """The tones of one region: where each lies, which there are, and their colours.

    ``light`` (H x W, the luminance that falls on it) is blurred by ``sigma`` pixels within the region and
    divided by that of its lit part (the 65th percentile): around 1 lies the main tone 0, each ``tone`` below
    it begins a shade, -1 and -2. Returns the tone of each pixel (H x W, with soft edges), the tones that
    cover a hundredth or more, and their colours (sRGB): medians of ``rgb`` under ``sample``, so that coloured
    light and cast shadows stay, but the percentile ``main`` for the main tone; shades are mixed with its
    chroma, as a painter does, and ``warm`` (a*) is added to them.
    """
    smooth = _within(light, sample, sigma)
    lit = float(np.percentile(smooth[sample], 65))
    edge = _soft((smooth - lit) / (drawing.tone * (lit + _FLOOR)), -2, 0, drawing.softness)
    edge = _without_islands(edge, sample, _ISLAND * sigma)
    level = np.rint(edge[sample]).astype(int)
    found = [k for k in (-2, -1, 0) if 100 * np.count_nonzero(level == k) >= len(level)]
    own = [np.percentile(rgb[sample][level == k], 50 if k else main, axis=0) for k in found]
    lab = srgb_to_lab(np.array(own, np.float32))
    if found[-1] == 0:
        redder = warm * min(lab[-1, 0] / 60, 1) * np.float32([1, 0.5])
        lab[:-1, 1:] = 0.55 * (lab[:-1, 1:] + lab[-1, 1:]) + redder
    return edge, found, lab_to_srgb(lab)


def _without_islands(edge: F32, sample: Mask, reach: float) -> F32:
    """``edge`` without shades, nor lights within them, that cover less than a square of ``reach`` pixels."""
    for is_shade, filled in ((True, 0), (False, -1)):
        part = (edge < -0.5) == is_shade
        count, found = cv2.connectedComponents(part.astype(np.uint8), connectivity=4)
        small = np.bincount(found[sample], minlength=count) < reach * reach
        small[0] = False  # what is no such part
        around = cv2.dilate(small[found].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        edge = np.where(around & (small[found] | (found == 0)), filled, edge).astype(np.float32)
    return edge


def _within(plane: F32, region: Mask, sigma: float) -> F32:
    """``plane`` blurred by what lies in ``region`` alone, carried on beyond it."""
    weight = region.astype(np.float32)
    mean = float(plane[region].mean())
    near, close = _blurred(plane * weight, sigma), _blurred(weight, sigma)
    small = plane.shape[1] // 4 + 1, plane.shape[0] // 4 + 1  # a wide blur needs no fine pixels
    wide, far = (cv2.resize(p, small, interpolation=cv2.INTER_AREA) for p in (plane * weight, weight))
    wide, far = (cv2.resize(_blurred(p, sigma), plane.shape[::-1]) for p in (wide, far))
    around = mean + np.clip(4 * far, 0, 1) * (wide / (far + 1e-4) - mean)
    return around + np.clip(4 * close, 0, 1) * (near / (close + 1e-4) - around)


def _blurred(plane: F32, sigma: float) -> F32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _soft(t: F32, low: float, high: float, softness: float) -> F32:
    """``t`` (H x W) drawn to whole numbers from ``low`` to ``high``, with edges ``softness`` pixels wide."""
    slope = np.hypot(cv2.Sobel(t, cv2.CV_32F, 1, 0), cv2.Sobel(t, cv2.CV_32F, 0, 1)) / 8
    t = np.clip(t, low, high)
    k = np.floor(t)
    return (k + np.clip((t - k - 0.5) / np.maximum(slope * softness, 1e-4) + 0.5, 0, 1)).astype(np.float32)


def _mixed(edge: F32, found: list[int], colours: F32) -> F32:
    """The colour of each tone of ``edge`` (any shape): ... x 3."""
    return np.stack([np.interp(edge, found, colours[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def _skin(flat: F32, layers: Layers, region: Region, drawing: Drawing) -> F32:
    """One main tone, that of the brighter half as a painter picks it, and shades, not by sockets and lips."""
    features = np.isin(layers.labels, list(UNDER - SKIN)).astype(np.uint8)
    reach = 2 * round(_AROUND * region.width) + 1
    near = cv2.dilate(features, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    sample = region.sample & (near == 0)
    sample = sample if np.count_nonzero(sample) >= 50 else region.sample
    sigma = drawing.smooth * region.width
    return _mixed(*tones(flat, layers.shading, sample, sigma, drawing, 75, drawing.warmth))


def _hair(flat: F32, layers: Layers, region: Region, drawing: Drawing) -> F32:
    """Shades by the light, and one light tone where the photograph shines most."""
    out = _mixed(*tones(flat, layers.shading, region.sample, drawing.smooth * region.width, drawing))
    luma = cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY)
    shine = _within(luma, region.sample, 0.5 * drawing.smooth * region.width)
    middle, most = np.percentile(shine[region.sample], (50, 90))
    step = 2 * drawing.tone * (float(middle) + _FLOOR)
    threshold = max(float(most), float(middle) + step)
    bright = _soft((shine - threshold) / step + 0.5, 0, 1, drawing.softness)
    bright = -_without_islands(-bright, region.sample, _ISLAND * drawing.smooth * region.width)
    shining = region.sample & (bright > 0.5)
    if np.count_nonzero(shining) < 20:
        return out
    colour = np.median(flat[shining], axis=0).astype(np.float32)
    return out + 0.7 * bright[..., None] * (colour - out)


def _cloth(flat: F32, layers: Layers, region: Region, drawing: Drawing) -> F32:
    """The cloth's own pattern, each tone of it under the light that the photograph has there."""
    albedo = cv2.medianBlur(np.rint(255 * layers.albedo).astype(np.uint8), 5).astype(np.float32) / 255
    gain = (flat + 0.02) / (albedo + 0.02)
    edge, found, _ = tones(flat, layers.shading, region.sample, drawing.smooth * region.width, drawing)
    level = np.rint(edge[region.sample]).astype(int)
    gains = np.array([np.median(gain[region.sample][level == k], axis=0) for k in found], np.float32)
    return albedo * _mixed(edge, found, gains)


def regions(layers: Layers) -> Iterator[Region]:
    """Skin, hair and cloth of everybody, where there are enough pixels to tell their colour."""
    kinds = (("skin", SKIN, UNDER), ("hair", _HAIR, _HAIR), ("cloth", _CLOTH, _CLOTH))
    for number, box in enumerate(layers.boxes, start=1):
        own = layers.heads == number
        width = float(box[2] - box[0]) if np.isfinite(box).all() else float(layers.labels.shape[1]) / 4
        for name, sampled, filled in kinds:
            sample = own & np.isin(layers.labels, list(sampled))
            if np.count_nonzero(sample) >= 50:
                yield Region(
                    name, sample, own & np.isin(layers.labels, list(filled)), max(width, 16.0), number
                )


def reflected(
    fill: F32, skin: Mask, region: Mask, source: F32, source_mask: NDArray[Any], method: str = BY_TONE
) -> F32:
    """``fill`` (H x W x 3 sRGB) with ``region``, which is painted over its skin colour (lips, lids), shifted
    as colour reflection shifts its ``skin``, by a ``method`` of ``color.transfer`` or "none". Not clipped.

    ``source`` with its mask H x W in [0, 1]: where c_src is measured. Raises ParameterError as ``mean_lab``;
    other methods leave ``fill`` as it is where a source tells no colour.
    """
    if method == "none":
        return fill
    if method != LAB_MEAN:
        try:
            return transfer(method, Side(fill, skin, None, region), Side(source, source_mask), clip=False)
        except ParameterError:  # all black or all white
            return fill
    shift = mean_lab(source, source_mask) - mean_lab(fill, skin)
    out = fill.copy()
    out[region] = lab_to_srgb(srgb_to_lab(fill[region]) + shift.astype(np.float32), clip=False)
    return out


def relit(layers: Layers, source: F32) -> F32:
    """``drawn`` (H x W x 4) under the light of the photograph.

    Each head's is multiplied by r^0.7 in [0.3, 1.1], with r the ratio of the lit skin (75th percentile, a
    channel) of ``source`` to that of ``oracle``, which neutral light falls on.
    """
    out = layers.drawn.copy()
    for region in regions(layers):
        if region.name == "skin":
            lit = [np.percentile(p[region.sample][:, :3], 75, axis=0) for p in (source, layers.oracle)]
            own = layers.heads == layers.heads[region.sample][0]
            out[own, :3] *= np.clip((lit[0] / np.maximum(lit[1], 0.02)) ** 0.7, 0.3, 1.1).astype(np.float32)
    return out


def base(
    source: F32, flat: F32, layers: Layers, drawing: Drawing, reflection: str = BY_TONE
) -> tuple[F32, NDArray[np.float64]]:
    """The colours of a drawing without its lines, H x W x 3 sRGB in [0, 1], and by how much in L*a*b* colour
    reflection moved the mean of each head's skin, heads x 3; NaN where it moved none.

    ``source`` is the photographic composite and ``flat`` its texture-filtered form, both H x W x 3;
    ``reflection`` the method of ``reflected``.
    """
    shifts = np.full((len(layers.boxes), 3), np.nan)
    styled, toon, filled = flat.copy(), layers.palette[..., :3], np.zeros(layers.labels.shape, np.float32)
    makers = {"skin": _skin, "hair": _hair, "cloth": _cloth}
    for region in regions(layers):
        made = makers[region.name](flat, layers, region, drawing)[region.fill]
        styled[region.fill] = np.clip(made, 0, 1)  # a tone lit twice as brightly as white is white
        filled[region.fill] = 1
        if region.name == "skin" and drawing.reflection:
            # After the photograph, not its graded form, whose skin is brighter and of more chroma.
            where = region.sample, region.fill
            moved = np.clip(reflected(styled, *where, source, region.sample, reflection), 0, 1)
            before, after, shown = styled, moved, region.sample
            styled = moved
            own = layers.heads == layers.heads[region.sample][0]
            skin, fill = (own & np.isin(layers.toon, list(part)) for part in (SKIN, UNDER))
            seen = region.sample & (layers.toon > 0)  # of a head alone not the body, whose light is another
            seen = seen if np.count_nonzero(seen) >= LEAST else region.sample
            if np.count_nonzero(skin) >= LEAST:
                drawn = np.clip(reflected(toon, skin, fill, source, seen, reflection), 0, 1)
                if drawing.head != "flat":
                    before, after, shown = toon, drawn, skin
                toon = drawn
            if reflection != "none":
                shifts[region.head - 1] = mean_lab(after, shown) - mean_lab(before, shown)
    styled = flat + cv2.GaussianBlur(filled, (0, 0), 0.7)[..., None] * (styled - flat)
    head = over(relit(layers, source), styled) if drawing.head == "flat" else over(layers.drawn, toon)
    covered = np.isin(layers.labels, list(HEAD)) & (layers.toon > 0)
    body = np.where(covered[..., None], flat, styled)
    mask = head_mask(layers.labels, drawing.erode, drawing.feather) * layers.palette[..., 3]
    return np.clip(full_body_aware(head, body, mask), 0, 1), shifts


def ink(layers: Layers, lines: F32, drawing: Drawing) -> F32:
    """All lines of a drawing, coverage H x W in [0, 1]: the character's on the person, the photograph's own
    ``lines`` elsewhere, weaker on hair and cloth that it draws, none on skin, none beside a line of it."""
    weight = np.ones_like(lines)
    weight[(layers.heads > 0) & (layers.toon > 0)] = drawing.texture_ink
    weight[np.isin(layers.labels, list(UNDER))] = 0
    near = cv2.dilate(layers.ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    weight *= 1 - np.clip(near * 2, 0, 1)
    return np.maximum(layers.ink, lines * weight)


def inked(base: F32, ink: F32) -> F32:
    """The finished drawing: ``INK_COLOUR`` with coverage ``ink`` (H x W) over ``base`` (H x W x 3)."""
    return base + ink[..., None] * (INK_COLOUR - base)
