"""Skirts: a tube of cloth around hips and legs, flared, pleated or open in front like a coat's lower half."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from wbme.people import body
from wbme.people.cloth import Array, Cloth, borders, fabric, neighbours, weights_of
from wbme.people.clothes import Garment, hemmed
from wbme.people.hair import grid_triangles
from wbme.people.patterns import SPAN

TOP = 0.985  # metres on the mean person: where MakeHuman's skirt begins
_COLUMNS = 168
_ROW = 0.02  # metres between rows
_GIRTH = 0.17  # radius that patterns are wound around with


@dataclass(frozen=True)
class Drop:
    """The shape of a skirt, metres on the mean person: from ``waist`` down to ``hem``. flare: how much
    farther the hem stands off. pleats: number of knife pleats, or 0 for soft folds; deep: how deep they are.
    open: the two ends overlap in front, like a coat's. ease: room for what is worn below."""

    waist: float = 0.97
    hem: float = 0.5
    flare: float = 0.05
    pleats: int = 0
    deep: float = 0.012
    open: bool = False
    ease: float = 0.009


@cache
def _tube(waist: float, hem: float, is_open: bool) -> tuple[Cloth, int]:
    """Rows of a tube between two heights on the mean person, and their number."""
    whole = fabric("skirt")
    p = whole.mean()
    centre = np.array([0.0, 0.02])
    azimuth = np.arctan2(p[:, 0] - centre[0], p[:, 2] - centre[1])
    rows = max(round((waist - hem) / _ROW), 3) + 1
    heights = np.linspace(min(waist, TOP + 0.008), hem, rows)
    start, span = (0.16, 2 * np.pi + 0.16) if is_open else (-np.pi, 2 * np.pi)
    around = start + np.linspace(0, span, _COLUMNS, endpoint=is_open)
    at = np.stack(np.meshgrid(around, heights), -1).reshape(-1, 2) * [_GIRTH, 1]
    plane = np.concatenate(
        [np.stack([(azimuth + k) * _GIRTH, p[:, 1]], 1) for k in (-2 * np.pi, 0, 2 * np.pi)]
    )
    far, near = cKDTree(plane).query(at, k=5)
    weight = 1 / (far + 0.004) ** 2
    weight /= weight.sum(1, keepdims=True)
    row = np.repeat(np.arange(len(at)), near.shape[1])
    pick = sparse.coo_matrix((weight.ravel(), (row, near.ravel() % len(p))), (len(at), len(p))).tocsr()
    triangles = grid_triangles(rows, _COLUMNS, wrap=not is_open)
    blend = pick @ whole.blend
    smooth = neighbours(triangles, len(at))
    for _ in range(2):
        blend = 0.5 * blend + 0.5 * (smooth @ blend)
    return Cloth(blend.tocsr(), triangles), rows


def make(
    person: body.Body, drop: Drop, part: str, colour: Array, rng: np.random.Generator, *,
    texture: NDArray[np.uint8] | None = None, under: float = 0.0,
) -> Garment:  # fmt: skip
    """A skirt of ``drop`` on a body at rest, with its folds as curves. under: room below it, metres."""
    cloth, rows = _tube(drop.waist, drop.hem, drop.open)
    mean = cloth.mean()
    base = (cloth.blend @ person.vertices.astype(float)).reshape(rows, -1, 3)
    for _ in range(8):  # cloth bridges the hollows of the body
        ring = (np.roll(base, 1, 1) + np.roll(base, -1, 1)) / 2
        base = base + 0.5 * (ring - base) if not drop.open else base
    middle = base.mean(1, keepdims=True)
    out = (base - middle) * [1, 0, 1]
    out /= np.linalg.norm(out, axis=2, keepdims=True)
    start = 0.16 if drop.open else -np.pi
    angle = start + np.arange(_COLUMNS) * (2 * np.pi / _COLUMNS)
    deep = np.linspace(0, drop.waist - drop.hem, rows)
    t = (deep / (drop.waist - drop.hem))[:, None]
    fall = np.clip(deep / 0.16, 0, 1)[:, None]
    wave, lines = _folds(drop, angle, rng)
    off = drop.ease + under + drop.flare * t**1.1 + drop.deep * fall * (0.35 + 0.65 * t) * wave
    if drop.open:  # the left end lies over the right one
        off = off + 0.008 * np.clip((np.arange(_COLUMNS) - 0.5 * _COLUMNS) / (0.5 * _COLUMNS), 0, 1)
    points = (base + out * off[..., None]).reshape(-1, 3)
    bone, weight = weights_of(cloth.blend)
    uv = np.stack(
        [
            np.tile(0.5 + (angle - start - np.pi) * _GIRTH / SPAN, rows),
            np.repeat(0.9 - deep / SPAN, _COLUMNS),
        ],
        1,
    )
    first = 1 if drop.pleats else max(rows // 3, 1)
    step = np.arange(rows) * _COLUMNS
    folds = [(step + c)[first if drop.pleats else int(first * s) : rows - 1] for c, s in lines]
    garment = Garment(
        part, points, mean, cloth.triangles, bone, weight, uv, colour, texture, count=len(points),
        folds=[f for f in folds if len(f) > 3],
    )  # fmt: skip
    return hemmed(garment, borders(cloth.triangles))


def _folds(drop: Drop, angle: Array, rng: np.random.Generator) -> tuple[Array, list[tuple[int, float]]]:
    """How far each column stands out, about -1 to 1, and the columns that an artist would draw, each with how
    far down it starts (as a factor)."""
    turns = (angle - angle[0]) / (2 * np.pi)
    if drop.pleats:
        saw = (turns * drop.pleats) % 1
        wave = np.where(saw < 0.8, saw / 0.8, (1 - saw) / 0.2) * 2 - 1
        edge = np.flatnonzero((saw < 0.8) & (np.roll(saw, -1) >= 0.8))
        return wave, [(int(c), 1.0) for c in edge]
    count = int(rng.integers(9, 13))
    # Uneven soft folds: ridges rounder than the valleys between them.
    bent = turns + 0.018 * np.sin(2 * np.pi * turns * 3 + rng.uniform(0, 6.28))
    phase = float(rng.random())
    wave = 1 - 2 * np.abs(np.sin(np.pi * (bent * count + phase))) ** 1.6
    height = 0.6 + 0.4 * np.sin(2 * np.pi * turns * 2 + rng.uniform(0, 6.28))
    valley = np.flatnonzero((wave <= np.roll(wave, 1)) & (wave < np.roll(wave, -1)))
    return wave * height, [(int(c), float(rng.uniform(0.7, 2.0))) for c in valley[:: int(rng.integers(1, 3))]]
