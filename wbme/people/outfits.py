"""Outfits: which garments are worn together, in which colours and patterns, and their collars."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from wbme.people import body, clothes
from wbme.people.cloth import Array, limbs
from wbme.people.clothes import Cut, Garment
from wbme.people.collars import COLLARS, neck_rim
from wbme.people.variety import tables

CUTS = {name: Cut(**row) for name, row in tables()["cuts"].items()}
_PATTERNED = ("tee", "long sleeve", "v-neck", "scoop", "top")
_ODDS = tables()["outfits"]


@dataclass(frozen=True, eq=False)
class Outfit:
    """garments, from the skin outwards; hides: for every body vertex, whether clothes cover it for good."""

    garments: list[Garment]
    hides: NDArray[np.bool_]


def choose(rng: np.random.Generator, female: bool) -> str:
    """The name of an outfit, loosely by gender."""
    odds = np.array([o[int(female)] for o in _ODDS.values()], float)
    return str(rng.choice(list(_ODDS), p=odds / odds.sum()))


def make(name: str, person: body.Body, rng: np.random.Generator) -> Outfit:
    """The garments of outfit ``name`` on a body at rest."""

    def pick(table: str) -> Array:
        colours = np.array(tables()[table])
        return np.clip(colours[int(rng.integers(len(colours)))] * rng.uniform(0.92, 1.06), 0.03, 0.95)

    worn: list[tuple[str, Array, float]] = []
    if name.startswith("blazer"):
        inner = "shirt" if name == "blazer" else str(rng.choice(["tee", "turtleneck"]))
        worn += [
            (inner, pick("shirts" if inner == "shirt" else "colours"), 0.0),
            ("jacket", pick("suits"), 0.007),
        ]
    else:
        worn.append((name, pick("shirts" if name == "shirt" and rng.random() < 0.6 else "colours"), 0.0))
    skirt = person.spec.gender > 0.5 and not name.startswith("blazer") and rng.random() < 0.35
    lower = ("skirt" if skirt else "trousers", pick("trousers and skirts"), 0.0)
    pieces = [("shoes", np.array([0.15, 0.13, 0.13]), 0.0), lower, *worn]
    garments, fields = [], []
    along, arm = limbs()
    mean = body.mean().astype(float)
    for kind, colour, under in pieces:
        texture = _pattern(rng) if kind in _PATTERNED else None
        cut = CUTS[kind]
        if kind in ("trousers", "skirt"):
            cut = replace(cut, waist=CUTS[worn[0][0]].hem + 0.045)
        made = clothes.tailor(person, cut, kind, colour, rng, texture=texture, under=under,
                              piece="skirt" if kind == "skirt" else "tights")  # fmt: skip
        garments.append(made)
        if kind != "skirt":
            fields.append(clothes.covered(cut, mean, along, arm))
        if kind in COLLARS:
            garments += COLLARS[kind](made, neck_rim(made), colour)
    return Outfit(garments, np.max(fields, axis=0) > 0.015)


def _pattern(rng: np.random.Generator, size: int = 1024) -> NDArray[np.uint8] | None:
    """A texture of 1.6 m: stripes or check, as factors of the colour; or None for plain cloth."""
    name = str(rng.choice(["plain", "stripes", "check"], p=[0.62, 0.22, 0.16]))
    if name == "plain":
        return None
    y, x = np.mgrid[0:size, 0:size] / size * 1.6
    pitch, strength = float(rng.uniform(0.022, 0.06)), float(rng.uniform(0.25, 0.6))
    ink = (y / pitch % 1 < rng.uniform(0.2, 0.5)).astype(float)
    if name == "check":
        ink = 0.5 * (x / pitch % 1 < 0.45) + 0.5 * (y / pitch % 1 < 0.45)
    tone = 1 - strength * gaussian_filter(ink, 0.6)[..., None] * rng.uniform(0.55, 1.0, 3)
    out = np.concatenate([tone, np.ones((size, size, 1))], -1)
    return (np.clip(out, 0, 1) * 255).round().astype(np.uint8)
