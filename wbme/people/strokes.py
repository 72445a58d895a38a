"""Hatching, dots, brushed borders and straight-cut shapes: how shades are set down with pen or brush."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.seeds import generator
from wbme.color.spaces import srgb_to_lab
from wbme.people.cel import Region

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_BLACK, _GREYS = 31.0, ((47.0, 0.5), (63.0, 0.24))  # L* up to which a colour is black, or dots of a density
_TURN = np.radians(38)  # of brush strokes and of hatching


def hatched(depth: Floats, period: float) -> Floats:
    """Slanted lines as wide as ``depth`` in [0, 1] says, H x W coverage; ``period`` in pixels."""
    y, x = np.mgrid[: depth.shape[0], : depth.shape[1]].astype(np.float32)
    phase = (x * np.cos(_TURN) + y * np.sin(_TURN)) / period
    off = np.abs(phase - np.floor(phase) - 0.5) * period
    return np.clip(0.32 * period * depth - off + 0.5, 0, 1) * (depth > 0.02)


def dotted(density: Floats, period: float) -> Floats:
    """Dots on a grid that stands on its corner, covering ``density`` of the paper, H x W; ``period`` in
    pixels."""
    y, x = np.mgrid[: density.shape[0], : density.shape[1]].astype(np.float32)
    u, v = ((x + y) / (period * np.sqrt(2)), (x - y) / (period * np.sqrt(2)))
    off = np.hypot(u - np.floor(u) - 0.5, v - np.floor(v) - 0.5) * period
    radius = period * np.sqrt(np.clip(density, 0, 1) / np.pi)
    return np.clip(radius - off + 0.5, 0, 1) * (density > 0.02)


def separated(region: Region, period: float) -> Floats:
    """Ink that stands for a region's colours on white paper: black, dots, or nothing, and for its tones one
    step more or less of it; H x W coverage. Lights on black are left white."""
    lightness = srgb_to_lab(np.asarray(region.base, np.float32))[..., 0]
    if lightness.ndim == 2:
        lightness = cv2.GaussianBlur(lightness, (0, 0), 0.4 * period)
    lightness = np.broadcast_to(lightness, region.cover.shape)
    density = np.zeros(region.cover.shape, np.float32)
    for limit, amount in reversed(_GREYS):
        density[lightness < limit] = amount
    black = (lightness < _BLACK).astype(np.float32)
    for mask, tone in region.layers:
        if tone.lightness < 0:
            density = np.maximum(density, mask * np.where(density > 0, 0.62, 0.2)).astype(np.float32)
        elif tone.lightness > 0:
            black, density = black * (1 - mask), density * (1 - mask)
    return np.maximum(black, dotted(density, period)) * (region.cover > 0.5)


def straightened(mask: Mask, tolerance: float) -> Mask:
    """``mask`` with its outlines as polygons that are ``tolerance`` pixels off at most."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cut = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(cut, [cv2.approxPolyDP(piece, tolerance, True) for piece in found], 1)
    return cut > 0


@lru_cache(maxsize=4)
def brushed(width: int, height: int, grain: float) -> Floats:
    """Noise of mean 0 and deviation 1, height x width, in slanted strokes about ``grain`` pixels wide."""
    side = int(np.hypot(width, height)) + 2
    noise = generator(0, "brush").standard_normal((side, side)).astype(np.float32)
    strokes = cv2.GaussianBlur(noise, (0, 0), sigmaX=4.5 * grain, sigmaY=grain)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), np.degrees(_TURN), 1.0)
    turn[:, 2] -= [(side - width) / 2, (side - height) / 2]
    picture = cv2.warpAffine(strokes, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray((picture - picture.mean()) / max(float(picture.std()), 1e-6), np.float32)
