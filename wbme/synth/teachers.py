"""The texture teachers, each a function from a photograph to a drawing: the quick filter, L0, AnimeGANv2."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_picture
from wbme.synth.abstraction import Abstraction, texture_teacher
from wbme.synth.composite import inked
from wbme.synth.ink import Ink, flow_lines
from wbme.synth.texture import Texture, flatten, in_steps

if TYPE_CHECKING:
    from wbme.nets.animegan import AnimeGANv2

F32 = NDArray[np.float32]
Teacher = Callable[[F32], F32]  # H x W x 3 sRGB in [0, 1], both ways


@dataclass(frozen=True)
class TextureTeacher:
    """The classical texture teacher of the backgrounds, for all of a picture: its base and its ink."""

    texture: Texture
    ink: Ink

    def __call__(self, rgb: F32) -> tuple[F32, F32]:
        return in_steps(flatten(rgb, self.texture), self.texture), flow_lines(rgb, self.ink)


def named(
    strokes: Sequence[float], abstractions: Sequence[float], network: "AnimeGANv2 | None" = None
) -> dict[str, Teacher]:
    """The teachers by name: the quick filter at each pair of ``strokes`` and ``abstractions``, the L0 filter,
    and AnimeGANv2 where a ``network`` is given. Raises ParameterError where the lists differ in length."""
    if len(strokes) != len(abstractions) or not strokes:
        raise ParameterError(
            f"{len(strokes)} strokes and {len(abstractions)} abstractions make no pairs: give as many of each"
        )
    found: dict[str, Teacher] = {}
    for stroke, abstraction in zip(strokes, abstractions, strict=True):
        settings = Abstraction(stroke, abstraction)
        found[f"quick, stroke {stroke:g}, abstraction {abstraction:g}"] = _quick(settings)
    found["L0"] = _l0
    if network is not None:
        found["AnimeGANv2"] = lambda rgb: redrawn(network, rgb)
    return found


def _quick(settings: Abstraction) -> Teacher:
    return lambda rgb: inked(*texture_teacher(rgb, settings))


def _l0(rgb: F32) -> F32:
    return inked(*TextureTeacher(Texture(), Ink())(rgb))


def redrawn(network: "AnimeGANv2", rgb: F32) -> F32:
    """What ``network`` makes of a picture H x W x 3, sRGB in [0, 1], both ways.

    It normalises over the whole picture, so a crop comes out in other tones than the picture. Raises
    ParameterError for no such picture, or one with a side below 16 pixels.
    """
    import torch

    rgb = np.clip(check_picture(rgb), 0, 1)
    if min(rgb.shape[:2]) < 16:
        raise ParameterError(
            f"AnimeGANv2 draws no picture of {rgb.shape[1]} x {rgb.shape[0]}: give 16 or more"
        )
    with torch.inference_mode():
        [drawn] = network(torch.from_numpy(2 * rgb - 1).permute(2, 0, 1)[None])
    return (drawn.permute(1, 2, 0).float().numpy() + 1) / 2
