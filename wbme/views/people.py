"""Synthetic people made visible: the photo look above the drawing, and what there is of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wbme.base.seeds import generator
from wbme.data import planes, rendered
from wbme.synth import background, composite
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
        names = [f"{_who(row)}, {row['light']['name']}" for row in part]
        labels += [*names, *[""] * (columns - len(part)), *[row["id"] for row in part], *[""] * len(empty)]
    return contact_sheet(tiles, columns=columns, labels=labels, cell=256)


def _who(row: dict[str, Any]) -> str:
    return f"{len(row['people'])} people" if "people" in row else f"Monk {row['facts']['monk']}"


def crowd(
    people: Path, rows: Sequence[dict[str, Any]], most: int = 48, columns: int = 8, cell: int = 200
) -> NDArray[np.float32]:
    """One photograph of each person, before places made from a seed, at most ``most`` of them in the order of
    their skin tones; sRGB in [0, 1]. Of several views of a person the largest face is shown; ``rows`` are
    views of ``people``."""
    largest = sorted(rows, key=lambda row: row["face_width"])
    shown = spread(list({row["identity"]: row for row in largest}.values()), most)
    shown, tiles = sorted(shown, key=lambda row: (row["facts"]["monk"], row["id"])), []
    for row in shown:
        photo = planes.read(people / "views" / row["id"] / "photo.png", 4).astype(np.float32) / 255
        behind = background.scene(len(photo), generator(row["seed"], "crowd", row["id"]), defocus=0.8)
        tiles.append(composite.before(photo, behind))
    return contact_sheet(tiles, columns=columns, labels=[_who(row) for row in shown], cell=cell)


def tones(rows: Sequence[dict[str, Any]], faces: dict[str, int]) -> pd.DataFrame:
    """People, views, and views in which the detector found a face, a row a Monk tone, and last all of them.

    ``faces`` holds the number of faces found by view id.
    """
    frame = pd.DataFrame(
        {
            "Monk": row["facts"]["monk"],
            "identity": row["identity"],
            "portrait": row["facts"]["framing"] == "portrait",
            "found": faces.get(row["id"], 0) > 0,
            "width": row["face_width"],
        }
        for row in rows
    )
    table = []
    for tone, part in [*frame.groupby("Monk"), ("all", frame)]:
        portraits = part[part["portrait"]]
        table.append(
            {
                "Monk": tone,
                "people": part["identity"].nunique(),
                "views": len(part),
                "face found": part["found"].sum(),
                "portraits": len(portraits),
                "face found in portraits": portraits["found"].sum(),
                "median face width (px)": round(part["width"].median()),
            }
        )
    return pd.DataFrame(table)
