"""Folds of cloth as an artist sets them: strokes on the garment that raise it and may be drawn as lines.

They start where cloth is held (armpit, elbow, waist, crotch, knee, cuff) and run out. Places are metres on
the mean person; on an arm, its length (0 shoulder, 1 wrist) and the angle around it in radians.
"""

import numpy as np
from scipy.spatial import cKDTree

from wbme.people.cloth import Array, Numbers

_STEPS = 13
# x, y of both ends and sag at the middle, on the front (1) or back (-1); chance of each. Trunk, then legs.
_TRUNK = (
    (0.148, 1.238, 0.085, 1.215, -0.010, 1, 0.9), (0.150, 1.225, 0.105, 1.165, -0.006, 1, 0.7),
    (0.146, 1.255, 0.105, 1.290, 0.004, 1, 0.5), (0.150, 1.235, 0.080, 1.200, -0.012, -1, 0.9),
    (0.148, 1.215, 0.100, 1.130, -0.004, -1, 0.6), (0.128, 1.060, 0.060, 1.020, -0.012, 1, 0.8),
    (0.126, 1.025, 0.040, 0.985, -0.014, 1, 0.8), (0.132, 0.985, 0.075, 0.945, -0.010, 1, 0.7),
    (0.130, 0.930, 0.070, 0.900, -0.008, 1, 0.5), (0.126, 1.040, 0.045, 1.000, -0.012, -1, 0.9),
    (0.128, 0.990, 0.060, 0.950, -0.010, -1, 0.6),
)  # fmt: skip
_LEGS = (
    (0.020, 0.842, 0.105, 0.868, 0.006, 1, 0.9), (0.022, 0.826, 0.120, 0.810, -0.004, 1, 0.8),
    (0.030, 0.800, 0.115, 0.745, -0.006, 1, 0.6), (0.030, 0.815, 0.130, 0.830, 0.004, -1, 0.9),
    (0.045, 0.770, 0.130, 0.760, -0.004, -1, 0.6), (0.100, 0.530, 0.165, 0.512, -0.006, 1, 0.7),
    (0.110, 0.478, 0.175, 0.462, -0.006, 1, 0.7), (0.115, 0.500, 0.180, 0.490, -0.004, -1, 0.8),
    (0.120, 0.455, 0.185, 0.440, -0.004, -1, 0.6), (0.130, 0.190, 0.205, 0.176, -0.006, 1, 0.7),
    (0.130, 0.150, 0.205, 0.138, -0.006, 1, 0.9), (0.140, 0.165, 0.215, 0.160, -0.006, -1, 0.6),
)  # fmt: skip
# Along the arm at both ends, angles at both ends (0 outwards, half a turn inwards), chance.
_SLEEVE = (
    (0.47, 0.44, 1.2, 3.6, 0.9), (0.53, 0.50, 1.5, 4.2, 0.9), (0.59, 0.61, 1.0, 3.4, 0.7),
    (0.40, 0.36, 2.0, 4.0, 0.5), (0.16, 0.26, 1.6, 2.8, 0.7), (0.78, 0.80, 0.8, 3.2, 0.6),
    (0.88, 0.87, 0.2, 2.9, 0.8), (0.93, 0.935, 2.4, 5.0, 0.6),
)  # fmt: skip


