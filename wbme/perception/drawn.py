"""Faces in drawings: detectors of photographs, asked more than once.

BlazeFace answers to most drawn faces that have two eyes and a mouth, with key points that lie amiss; the mesh
network believes in fewer, but then its points are good. So it looks through many squares around each answer,
at the lines as they are and softened, and its surest look counts; without one, the key points stay.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.geometry import landmarks
from wbme.perception import facemesh, faces

# In sprites and drawings of synthetic people faces scored 0.76 or more, hands and clothes up to 0.69.
_SURE, _MESHED = 0.72, 0.5
# Of a box from brows to chin: where the five points lie in a usual drawing, (x, y) in shares of it.
_USUAL = np.array([[0.27, 0.24], [0.73, 0.24], [0.50, 0.52], [0.38, 0.73], [0.62, 0.73]])
_ENOUGH = 0.9  # belief of the mesh with which the search ends
# Looks of the mesh network, the plain one first: sigma of softened lines, side, shift, in shares of the face.
_LOOKS = tuple(
    (soft, scale, shift)
    for soft in (0.0, 0.012)
    for scale in (1.0, 0.85, 1.18)
    for shift in ((0.0, 0.0), (0.0, 0.12), (0.0, 0.24), (0.0, -0.1), (-0.12, 0.08), (0.12, 0.08))
)


@dataclass(frozen=True, eq=False)
class DrawnFace:
    """``points`` 5 x 2 pixels: right eye, left eye, nose tip, right and left corner of the mouth (the
    character's own); ``box`` x0, y0, x1, y1 from brows to chin; ``score`` of the detector in [0, 1];
    ``source``: the mesh, or the detector, by whose key points or box the points are guessed."""

    points: NDArray[np.float64]
    box: NDArray[np.float64]
    score: float
    source: Literal["mesh", "detector"]


def find(rgb: NDArray[np.float32], box: NDArray[np.float64] | None = None) -> list[DrawnFace]:
    """The faces of a drawing (H x W x 3 sRGB in [0, 1], on a ground), the largest first; with ``box`` (x0,
    y0, x1, y1 pixels) those whose middle it holds, less surely. Where nothing is found, softened lines are
    tried. Raises ParameterError when ``rgb`` is not such a picture."""
    picture, corner = rgb, np.zeros(2)
    if box is not None:
        middle, reach = (box[:2] + box[2:]) / 2, 1.5 * (box[2:] - box[:2]).max()
        low = np.clip(middle - reach, 0, None).astype(int)
        high = np.clip(middle + reach, low + 2, None).astype(int)
        picture, corner = np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]]), low.astype(float)
        if not picture.size:
            return []
    least = _SURE if box is None else 0.5
    for sigma in (0.0, max(picture.shape[:2]) / 400):
        look = cv2.GaussianBlur(picture, (0, 0), sigma) if sigma else picture
        # The mesh may believe in a face of which the detector is less sure, such as one in a corner.
        size = max(look.shape[:2]) / 24
        seen = faces.detect(look, min_score=0.5, min_size=size, landmarks=False, rotations="none")
        found = [_meshed(picture, f, len(_LOOKS) if f.score >= least else 1) for f in seen]
        found = [one for one in found if one.score >= least or one.source == "mesh"]
        if box is not None:
            found = [one for one in found if _holds(box, one.box + np.tile(corner, 2))]
        if found:
            return sorted((_moved(one, corner) for one in found), key=lambda one: -np.ptp(one.box[[0, 2]]))
    return []


def _holds(box: NDArray[np.float64], found: NDArray[np.float64]) -> bool:
    middle = (found[:2] + found[2:]) / 2
    return bool((box[:2] <= middle).all() and (middle <= box[2:]).all())


def _moved(one: DrawnFace, by: NDArray[np.float64]) -> DrawnFace:
    return DrawnFace(one.points + by, one.box + np.tile(by, 2), one.score, one.source)


def _meshed(picture: NDArray[np.float32], face: faces.Face, tries: int) -> DrawnFace:
    """The face by the mesh where that believes in it, else as the detector has it."""
    size, middle = face.size, (face.box[:2] + face.box[2:]) / 2
    low = np.clip(middle - 2 * size, 0, None).astype(int)
    high = np.ceil(middle + 2 * size).astype(int) + 1
    sharp = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    best, belief = None, _MESHED
    for soft, scale, shift in _LOOKS[:tries]:
        look = cv2.GaussianBlur(sharp, (0, 0), soft * size) if soft * size > 0.3 else sharp
        place = middle + np.array(shift) * size - low
        half = scale * size / 2
        mesh, sure = facemesh.fit(
            look,
            np.concatenate([place - half, place + half]),
            np.stack([place, place + np.array((1.0, 0.0))]),
        )
        points = five(mesh) + low
        if sure > belief and _agree(points, middle, size):
            best, belief = points, sure
        if belief > _ENOUGH:
            break
    if best is None:
        return DrawnFace(_five(face), face.box, face.score, "detector")
    return DrawnFace(best, box_of(best), face.score, "mesh")


def five(mesh: NDArray[np.floating]) -> NDArray[np.float64]:
    """The five points, 5 x 2 pixels, of a face's mesh (468 x 2 or 3)."""
    return landmarks.subset(mesh, "5")


def _agree(points: NDArray[np.float64], middle: NDArray[np.float64], size: float) -> bool:
    """Whether the mesh means the face that the detector saw: in its place, of its size."""
    apart = float(np.hypot(*(points[1] - points[0]))) / size
    off = np.abs(points.mean(0) - middle).max() / size
    return 0.25 < apart < 0.85 and off < 0.3


def _five(face: faces.Face) -> NDArray[np.float64]:
    """The detector's key points, or, where they lie askew, the usual places in its box."""
    right, left, nose, mouth = face.keypoints[:4]
    half = (left - right) / 4
    points = np.stack([right, left, nose, mouth - half, mouth + half])
    straight = abs(face.roll) < 25 and _agree(points, (face.box[:2] + face.box[2:]) / 2, face.size)
    return points if straight else usual(face.box)


def usual(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """The five points of a usual drawn face with that ``box`` (x0, y0, x1, y1: brows to chin), 5 x 2."""
    return box[:2] + _USUAL * (box[2:] - box[:2])


def box_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The box from brows to chin of a face with these five ``points`` (5 x 2): x0, y0, x1, y1."""
    middle, mouth = points[:2].mean(0), points[3:].mean(0)
    across, down = points[1] - points[0], mouth - middle
    corners = [middle + x * across + y * down for x in (-0.95, 0.95) for y in (-0.45, 1.55)]
    return np.concatenate([np.min(corners, axis=0), np.max(corners, axis=0)])
