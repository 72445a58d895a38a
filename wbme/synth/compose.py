"""Pairs from rendered views: each stage a pure function, put together for one view."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.hashing import digest_json
from wbme.base.seeds import generator
from wbme.data import cutface, matched, rendered
from wbme.data.cutface import CutFace
from wbme.data.degrade import degraded
from wbme.data.rendered import Layers
from wbme.data.sources import Source
from wbme.geometry.parsing import SKIN
from wbme.synth import background, colouring, composite, placing, strength
from wbme.synth.composite import Drawing
from wbme.synth.ink import Ink, flow_lines
from wbme.synth.recipes import Recipe
from wbme.synth.texture import Texture, flatten, in_steps

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """All that decides what a pair looks like, apart from view, pictures and seed.

    ``pictures``: share of backgrounds that are photographs, the others are made-up scenes; ``defocus``: share
    of backgrounds out of focus; ``wrap`` of the background's light around the person; ``degrade``: of the
    photo side's faults, the most; ``chosen``: the recipe of warp, reflection, light and skin; ``strengths``,
    of which each pair draws one: how strongly it is drawn, in [0, 1] (``synth.strength``)."""

    drawing: Drawing = field(default_factory=Drawing)
    texture: Texture = field(default_factory=Texture)
    ink: Ink = field(default_factory=Ink)
    pictures: float = 0.6
    defocus: float = 0.4
    cutface: CutFace = field(default_factory=CutFace)
    wrap: float = 0.25
    degrade: float = 1.0
    chosen: Recipe = field(default_factory=Recipe)
    strengths: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        shares = (self.pictures, self.defocus, self.wrap)
        if not all(0 <= share <= 1 for share in shares) or self.degrade < 0:
            raise ParameterError(
                f"pictures, defocus, wrap = {shares} must lie in [0, 1], and degrade = {self.degrade} not be "
                "negative"
            )
        if not self.strengths or not all(0 <= one <= 1 for one in self.strengths):
            raise ParameterError(f"strengths are {self.strengths}: name one or more in [0, 1]")

    def recipe(self) -> dict[str, str]:
        """A digest for each stage."""
        parts = ("drawing", "texture", "ink", "cutface")
        stages: dict[str, Any] = {name: asdict(getattr(self, name)) for name in parts}
        stages |= {"background": [self.pictures, self.defocus, self.wrap], "degrade": self.degrade}
        stages["recipe"] = self.chosen.model_dump(exclude={"name", "about"})
        stages["strength"] = list(self.strengths)
        return {name: digest_json(stage)[:16] for name, stage in stages.items()}

    @property
    def strength(self) -> float:
        """The first of ``strengths``."""
        return self.strengths[0]

    def of(self, seed: int, number: int) -> "Settings":
        """Those of the pair of that number, with one strength, which the drawing's parts follow."""
        chosen = float(generator(seed, "strength", number).choice(self.strengths))
        if chosen == 1:
            return replace(self, strengths=(1.0,))
        parts = {name: getattr(strength, name)(getattr(self, name), chosen) for name in strength.PARTS}
        return replace(self, **parts, strengths=(chosen,))


