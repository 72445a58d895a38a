"""Names for the points of the 468-point face mesh, and the way from it to smaller point sets.

The mesh is that of Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile
GPUs" (arXiv 1907.06724). Left and right are the person's own: in an upright picture the right eye is on
the left. Loops go once around their part, so they can be filled or drawn as closed polygons.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.base.errors import ParameterError

MESH_POINTS: Final = 468

# Forehead, then down the person's left side to the chin and up the right side.
# fmt: off
FACE_OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# Each eye: outer corner, upper lid, inner corner, lower lid back.
RIGHT_EYE: Final = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_EYE: Final = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
# Each brow: upper edge from the temple to the nose, lower edge back.
RIGHT_BROW: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_BROW: Final = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
# Lips: from the person's right corner over the upper edge to the left corner, back below.
LIPS_OUTER: Final = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
)
LIPS_INNER: Final = (
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
)
RIGHT_NOSTRIL: Final = (79, 166, 59, 238)
LEFT_NOSTRIL: Final = (309, 392, 289, 458)
NOSE_TIP: Final = 1

# The 68 points of Gross et al. (Multi-PIE) in their order: jaw, brows, nose, eyes, lips.
MESH_TO_68: Final = (
    127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)
# fmt: on


def eyes_and_mouth(points: ArrayLike) -> NDArray[np.float64]:
    """The three points of FFHQ's alignment, 3 x 2: image-left eye, image-right eye, middle of the mouth.

    ``points`` are pixels, N x 2 or more columns, in one of these sets: 3 (those points themselves),
    4 (two eyes, two mouth corners), 68 (Multi-PIE), 468 or 478 (the mesh, irises or not).
    An eye is the mean of its six points of the 68, the mouth the mean of its two corners.
    """
    given = np.asarray(points, float)
    count = len(given) if given.ndim == 2 and given.shape[1] >= 2 else 0
    if count not in (3, 4, 68, MESH_POINTS, MESH_POINTS + 10):
        raise ParameterError(
            f"an alignment needs 3, 4, 68, 468 or 478 points of (x, y), not an array of shape {given.shape}"
        )
    given = given[:, :2]
    if not np.isfinite(given).all():
        raise ParameterError("an alignment got a point that is not a finite number")
    if count >= MESH_POINTS:
        given = given[list(MESH_TO_68)]
    if len(given) == 68:
        given = np.stack([given[36:42].mean(0), given[42:48].mean(0), given[48], given[54]])
    return given if len(given) == 3 else np.stack([given[0], given[1], (given[2] + given[3]) / 2])


def subset(points: ArrayLike, name: str, visible: ArrayLike | None = None) -> NDArray[np.float64]:
    """The set ``name`` of a face's mesh (468 x 2 or more columns) that a warp rests on, N x 2.

    ``468`` is all of it, ``68`` the points of Multi-PIE, ``5`` those that a hand-corrected file holds: middle
    of the person's right and left eye, tip of the nose, right and left corner of the mouth. Points that are
    not ``visible`` (468 of bool) are left out of the first two. Raises ParameterError for another set.
    """
    mesh = np.asarray(points, float)
    if mesh.ndim != 2 or len(mesh) < MESH_POINTS or mesh.shape[1] < 2:
        raise ParameterError(f"landmarks of shape {mesh.shape} are no mesh of {MESH_POINTS} points (x, y)")
    if name == "5":
        eyes = [mesh[list(loop), :2].mean(0) for loop in (RIGHT_EYE, LEFT_EYE)]
        return np.stack([*eyes, *mesh[[NOSE_TIP, 61, 291], :2]])
    if name not in ("468", "68"):
        raise ParameterError(f"no landmark set is called {name!r}: choose 468, 68 or 5")
    chosen = np.array(MESH_TO_68) if name == "68" else np.arange(MESH_POINTS)
    return mesh[chosen if visible is None else chosen[np.asarray(visible, bool)[chosen]], :2]
