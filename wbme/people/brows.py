"""Hairs drawn one by one: brows on the skin's texture, and the lashes' coverage."""

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.geometry.parsing import INDEX

_FINE = 4  # brows are drawn this much finer than the texture


def shape(points: NDArray, thickness: float, arch: float) -> tuple[NDArray, NDArray]:
    """Upper and lower edge of a brow, each 24 x D, from the nose to the temple.

    points: 10 x D, the landmarks of one brow in the order of RIGHT_BROW or LEFT_BROW of
    wbme.geometry.landmarks; ``thickness`` 1 and ``arch`` 0.5 are average.
    """
    t = np.linspace(0, 1, 24)
    upper, lower = (_along(edge, t) for edge in (points[4::-1], points[5:]))
    middle, half = (upper + lower) / 2, (upper - lower) / 2
    # Thick from the nose on, thinning to a point at the temple.
    taper = np.interp(t, [0, 0.12, 0.55, 0.85, 1], [0.62, 0.82, 0.80, 0.5, 0.12])[:, None]
    lift = (np.sin(np.pi * np.clip(t * 0.78 + 0.05, 0, 1)) ** 2 - 0.5)[:, None] * (arch - 0.5) * 1.3
    mean_half = half[3:16].mean(0)
    middle = middle + lift * mean_half
    half = half * taper * thickness
    return middle + half, middle - half


def _along(points: NDArray, t: NDArray) -> NDArray:
    """Places ``t`` in [0, 1] of a smooth line through a few points."""
    from scipy.interpolate import PchipInterpolator

    step = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return PchipInterpolator(step / step[-1], points)(t)


def draw(
    texture: NDArray[np.uint8], label_map: NDArray[np.uint8], uv: NDArray, colour: NDArray,
    rng: np.random.Generator, *, thickness: float, arch: float, density: float,
) -> None:  # fmt: skip
    """Draw both brows into ``texture`` and ``label_map`` in place. uv: 20 x 2 places of the landmarks of the
    right and of the left brow; colour: sRGB in [0, 1]."""
    size = len(texture)
    for place, label in ((uv[:10], "r_brow"), (uv[10:], "l_brow")):
        pixels = np.stack([place[:, 0] * size, (1 - place[:, 1]) * size], 1)
        upper, lower = shape(pixels, thickness, arch)
        every = np.concatenate([upper, lower])
        low = np.floor(every.min(0)).astype(int) - 12
        high = np.ceil(every.max(0)).astype(int) + 12
        upper, lower = (upper - low) * _FINE, (lower - low) * _FINE
        width, height = (high - low) * _FINE
        cover = np.zeros((height, width), np.float32)
        mass = np.zeros((height, width), np.uint8)
        outline = np.concatenate([upper, lower[::-1]])
        cv2.fillPoly(mass, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        mass_soft = cv2.GaussianBlur(mass.astype(np.float32) / 255, (0, 0), 2.2 * _FINE)
        for line in _hairs(upper, lower, int(200 + 300 * density), rng):
            x0, y0 = np.maximum(np.floor(line.min(0)).astype(int) - 4, 0)
            x1, y1 = np.ceil(line.max(0)).astype(int) + 4
            here = cover[y0:y1, x0:x1]
            box = np.zeros(here.shape, np.uint8)
            hair = np.round((line - [x0, y0]) * 16).astype(np.int32)
            cv2.polylines(box, [hair], False, 255, 1, cv2.LINE_AA, 4)
            here += (1 - here) * box * np.float32(rng.uniform(0.3, 0.7) / 255)
        cover = np.maximum(cover, mass_soft * (0.12 + 0.25 * density))
        cover = cv2.resize(cover, tuple(high - low), interpolation=cv2.INTER_AREA)[..., None]
        where = (slice(low[1], high[1]), slice(low[0], high[0]))
        skin = texture[where][..., :3] / 255.0
        texture[where][..., :3] = np.round((skin + cover * 0.92 * (colour - skin)) * 255).astype(np.uint8)
        solid = cv2.resize(mass_soft, tuple(high - low), interpolation=cv2.INTER_AREA) > 0.4
        label_map[where][solid] = INDEX[label]


def _hairs(upper: NDArray, lower: NDArray, count: int, rng: np.random.Generator) -> NDArray:
    """``count`` hairs as 5 points each: upright at the nose, swept to the temple further out."""
    t, s = rng.uniform(0, 1, (count, 1)) ** 0.9, rng.uniform(0.02, 0.98, (count, 1))
    # Hairs of the upper edge lie down, those of the lower edge rise, so that they meet in the middle.
    rise = np.interp(t, [0, 0.15, 0.5, 1], [1.3, 0.75, 0.35, 0.1]) * (1.15 - 1.5 * s) + rng.normal(
        0, 0.1, t.shape
    )
    along = rng.uniform(0.10, 0.19, t.shape) * np.interp(t, [0, 0.12, 0.3, 0.7, 0.8], [0.35, 0.8, 1, 1, 0.75])
    step = np.linspace(0, 1, 5)
    u = np.clip(t + along * step, 0, 1) * (len(upper) - 1)
    v = np.clip(s + rise * step * (1 - 0.35 * step), -0.02, 1.02)[..., None]
    place = np.arange(len(upper))
    below, above = (np.stack([np.interp(u, place, c) for c in edge.T], -1) for edge in (lower, upper))
    return below + (above - below) * v


def lashes(rng: np.random.Generator, fullness: float) -> NDArray[np.uint8]:
    """Coverage of the ribbons of lashes, 512 x 512 x 4 white: u along the lid from the nose, upper lashes in
    the left half and lower ones in the right, v from root (0) to tip."""
    size, fine = 512, 2
    cover = np.zeros((size * fine, size * fine), np.uint8)
    for lower, count, length, pen in ((0, 56, 0.62, 9.0), (1, 30, 0.32, 4.0)):
        grown = int(count * fullness)
        for k in range(grown):
            u = (k + rng.uniform(0.1, 0.9)) / grown
            long = length * rng.uniform(0.6, 1.0) * np.interp(u, [0, 0.3, 0.8, 1], [0.35, 0.7, 1.0, 0.95])
            # They fan out to the temple, lean in clumps of a few, and curl.
            sway = (u - 0.3) * 0.13 + 0.02 * np.sin(k * 1.9) + rng.normal(0, 0.006)
            steps = np.linspace(0, 1, 11)
            x = (0.5 * lower + 0.5 * np.clip(u + sway * steps**1.7, 0.01, 0.99)) * size * fine
            y = (1 - long * steps) * size * fine
            line = np.round(np.stack([x, y], 1) * 16).astype(np.int32)
            for i in range(10):
                width = max(round(pen * (1 - steps[i] ** 1.5)), 1)
                cv2.line(cover, line[i], line[i + 1], 255, width, cv2.LINE_AA, 4)
    # At the root they merge into a line.
    cover[int(size * fine * 0.62) :, : size * fine // 2] = 255
    cover[int(size * fine * 0.93) :, size * fine // 2 :] = 255
    alpha = cv2.resize(cover, (size, size), interpolation=cv2.INTER_AREA)
    return np.concatenate([np.full((size, size, 3), 255, np.uint8), alpha[..., None]], -1)
