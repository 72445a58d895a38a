"""Teachers of photographs, each from a picture to a base and its ink: what ``photographs`` learns heads from.

A trained student is one more, ``wbme.apps.teacher``.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.hashing import sha256_bytes
from wbme.data import paired
from wbme.nets import animegan
from wbme.synth.abstraction import Abstraction, texture_teacher
from wbme.synth.teachers import TextureTeacher, redrawn

if TYPE_CHECKING:
    from wbme.synth.diffusion import Refiner

F32 = NDArray[np.float32]
# A picture H x W x 3, sRGB in [0, 1], as base H x W x 3 and ink H x W; one that pickles.
Teacher = Callable[[F32], tuple[F32, F32]]
KINDS = ("texture", "plate", "animegan", "diffusion")


@dataclass(frozen=True)
class PlateTeacher:
    """The quick filter: flat plates with lines along the forms."""

    settings: Abstraction = field(default_factory=Abstraction)

    def __call__(self, rgb: F32) -> tuple[F32, F32]:
        return texture_teacher(rgb, self.settings)


@dataclass(frozen=True)
class AnimeGanTeacher:
    """AnimeGANv2 with the weights at ``path``; its drawing is parted as that of paired folders is."""

    path: str

    def __call__(self, rgb: F32) -> tuple[F32, F32]:
        ink, base = paired.layers(redrawn(_animegan(self.path), rgb))
        return base, ink


@dataclass(frozen=True)
class DiffusionTeacher:
    """Stable Diffusion from the folder or file at ``path``, image to image; parted likewise. The picture's
    bytes seed the noise, so that the same picture is drawn alike in any process."""

    path: str
    prompt: str = ""
    strength: float = 0.35
    seed: int = 0

    def __call__(self, rgb: F32) -> tuple[F32, F32]:
        refine = _refiner(self)
        size = refine.settings.size
        drawn = refine(cv2.resize(rgb, (size, size)), sha256_bytes(np.ascontiguousarray(rgb).tobytes()))
        if drawn is None:
            raise ParameterError(
                "the model's own safety checker withheld a head: leave its picture out, or take another model"
            )
        ink, base = paired.layers(cv2.resize(drawn, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC))
        return np.clip(base, 0, 1), ink


@functools.cache
def _animegan(path: str) -> animegan.AnimeGANv2:
    return animegan.load(Path(path))


@functools.cache
def _refiner(teacher: DiffusionTeacher) -> "Refiner":
    from wbme.synth import diffusion, diffusion_files

    settings = diffusion.Refinement(teacher.prompt, strength=teacher.strength, seed=teacher.seed)
    return diffusion.Refiner(diffusion_files.find(Path(teacher.path)), settings)


def opened(
    kind: str, weights: Path | None, texture: TextureTeacher, prompt: str = "", strength: float = 0.35,
    seed: int = 0,
) -> Teacher:  # fmt: skip
    """The teacher of one of ``KINDS``, ``texture`` itself among them; ``weights``: AnimeGANv2's file, or the
    folder or file of a diffusion model, of which ``prompt`` and ``strength`` are asked. Raises ParameterError
    for another kind, and for weights that are missing or not wanted; ModelError where they are no such."""
    if kind not in KINDS:
        raise ParameterError(f"there is no teacher {kind!r}: choose student, {', '.join(KINDS)}")
    if (kind in ("animegan", "diffusion")) != (weights is not None):
        needs = (
            "needs its weights: give a path" if weights is None else "has no weights: leave the path empty"
        )
        raise ParameterError(f"the teacher {kind} {needs}")
    if kind == "animegan":
        _animegan(str(weights))  # one sentence now rather than one from each worker
        return AnimeGanTeacher(str(weights))
    if kind == "diffusion":
        _refiner(teacher := DiffusionTeacher(str(weights), prompt, strength, seed))
        return teacher
    return texture if kind == "texture" else PlateTeacher()
