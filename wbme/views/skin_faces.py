"""Faces cut out of the pictures of a source, and the mask of their skin."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError, WbmeError
from wbme.base.seeds import generator
from wbme.data.sources import Source
from wbme.perception import faces as perceived
from wbme.perception.faces import Face

_AROUND = 0.12  # of a face's size is left around its mesh


@dataclass(frozen=True, eq=False)
class SkinFace:
    """A face in a picture of its own: ``rgb`` H x W x 3 (sRGB in [0, 1]) and ``landmarks`` 468 x 3 in its
    pixels.

    ``name`` is unique among the faces of a source; ``source``, ``folder`` and ``picture`` say where it is
    from.
    """

    rgb: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    name: str
    source: str
    folder: str
    picture: str


def faces_of(
    source: Source, name: str, *, size: int = 256, most: int = 200, seed: int = 0
) -> Iterator[SkinFace]:
    """The faces of a source called ``name``, cut out at ``size``; of more than ``most`` so many, drawn by
    ``seed``. Grey pictures are left out: their skin has no colour.

    Raises WbmeError when the source has no face in colour.
    """
    coloured = {row["id"]: row for row in source.pictures if not row["grey"]}
    rows = [k for k, row in enumerate(source.faces) if row["picture"] in coloured]
    if not rows:
        raise WbmeError(
            f"source/{name} holds no face in colour ({len(source.pictures)} pictures): skin is measured on "
            "faces, so choose another source"
        )
    if len(rows) > most:
        rows = sorted(generator(seed, "faces", name).choice(rows, most, replace=False).tolist())
    read, rgb = None, np.zeros((0, 0, 3), np.float32)
    for k in rows:
        face = source.faces[k]
        picture = coloured[face["picture"]]
        if read != picture["id"]:
            read, rgb = picture["id"], source.rgb(picture)
        called = picture["name"] if picture["faces"] == 1 else f"{picture['name']} #{face['index'] + 1}"
        origin = {"source": name, "folder": picture["group"], "picture": picture["name"]}
        yield cut_out(rgb, source.landmarks[k], size, name=called, **origin)


def cut_out(rgb: NDArray[np.float32], landmarks: NDArray[Any], size: int, **origin: str) -> SkinFace:
    """The part of a picture around a face, shrunk so that the longer side of its mesh is at most ``size``.

    At one size, ``sigma``, ``feather`` and ``erode`` mean the same for every face. ``origin``: name, source,
    folder and picture of the SkinFace. Raises ParameterError for a face outside the picture.
    """
    mesh = np.asarray(landmarks, np.float32)
    low, high = mesh[:, :2].min(axis=0), mesh[:, :2].max(axis=0)
    longer = float((high - low).max())
    edge = np.array(rgb.shape[1::-1])
    x0, y0 = np.clip(np.floor(low - _AROUND * longer), 0, edge).astype(int)
    x1, y1 = np.clip(np.ceil(high + _AROUND * longer) + 1, 0, edge).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2:
        raise ParameterError(f"the face {origin.get('name', '')} lies outside its picture")
    part, scale = rgb[y0:y1, x0:x1], np.ones(2)
    if longer > size:
        shape = np.maximum(np.rint(np.array([x1 - x0, y1 - y0]) * size / longer), 1).astype(int)
        scale = shape / [x1 - x0, y1 - y0]
        part = cv2.resize(part, (int(shape[0]), int(shape[1])), interpolation=cv2.INTER_AREA)
    mesh = mesh.copy()
    mesh[:, :2] = (mesh[:, :2] - (x0, y0) + 0.5) * scale - 0.5
    mesh[:, 2] *= scale[0]
    return SkinFace(np.ascontiguousarray(part, np.float32), mesh, **origin)


def region(face: SkinFace, *, feather: float = 0.0, erode: int = 0) -> NDArray[np.float32]:
    """The mask of the face's skin, H x W in [0, 1]: eroded by a disc, then softened."""
    box = np.array([0, 0, *face.rgb.shape[1::-1]], float)
    seen = Face(box, 1.0, np.zeros((6, 2)), face.landmarks.astype(float))
    mask = perceived.skin_mask(seen, face.rgb.shape, feather=0.0 if erode else feather)
    if erode:
        width = 2 * erode + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        mask = cv2.erode(mask, disc, borderType=cv2.BORDER_CONSTANT, borderValue=1.0)
        if feather:
            mask = cv2.GaussianBlur(mask, (0, 0), feather, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mask, np.float32)
