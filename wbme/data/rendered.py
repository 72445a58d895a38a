"""A rendered set: synthetic people with exact labels, and the characters drawn on the same views (schema 1).

views.jsonl, views/0001/{photo,labels,albedo,shading}.png and points.npz in the folder of the people; a folder
a character: sheet.yaml, 0001/{palette,oracle,ink,drawn}.png, and where it is deformed correspondence.npz
(``wbme.people.rendering`` tells what it holds). Views of several people lie in groups.jsonl and groups/g0001
of both, with person.png beside. ``Layers`` is one view of both.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import StoreError
from wbme.data import planes, tables
from wbme.geometry.parsing import HEAD, LABELS

SCHEMA = 1
CHANNELS = {
    "photo": 4, "labels": 1, "albedo": 3, "shading": 1, "palette": 4, "oracle": 4, "ink": 1, "drawn": 4,
    "heads": 1, "toon": 1,
}  # fmt: skip
_OF_PEOPLE = ("photo", "labels", "albedo", "shading")
_AGAIN = "render the people again"


@dataclass(frozen=True, eq=False)
class Layers:
    """The layers of one view, all H x W, in [0, 1] unless said otherwise.

    ``photo``, ``palette``, ``oracle``, ``drawn`` float32 H x W x 4, sRGB with straight alpha; ``albedo``
    float32 H x W x 3; ``shading``, the luminance of the light alone, and ``ink`` float32; ``labels`` uint8
    (``geometry.parsing``); ``heads`` uint8, the number of the head or person that a pixel belongs to, from 1,
    0 for none; ``toon`` uint8, the labels of the drawing, 0 where it shows nothing of the person; ``points``
    float32 N x 468 x 2 and ``boxes`` float32 N x 4 (x0, y0, x1, y1 of face, neck and hair), pixels of the
    picture."""

    photo: NDArray[np.float32]
    labels: NDArray[np.uint8]
    albedo: NDArray[np.float32]
    shading: NDArray[np.float32]
    palette: NDArray[np.float32]
    oracle: NDArray[np.float32]
    ink: NDArray[np.float32]
    drawn: NDArray[np.float32]
    heads: NDArray[np.uint8]
    toon: NDArray[np.uint8]
    points: NDArray[np.float32]
    boxes: NDArray[np.float32]


def read(folder: Path) -> list[dict[str, Any]]:
    """The views in ``folder``. StoreError where it is of another schema, damaged, or holds no view."""
    return tables.read(folder / "views.jsonl", SCHEMA, _AGAIN)


def groups(folder: Path) -> list[dict[str, Any]]:
    """The views of several people in ``folder``, none where none were rendered. StoreError as ``read``."""
    path = folder / "groups.jsonl"
    return tables.read(path, SCHEMA, _AGAIN) if path.exists() else []


def layers(people: Path, character: Path, view: str) -> Layers:
    """The layers of the view or group with that id. Raises MediaError or StoreError for a file missing or
    damaged."""
    alone = not view.startswith("g")
    home = people / "views" / view if alone else people / "groups" / view
    drawn = character / view if alone else character / "groups" / view
    got: dict[str, Any] = {}
    for name in (n for n in CHANNELS if n not in ("heads", "toon")):
        folder = home if name in _OF_PEOPLE else drawn
        plane = planes.read(folder / f"{name}.png", CHANNELS[name])
        got[name] = plane if name == "labels" else plane.astype(np.float32) / 255
    labels = got["labels"]
    if {plane.shape[:2] for plane in got.values()} != {labels.shape}:
        raise StoreError(f"the layers of view {view} in {character} differ in size; {_AGAIN}")
    if labels.max(initial=0) >= len(LABELS):
        raise StoreError(f"{home}/labels.png holds labels above {len(LABELS) - 1}; {_AGAIN}")
    shape = (468, 3) if alone else (-1, 468, 2)
    points = planes.read_arrays(home / "points.npz", {"landmarks": shape}, _AGAIN)["landmarks"]
    got["points"] = points.reshape(-1, 468, shape[-1])[..., :2].astype(np.float32)
    heads = (labels > 0).astype(np.uint8) if alone else planes.read(home / "person.png", 1)
    of = [head_box(np.where(heads == k + 1, labels, 0)) for k in range(len(got["points"]))]
    return Layers(**got, heads=heads, toon=labels, boxes=np.stack(of))


def head_box(labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """x0, y0, x1, y1 in pixels around face, neck and hair of ``labels`` H x W; nan where there are none."""
    found = np.isin(labels, list(HEAD))
    x, y = np.flatnonzero(found.any(0)), np.flatnonzero(found.any(1))
    return np.array([x[0], y[0], x[-1] + 1, y[-1] + 1] if len(x) else [np.nan] * 4, np.float32)
