"""Heads in a picture: how wide their faces are, the square around each, and how it is laid over the whole."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wbme.perception.faces import Face, skin_mask

SIDE = 2.2  # of the face's width: hair, chin and ears are inside
_CORE, _RIM = 0.60, 0.98  # of half the side: the head alone counts within, the whole picture alone beyond
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class Head(NamedTuple):
    """A square around a head: its centre and the face's width in pixels, and ``weight`` in [0, 1], which
    fades a head in and out of a video."""

    x: float
    y: float
    face: float
    weight: float = 1.0


def head_of(face: Face) -> Head:
    """The head of a face. Its width is that of the mesh between the ears in space, so that a profile counts
    as wide as the same face seen from the front; without a mesh it is that of the box."""
    middle = (face.box[:2] + face.box[2:]) / 2
    width = float(face.box[2] - face.box[0])
    if face.landmarks is not None:
        width = float(np.linalg.norm(face.landmarks[234] - face.landmarks[454]))
    up = np.radians(face.roll)
    x, y = middle + 0.15 * width * np.array([np.sin(up), -np.cos(up)])  # the box ends at the brows
    return Head(float(x), float(y), width)


def window(head: Head, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the picture of ``shape`` that the square around ``head`` covers."""
    half = SIDE * head.face / 2
    low = np.floor([head.y - half, head.x - half]).astype(int)
    high = np.ceil([head.y + half, head.x + half]).astype(int) + 1
    rows, columns = (
        slice(max(a, 0), max(min(b, n), 0)) for a, b, n in zip(low, high, shape[:2], strict=True)
    )
    return rows, columns


def mask(head: Head, rows: slice, columns: slice) -> NDArray[np.float32]:
    """How much the head's own drawing counts on these pixels: a round patch that falls off smoothly."""
    half = SIDE * head.face / 2
    y = np.abs(np.arange(rows.start, rows.stop) - head.y) / half
    x = np.abs(np.arange(columns.start, columns.stop) - head.x) / half
    away = (y[:, None] ** 2.5 + x[None, :] ** 2.5) ** 0.4
    t = np.clip((_RIM - away) / (_RIM - _CORE), 0, 1)
    return (head.weight * t * t * (3 - 2 * t)).astype(np.float32)


def skin_luma(rgb: NDArray[np.float32], faces: list[Face]) -> float:
    """Median luma (BT.601, of sRGB values) of the skin of ``faces``; of the whole picture without one.

    Each face counts the same, whatever its size.
    """
    shades = []
    for face in faces:
        if face.landmarks is None:
            continue
        x0, y0 = np.floor(face.landmarks[:, :2].min(0)).astype(int).clip(0)
        x1, y1 = np.ceil(face.landmarks[:, :2].max(0)).astype(int).clip(0) + 1
        part = rgb[y0:y1, x0:x1]
        skin = skin_mask(replace(face, landmarks=face.landmarks - [x0, y0, 0]), part.shape) > 0.5
        if skin.any():
            shades.append(np.median(part[skin] @ LUMA))
    small = rgb[:: max(rgb.shape[0] // 512, 1), :: max(rgb.shape[1] // 512, 1)]
    return float(np.median(shades or small @ LUMA))
