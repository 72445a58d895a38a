"""Landmarks of a drawing as a user gives or corrects them: NAME.landmarks.json beside the picture (schema 1).

    {"schema": 1,
     "picture": {"file": "girl.png", "width": 600, "height": 900},
     "faces": [{"right_eye": [251, 310.5], "left_eye": [349, 312], "nose": [301, 352],
                "mouth_right": [280, 380], "mouth_left": [322, 380],
                "box": [210, 240, 390, 420], "contour": [[205, 300], [230, 390]]}]}

Positions are pixels of the picture as it is shown (turned by its EXIF orientation), integers being pixel
centres. Right and left are the character's own: ``right_eye`` is the eye on the left of an upright picture.
A face has all five points, or a box alone (x0, y0, x1, y1: brows to chin); box and contour (the edge of the
face, any number of points) may be left out, and so may "picture". No face at all says: there is none here.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from wbme.base.errors import MediaError, StoreError
from wbme.base.paths import workspace, write_atomic

SCHEMA = 1
SUFFIX = ".landmarks.json"
POINTS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")

Point = tuple[float, float]
_MEND = "correct it in the editor or delete the file"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Marks(_Part):
    """What is known of one face; see the head of this file."""

    right_eye: Point | None = None
    left_eye: Point | None = None
    nose: Point | None = None
    mouth_right: Point | None = None
    mouth_left: Point | None = None
    box: tuple[float, float, float, float] | None = None
    contour: tuple[Point, ...] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Marks":
        missing = [name for name in POINTS if getattr(self, name) is None]
        if missing and (len(missing) < len(POINTS) or self.box is None):
            raise ValueError(f"lacks {', '.join(missing)}: a face has all five points, or a box alone")
        if self.box is not None and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError("its box is not left, top, right, bottom")
        return self

    @property
    def points(self) -> NDArray[np.float64] | None:
        """The five points in the order of ``POINTS``, 5 x 2, or None."""
        if self.right_eye is None:
            return None
        return np.array([getattr(self, name) for name in POINTS], float)


class _Picture(_Part):
    file: str | None = None
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


class _File(_Part):
    schema_: Literal[1] = Field(alias="schema")
    picture: _Picture | None = None
    faces: tuple[Marks, ...]


def marks(points: Any, box: Any = None, contour: Any = None) -> Marks:
    """Marks of arrays: ``points`` 5 x 2 or None, ``box`` 4 or None, ``contour`` N x 2 or None."""
    named = {} if points is None else dict(zip(POINTS, np.asarray(points, float).tolist(), strict=True))
    outline = None if contour is None else np.asarray(contour, float).tolist()
    return Marks(**named, box=None if box is None else np.asarray(box, float).tolist(), contour=outline)


def beside(picture: Path) -> Path:
    """Where the landmarks of the picture at that path lie."""
    return picture.with_name(picture.stem + SUFFIX)


def load(path: Path, file: str, size: tuple[int, int]) -> list[Marks]:
    """The faces in the file at ``path``, for the picture called ``file`` of ``size`` (width, height) pixels.

    Raises MediaError, one sentence, for a file that cannot be read or is of another shape, of another
    picture, or with a point outside the picture.
    """
    try:
        content = _File.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise MediaError(f"cannot read {path}: {error.strerror}; check its permissions") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = [f"{part + 1}" if isinstance(part, int) else str(part) for part in first["loc"]]
        field = " ".join(where).replace("faces ", "face ") or "the file"
        reason = first["msg"].removeprefix("Value error, ")
        raise MediaError(f"{path}: {field}: {reason}; {_MEND}") from error
    except (ValueError, RecursionError) as error:
        raise MediaError(f"{path} is no JSON text ({error}); {_MEND}") from error
    given = content.picture
    if given and (given.width, given.height) != size:
        raise MediaError(
            f"{path} is for a picture of {given.width} x {given.height} pixels, but {file} has "
            f"{size[0]} x {size[1]}; {_MEND}"
        )
    if given and given.file not in (None, file):
        raise MediaError(f"{path} is for {given.file}, not for {file}; rename one of the two pictures")
    for number, face in enumerate(content.faces, 1):
        _check(face, number, path, size)
    return list(content.faces)


def _check(face: Marks, number: int, path: Path, size: tuple[int, int]) -> None:
    width, height = size
    for name in POINTS:
        point = getattr(face, name)
        if point and not (-0.5 <= point[0] <= width - 0.5 and -0.5 <= point[1] <= height - 0.5):
            raise MediaError(
                f"{path}: {name} of face {number} at ({point[0]:g}, {point[1]:g}) lies outside the picture "
                f"of {width} x {height} pixels; {_MEND}"
            )
    if face.box and (face.box[2] < 0 or face.box[3] < 0 or face.box[0] >= width or face.box[1] >= height):
        raise MediaError(f"{path}: the box of face {number} lies outside the picture; {_MEND}")


def save(path: Path, faces: list[Marks], file: str, size: tuple[int, int]) -> Path:
    """Write ``faces`` for the picture called ``file`` of ``size`` (width, height): the whole file or none.

    ``load`` gives the same numbers back. Raises StoreError where the disk refuses, where the file is that of
    another picture (of the same name but for its suffix), or inside the store or a run, whose bytes never
    change.
    """
    for kept in ("store", "runs"):
        if path.resolve().is_relative_to(workspace() / kept):
            raise StoreError(
                f"{path} lies among published files, which never change; name a folder of yours as landmarks"
            )
    try:
        other = json.loads(path.read_text(encoding="utf-8"))["picture"]["file"]
    except (OSError, ValueError, LookupError, TypeError):
        other = file  # there is none yet, or it says nothing of a picture
    if other != file:
        raise StoreError(
            f"{path} holds the landmarks of {other}, not of {file}; rename one of the two pictures"
        )
    rows = [face.model_dump(exclude_none=True) for face in faces]
    head = {"schema": SCHEMA, "picture": {"file": file, "width": size[0], "height": size[1]}}
    text = json.dumps({**head, "faces": rows}, ensure_ascii=False, indent=1, allow_nan=False)
    return write_atomic(path, text + "\n")
