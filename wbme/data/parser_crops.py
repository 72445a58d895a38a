"""Crops to train the parser on: rendered people before other backgrounds, as cameras would have seen them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.data import parser_looks, planes, rendered
from wbme.data.degrade import degrade
from wbme.geometry.parsing import INDEX
from wbme.geometry.transforms import Square
from wbme.perception.parsing import face_square

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Behind = Callable[[int, np.random.Generator], F32]

IGNORED = 255  # of pixels beyond a picture's border of which nobody knows what they would show
HELD_STYLES = ("bob fringe", "low bun", "slick back")  # hair never trained on
_PLACES = 256  # backgrounds that are made
# How many times as often a view is looked at that shows what few people wear, or more than a portrait.
_RARE = {"glasses": 3.0, "earrings": 3.0, "hat": 2.0}
_WHOLE = 2.5
# Left and right change names in a mirror.
MIRRORED = np.arange(256, dtype=np.uint8)
for _l, _r in (("l_brow", "r_brow"), ("l_eye", "r_eye"), ("l_ear", "r_ear")):
    MIRRORED[INDEX[_l]], MIRRORED[INDEX[_r]] = INDEX[_r], INDEX[_l]


@dataclass(frozen=True, eq=False)
class View:
    """photo u8 H x W x 4, labels u8 H x W, the square at which the parser looks at the face, and its row."""

    photo: U8
    labels: U8
    face: Square
    row: dict[str, Any]


def _portrait(facts: dict[str, Any]) -> bool:
    return facts.get("framing", "portrait") == "portrait"


def _odds(facts: dict[str, Any]) -> float:
    worn = [times for name, times in _RARE.items() if facts.get(name)]
    return float(np.prod([*worn, 1.0 if _portrait(facts) else _WHOLE]))


def is_held_out(row: dict[str, Any]) -> bool:
    """Whether a view is never trained on: its person or its hair style is held out."""
    return row["split"] == "val" or row["facts"].get("hair") in HELD_STYLES


def read_view(folder: Path, row: dict[str, Any]) -> View:
    """One view of a rendered set. MediaError or StoreError where a file is missing or damaged."""
    place = folder / "views" / row["id"]
    photo = planes.read(place / "photo.png", 4)
    labels = planes.read(place / "labels.png", 1)
    points = planes.read_arrays(place / "points.npz", {"landmarks": (468, 3)}, "render the people again")
    face = face_square(points["landmarks"][:, :2])
    return View(photo, labels, face, row)


class ParserCrops:
    """Examples of ``views`` (folder of a rendered set, row), ``side`` pixels square, ``size`` of them a
    batch: batch k is a function of the seed and k alone. ``behind(size, rng)`` makes a background.

    Most look at a face as the parser will, the others at all that the view shows; what is rare is looked at
    more often; half are mirrored, with left and right renamed. Raises ParameterError where there is no view.
    """

    def __init__(
        self, views: Sequence[tuple[Path, dict[str, Any]]], behind: Behind, *, side: int, size: int, seed: int
    ):
        if not views:
            raise ParameterError("no view of people to train the parser on: render people first")
        self.views, self.behind, self.side, self.size, self.seed = list(views), behind, side, size, seed
        odds = np.array([_odds(row["facts"]) for _, row in self.views])
        self._reach = np.cumsum(odds) / odds.sum()
        self._kept: dict[int, View] = {}
        self._places: dict[int, U8] = {}

    def _any(self, rng: np.random.Generator) -> View:
        index = int(np.searchsorted(self._reach, rng.random(), side="right"))
        return self._view(min(index, len(self.views) - 1))

    def _view(self, index: int) -> View:
        if index not in self._kept:
            self._kept[index] = read_view(*self.views[index])
        return self._kept[index]

    def _place(self, rng: np.random.Generator) -> F32:
        """A background, ``side`` pixels square."""
        number = int(rng.integers(_PLACES))
        if number not in self._places:
            made = self.behind(320, generator(self.seed, "behind", number))
            self._places[number] = np.rint(made * 255).astype(np.uint8)
        place = self._places[number]
        cut = int(rng.integers(180, 321))
        y, x = rng.integers(0, 321 - cut, 2)
        part = place[y : y + cut, x : x + cut, :: 1 if rng.random() < 0.7 else -1]
        part = cv2.resize(np.ascontiguousarray(part), (self.side, self.side), interpolation=cv2.INTER_AREA)
        return part.astype(np.float32) / 255

    def _pose(self, view: View, rng: np.random.Generator) -> Square:
        """Where to look: at the face, or at everything."""
        high = len(view.labels)
        if rng.random() < (0.85 if _portrait(view.row["facts"]) else 0.4):
            face, moved = view.face, rng.normal(0, 0.05, 2) * view.face.side
            turn = rng.normal(0, 0.12) if rng.random() < 0.9 else rng.uniform(-0.8, 0.8)
            side = face.side * np.exp(rng.normal(0.02, 0.14))
            if rng.random() < 0.6:  # a part of it, at the size at which it will be seen
                share = rng.uniform(0.48, 0.85)
                moved, side = moved + rng.uniform(-0.5, 0.5, 2) * (1 - share) * side, share * side
            return Square(face.x + moved[0], face.y + moved[1], side, face.angle + turn)
        side = high * np.exp(rng.uniform(-0.6, 0.45))
        x, y = high / 2 + rng.uniform(-0.35, 0.35, 2) * abs(high - side) + rng.normal(0, 0.05, 2) * high
        return Square(float(x), float(y), float(side), float(rng.normal(0, 0.08)))

    def _seen(self, view: View, pose: Square, rng: np.random.Generator) -> tuple[F32, U8]:
        """rgba float32 and labels of what ``pose`` shows, bent a little; hair more, which tears its edge."""
        side, (x, y) = self.side, self._grid()
        stretch = np.exp(rng.normal(0, 0.04))
        x, y = (x - side / 2) * stretch + side / 2, (y - side / 2) / stretch + side / 2
        bent = rng.uniform(0, 0.02) * side
        x = x + parser_looks.noise(side, 5, rng) * bent
        y = y + parser_looks.noise(side, 5, rng) * bent
        if rng.random() < 0.6:
            at = self._places_of(pose, x, y)
            labels = cv2.remap(view.labels, *at, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            hair = cv2.GaussianBlur((labels == INDEX["hair"]).astype(np.float32), (0, 0), 3)
            rough, cells = rng.uniform(0.004, 0.025) * side, int(rng.integers(12, 64))
            x = x + parser_looks.noise(side, cells, rng) * rough * hair
            y = y + parser_looks.noise(side, cells, rng) * rough * hair
        return self._sampled(view, pose, x, y)

    def _grid(self) -> tuple[F32, F32]:
        y, x = np.mgrid[: self.side, : self.side].astype(np.float32) + 0.5
        return x, y

    def _places_of(self, pose: Square, x: F32, y: F32) -> tuple[F32, F32]:
        """Where in a view the places x, y of a crop lie."""
        unit = pose.matrix() / [[self.side, self.side, 1]]
        at = [unit[k, 0] * x + unit[k, 1] * y + unit[k, 2] for k in (0, 1)]
        return at[0].astype(np.float32), at[1].astype(np.float32)

    def _sampled(self, view: View, pose: Square, x: F32, y: F32) -> tuple[F32, U8]:
        at, photo, scale = self._places_of(pose, x, y), view.photo, pose.side / self.side
        if scale > 1.4:
            photo = cv2.GaussianBlur(photo, (0, 0), 0.35 * scale)
        rgba = cv2.remap(photo, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        labels = cv2.remap(view.labels, *at, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        high, wide = view.labels.shape
        beyond = (at[0] < 0) | (at[1] < 0) | (at[0] > wide - 1) | (at[1] > high - 1)
        labels = np.where(beyond & (labels > 0), IGNORED, labels).astype(np.uint8)
        return rgba.astype(np.float32) / 255, labels

    @staticmethod
    def _hatted(view: View, rng: np.random.Generator) -> View:
        """One bare head of five gets a hat."""
        if view.row["facts"].get("hat") or rng.random() >= 0.2:
            return view
        return View(*parser_looks.capped(view.photo, view.labels, view.face, rng), view.face, view.row)

    def example(self, rng: np.random.Generator) -> tuple[F32, U8]:
        """rgb side x side x 3 sRGB in [0, 1] and its labels."""
        view = self._any(rng)
        rgb, labels = self._place(rng), np.zeros((self.side, self.side), np.uint8)
        if rng.random() < 0.6:
            rgb = parser_looks.cluttered(rgb, self._place(rng), rng)
        layers = [(view, self._pose(view, rng))] if rng.random() < 0.95 else []
        if rng.random() < 0.15:  # somebody else behind
            other = self._any(rng)
            away = rng.choice([-1, 1]) * rng.uniform(0.3, 0.7)
            square = other.face
            far = square.side * rng.uniform(1.1, 3)
            layers.insert(0, (other, Square(square.x + away * far, square.y + rng.normal(0, 0.2) * far, far)))
        for one, pose in layers:
            rgba, found = self._seen(self._hatted(one, rng), pose, rng)
            if rng.random() < 0.85:
                rgba[..., :3] = parser_looks.dressed(rgba[..., :3], found, self._place(rng), rng)
            rgb = rgb + rgba[..., 3:] * (rgba[..., :3] - rgb)
            labels = np.where(found > 0, found, labels).astype(np.uint8)
        if rng.random() < 0.2:
            rgb, labels = parser_looks.occluded(rgb, labels, self._place(rng), rng)
        if rng.random() < 0.5:
            rgb, labels = rgb[:, ::-1], MIRRORED[labels[:, ::-1]]
        return parser_looks.photographed(np.ascontiguousarray(rgb), rng), np.ascontiguousarray(labels)

    def check(self, number: int) -> tuple[F32, U8]:
        """View ``number`` before a background, with the faults of a usual camera alone: a portrait at its
        face, a figure whole."""
        rng = generator(self.seed, "parser check", number)
        view = self._view(number)
        whole = Square(*(len(view.labels) / 2 - 0.5,) * 2, len(view.labels))
        pose = view.face if _portrait(view.row["facts"]) else whole
        rgba, labels = self._sampled(view, pose, *self._grid())
        behind = self._place(rng)
        rgb = behind + rgba[..., 3:] * (rgba[..., :3] - behind)
        return degrade(rgb, rng, 0.7), labels

    def whole(self, number: int) -> tuple[F32, U8]:
        """View ``number`` as it is, before a background, with the faults of a usual camera alone."""
        rng = generator(self.seed, "parser whole", number)
        view = self._view(number)
        alpha = view.photo[..., 3:].astype(np.float32) / 255
        behind = self.behind(len(view.labels), rng)
        return degrade(
            behind + alpha * (view.photo[..., :3].astype(np.float32) / 255 - behind), rng, 0.7
        ), view.labels

    def batch(self, step: int) -> tuple[F32, U8]:
        """Batch number ``step``: N x 3 x S x S and N x S x S."""
        rng = generator(self.seed, "parser", step)
        pictures, labels = zip(*(self.example(rng) for _ in range(self.size)), strict=True)
        return np.stack(pictures).transpose(0, 3, 1, 2), np.stack(labels)


def known(labels: U8) -> U8:
    """``labels`` with background where they are ``IGNORED``, to look at."""
    return np.where(labels == IGNORED, 0, labels).astype(np.uint8)


def views_of(folders: Sequence[Path], held_out: bool) -> list[tuple[Path, dict[str, Any]]]:
    """The views of rendered sets that are trained on, or those that are not. StoreError where a set is
    damaged."""
    return [(f, row) for f in folders for row in rendered.read(f) if is_held_out(row) == held_out]
