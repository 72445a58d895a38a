"""Beards as they are drawn: one flat shape around the mouth from ear to ear, or a tone where it is shaved."""

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.geometry.parsing import INDEX, MOUTH
from wbme.people import cel
from wbme.people.camera import face_width
from wbme.people.fills import FACE_WIDTH, Fills
from wbme.people.sheet import Tone
from wbme.people.skin import Complexion, upper_edge

Floats = NDArray[np.float32]

_LEAST = 0.2  # below it nothing is drawn
_SHAVED = Tone(lightness=-9.0, least=-3.0, a=-1.5, b=-4.0)
_TUFTS = ((7.3, 0.009), (17.0, 0.006))  # a radian has so many points along its edge, so long (metres)


def fill(fills: Fills, skin: cel.Region, colour: Floats) -> Floats:
    """Add the tone of a shaved beard to ``skin``, or give the shape of a beard of ``colour`` (sRGB):
    premultiplied RGBA H x W x 4 in [0, 1]."""
    grown, shape = (
        float(fills.model.facts.get("beard", 0)),
        np.zeros((*fills.skin_cover.shape, 4), np.float32),
    )
    if grown < _LEAST:
        return shape
    cover = _cover(fills)
    if grown < Complexion.FULL_BEARD:
        amount = (0.35 + 0.65 * grown) * cv2.GaussianBlur(cover, (0, 0), max(0.012 * fills.wide, 0.3))
        skin.layers.insert(2, (np.asarray(amount, np.float32), _SHAVED))  # below the shadow
        return shape
    dark = lab_to_srgb(cel.toned(srgb_to_lab(colour), fills.sheet.hair.shadow))
    shape[..., :3] = colour + fills.shade[..., None] * (dark - colour)
    shape[..., 3] = 1
    return shape * (cover * fills.skin_cover)[..., None]


def _cover(fills: Fills) -> Floats:
    """Where hair of a beard grows, H x W in [0, 1]; its border runs out in points."""
    head, points = fills.model.head.astype(np.float32), fills.model.landmarks
    place = (fills.position - head[:3, 3]) @ head[:3, :3]
    marks = (points - head[:3, 3]) @ head[:3, :3]
    size = face_width(points) / FACE_WIDTH
    x, y = place[..., 0], place[..., 1]
    across = np.abs(x) / max(abs(float(marks[234, 0])), 1e-6)
    edge = upper_edge(marks, across, size)
    behind = float(marks[[234, 454], 2].mean()) - 0.011 * size
    inside = np.minimum(edge - y, place[..., 2] - behind)
    turn = np.arctan2(x, place[..., 2] + 0.09 * size)
    for number, long in _TUFTS:
        phase = turn * number + 0.8 * np.sin(5 * turn) + 0.5 * np.sin(13 * turn)
        reach = long * size * np.clip(2 * across, 0.45, 1)
        inside = inside + reach * (np.abs(2 * (phase - np.floor(phase)) - 1) - 0.5)
    grown = np.clip(inside * fills.wide / (FACE_WIDTH * size) + 0.5, 0, 1)
    here = fills.skin_here & np.isin(fills.label, (INDEX["skin"], *MOUTH)) & (across < 1.1)
    lips = np.isin(fills.label, list(MOUTH)).astype(np.uint8)
    bare = cv2.distanceTransform(1 - lips, cv2.DIST_L2, 3) if lips.any() else np.full(lips.shape, 1e3)
    return np.asarray(grown * here * np.clip(bare - 0.015 * fills.wide + 0.5, 0, 1), np.float32)