def fold(
    points: Array, normal: Array, mean: Array, along: Array, arm: Array, amount: float, legs: bool,
    rng: np.random.Generator,
) -> tuple[Array, list[Numbers]]:  # fmt: skip
    """``points`` V x 3 with folds ``amount`` metres high, and each fold's line as rows of vertices.

    mean: the vertices on the mean person; along, arm: ``cloth.limbs`` of them; ``legs``: trousers.
    """
    rise, lines = np.zeros(len(points)), []
    for path in _paths(mean, along, arm, legs, rng):
        at = mean[path]
        dense = np.stack([np.interp(np.linspace(0, 1, 60), np.linspace(0, 1, len(at)), c) for c in at.T], 1)
        far, near = cKDTree(dense).query(mean, distance_upper_bound=0.06)
        here = np.flatnonzero(np.isfinite(far))
        taper = np.sin(np.pi * np.clip(0.12 + 0.88 * near[here] / 59, 0, 1)) ** 0.8
        width = float(rng.uniform(0.010, 0.016))
        d = far[here] / width
        # A ridge on one side of the line, a valley on it.
        above = np.sign(((mean[here] - dense[near[here]]) * [0.3, 1, 0.2]).sum(1))
        profile = np.where(above > 0, 1.15 * d * np.exp(0.5 - 0.5 * d**2), 0.0) - 0.55 * np.exp(-(d**2))
        rise[here] += amount * float(rng.uniform(0.7, 1.2)) * taper * profile
        if np.linalg.norm(at[-1] - at[0]) > 0.02:
            lines.append(path)
    return points + normal * rise[:, None], lines


def _paths(mean: Array, along: Array, arm: Array, legs: bool, rng: np.random.Generator) -> list[Numbers]:
    """Rows of vertices near the strokes that chance picks, on both sides and never quite alike."""
    t = np.linspace(0, 1, _STEPS)
    bow = 4 * t * (1 - t)
    paths = []
    body_tree = cKDTree(np.where(arm[:, None] < 0.5, mean, 9) * [1, 1, 0.35])
    for x0, y0, x1, y1, sag, front, chance in _LEGS if legs else _TRUNK:
        for side in (1, -1):
            if rng.random() > chance * 0.85:
                continue
            jitter = rng.normal(0, 0.006, 4)
            x = side * (x0 + jitter[0] + (x1 - x0 + jitter[1]) * t)
            y = y0 + jitter[2] + (y1 - y0 + jitter[3]) * t + sag * bow
            paths.append(_nearest(body_tree, np.stack([x, y, np.full(_STEPS, 0.018 * front)], 1)))
    if legs or arm.max() < 0.5:
        return [p for p in paths if len(p) > 3]
    for side in (1, -1):
        own = (arm > 0.5) & (mean[:, 0] * side > 0)
        if own.sum() < 50:
            continue
        angle = _around(mean, own, along)
        round_arm = np.stack([along * 0.5, np.cos(angle) * 0.05, np.sin(angle) * 0.05], 1)
        tree = cKDTree(np.where(own[:, None], round_arm, 9))
        longest = along[own].max() - 0.03
        for a0, a1, from_, to, chance in _SLEEVE:
            shift, turn = rng.normal(0, 0.012), rng.normal(0, 0.3)
            if rng.random() > chance or max(a0, a1) + shift > longest:
                continue
            a = (a0 + (a1 - a0) * t + shift) * 0.5
            phi = from_ + (to - from_) * t + turn
            paths.append(_nearest(tree, np.stack([a, np.cos(phi) * 0.05, np.sin(phi) * 0.05], 1)))
    return [p for p in paths if len(p) > 3]


def _around(mean: Array, own: Array, along: Array) -> Array:
    """Angle around the arm of each vertex, 0 on the outside."""
    angle = np.zeros(len(mean))
    p = mean[own]
    bins = np.clip((along[own] * 16).astype(int), 0, 16)
    total = np.maximum(np.bincount(bins, minlength=17), 1)
    middle = np.stack([np.bincount(bins, p[:, k], 17) / total for k in range(3)], 1)
    d = p - middle[bins]
    angle[own] = np.arctan2(d[:, 2], d[:, 0] * np.sign(p[:, 0]) + 0.8 * d[:, 1])
    return angle


def _nearest(tree: cKDTree, at: Array) -> Numbers:
    """Rows of the tree's points along a path, each once."""
    near = tree.query(at)[1]
    return near[np.concatenate([[True], np.diff(near) != 0])]
