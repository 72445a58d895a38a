"""The 468 points of the face mesh on the body."""

import numpy as np
from numpy.typing import NDArray

from wbme.people.anatomy import Anatomy


def surface(anatomy: Anatomy, vertices: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 468 points, metres, on posed ``vertices`` V x 3. Those of the eyes run along the visible rims of
    the lids, those inside the lips along the lips' inner edges."""
    vertex, weight = anatomy.landmarks
    return (vertices[vertex] * weight[..., None]).sum(1).astype(np.float32)


def uv(anatomy: Anatomy, points: tuple[int, ...]) -> NDArray[np.float32]:
    """Where some of the points, on the skin, lie on its texture: N x 2 in [0, 1], v up."""
    vertex, weight = (part[list(points)] for part in anatomy.landmarks)
    skin = anatomy.parts["skin"]
    first = np.full(len(anatomy.positions), -1)
    first[skin.source[::-1]] = np.arange(len(skin.source))[::-1]
    return (skin.uv[first[vertex]] * weight[..., None]).sum(1)