def compose(
    layers: Layers, behind: F32, settings: Settings, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """The arrays of one pair, as ``data.pairs`` keeps them, and its steps: clean (the photograph before its
    faults), flat (texture-filtered), lines (of the photograph); ``shifts`` by colour reflection, heads x 3.

    ``layers`` of everybody in it before the background ``behind``, H x W x 3 sRGB in [0, 1].
    """
    clean = composite.before(layers.photo, behind, settings.wrap)
    flat, lines = flatten(clean, settings.texture), flow_lines(clean, settings.ink)
    base, shifts = composite.base(clean, flat, layers, settings.drawing, settings.chosen.reflection)
    base = colouring.lit(base, clean, layers.labels, settings.chosen.light)
    base = colouring.worn(base, layers, settings.chosen.worn)
    skin = cv2.cvtColor(base, cv2.COLOR_RGB2GRAY)[np.isin(layers.labels, list(SKIN))]
    phase = float(np.median(skin) * settings.texture.levels % 1) if len(skin) else 0.0
    outside = cv2.GaussianBlur((layers.heads == 0).astype(np.float32), (0, 0), 1.0)
    base += outside[..., None] * (in_steps(base, settings.texture, phase) - base)
    ink = strength.thinned(composite.ink(layers, lines, settings.drawing), settings.strength)
    oracle = composite.over(layers.drawn, composite.over(layers.oracle, base))
    made = {name: getattr(layers, name) for name in ("labels", "albedo", "points", "boxes")}
    made |= {"src": degraded(clean, rng, settings.degrade), "base": base, "ink": ink}
    made |= {"tgt": composite.inked(base, ink), "oracle": composite.inked(oracle, ink)}
    return {**made, "clean": clean, "flat": flat, "lines": lines, "shifts": shifts}


@dataclass(frozen=True, eq=False)
class Material:
    """What pairs are made of: folders of the rendered people and of a character, the views used, the pictures
    behind them (name, H x W x 3), and the seed."""

    people: Path
    character: Path
    name: str
    views: Sequence[dict[str, Any]]
    pictures: Sequence[tuple[str, F32]]
    seed: int = 0

    def layers(self, view: dict[str, Any], settings: Settings) -> Layers:
        """The layers of that view, a deformed character's brought to the person's geometry by its recipe."""
        if not matched.deformed(self.character, view["id"]):
            return rendered.layers(self.people, self.character, view["id"])
        found = matched.read(self.people, self.character, view["id"])
        return placing.brought(found, settings.chosen.warp)

    def pair(self, number: int, settings: Settings) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """``pair`` of this material."""
        return pair(self, number, settings)

    def behind(self, size: int, settings: Settings, rng: np.random.Generator) -> tuple[str, F32]:
        """Name and pixels, ``size`` squared, of a background: see ``backdrop``."""
        return backdrop(self.pictures, size, settings, rng)


def backdrop(
    pictures: Sequence[tuple[str, F32]], size: int, settings: Settings, rng: np.random.Generator
) -> tuple[str, F32]:
    """Name and pixels (``size`` x ``size`` x 3) of a background: one of ``pictures`` (name, H x W x 3) or a
    scene."""
    if pictures and rng.random() < settings.pictures:
        name, rgb = pictures[int(rng.integers(len(pictures)))]
        return name, background.picture(rgb, size, rng, defocus=settings.defocus)
    return "scene", background.scene(size, rng, defocus=settings.defocus)


def landscapes(
    source: Source, without: Sequence[str] = ("science",), least: int = 256
) -> list[tuple[str, F32]]:
    """Name and pixels of the pictures of a source that can stand behind people: coloured, without faces, at
    least ``least`` pixels high and wide, and of no group in ``without``."""
    rows = [row for row in source.pictures if not row["faces"] and not row["grey"]]
    fit = [r for r in rows if r["group"] not in without and min(r["width"], r["height"]) >= least]
    return [(row["name"], source.rgb(row)) for row in fit]


def pair(
    material: Material, number: int, settings: Settings
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Row and arrays of the pair of that number: the view ``number`` modulo their count, before a background
    of its own or, as ``CutFace`` says, its head and others of the same split on what it is pasted on."""
    recipe, settings = settings.recipe(), settings.of(material.seed, number)
    view = material.views[number % len(material.views)]
    rng = generator(material.seed, "pair", number)
    layers, views, boxes = material.layers(view, settings), [view["id"]], []
    how, alone = settings.cutface, "people" not in view
    if rng.random() < how.share and alone and np.isfinite(layers.boxes).all():
        friends = [v for v in material.views if v["split"] == view["split"] and "people" not in v]
        count = int(rng.integers(how.least, how.most + 1))
        more = [friends[k] for k in rng.integers(len(friends), size=count - 1)]
        people = [layers, *(material.layers(one, settings) for one in more)]
        cuts = [cutface.cut(one, feather=how.blend) for one in people if np.isfinite(one.boxes).all()]
        onto = str(how.onto[int(rng.integers(len(how.onto)))])
        under = [v for v in friends if v["facts"].get("framing") == onto and v["id"] != view["id"]]
        below = [under[int(rng.integers(len(under)))]] if under else []
        canvas = material.layers(below[0], settings) if below else cutface.empty(*layers.labels.shape)
        sizes = {"least": how.sizes[0], "most": how.sizes[1]}
        layers, boxes = cutface.paste(canvas, cuts, rng, **sizes, law=how.law)
        views += [v["id"] for v in [*more, *below]]
    behind, place = material.behind(layers.labels.shape[0], settings, rng)
    lost = boxes.count(None)
    lineage = {"views": views, "cutface": boxes, "background": behind, "seed": material.seed}
    lineage["background_share"] = round(float(np.mean(layers.labels == 0)), 4)
    lineage["generator"] = view.get("generator")
    lineage["notes"] = [f"{lost} of {len(boxes)} heads found no place"] if lost else []
    chosen, head = settings.chosen, settings.drawing
    lineage["recipe"] = {"name": chosen.name, "digest": chosen.digest}
    reflects = head.reflection and chosen.reflection != "none"
    own = chosen.worn == 0 and (head.head == "flat" or reflects)
    bent = matched.deformed(material.character, view["id"])
    whole = chosen.warp.aligns or not bent
    row = {"id": f"{number:05d}", **{key: view[key] for key in ("split", "identity", "light")}}
    row |= {"character": material.name, "geometry": "aligned" if whole else "deformed"}
    row |= {"strength": settings.strength, "skin": "own" if own else "character", "recipe": recipe}
    row["lineage"] = lineage
    arrays = compose(layers, place, settings, rng)
    lineage["reflection"] = [_shift(one) for one in arrays["shifts"]] if reflects else []
    return row, arrays


def _shift(lab: NDArray[np.float64]) -> list[float] | None:
    return None if np.isnan(lab).any() else [round(float(value), 3) for value in lab]
