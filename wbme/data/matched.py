"""A deformed character's drawing and the photo of the same person, with what ties them together exactly."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import StoreError
from wbme.data import planes, rendered
from wbme.data.rendered import Layers

_UNIT = 16  # steps a pixel in the file
_NONE = 65535
_AGAIN = "render the people again"


@dataclass(frozen=True, eq=False)
class Matched:
    """``layers``: the view, whose photo, labels and ``points`` show the person and whose palette, oracle, ink
    and drawn the character. ``places``: where each pixel of the drawing lies in the photo, H x W x 2 pixels,
    nan where the photo does not show it. ``source`` and ``target``: landmarks of the photo and of the
    drawing, 468 x 2; ``visible``: which of them nothing hides in either. ``name``: view and character."""

    name: str
    layers: Layers
    places: NDArray[np.float32]
    source: NDArray[np.float64]
    target: NDArray[np.float64]
    visible: NDArray[np.bool_]


def deformed(character: Path, view: str) -> bool:
    """Whether the character draws that view in proportions of its own."""
    return (character / view / "correspondence.npz").exists()


def read(people: Path, character: Path, view: str) -> Matched:
    """The view with that id. Raises MediaError or StoreError for a file missing or damaged, and StoreError
    where the character is drawn in the person's own geometry."""
    file = character / view / "correspondence.npz"
    if not deformed(character, view):
        raise StoreError(f"{file} is missing: the character keeps the person's geometry, or {_AGAIN}")
    layers = rendered.layers(people, character, view)
    high, wide = layers.labels.shape
    shapes = {"places": (high, wide, 2), "landmarks": (468, 3), "visible": (468,)}
    own = planes.read_arrays(file, shapes, _AGAIN)
    seen = planes.read_arrays(people / "views" / view / "points.npz", {"visible": (468,)}, _AGAIN)["visible"]
    places = own["places"].astype(np.float32) / _UNIT
    places[(own["places"] == _NONE).any(-1)] = np.nan
    return Matched(
        f"{view} {character.name}", layers, places, layers.points[0].astype(float),
        own["landmarks"][:, :2].astype(float), seen.astype(bool) & own["visible"].astype(bool),
    )  # fmt: skip
