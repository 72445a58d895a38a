"""What a published set says of a picture, checked against its pixels and kept with the source."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError
from wbme.data import planes
from wbme.data.candidates import Candidate, printable
from wbme.data.layouts import labels
from wbme.data.layouts.entry import inside
from wbme.perception.faces import Face

_LABELS, _MASK = "parsing", "mask"


@dataclass(frozen=True, eq=False)
class Known:
    """A picture and all that is known of it: ``rgb`` H x W x 3, sRGB in [0, 1]; ``faces`` as they were found
    in it; of the set ``labels`` uint8 H x W (``geometry.parsing``) or None, ``mask`` of the person float32
    H x W in [0, 1] or None, face ``boxes`` float32 N x 4 and ``points`` float32 N x 2 by convention, in
    pixels, nan where absent."""

    rgb: NDArray[np.float32]
    faces: list[Face]
    labels: NDArray[np.uint8] | None
    mask: NDArray[np.float32] | None
    boxes: NDArray[np.float32]
    points: dict[str, NDArray[np.float32]]


def keep(one: Candidate, folder: Path, identity: str, size: tuple[int, int]) -> dict[str, Any]:
    """Write mask and parsing of ``one`` to ``folder`` and return what its row gets, ``notes`` among it.

    ``size`` is height and width of the upright picture. A mask or parsing that is damaged or of another size,
    and points outside the picture, are left out with a note.
    """
    about = one.entry
    if about is None or one.root is None:
        return {"notes": []}
    notes = list(about.notes)
    row: dict[str, Any] = {"layout": one.layout, "identity": printable(about.identity), "split": about.split}
    for kind, name in ((_LABELS, about.parsing), (_MASK, about.mask)):
        if not name:
            continue
        try:
            path = inside(one.root, name)
            plane = labels.mask(path) if kind == _MASK else labels.parsing(path, one.layout)
            if plane.shape != size:
                raise MediaError(f"{name} is {plane.shape[1]} x {plane.shape[0]}, not as the picture")
        except MediaError as error:
            notes.append(f"{kind} left out: {str(error).replace(f'{one.root}/', '')}")
            continue
        row[kind] = f"{kind}/{identity}.png"
        planes.write(folder / row[kind], plane)
    row["landmarks"] = {}
    for convention, points in about.landmarks.items():
        row["landmarks"][convention] = [p if p and _within(p, size) else None for p in points]
        lost = sum(p is not None and not _within(p, size) for p in points)
        if lost:
            notes.append(f"{lost} of {len(points)} points ({convention}) lie outside the picture: left out")
    row["boxes"] = about.boxes
    row |= {"caption": printable(about.caption)} if about.caption else {}
    row |= {"credit": {k: printable(v) for k, v in about.credit.items()}} if about.credit else {}
    row |= {"attributes": about.attributes} if about.attributes else {}
    return row | {"notes": [printable(note) for note in notes]}


def _within(point: list[float], size: tuple[int, int]) -> bool:
    return -0.5 <= point[0] <= size[1] - 0.5 and -0.5 <= point[1] <= size[0] - 0.5


def read(folder: Path, row: dict[str, Any], rgb: NDArray[np.float32], faces: list[Face]) -> Known:
    """What is known of the picture ``rgb`` of that row of the source in ``folder``.

    Raises MediaError where a file is missing or damaged."""
    parsing = planes.read(folder / row[_LABELS], 1) if row.get(_LABELS) else None
    mask = planes.read(folder / row[_MASK], 1).astype(np.float32) / 255 if row.get(_MASK) else None
    if mask is None and parsing is not None:
        mask = (parsing > 0).astype(np.float32)
    boxes = np.reshape(row.get("boxes") or [], (-1, 4)).astype(np.float32)
    absent = [np.nan, np.nan]
    points = {
        convention: np.array([point or absent for point in given], np.float32).reshape(-1, 2)
        for convention, given in row.get("landmarks", {}).items()
    }
    return Known(rgb, faces, parsing, mask, boxes, points)
