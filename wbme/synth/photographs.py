"""Pairs from photographs: a teacher draws the heads, the texture teacher all that is no head. What is in a
picture is what the parser and the face detector see in it."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.data import cutface
from wbme.data.annotations import Known
from wbme.data.degrade import degraded
from wbme.data.rendered import Layers, head_box
from wbme.data.sources import Source
from wbme.geometry.parsing import SKIN
from wbme.geometry.transforms import Square
from wbme.perception.faces import Face, detect
from wbme.perception.parsing import Parser
from wbme.synth import colouring, composite, strength
from wbme.synth.compose import Settings, backdrop
from wbme.synth.composite import UNDER
from wbme.synth.photo_teachers import Teacher
from wbme.synth.teachers import TextureTeacher

F32 = NDArray[np.float32]
LEAST = 48  # pixels between the ears: of a smaller face there is too little to enlarge
_WIDTHS = 0.31, 0.5  # the face's share of an aligned crop, as in the portraits of rendered people


@dataclass(frozen=True, eq=False)
class Photographs:
    """What pairs of photographs are made of.

    ``rows`` of the ``source`` that are used; ``teacher`` of what is a head, and its ``name`` for the lineage;
    ``character`` of the set that the pairs go into;
    ``parsing``: a parser's path, empty for the shipped one; ``pictures`` (name, H x W x 3) that heads are
    pasted on; ``size`` of a pair in pixels; ``skin`` of the character, such as "#8fb0e6", for recipes that
    give it: nothing else is known of it here."""

    source: Source
    rows: Sequence[dict[str, Any]]
    teacher: Teacher
    name: str
    character: str
    pictures: Sequence[tuple[str, F32]]
    size: int = 512
    parsing: str = ""
    seed: int = 0
    skin: str = ""

    @functools.cached_property
    def views(self) -> Sequence[tuple[dict[str, Any], int | None]]:
        """Row and face of each view: every picture whole, and every face in it that is large enough."""
        found: list[tuple[dict[str, Any], int | None]] = []
        for row in self.rows:
            faces = enumerate(self.source.found(row))
            found += [(row, None), *((row, k) for k, face in faces if _width(face) >= LEAST)]
        return found

    def pair(self, number: int, settings: Settings) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Row and arrays of the pair of that number: a view, aligned to its face or a random square of the
        whole picture; or, as ``CutFace`` says, its head on a landscape. Oracle and albedo are not known."""
        recipe, settings = settings.recipe(), settings.of(self.seed, number)
        views = self.views
        picture, face = views[number % len(views)]
        rng = generator(self.seed, "photograph", number)
        layers, boxes, behind = self._layers(picture, face, settings, rng), [], picture["name"]
        how = settings.cutface
        if rng.random() < how.share and face is not None and np.isfinite(layers.boxes[:1]).any():
            friends = [v for v in views if v[1] is not None and _split(v[0]) == _split(picture)]
            count = int(rng.integers(how.least, how.most + 1))
            more = [friends[k] for k in rng.integers(len(friends), size=count - 1)]
            others = [self._layers(*view, settings, rng) for view in more]
            cuts = [cutface.cut(_first(one), feather=how.blend) for one in (layers, *others) if _headed(one)]
            sizes = {"least": how.sizes[0], "most": how.sizes[1], "law": how.law}
            layers, boxes = cutface.paste(cutface.empty(*layers.labels.shape), cuts, rng, **sizes)
            behind, place = backdrop(self.pictures, self.size, settings, rng)
            clean = composite.before(layers.photo, place, settings.wrap)
            base, ink = TextureTeacher(settings.texture, settings.ink)(place)
            base = composite.over(layers.palette, base)
            ink = np.maximum(layers.ink, ink * (1 - layers.palette[..., 3]))
            ink = strength.thinned(ink, settings.strength)
        else:
            clean, base = layers.photo[..., :3], layers.palette[..., :3]
            ink = strength.thinned(layers.ink, settings.strength)
        arrays = {name: getattr(layers, name) for name in ("labels", "points", "boxes")}
        arrays |= {"src": degraded(clean, rng, settings.degrade), "base": base, "ink": ink}
        row = self._row(picture, face, number, settings, boxes, behind, layers)
        return row | {"recipe": recipe}, {**arrays, "tgt": composite.inked(base, ink)}

    def _row(
        self, picture: dict[str, Any], face: int | None, number: int, settings: Settings,
        boxes: list[cutface.Box | None], behind: str, layers: Layers,
    ) -> dict[str, Any]:  # fmt: skip
        lost = boxes.count(None)
        lineage = {"views": [f"{picture['id']}{'' if face is None else f'/{face}'}"], "cutface": boxes}
        lineage |= {"background": behind, "seed": self.seed, "teacher": self.name}
        lineage |= {key: picture[key] for key in ("name", "sha256", "licence")}
        lineage["background_share"] = round(float(np.mean(layers.labels == 0)), 4)
        lineage["notes"] = [f"{lost} of {len(boxes)} heads found no place"] if lost else []
        row = {"id": f"{number:05d}", "identity": picture.get("identity", picture["id"])}
        row["split"] = _split(picture)
        row |= {"light": {"name": "photograph"}, "character": self.character, "geometry": "aligned"}
        chosen = settings.chosen
        lineage["recipe"] = {"name": chosen.name, "digest": chosen.digest}
        row |= {"strength": settings.strength, "skin": "character" if chosen.worn else "own"}
        return row | {"lineage": lineage}

    def _layers(
        self, picture: dict[str, Any], face: int | None, settings: Settings, rng: np.random.Generator
    ) -> Layers:
        """A view of a photograph, seen and drawn."""
        known = self.source.known(picture)
        square = _square(known, None if face is None else known.faces[face], rng)
        rgb = np.clip(square.crop(known.rgb, self.size), 0, 1)
        faces = detect(rgb, irises=False)
        labels = _parser(self.parsing)(rgb, faces)
        if known.mask is not None:
            labels[square.crop(known.mask, self.size, outside="zero") < 0.5] = 0
        return drawn(rgb, labels, faces, self.teacher, settings, self.skin)


