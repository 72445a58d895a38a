"""The lines that an artist would draw on a face, on the posed surface.

Kinds: crease (of the upper lid), brow (closed shape), jaw, ear (its outline), ear fold. Widths are relative
and run out at the ends; eyes, nose and mouth are ``wbme.people.facial``'s, drawn from the landmarks.
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
_JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
# Vertices: under the rim of an ear from its front over the top and down the back; around its hollow.
_EAR_FOLDS = {
    "R": ((5711, 5672, 5457, 5460, 5466, 5467, 5463, 5462, 5474),
          (5709, 5616, 5591, 5599, 5584, 5583, 5603, 5506)),
    "L": ((12308, 12269, 12056, 12059, 12065, 12066, 12062, 12061, 12073),
          (12306, 12213, 12188, 12196, 12181, 12180, 12200, 12105)),
}  # fmt: skip


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
        add("crease", lifted(points[list(_CREASE[side])]), [0.2, 0.8, 0.8, 0.6, 0.1])
        loop = names.RIGHT_BROW if side == "R" else names.LEFT_BROW
        upper_edge, lower_edge = brows.shape(points[list(loop)], brow, arch)
        add("brow", lifted(np.concatenate([upper_edge, lower_edge[::-1]])), [1.0], closed=True)
        add("ear", lifted(vertices[anatomy.groups[f"ear-{side}"]]), [0.3, 1.0, 1.0, 1.0, 0.3])
        for fold in _EAR_FOLDS[side]:
            add("ear fold", lifted(vertices[list(fold)]), [0.2, 1.0, 1.1, 0.7, 0.15])
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
