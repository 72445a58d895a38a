"""Faces in a picture: where, how turned, their mesh and irises, and the mask of their skin."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_picture
from wbme.geometry import landmarks as points
from wbme.geometry.masks import polygon_mask
from wbme.geometry.transforms import Square
from wbme.perception import detector, facemesh

Range = Literal["auto", "short", "full"]
Rotations = Literal["auto", "all", "none"]

# The full-range detector sees a face reliably from this share of its window on.
_SEEN = 0.075
# ... and the short-range one best at a quarter of it.
_WINDOW = 4.0
# The first look is this generous, since the second one tells faces from the rest.
_FIRST = 0.3


@dataclass(frozen=True, eq=False)
class Face:
    """One face. All positions are pixels of the picture, integers being pixel centres; left and right are
    the person's own.

    ``box`` x0, y0, x1, y1 (brows to chin); ``score`` of the detector in [0, 1]; ``keypoints`` 6 x 2: right
    eye, left eye, nose tip, mouth, right ear, left ear; ``landmarks`` 468 x 3 or None, z in the scale of x
    and y; ``irises`` 2 x 5 x 2 or None: right and left, each its centre and four points of the rim.
    """

    box: NDArray[np.float64]
    score: float
    keypoints: NDArray[np.float64]
    landmarks: NDArray[np.float64] | None = None
    irises: NDArray[np.float64] | None = None

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        return float((self.box[2:] - self.box[:2]).max())

    @property
    def roll(self) -> float:
        """How far the face is turned in the picture, degrees in (-180, 180], clockwise is positive."""
        right, left = self.keypoints[:2] if self.landmarks is None else self.landmarks[[33, 263], :2]
        return float(np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0])))


def detect(
    rgb: NDArray[np.float32],
    *,
    range: Range = "auto",
    rotations: Rotations = "auto",
    max_faces: int | None = None,
    min_score: float = 0.5,
    min_size: float | None = None,
    landmarks: bool = True,
    irises: bool = True,
) -> list[Face]:
    """The faces in an sRGB picture (H x W x 3, float32 in [0, 1]), the largest first; [] where there is none.

    ``range``: ``"short"`` (BlazeFace for faces near the camera, quickest) and ``"full"`` (smaller ones) look
    at the picture once; ``"auto"`` uses both, and tiles as well so that faces down to ``min_size`` pixels
    (default: 24, or a fortieth of the longer side if that is more) are found. ``rotations``: ``"none"``
    finds faces turned by up to about 45 degrees, ``"all"`` looks from all four sides, ``"auto"`` does so only
    where nothing was found upright. ``min_score`` is asked of the second look, which sees each face alone,
    upright and large, not of the first, generous one. A face that the mesh network does not believe in is
    dropped, unless ``landmarks`` is off. The same picture gives the same faces, bit by bit.
    Raises ParameterError when ``rgb`` is not such a picture.
    """
    picture = check_picture(rgb)
    if range not in ("auto", "short", "full") or rotations not in ("auto", "all", "none"):
        raise ParameterError(f"faces.detect has no range {range!r} with rotations {rotations!r}")
    longer = max(picture.shape[:2])
    smallest = max(24.0, longer / 40) if min_size is None else max(min_size, 1.0)
    finest = smallest / _SEEN if range == "auto" else np.inf
    first = (0,) if rotations in ("auto", "none") else (0, 1, 2, 3)
    found = _search(picture, range, first, finest, min_score, landmarks)
    if not found and rotations == "auto":
        found = _search(picture, range, (1, 2, 3), finest, min_score, landmarks)
    found = sorted(found, key=lambda face: (-face.size, *face.box))[:max_faces]
    if not (landmarks and irises):
        return found
    return [_with_irises(picture, face) for face in found]


def _search(
    picture: NDArray[np.float32],
    range: Range,
    quarters: tuple[int, ...],
    finest: float,
    min_score: float,
    landmarks: bool,
) -> list[Face]:
    """Faces seen from the sides ``quarters`` (quarter turns of the viewer), each once."""
    looks = []
    first = min(_FIRST, min_score)
    for quarter in quarters:
        squares = detector.windows(picture.shape, finest, quarter * np.pi / 2)
        if range != "full":
            looks.append(detector.detect(detector.FACE_SHORT, picture, squares[:1], first))
        if range != "short":
            looks.append(detector.detect(detector.FACE_FULL, picture, squares, first))
    faces = []
    for score, box, keypoints in zip(*detector.best(looks), strict=True):
        face = _upright(picture, Face(box, float(score), keypoints))
        if face.score < min_score:
            continue
        mesh, belief = facemesh.fit(picture, face.box, face.keypoints[:2]) if landmarks else (None, 1.0)
        if belief >= 0.5:
            faces.append(replace(face, landmarks=mesh))
    faces.sort(key=lambda face: -face.score)
    boxes = np.reshape([face.box for face in faces], (-1, 4))
    kept: list[int] = []
    for index in detector.keep_best(boxes):  # nor is there a face whose centre lies in a surer one
        centre, surer = (boxes[index, :2] + boxes[index, 2:]) / 2, boxes[kept]
        if not ((surer[:, :2] < centre) & (centre < surer[:, 2:])).all(1).any():
            kept.append(index)
    return [faces[index] for index in kept]


def _upright(picture: NDArray[np.float32], face: Face) -> Face:
    """``face`` as the short-range detector sees it alone, turned upright, in a window of its own.

    That makes box and key points independent of where and how large the face stood in the picture. The
    detector also answers, less surely, to faces upside down, with the eyes on the wrong side: so it looks
    from there too, and the surer answer counts.
    """
    middle = (face.box[:2] + face.box[2:]) / 2
    best = None
    for turn in (0, np.pi):
        square = Square(*middle, _WINDOW * face.size, np.radians(face.roll) + turn)
        found = detector.detect(detector.FACE_SHORT, picture, [square], 0.5)
        offset = np.abs((found.boxes[:, :2] + found.boxes[:, 2:]) / 2 - middle).max(1)
        found = found.take(offset < face.size / 2)
        if len(found.scores) and (best is None or found.scores[0] > best.scores[0]):
            best, angle = found.take(slice(0, 1)), square.angle
    if best is None:
        return face
    # The box is a square in the turned window: put it down straight around the same centre.
    box = best.boxes[0]
    half = (box[2:] - box[:2]) / 2 / (abs(np.cos(angle)) + abs(np.sin(angle)))
    centre = (box[:2] + box[2:]) / 2
    return Face(np.concatenate([centre - half, centre + half]), float(best.scores[0]), best.keypoints[0])


def _with_irises(picture: NDArray[np.float32], face: Face) -> Face:
    mesh = np.array(face.landmarks)
    found = facemesh.irises(picture, mesh)
    return replace(face, landmarks=mesh, irises=found)


def skin_mask(face: Face, shape: tuple[int, ...], *, feather: float = 0.0) -> NDArray[np.float32]:
    """The visible skin of ``face`` on a picture of ``shape`` (height, width, ...): H x W in [0, 1].

    The oval of the mesh without eyes, brows and lips, each with a margin of 2 % of the face's size, and
    without nostrils; antialiased. ``feather`` softens the edge by a Gaussian with that sigma in pixels.
    Hair or glasses before the face are not known to the mesh and stay in. Raises ParameterError for a face
    that was detected without landmarks.
    """
    if face.landmarks is None:
        raise ParameterError("a skin mask needs landmarks: detect the face with landmarks=True")
    mesh = face.landmarks[:, :2]
    oval = mesh[list(points.FACE_OVAL)]
    # A fan from the nose tip, not the oval alone: in profile the nose stands out beyond it.
    nose = np.broadcast_to(mesh[points.NOSE_TIP], oval.shape)
    fan = np.stack([nose, oval, np.roll(oval, -1, axis=0)], axis=1)
    parts = (points.RIGHT_EYE, points.LEFT_EYE, points.RIGHT_BROW, points.LEFT_BROW, points.LIPS_OUTER)
    holes = [mesh[list(part)] for part in (*parts, points.RIGHT_NOSTRIL, points.LEFT_NOSTRIL)]
    margin = 0.02 * float(np.ptp(oval, axis=0).max())
    return polygon_mask(shape, list(fan), holes, margin=margin, feather=feather)
