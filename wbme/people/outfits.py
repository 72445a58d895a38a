"""Outfits: which garments are worn together, in which colours and patterns, and what is sewn to them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.people import body, clothes, patterns, skirts
from wbme.people.cloth import Array, limbs
from wbme.people.clothes import Cut, Garment
from wbme.people.collars import COLLARS, buttons, crest, neck_rim, tie
from wbme.people.skirts import Drop
from wbme.people.variety import tables

CUTS = {name: Cut(**row) for name, row in tables()["cuts"].items()}
DROPS = {name: Drop(**row) for name, row in tables()["skirts"].items()}
OUTFITS: dict[str, dict[str, Any]] = tables()["outfits"]
_UNDER = {"jacket": 0.007, "vest": 0.009, "coat": 0.010}
_SHORT = 0.93  # hem of what is worn over a skirt


@dataclass(frozen=True, eq=False)
class Outfit:
    """garments, from the skin outwards; hides: for every body vertex, whether clothes cover it for good."""

    garments: list[Garment]
    hides: NDArray[np.bool_]


def choose(rng: np.random.Generator, female: bool) -> str:
    """The name of an outfit, loosely by gender."""
    odds = np.array([row["often"][int(female)] for row in OUTFITS.values()], float)
    return str(rng.choice(list(OUTFITS), p=odds / odds.sum()))


def make(name: str, person: body.Body, rng: np.random.Generator) -> Outfit:
    """The garments of outfit ``name`` on a body at rest."""
    wardrobe = _Wardrobe(person, OUTFITS[name], rng)
    mean, (along, arm) = body.mean().astype(float), limbs()
    fields = [clothes.covered(cut, mean, along, arm) for cut in wardrobe.cuts]
    return Outfit(wardrobe.garments, np.max(fields, axis=0) > 0.015)


class _Wardrobe:
    """One outfit as it is put on: ``garments``, and the ``cuts`` that cover the body for good."""

    def __init__(self, person: body.Body, row: dict[str, Any], rng: np.random.Generator) -> None:
        self.person, self.rng = person, rng
        self.garments: list[Garment] = []
        self.cuts: list[Cut] = []
        tops = [one if isinstance(one, str) else str(rng.choice(one)) for one in row["wear"]]
        colours = [self._colour(row.get("colours", {}).get(top) or _table(top)) for top in tops]
        suit = row.get("suit", False)
        lower = self._lower(row)
        skirt = lower in DROPS
        dress = lower == "dress"
        self._add("shoes", np.array(self._colour("shoes")), CUTS["shoes"])
        patterned = self._pattern(_family(tops[-1]), colours[-1])
        below = (
            colours[-1] if suit or dress else self._colour(row.get("lower colours", "trousers and skirts"))
        )
        if skirt:
            own = patterned if suit or dress else self._pattern("skirt", below)
            self._skirt(lower, below, DROPS[lower], own)
        else:
            waist = CUTS[tops[0]].hem + 0.045
            own = patterned if suit else None
            self._add("trousers", below, replace(CUTS["trousers"], waist=waist), texture=own)
        closed = bool(row.get("tie"))
        for top, colour in zip(tops, colours, strict=True):
            cut = CUTS["closed shirt" if top == "shirt" and closed else top]
            if skirt or top == "coat":
                cut = replace(cut, hem=max(cut.hem, _SHORT + (0.0 if top == tops[-1] else 0.02)))
            texture = patterned if top == tops[-1] else self._pattern(_family(top), colour)
            folded = 1.0 if top == tops[-1] else 0.25  # or they would show through what is worn over them
            made = self._add(top, colour, cut, texture=texture, under=_UNDER.get(top, 0.0), folded=folded)
            self._trim(made, top, colour, closed, row)
        if dress:
            self._skirt("belt", self._near(colours[-1], 0.72), DROPS["belt"], None)
        if "coat" in tops:
            self._skirt("coat tails", colours[-1], DROPS["coat tails"], patterned, under=0.010)
            self._skirt("belt", self._near(colours[-1], 0.86), DROPS["belt"], None, under=0.014)

    def _lower(self, row: dict[str, Any]) -> str:
        if "lower" in row:
            kinds = row["lower"]
            female = self.person.spec.gender > 0.5
            return str(kinds[int(female)] if isinstance(kinds, list) else kinds)
        if self.person.spec.gender <= 0.5 or self.rng.random() > 0.4:
            return "trousers"
        return str(self.rng.choice(["skirt", "pleated skirt", "long skirt"], p=[0.45, 0.35, 0.2]))

    def _colour(self, table: str) -> Array:
        colours = np.array(tables()[table])
        return np.clip(
            colours[int(self.rng.integers(len(colours)))] * self.rng.uniform(0.92, 1.06), 0.03, 0.95
        )

    def _near(self, colour: Array, factor: float) -> Array:
        return np.clip(colour * factor, 0.02, 0.95)

    def _pattern(self, family: str, colour: Array) -> NDArray[np.uint8] | None:
        odds = tables()["patterns"][family]
        share = np.array(list(odds.values()))
        return patterns.draw(str(self.rng.choice(list(odds), p=share / share.sum())), colour, self.rng)

    def _add(
        self, part: str, colour: Array, cut: Cut, *, texture: NDArray[np.uint8] | None = None,
        under: float = 0.0, folded: float = 1.0,
    ) -> Garment:  # fmt: skip
        made = clothes.tailor(
            self.person, cut, part, colour, self.rng, texture=texture, under=under, folded=folded
        )
        self.garments.append(made)
        self.cuts.append(cut)
        return made

    def _skirt(
        self, part: str, colour: Array, drop: Drop, texture: NDArray[np.uint8] | None, under: float = 0.0
    ) -> None:
        made = skirts.make(self.person, drop, part, colour, self.rng, texture=texture, under=under)
        self.garments.append(made)
        self.cuts.append(Cut(hem=drop.waist - 0.12, waist=drop.waist))  # lower down one may see under it

    def _trim(self, made: Garment, top: str, colour: Array, closed: bool, row: dict[str, Any]) -> None:
        """What is sewn to a top: collar, buttons, pocket, tie."""
        if top not in COLLARS:
            return
        rim = neck_rim(made)
        self.garments += COLLARS[top](made, rim, colour)
        if top == "shirt" and closed:
            self.garments += tie(made, rim, self._colour("ties"))
        if top in ("jacket", "coat"):
            self.garments += buttons(made, rim, 2 if top == "jacket" else 1, self._near(colour, 0.6), 0.011)
            if row.get("crest"):
                self.garments.append(crest(made))


def _table(top: str) -> str:
    return {"shirt": "shirts", "jacket": "suits", "coat": "coats"}.get(top, "colours")


def _family(top: str) -> str:
    return {"shirt": "shirt", "jacket": "suit", "coat": "suit", "hoodie": "plain", "turtleneck": "plain"}.get(
        top, "casual"
    )
