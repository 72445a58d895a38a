"""The lines that an artist would draw on a face, on the posed surface.

Kinds: lash (upper lid, heavy), lid (lower lashes), crease, brow (closed shape), nose, ridge, mouth, lip (the
shadow below the lower lip), jaw, ear, inner ear, neck. Widths are relative and run out at the ends.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

from wbme.geometry import landmarks as names
from wbme.people import brows
from wbme.people.anatomy import Anatomy
from wbme.people.mesh import Curve

Points = NDArray[np.float32]

_LIFT = 0.0006  # metres above the skin, so that the skin does not hide the line
_CREASE = {"R": (130, 247, 30, 29, 27, 28, 56, 190), "L": (359, 467, 260, 259, 257, 258, 286, 414)}
_WING = {"R": (129, 64, 98), "L": (358, 294, 327)}
_RIDGE = {"R": (193, 122, 196, 236), "L": (417, 351, 419, 456)}
_UNDER_NOSE = (97, 2, 326)
_UPPER_LIP = names.LIPS_INNER[:11]
_LOWER_LIP = (names.LIPS_INNER[0], *names.LIPS_INNER[:9:-1])
_UNDER_LIP = (182, 83, 18, 313, 406)
_JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
_OPEN = 0.0022  # metres between the lips from which the mouth is drawn as two lips


def draw(
    anatomy: Anatomy, vertices: Points, normals: Points, points: Points, *, brow: float, arch: float
) -> list[Curve]:
    """Feature curves of a posed face. vertices V x 3; normals of the vertices V x 3; points: its 468
    landmarks; ``brow``, ``arch``: as in ``wbme.people.skin.Complexion``."""
    curves = []

    def add(kind: str, path: Points, width: list[float], count: int = 24, closed: bool = False) -> None:
        line = path if closed else _smooth(path, count)
        scale = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(width)), width)
        curves.append(Curve(kind, line.astype(np.float32), scale.astype(np.float32), closed))

    tree = cKDTree(vertices[anatomy.groups["body"]])

    def lifted(path: Points) -> Points:
        return path + _LIFT * normals[anatomy.groups["body"][tree.query(path)[1]]]

    for side in "RL":
        add("lash", lifted(vertices[anatomy.groups[f"lash-upper-{side}"]]), [0.7, 1.6, 2.2, 2.6, 2.4, 1.0])
        lower = vertices[anatomy.groups[f"lash-lower-{side}"]]
        add("lid", lifted(lower[4:]), [0.2, 0.6, 0.9, 0.6])
        add("crease", lifted(points[list(_CREASE[side])]), [0.2, 0.8, 0.8, 0.6, 0.1])
        loop = names.RIGHT_BROW if side == "R" else names.LEFT_BROW
        upper_edge, lower_edge = brows.shape(points[list(loop)], brow, arch)
        add("brow", lifted(np.concatenate([upper_edge, lower_edge[::-1]])), [1.0], closed=True)
        add("nose", lifted(points[list(_WING[side])]), [0.2, 1.0, 0.7], 12)
        add("ridge", lifted(points[list(_RIDGE[side])]), [0.2, 0.9, 0.2], 12)
        for kind in ("ear", "inner ear"):
            add(kind, lifted(vertices[anatomy.groups[f"{kind}-{side}"]]), [0.3, 1.0, 1.0, 1.0, 0.3])
        for row in ("tendon", "collar bone"):
            add("neck", lifted(vertices[anatomy.groups[f"{row}-{side}"]]), [0.1, 0.7, 0.5, 0.1])
    add("nose", lifted(points[list(_UNDER_NOSE)]), [0.2, 1.0, 0.2], 12)
    upper, lower = points[list(_UPPER_LIP)], points[list(_LOWER_LIP)]
    corners = [0.8, 1.0, 0.7, 0.9, 0.7, 1.0, 0.8]
    if np.linalg.norm(upper[5] - lower[5]) > _OPEN:
        add("mouth", lifted(upper), corners)
        add("mouth", lifted(lower), [0.6, 0.6, 0.5, 0.6, 0.6])
    else:
        add("mouth", lifted((upper + lower) / 2), corners)
    add("lip", lifted(points[list(_UNDER_LIP)]), [0.1, 0.8, 0.1], 12)
    add("jaw", lifted(points[list(_JAW)]), [0.3, 1.0, 1.0, 1.0, 0.3], 40)
    return curves


def _smooth(path: Points, count: int) -> NDArray[np.float64]:
    """``count`` places along a smooth line through ``path``, evenly spaced."""
    step = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1) + 1e-9)])
    fine = PchipInterpolator(step, path)(np.linspace(0, step[-1], 4 * count))
    # Pchip keeps to the points but not to their curvature: round it off a little.
    for _ in range(3):
        fine[1:-1] = (fine[:-2] + 2 * fine[1:-1] + fine[2:]) / 4
    return fine[np.round(np.linspace(0, len(fine) - 1, count)).astype(int)]
