"""Pairs made visible: the steps of one, sheets of many, and what CutFace does to the share of background."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from wbme.base.seeds import generator
from wbme.data.pairs import Pairs
from wbme.data.rendered import Layers
from wbme.geometry.parsing import LABELS
from wbme.synth import composite
from wbme.synth.compose import Material, Settings, compose, pair
from wbme.synth.recipes import Recipe
from wbme.views.overlay import contact_sheet
from wbme.views.sources import spread
from wbme.views.style import COLOURS

F32 = NDArray[np.float32]


def steps(material: Material, number: int, settings: Settings) -> F32:
    """The intermediate pictures of the pair of that number, before its view is pasted on anything, in
    order."""
    layers = material.layers(material.views[number % len(material.views)], settings)
    rng, drawing = generator(material.seed, "steps", number), settings.drawing
    _, behind = material.behind(layers.labels.shape[0], replace(settings, pictures=1, defocus=0), rng)
    made, blank = compose(layers, behind, settings, rng), np.full_like(behind, 0.93)
    toon = composite.over(layers.drawn, composite.over(layers.palette, blank))
    shown = {
        "photo look": composite.over(layers.photo, blank),
        "labels": coloured_labels(layers.labels),
        "toon look": composite.inked(toon, layers.ink),
        "background": behind,
        "composite": made["clean"],
        "source: degraded": made["src"],
        "texture filter": made["flat"],
        "its lines": 1 - made["lines"],
        "M_head": composite.head_mask(layers.labels, drawing.erode, drawing.feather),
        "base": made["base"],
        "ink": 1 - made["ink"],
        "target: ink over base": made["tgt"],
    }
    return contact_sheet(list(shown.values()), columns=4, labels=list(shown), cell=320)


def coloured_labels(labels: NDArray[np.uint8]) -> F32:
    """Labels H x W as a picture H x W x 3, sRGB in [0, 1]: a colour each, background pale."""
    table = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(len(LABELS))], np.float32)
    table = 1 - (1 - table) * np.linspace(1, 0.55, len(table), dtype=np.float32)[:, None]
    table[0] = 0.95
    return table[labels]


def sheet(pairs: Pairs, most: int = 24) -> F32:
    """At most ``most`` pairs of the set at equal distances, photograph beside drawing, four pairs a row."""
    tiles, labels = [], []
    for row in spread(pairs.rows, most):
        found = pairs.load(row, ("src", "tgt"))
        tiles += [found["src"], found["tgt"]]
        labels += [f"{row['id']}, {row['split']}", _kind(row)]
    return contact_sheet(tiles, columns=8, labels=labels, cell=224)


def _kind(row: dict[str, Any]) -> str:
    if "imported" in row["lineage"]:
        return row["lineage"]["imported"]
    boxes = row["lineage"]["cutface"]
    if boxes:
        return f"CutFace, heads: {sum(box is not None for box in boxes)}"
    if "teacher" in row["lineage"]:
        return f"{row['lineage']['name']}, by: {row['lineage']['teacher']}"
    return "several people" if row["identity"].count("+") else "one person"


def background_shares(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Pairs and mean share of background in their pixels (%), without and with CutFace, a row a split."""
    table = []
    for split in sorted({row["split"] for row in rows}):
        every = [row["lineage"] for row in rows if row["split"] == split]
        pasted = [one for one in every if one["cutface"]]
        entry = {"split": split, "pairs": len(every), "pairs with CutFace": len(pasted)}
        portraits = [one for one in every if not one["cutface"]]
        for name, some in (("portraits", portraits), ("CutFace", pasted), ("all", every)):
            mean = f"{100 * np.mean([one['background_share'] for one in some]):.1f}" if some else ""
            entry[f"background in {name} (%)"] = mean
        table.append(entry)
    return pd.DataFrame(table)


def composed(material: Material, layers: Layers, settings: Settings, **drawing: Any) -> F32:
    """Photograph and drawing of ``layers`` side by side, with the settings of ``Drawing`` that are given, and
    ``levels`` and ``flat`` of the texture filter, ``sigma`` of its lines."""
    texture = {key: drawing.pop(key) for key in ("levels", "flat") if key in drawing}
    lines = {key: drawing.pop(key) for key in ("sigma",) if key in drawing}
    parts = {"drawing": drawing, "texture": texture, "ink": lines}
    changed = {name: replace(getattr(settings, name), **values) for name, values in parts.items()}
    chosen = replace(settings, **changed, pictures=1, defocus=0, degrade=0)
    rng = generator(material.seed, "explore")
    made = compose(layers, material.behind(layers.labels.shape[0], chosen, rng)[1], chosen, rng)
    return np.hstack([made["src"], made["tgt"]])


def by_recipe(material: Material, number: int, settings: Settings, recipes: Sequence[Recipe]) -> F32:
    """Photograph of the view of that number and its drawing by each recipe; those that agree stand once."""
    view, tiles, labels = material.views[number % len(material.views)], [], []
    for one in recipes:
        own = replace(settings, chosen=one, pictures=1, defocus=0, degrade=0)
        rng, layers = generator(material.seed, "recipes"), material.layers(view, own)
        made = compose(layers, material.behind(layers.labels.shape[0], own, rng)[1], own, rng)
        if not tiles:
            tiles, labels = [made["src"]], ["photograph"]
        alike = [k for k, tile in enumerate(tiles) if np.array_equal(tile, made["tgt"])]
        if alike:
            labels[alike[0]] += f", {one.name}"
        else:
            tiles.append(made["tgt"])
            labels.append(one.name)
    return contact_sheet(tiles, columns=min(len(tiles), 4), labels=labels, cell=320)


def cutface_pairs(material: Material, settings: Settings, count: int = 4) -> F32:
    """``count`` CutFace pairs made for the occasion, photograph above drawing."""
    always = replace(settings, cutface=replace(settings.cutface, share=1.0), degrade=0)
    made = [pair(material, number, always)[1] for number in range(count)]
    tiles = [a["src"] for a in made] + [a["tgt"] for a in made]
    return contact_sheet(tiles, columns=count, cell=320)
