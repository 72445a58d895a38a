"""A person as a character is drawn: flat tones with one shadow shape, drawn features, and ink.

Two pictures share every shape: ``palette`` in the character's skin and ``oracle`` in the person's own, so
that colour reflection applied to the first has the second as its known answer.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.geometry.landmarks import LEFT_EYE, RIGHT_EYE
from wbme.geometry.parsing import EYES, INDEX
from wbme.people import beard, cel, facial, lines, strokes, tresses
from wbme.people.camera import Camera
from wbme.people.fills import Fills
from wbme.people.gbuffer import GBuffer
from wbme.people.lights import Light
from wbme.people.mesh import Model
from wbme.people.paper import Face
from wbme.people.sheet import Sheet, Tone, srgb

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_FACE = 0.36  # a face this wide (share of the picture) has lines of weight 1
_BEFORE = 0.02  # metres: what lies this far before a feature hides it
_DEEP = 0.025  # metres between the nearest and the farthest point of a feature that is seen from the side
_SMALL = 6  # pixels at 512: narrower faces get no drawn features
_HALO = Tone(lightness=-2.0, least=15.0, a=5.0, b=4.0)  # lightens dark skin alone
_DOTS = 4.5  # pixels at 512 between two dots of a screentone
_GRIN = 0.2  # a mouth whose opening is narrower (area over squared width) shows both rows of teeth
_LIPS = {"upper lip": "u_lip", "lower lip": "l_lip", "mouth": "mouth"}


@dataclass(frozen=True, eq=False)
class Drawn:
    """The layers of one drawing, all H x W. palette, oracle: RGBA without lines. ink: coverage of the lines.
    drawn: RGBA that lies over any base and under the ink. RGBA is sRGB with straight alpha."""

    palette: Bytes
    oracle: Bytes
    ink: Bytes
    drawn: Bytes


def draw(model: Model, camera: Camera, light: Light, gbuffer: GBuffer, sheet: Sheet) -> Drawn:
    """Draw ``model`` as the character of ``sheet``; ``light`` only gives the direction of the shadows."""
    fills = Fills(model, camera, light, gbuffer, sheet)
    full = max(camera.size)
    weight = full / 512 * float(np.clip((fills.wide / (_FACE * full)) ** 0.45, 0.4, 1.15))
    ink = lines.draw(_lined(gbuffer, sheet), model.curves, camera, sheet.lines, weight, light.direction)
    features = np.zeros((*ink.shape, 4), np.float32)
    room = 0.12 * np.ptp(fills.points[:, :2], axis=0).max() + 4
    x0, y0 = np.maximum(np.floor(fills.points[:, :2].min(0) - room), 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(fills.points[:, :2].max(0) + room), camera.size).astype(int).tolist()
    drawn_lines, halo, below = np.zeros_like(ink), np.zeros_like(ink), np.zeros_like(features)
    skin = fills.skin()
    if min(x1 - x0, y1 - y0) > 2 and fills.wide >= _SMALL * full / 512:
        face = _face(fills, camera, gbuffer, (x0, y0, x1, y1))
        side = float(np.clip(camera.view[0, :3] @ light.direction * 2, -1, 1))
        paper = facial.draw((x1 - x0, y1 - y0), face, sheet, side, weight)
        features[y0:y1, x0:x1], drawn_lines[y0:y1, x0:x1] = paper.rgba, paper.ink
        halo[y0:y1, x0:x1] = cv2.GaussianBlur(paper.halo, (0, 0), max(0.8 * weight, 0.3))
        below = beard.fill(fills, skin, face.brow_colour)
    hair = tresses.fill(model, gbuffer, sheet, fills.direction, fills.wide, camera.size)
    palette, oracle, spots = _filled(fills, skin, hair, ink * np.float32(sheet.lines.painted), halo)
    # Shade keeps off the drawn features, or it would hide them.
    clear = cv2.dilate(np.maximum(features[..., 3], drawn_lines), np.ones((round(4 * weight) | 1,) * 2))
    ink = np.maximum(ink * np.float32(1 - sheet.lines.painted), spots * (1 - np.clip(clear, 0, 1)))
    ink = np.maximum(ink, drawn_lines)
    features += below * (1 - features[..., 3:])
    return Drawn(palette, oracle, np.rint(ink * 255).astype(np.uint8), _straight(features))


def _lined(gbuffer: GBuffer, sheet: Sheet) -> GBuffer:
    """``gbuffer`` as contours are drawn from: a nose that is a dot has none, like eyes and mouth."""
    if sheet.face.nose != "dot":
        return gbuffer
    nose = gbuffer.label == INDEX["nose"]
    return replace(gbuffer, label=np.where(nose, np.uint8(INDEX["mouth"]), gbuffer.label))


def _filled(
    fills: Fills, skin: cel.Region, hair: cel.Region, painted: Floats, halo: Floats
) -> tuple[Bytes, Bytes, Floats]:
    """Palette, oracle, and the ink that stands for shade; ``painted``: lines that are tones of the fill;
    ``halo`` around the lines of the face."""
    sheet, rest = fills.sheet, fills.rest()
    skin.layers.append((halo, _HALO))
    if sheet.hair.colour:
        hair.base = srgb(sheet.hair.colour)
    spots = fills.spots
    if sheet.fill == "paper":
        period = _DOTS * max(fills.size) / 512
        spots = np.maximum(spots, np.max([strokes.separated(r, period) for r in (hair, rest)], axis=0))
        for region in (hair, rest):
            region.base, region.layers = srgb(sheet.skin.colour), []
    elif painted.any():
        for region in (skin, hair, rest):
            region.layers.append((painted, sheet.lines.tone))
    below = sum(region.painted() for region in (hair, rest))
    cover = np.clip(sum(region.cover for region in (skin, hair, rest)), 0, 1)
    own = srgb_to_lab(srgb(sheet.skin.colour))
    own[0] += sheet.skin.keep * (srgb_to_lab(fills.own_skin)[0] - own[0])
    palette, oracle = (
        _straight(np.dstack([skin.painted(base) + below, cover])) for base in (lab_to_srgb(own), None)
    )
    return palette, oracle, spots


def _face(fills: Fills, camera: Camera, gbuffer: GBuffer, box: tuple[int, int, int, int]) -> Face:
    """The face of a view in the pixels of ``box``."""
    model, (x0, y0, x1, y1) = fills.model, box
    shift = np.array([x0, y0, 0.0])
    fine = gbuffer.depth.shape[1] // camera.size[0]
    part = (slice(y0 * fine, y1 * fine), slice(x0 * fine, x1 * fine))
    parts = {name: gbuffer.label[part] == INDEX[label] for name, label in _LIPS.items()}
    row, column = np.nonzero(parts["mouth"])
    narrow = not len(row) or len(row) < _GRIN * float(max(np.ptp(column), 1)) ** 2
    for name in ("teeth", "tongue"):
        # A wide open mouth shows the upper row alone, and the tongue on its floor.
        wanted = "upper-teeth" if name == "teeth" and not narrow else name
        own = [number for number, mesh in enumerate(model.meshes) if mesh.part.endswith(wanted)]
        parts[name] = np.isin(gbuffer.part[part], own) & parts["mouth"]
    if len(row):
        parts["tongue"][: int(np.median(row))] = False
    depth, skin = gbuffer.depth[part], fills.is_skin[part]
    y, x = (np.mgrid[: depth.shape[0], : depth.shape[1]].astype(np.float32) + 0.5) / fine

    scale = camera.pixels_per_radian / max(float(np.median(fills.points[:, 2])), 1e-6)
    loops = model.landmarks[[*RIGHT_EYE, *LEFT_EYE]].reshape(2, 16, 3)
    unit = scale * max(float(np.linalg.norm(eye[0] - eye[8])) for eye in loops)

    def seen(points: NDArray) -> Floats:
        if np.ptp(points[:, 2]) > _DEEP:  # from the side, the far half lies behind the near one
            points = points[points[:, 2] <= np.median(points[:, 2])]
        middle = points.mean(0)
        slope, *_ = np.linalg.lstsq(points[:, :2] - middle[:2], points[:, 2] - middle[2])
        slope *= min(1, 2 / scale / max(float(np.linalg.norm(slope)), 1e-12))
        plane = slope[0] * (x - middle[0]) + slope[1] * (y - middle[1]) + middle[2]
        clear = skin & (depth > plane - _BEFORE)
        return np.asarray(
            cv2.resize(clear.astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        )

    irises = camera.project(model.irises)
    brows = [camera.project(curve.points) - shift for curve in model.curves if curve.kind == "brow"]
    lips, brow, iris = _colours(fills, irises)
    made_up = 1.0 if model.facts.get("gender", "female") == "female" else 0.3
    return Face(
        fills.points - shift, irises - shift, brows, seen, parts, fine, unit, lips, brow, iris, made_up,
        str(model.facts.get("expression", "neutral")),
    )  # fmt: skip


def _colours(fills: Fills, irises: NDArray) -> tuple[Floats, Floats, Floats]:
    """Lips, brows and iris of the person, as they are drawn."""
    skin = fills.own_skin
    lips = srgb_to_lab(fills.median({INDEX["u_lip"], INDEX["l_lip"]}, skin))
    hair = fills.median({INDEX["hair"]}, fills.median({INDEX["l_brow"], INDEX["r_brow"]}, srgb("#4a3328")))
    if fills.sheet.hair.colour:
        hair = srgb(fills.sheet.hair.colour)
    dark = fills.sheet.brows
    brow = srgb_to_lab(hair) * np.array([1 - dark, 1 - dark**3, 1 - dark**3])
    brow[0] = max(min(brow[0], srgb_to_lab(skin)[0] - 14), 3)
    # What is seen of the irises between pupil and rim.
    y, x = np.nonzero(np.isin(fills.label, list(EYES)))
    found = [np.zeros((0, 3), np.float32)]
    for centre, *rim in irises[..., :2]:
        radius = np.linalg.norm(rim - centre, axis=1).mean()
        away = np.hypot(x + 0.5 - centre[0], y + 0.5 - centre[1]) / max(radius, 1e-6)
        here = (away > 0.45) & (away < 0.85)
        found.append(fills.albedo[y[here], x[here]])
    seen = np.concatenate(found)
    iris = srgb_to_lab(np.median(seen, axis=0) if len(seen) > 4 else srgb("#6b4a2e"))
    iris = iris * np.array([1, 1.1, 1.1]) + np.array([8, 0, 0])
    return lab_to_srgb(cel.toned(lips, fills.sheet.skin.lip)), lab_to_srgb(brow), lab_to_srgb(iris)


def _straight(premultiplied: Floats) -> Bytes:
    alpha = premultiplied[..., 3:]
    colour = premultiplied[..., :3] / np.maximum(alpha, 1e-4)
    return np.rint(np.clip(np.dstack([colour, alpha]), 0, 1) * 255).astype(np.uint8)
