"""Outfits: which garments are worn together, in which colours and patterns, and their collars."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from wbme.people import body, clothes
from wbme.people.cloth import Array, limbs
from wbme.people.clothes import Cut, Garment
from wbme.people.collars import COLLARS, neck_rim

_COLOURS = np.array([
    (0.90, 0.89, 0.86), (0.16, 0.17, 0.20), (0.18, 0.25, 0.42), (0.55, 0.20, 0.20), (0.30, 0.42, 0.33),
    (0.78, 0.66, 0.48), (0.44, 0.57, 0.72), (0.85, 0.62, 0.62), (0.46, 0.44, 0.46), (0.80, 0.70, 0.30),
    (0.52, 0.40, 0.58), (0.24, 0.45, 0.50), (0.72, 0.40, 0.24), (0.70, 0.76, 0.80),
])  # fmt: skip
_SUITS = np.array(
    [(0.15, 0.17, 0.23), (0.22, 0.22, 0.24), (0.38, 0.33, 0.28), (0.30, 0.36, 0.44), (0.62, 0.55, 0.46)]
)
_SHIRTS = np.array(
    [(0.93, 0.93, 0.93), (0.70, 0.79, 0.90), (0.92, 0.84, 0.84), (0.20, 0.22, 0.28), (0.55, 0.62, 0.55)]
)
_LOWER = np.array(
    [(0.17, 0.20, 0.28), (0.14, 0.14, 0.15), (0.42, 0.38, 0.32), (0.28, 0.36, 0.50), (0.30, 0.30, 0.33)]
)

CUTS = {
    "tee": Cut(sleeve=0.30, front=0.042, wide=0.070),
    "long sleeve": Cut(sleeve=0.96, front=0.036, wide=0.068),
    "v-neck": Cut(front=0.105, vee=1.0, sleeve=0.94, wide=0.066),
    "top": Cut(front=0.10, wide=0.095, sleeve=0.05, loose=0.3, ease=0.005),
    "scoop": Cut(front=0.085, wide=0.095, sleeve=0.22, loose=0.35, ease=0.005),
    "turtleneck": Cut(front=-0.044, back=-0.052, wide=0.075, sleeve=0.97, ease=0.007, loose=0.5),
    "hoodie": Cut(front=0.040, wide=0.078, sleeve=0.99, ease=0.013, loose=1.0),
    "shirt": Cut(front=0.062, back=-0.012, vee=0.75, wide=0.058, sleeve=0.96, ease=0.007, loose=0.7),
    "jacket": Cut(
        front=0.27, back=0.004, vee=0.92, wide=0.078, sleeve=0.97, ease=0.011, loose=0.65, hem=0.80
    ),
    "skirt": Cut(waist=0.97, hem=0.50, loose=0.2, ease=0.010),
    "trousers": Cut(waist=0.95, hem=0.085, loose=0.7),
    "shoes": Cut(waist=0.10, hem=-1.0, loose=0.0, ease=0.007),
}
_PATTERNED = ("tee", "long sleeve", "v-neck", "scoop", "top")
_ODDS = {
    "tee": (0.18, 0.13), "long sleeve": (0.08, 0.08), "v-neck": (0.07, 0.11), "top": (0.02, 0.09),
    "scoop": (0.0, 0.09), "turtleneck": (0.08, 0.10), "hoodie": (0.17, 0.11), "shirt": (0.18, 0.12),
    "blazer": (0.14, 0.09), "blazer and tee": (0.08, 0.08),
}  # fmt: skip


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

    def pick(colours: Array) -> Array:
        return np.clip(colours[int(rng.integers(len(colours)))] * rng.uniform(0.92, 1.06), 0.03, 0.95)

    worn: list[tuple[str, Array, float]] = []
    if name.startswith("blazer"):
        inner = "shirt" if name == "blazer" else str(rng.choice(["tee", "turtleneck"]))
        worn += [
            (inner, pick(_SHIRTS if inner == "shirt" else _COLOURS), 0.0),
            ("jacket", pick(_SUITS), 0.007),
        ]
    else:
        worn.append((name, pick(_SHIRTS if name == "shirt" and rng.random() < 0.6 else _COLOURS), 0.0))
    skirt = person.spec.gender > 0.5 and not name.startswith("blazer") and rng.random() < 0.35
    lower = ("skirt" if skirt else "trousers", pick(_LOWER), 0.0)
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
