"""The study of warps: drawings of deformed characters brought to the geometry of the person drawn."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.data import landmark_file, matched
from wbme.data.matched import Matched
from wbme.geometry import fields, landmarks, warps
from wbme.geometry.warps import Settings, Warp
from wbme.media import images
from wbme.metrics import warping
from wbme.metrics.warping import Truth
from wbme.perception.faces import detect
from wbme.synth import composite

F32 = NDArray[np.float32]
_LONGEST = 1024  # pixels of a photograph that is brought
_GROUND = np.array([0.92, 0.93, 0.95], np.float32)


@dataclass(frozen=True, eq=False)
class Case:
    """One person drawn by one character: ``photo`` and ``drawing`` H x W x 3 on the same ground."""

    identity: str
    character: str
    matched: Matched
    photo: F32
    drawing: F32
    truth: Truth


@dataclass(frozen=True)
class How:
    """How a drawing is warped: a method of ``wbme.geometry.warps``, its landmarks (468, 68 or 5), strength,
    settings; ``noise``: a normal error of both sides' landmarks, its deviation in % of the face's width."""

    method: str
    landmarks: str = "468"
    strength: float = 1.0
    settings: Settings = field(default_factory=Settings)
    noise: float = 0.0


def case(people: Path, character: Path, row: dict[str, Any]) -> Case:
    """The view of ``row`` (of ``views.jsonl``). Raises MediaError or StoreError as ``data.matched.read``."""
    found = matched.read(people, character, row["id"])
    layers = found.layers
    ground = np.ones_like(layers.albedo) * _GROUND
    toon = composite.over(layers.drawn, composite.over(layers.palette, ground))
    drawing = composite.inked(toon, layers.ink)
    own = warping.truth(drawing, found.places, found.source, found.target, found.visible, layers.labels)
    return Case(
        row["identity"], character.name, found, composite.over(layers.photo, ground), drawing, own
    )  # fmt: skip


def fitted(case: Case, how: How, seed: int = 0) -> Warp:
    """The warp of one case on the similarity that most landmarks agree on (``robust``)."""
    both = []
    for side, points in (("source", case.matched.source), ("target", case.matched.target)):
        rng = generator(seed, "landmark noise", case.matched.name, side)
        shaken = points + rng.normal(0, how.noise / 100 * case.truth.width, points.shape)
        both.append(landmarks.subset(shaken, how.landmarks, case.matched.visible))
    return warps.fit(how.method, *both, how.strength, base="robust", settings=how.settings)


def warped(case: Case, how: How, seed: int = 0) -> tuple[Warp, Tensor, F32]:
    """The warp, its field H x W x 2 and the drawing through it, H x W x 3."""
    warp = fitted(case, how, seed)
    dense = fields.field(warp, case.truth.labels.shape)[0]
    return warp, dense, through(case.drawing, dense)


def through(picture: F32, places: Tensor) -> F32:
    """``picture`` (h x w x 3) seen through the field ``places``, H x W x 2: H x W x 3."""
    planes = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
    return fields.resampled(planes, places[None])[0].permute(1, 2, 0).contiguous().numpy()


def exact(case: Case) -> F32:
    """The drawing in the person's geometry by the exact correspondence, white where it shows nothing."""
    seen = through(case.drawing, torch.nan_to_num(case.truth.field))
    return np.where(case.truth.known[..., None], seen, np.float32(1))


def rows(
    cases: Iterable[Case], ways: Sequence[How], lines: bool = True, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """``metrics.warping.scores`` of each case and each way, in a flat row with what it was."""
    for one in cases:
        for how in ways:
            warp, dense, picture = warped(one, how, seed)
            told = {
                "identity": one.identity, "view": one.matched.name, "character": one.character,
                "method": how.method, "landmarks": how.landmarks, "strength": how.strength,
                "noise": how.noise, "alpha": how.settings.alpha, "blur": how.settings.blur,
                "smoothing": how.settings.smoothing, "reach": how.settings.reach,
            }  # fmt: skip
            yield told | warping.scores(warp, dense, picture if lines else None, one.truth)


def brought(drawing: Path, photo: Path, ways: Sequence[How]) -> tuple[F32, F32, list[F32]]:
    """A drawing of the user's, by the five points in the file beside it, in the geometry of a photograph: the
    photograph, at most 1024 pixels long, the drawing, and what each way makes of it.

    Raises MediaError or ParameterError, one sentence, where a file cannot be read or has no face.
    """
    person, character = (images.read(path) for path in (photo, drawing))
    size = character.rgb.shape[1::-1]
    file = landmark_file.beside(drawing)
    if not file.exists():
        raise ParameterError(
            f"{file} is missing: mark the drawing's five points in the editor of 11_drawings"
        )
    marks = [one.points for one in landmark_file.load(file, drawing.name, size) if one.points is not None]
    rgb, scale = person.rgb, min(_LONGEST / max(person.rgb.shape), 1.0)
    if scale < 1:
        small = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
        rgb = np.asarray(cv2.resize(rgb, small, interpolation=cv2.INTER_AREA), np.float32)
    found = [face.landmarks for face in detect(rgb, irises=False) if face.landmarks is not None]
    if not marks or not found:
        lacks = f"{file} marks no" if not marks else f"{photo} shows no"
        raise ParameterError(f"{lacks} face with five points: choose another picture or correct the file")
    seen = character.rgb
    if character.alpha is not None:
        seen = composite.over(np.dstack([seen, character.alpha]), np.ones_like(seen) * _GROUND)
    five = landmarks.subset(found[0], "5")
    out = []
    for how in ways:
        warp = warps.fit(how.method, five, marks[0], how.strength, base="similarity", settings=how.settings)
        out.append(through(seen, fields.field(warp, (rgb.shape[0], rgb.shape[1]))[0]))
    return rgb, seen, out
