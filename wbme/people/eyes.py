"""Eyeballs of their own, finer than MakeHuman's: a sphere with a cornea, and a painted iris."""

import numpy as np
from numpy.typing import NDArray

IRIS = np.radians(26.5)  # half angle of the iris, seen from the middle of the eyeball
_EDGE = np.radians(118)  # the back of the eyeball is never seen
_RINGS, _SPOKES = 26, 48
TEXTURE = 256


def ball() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Points N x 3 of an eyeball of radius 1 that looks along +z, uv N x 2, triangles T x 3.

    uv is the angle from the axis times its direction, the pupil in the middle of the texture.
    """
    polar = np.concatenate(
        [np.linspace(0, IRIS * 1.15, 12), np.linspace(IRIS * 1.15, _EDGE, _RINGS - 11)[1:]]
    )
    around = np.arange(_SPOKES) * (2 * np.pi / _SPOKES)
    # The cornea rises above the sphere and runs out softly at the limbus.
    rise = 1 + 0.075 * np.clip(1 - (polar / (IRIS * 1.12)) ** 2, 0, None) ** 1.2
    ring = np.stack([np.sin(polar) * rise, np.cos(polar) * rise], 1)
    points = np.stack(
        [ring[:, :1] * np.cos(around), ring[:, :1] * np.sin(around), np.repeat(ring[:, 1:], _SPOKES, axis=1)],
        -1,
    ).reshape(-1, 3)
    radius = 0.5 * polar / _EDGE
    uv = 0.5 + np.stack([radius[:, None] * np.cos(around), radius[:, None] * np.sin(around)], -1).reshape(
        -1, 2
    )
    inner = np.arange(_RINGS - 1)[:, None] * _SPOKES
    spoke = np.arange(_SPOKES)
    a, b = inner + spoke, inner + (spoke + 1) % _SPOKES
    c, d = a + _SPOKES, b + _SPOKES
    triangles = np.concatenate(
        [np.stack([a, c, d], -1).reshape(-1, 3), np.stack([a, d, b], -1).reshape(-1, 3)]
    )
    return points.astype(np.float32), uv.astype(np.float32), triangles.astype(np.int32)


def rim(inner: int) -> NDArray[np.float32]:
    """The iris of ``ball`` as 5 x 3 points: its centre, then the rim towards the nose (``inner``: 1 when that
    is +x, the right eye, or -1), at the top, away from the nose, and at the bottom."""
    s, c = np.sin(IRIS), np.cos(IRIS)
    return np.array([[0, 0, c], [inner * s, 0, c], [0, s, c], [-inner * s, 0, c], [0, -s, c]], np.float32)


def paint(rng: np.random.Generator, iris: NDArray, white: NDArray, pupil: float = 0.4) -> NDArray[np.uint8]:
    """The eyeball's texture, S x S x 4 sRGB. ``iris`` and ``white``: sRGB in [0, 1]; ``pupil``: share of the
    iris' radius that is black."""
    side = (np.arange(TEXTURE) + 0.5) / TEXTURE - 0.5
    x, y = np.meshgrid(side, -side)
    angle, turn = np.hypot(x, y) * 2 * _EDGE, np.arctan2(y, x)
    r = angle / IRIS
    # Fibres: waves of many frequencies around the pupil, bent a little with the radius.
    fibre = np.zeros_like(r)
    for k in (11, 17, 23, 31, 43, 59, 71):
        phase, bend = rng.uniform(0, 2 * np.pi), rng.uniform(-0.8, 0.8)
        fibre += np.sin(k * turn + phase + bend * r * 3) * rng.uniform(0.5, 1) / 7
    tone = 0.85 + 0.45 * fibre * np.clip((r - pupil) * 3, 0, 1) + 0.25 * np.clip(r - 0.5, 0, 0.5)
    ring = np.exp(-(((r - 0.98) / 0.10) ** 2))  # limbal ring
    collar = np.exp(-(((r - pupil - 0.14) / 0.12) ** 2))
    warm = np.array([0.55, 0.36, 0.18])
    colour = iris * tone[..., None]
    colour = (
        colour * (1 - 0.35 * collar[..., None]) + 0.35 * collar[..., None] * (0.5 * iris + 0.5 * warm) * 1.1
    )
    colour *= 1 - 0.72 * ring[..., None]
    sclera = white * (1 - 0.05 * np.clip(r - 1, 0, 3)[..., None] * np.array([0.4, 1.0, 1.0]))
    veins = np.abs(np.sin(turn * 9 + 3 * np.sin(r * 1.7 + turn * 4))) ** 24 * np.clip((r - 1.5) / 2, 0, 1)
    sclera = sclera * (1 - 0.18 * veins[..., None] * np.array([0.1, 1.0, 1.0]))
    soft = 1 / (1 + np.exp(np.clip((r - 1.02) / 0.018, -30, 30)))[..., None]
    picture = sclera * (1 - soft) + np.clip(colour, 0, 1) * soft
    dark = 1 / (1 + np.exp(np.clip((r - pupil) / 0.022, -30, 30)))[..., None]
    picture = picture * (1 - dark) + 0.02 * dark
    # The upper lid shades the ball.
    picture *= 1 - 0.22 * np.clip((y * 2 * _EDGE - 0.02) / 0.5, 0, 1)[..., None] ** 0.8
    rgba = np.concatenate([np.clip(picture, 0, 1), np.ones((TEXTURE, TEXTURE, 1))], -1)
    return np.round(rgba * 255).astype(np.uint8)
