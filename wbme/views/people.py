"""Synthetic people made visible: the photo look above the drawing, and what there is of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wbme.data import rendered
from wbme.synth import composite
from wbme.views.overlay import contact_sheet
from wbme.views.sources import spread

_GROUND = np.array([0.90, 0.92, 0.95], np.float32)


def sheet(
    people: Path, character: Path, rows: Sequence[dict[str, Any]], most: int = 12, columns: int = 6
) -> NDArray[np.float32]:
    """At most ``most`` views at equal distances: a row of photographs over a row of drawings of the same, in
    the person's own skin (the oracle).

    ``people`` and ``character`` are folders of a rendered set (``wbme.data.rendered``), ``rows`` its views.
    """
    shown = spread(rows, most)
    tiles: list[NDArray[np.float32]] = []
    labels: list[str] = []
    for start in range(0, len(shown), columns):
        part = shown[start : start + columns]
        layers = [rendered.layers(people, character, row["id"]) for row in part]
        blank = [np.ones_like(one.albedo) * _GROUND for one in layers]
        tiles += [composite.over(one.photo, ground) for one, ground in zip(layers, blank, strict=True)]
        empty = [np.ones((8, 8, 3), np.float32)] * (columns - len(part))
        tiles += empty
        tiles += [
            composite.inked(composite.over(one.drawn, composite.over(one.oracle, ground)), one.ink)
            for one, ground in zip(layers, blank, strict=True)
        ]
        tiles += empty
        names = [f"Monk {row['facts']['monk']}, {row['light']['name']}" for row in part]
        labels += [*names, *[""] * (columns - len(part)), *[row["id"] for row in part], *[""] * len(empty)]
    return contact_sheet(tiles, columns=columns, labels=labels, cell=256)


def tones(rows: Sequence[dict[str, Any]], faces: dict[str, int]) -> pd.DataFrame:
    """People, views, and views in which the detector found a face, a row a Monk tone.

    ``faces`` holds the number of faces found by view id.
    """
    frame = pd.DataFrame(
        {
            "Monk": row["facts"]["monk"],
            "identity": row["identity"],
            "face found": faces.get(row["id"], 0) > 0,
            "width": row["face_width"],
        }
        for row in rows
    )
    grouped = frame.groupby("Monk")
    return pd.DataFrame(
        {
            "people": grouped["identity"].nunique(),
            "views": grouped.size(),
            "face found": grouped["face found"].sum(),
            "median face width (px)": grouped["width"].median().round().astype(int),
        }
    ).reset_index()