def drawn(
    rgb: F32, labels: NDArray[np.uint8], faces: Sequence[Face], teacher: Teacher, settings: Settings,
    skin: str = "",
) -> Layers:  # fmt: skip
    """A photograph H x W x 3 (sRGB in [0, 1]) with its ``labels`` as layers: ``palette`` is the drawing's
    base, X_fb = X_teacher * M_head + X_sty * (1 - M_head), its skin reflected and its light and ``skin`` as
    the recipe says, and ``ink`` the lines of both. Raises ParameterError where it wants a skin unknown."""
    chosen = settings.chosen
    if chosen.worn and not skin:
        raise ParameterError(
            f"the recipe {chosen.name} gives the character's skin, whose colour no sheet tells for "
            "photographs: compose without photos, or render the people again"
        )
    heads = _whose(labels, faces)
    around = TextureTeacher(settings.texture, settings.ink)
    flat, lines = around(rgb)
    toon, ink = (flat, lines) if teacher == around else teacher(rgb)
    for number in range(1, len(faces) + 1):
        sample, fill = ((heads == number) & np.isin(labels, list(part)) for part in (SKIN, UNDER))
        if settings.drawing.reflection and np.count_nonzero(sample) >= 50:
            # The body too: texture filters grade what they draw.
            toon, flat = (
                np.clip(composite.reflected(one, sample, fill, rgb, sample, chosen.reflection), 0, 1)
                for one in (toon, flat)
            )
    mask = composite.head_mask(labels, settings.drawing.erode, settings.drawing.feather)
    base = np.clip(composite.full_body_aware(toon, flat, mask), 0, 1)
    base = colouring.lit(base, rgb, labels, chosen.light)
    base = colouring.painted(base, labels, skin, chosen.worn) if chosen.worn else base
    whole, none = np.ones((*labels.shape, 1), np.float32), np.zeros((*labels.shape, 4), np.float32)
    points = [np.asarray(face.landmarks, np.float32)[:, :2] for face in faces]
    boxes = [head_box(np.where(heads == k + 1, labels, 0)) for k in range(len(faces))]
    return Layers(
        photo=np.dstack([rgb, whole]), palette=np.dstack([base, whole]), oracle=none, drawn=none,
        albedo=rgb, shading=cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), labels=labels, heads=heads, toon=labels,
        ink=np.maximum(ink * mask, lines * (1 - mask)),
        points=np.reshape(points, (-1, 468, 2)).astype(np.float32),
        boxes=np.reshape(boxes, (-1, 4)).astype(np.float32),
    )  # fmt: skip


def _split(picture: dict[str, Any]) -> str:
    """Where nobody is, there is nothing to validate."""
    return picture.get("split", "train") if picture["faces"] else "train"


@functools.cache
def _parser(path: str) -> Parser:
    """Once a process."""
    return Parser.open(path or None)


def _whose(labels: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.uint8]:
    """The number of the face nearest to each pixel of a person, in widths of that face."""
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]]
    away = [np.hypot(x - (f.box[0] + f.box[2]) / 2, y - (f.box[1] + f.box[3]) / 2) / f.size for f in faces]
    nearest = np.argmin(away, axis=0) + 1 if len(faces) else np.zeros(labels.shape)
    return np.where(labels > 0, nearest, 0).astype(np.uint8)


def _first(layers: Layers) -> Layers:
    """The largest face alone: what ``cutface.cut`` cuts out."""
    return replace(
        layers, labels=np.where(layers.heads == 1, layers.labels, 0).astype(np.uint8),
        points=layers.points[:1], boxes=layers.boxes[:1],
    )  # fmt: skip


def _headed(layers: Layers) -> bool:
    return len(layers.boxes) > 0 and bool(np.isfinite(layers.boxes[0]).all())


def _width(face: Face) -> float:
    mesh = face.landmarks
    return face.size if mesh is None else float(np.linalg.norm(mesh[234] - mesh[454]))


def _square(known: Known, face: Face | None, rng: np.random.Generator) -> Square:
    """What a pair shows of a picture: eyes level, the face as large as in portraits; or any part of it."""
    high, wide = known.rgb.shape[:2]
    most = float(min(high, wide))
    if face is None:
        side = most * float(rng.uniform(0.6, 1.0))
        x, y = (float(rng.uniform(side / 2, n - side / 2)) for n in (wide, high))
        return Square(x - 0.5, y - 0.5, side)
    side = min(_width(face) / float(rng.uniform(*_WIDTHS)), most)
    middle = (face.box[:2] + face.box[2:]) / 2 + rng.uniform(-0.08, 0.08, 2) * side
    x, y = (float(np.clip(m, side / 2, n - side / 2)) for m, n in zip(middle, (wide, high), strict=True))
    return Square(x, y, side, float(np.radians(face.roll + rng.normal(0, 3))))
