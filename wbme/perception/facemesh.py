"""The 468-point mesh of a face, and the irises.

Mesh: Kartynnik et al., arXiv 1907.06724 (192 x 192 crop); irises: Ablavatski et al., arXiv 2006.11341
(64 x 64 crop of one eye).
"""

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.landmarks import LEFT_EYE, RIGHT_EYE
from wbme.geometry.transforms import Square, apply
from wbme.perception.networks import network

# The first 16 of the iris network's 71 contour points: lower lid from the outer to the inner corner, then
# the upper lid without corners; as positions in landmarks.RIGHT_EYE and LEFT_EYE.
_LIDS = [0, 15, 14, 13, 12, 11, 10, 9, 8, 1, 2, 3, 4, 5, 6, 7]


def fit(
    picture: NDArray[np.float32], box: NDArray[np.float64], eyes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Mesh of the face in ``box`` (x0, y0, x1, y1) whose right and left eye lie at ``eyes`` (2 x 2).

    Returns 468 x 3 pixels (z has the scale of x and y, smaller is nearer) and the network's belief in [0, 1]
    that this is a face. A first look at 1.5 boxes, turned by the eyes, places a second, finer one.
    """
    middle, side = (box[:2] + box[2:]) / 2, 1.5 * float((box[2:] - box[:2]).max())
    points, belief = _look(picture, Square(*middle, side, _angle(*eyes)))
    if belief < 0.5:
        return points, belief
    return _look(picture, around(points[:, :2], _angle(points[33, :2], points[263, :2]), 1.5))


def around(points: NDArray[np.float64], angle: float, scale: float) -> Square:
    """The square at ``angle`` around ``points`` (N x 2), ``scale`` times their longer extent."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    local = points @ turn
    low, high = local.min(0), local.max(0)
    return Square(*(turn @ (low + high) / 2), scale * float((high - low).max()), angle)


def _angle(start: NDArray[np.float64], end: NDArray[np.float64]) -> float:
    return float(np.arctan2(end[1] - start[1], end[0] - start[0]))


def _look(picture: NDArray[np.float32], square: Square) -> tuple[NDArray[np.float64], float]:
    mesh, logit = network("face_landmarks")(square.crop(picture, 192)[None])
    local = mesh.reshape(-1, 3).astype(float) / 192
    points = np.column_stack([apply(square.matrix(), local[:, :2]), local[:, 2] * square.side])
    return points, float(1 / (1 + np.exp(-logit.item())))


def irises(picture: NDArray[np.float32], mesh: NDArray[np.float64]) -> NDArray[np.float64]:
    """The irises of a face with ``mesh`` (468 x 3), and better lids for it.

    Returns 2 x 5 x 2 pixels: right then left eye of the person; the centre, then four points of the rim.
    The lid points of ``mesh`` are moved in place to where the eye's own crop sees them.
    """
    found = []
    for loop, flip in ((RIGHT_EYE, False), (LEFT_EYE, True)):
        eye = mesh[list(loop), :2]
        angle = _angle(mesh[33, :2], mesh[263, :2])
        side = 2.3 * float(np.hypot(*(eye[8] - eye[0])))
        square = Square(*(eye[0] + eye[8]) / 2, max(side, 1e-3), angle)
        crop = square.crop(picture, 64)
        # The network knows right eyes only.
        contour, iris = network("iris_landmarks")((crop[:, ::-1].copy() if flip else crop)[None])
        points = np.concatenate([contour.reshape(-1, 3)[:16], iris.reshape(-1, 3)]).astype(float) / 64
        if flip:
            points[:, 0] = 1 - points[:, 0]
        pixels = apply(square.matrix(), points[:, :2])
        mesh[[loop[position] for position in _LIDS], :2] = pixels[:16]
        found.append(pixels[16:])
    return np.stack(found)
