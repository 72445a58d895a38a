"""The faces of a drawing: as a user marked them, else as the detectors find them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError
from wbme.data import landmark_file
from wbme.data.landmark_file import Marks
from wbme.perception import drawn

Source = Literal["hand", "mesh", "detector", "box"]


@dataclass(frozen=True, eq=False)
class DrawnFace:
    """``points`` 5 x 2 (``landmark_file.POINTS``) and ``box`` x0, y0, x1, y1, pixels; ``source``: hand, the
    detector's mesh, its key points, or a guess from a box; ``score`` of the detector in [0, 1] or None."""

    points: NDArray[np.float64]
    box: NDArray[np.float64]
    source: Source
    score: float | None = None
    contour: tuple[tuple[float, float], ...] = ()

    @property
    def marks(self) -> Marks:
        """The face as a landmark file holds it."""
        rounded = np.round(self.points, 3), np.round(self.box, 3)
        return landmark_file.marks(*rounded, self.contour or None)


@dataclass(frozen=True, eq=False)
class Faces:
    """The ``faces`` of a drawing, the largest first when detected; where from; what to look at."""

    faces: list[DrawnFace]
    source: Source | Literal["none"]
    warnings: list[str]


def place(picture: Path, name: str, folder: Path | None) -> Path:
    """Where the landmarks of the drawing at ``picture`` are kept: in ``folder`` under the drawing's own
    ``name`` (which may begin with sub-folders), or beside it where there is no such folder."""
    return landmark_file.beside(folder / name if folder else picture)


def find(rgb: NDArray[np.float32], picture: Path, name: str, folder: Path | None) -> Faces:
    """Faces of the drawing ``rgb`` (H x W x 3 sRGB in [0, 1]), by its landmark file in ``folder`` or beside
    it, else by the detectors. A landmark file that cannot be used is a warning, and the detectors look."""
    warnings: list[str] = []
    size = rgb.shape[1], rgb.shape[0]
    for path in dict.fromkeys((place(picture, name, folder), landmark_file.beside(picture))):
        if not path.exists():
            continue
        try:
            given = landmark_file.load(path, picture.name, size)
        except MediaError as error:
            warnings.append(str(error).replace(str(path), path.name))
            continue
        faces = [_given(rgb, one, number, warnings) for number, one in enumerate(given, 1)]
        source = faces[0].source if faces else "hand"
        return Faces(faces, source, warnings)
    return _detected(rgb, warnings)


def _detected(rgb: NDArray[np.float32], warnings: list[str]) -> Faces:
    faces = [DrawnFace(one.points, one.box, one.source, one.score) for one in drawn.find(rgb)]
    if not faces:
        warnings.append("no face was found: give its five points or a box in the editor")
        return Faces([], "none", warnings)
    if len(faces) > 1:
        warnings.append(f"{len(faces)} faces were found: remove in the editor what is not this character's")
    if faces[0].source == "detector":
        warnings.append("the mesh of photographs does not fit this face: look at its five points")
    return Faces(faces, faces[0].source, warnings)


def _given(rgb: NDArray[np.float32], one: Marks, number: int, warnings: list[str]) -> DrawnFace:
    """A face as marked; of a box alone the points come from the mesh, or from usual proportions."""
    contour = one.contour or ()
    if one.points is None:
        box = np.array(one.box, float)
        inside = drawn.find(rgb, box)
        if inside and inside[0].source == "mesh":
            return DrawnFace(inside[0].points, box, inside[0].source, inside[0].score, contour)
        warnings.append(f"the points of face {number} are guessed from its box: drag them in the editor")
        return DrawnFace(drawn.usual(box), box, "box", None, contour)
    points = one.points
    across, down = points[1] - points[0], points[3:].mean(0) - points[:2].mean(0)
    if across[0] * down[1] - across[1] * down[0] < 0:
        points = points[[1, 0, 2, 4, 3]]
        warnings.append(
            f"right and left of face {number} are exchanged: its right eye is the one on the left"
        )
    box = drawn.box_of(points) if one.box is None else np.array(one.box, float)
    return DrawnFace(points, box, "hand", None, contour)
