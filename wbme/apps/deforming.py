"""Faces in a character's proportions, in a picture and steadily through a video."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wbme.apps.tiles import Rgb
from wbme.perception import facemesh
from wbme.perception.faces import Face
from wbme.synth import deformation

_FADE = 0.4  # seconds in which a face takes on its new proportions, and loses them
_REST = 1.2  # hertz: what a face at rest lets through of what its mesh does, which is noise ...
_SPEED = 8.0  # ... and so much more for each face's width that it moves a second, which is motion


@dataclass
class _Followed:
    mesh: NDArray[np.float64]
    weight: float
    aim: float = 1.0

    @property
    def middle(self) -> NDArray[np.float64]:
        return self.mesh[:, :2].mean(0)

    @property
    def width(self) -> float:
        return float(np.linalg.norm(self.mesh[234] - self.mesh[454]))


class Deformer:
    """Gives faces the proportions of the ``character``'s sheet, as far as ``strength`` in [0, 1] says.

    Raises ParameterError for a character that keeps the person's geometry or a strength out of range.
    """

    def __init__(self, character: str, strength: float = 0.7) -> None:
        self.form = deformation.of(character)
        self.strength = deformation.checked(strength)
        self.reset()

    def reset(self) -> None:
        """Forget the faces of a video: another scene begins."""
        self._faces: list[_Followed] | None = None

    def picture(self, rgb: Rgb, faces: Sequence[Face]) -> tuple[Rgb, list[Face]]:
        """``rgb`` (H x W x 3 in [0, 1]) with its ``faces`` reshaped, and the faces as they are then."""
        out = []
        for face in reversed(faces):  # the largest, which is the first, comes last
            if face.landmarks is None:
                out.append(face)
                continue
            after = deformation.moved(face.landmarks, self.form, self.strength)
            rgb = deformation.reshaped(rgb, face.landmarks, after)
            out.append(replace(face, landmarks=after))
        return rgb, out[::-1]

    def frame(self, rgb: Rgb, seen: Sequence[Face] | None, seconds: float) -> Rgb:
        """One frame of a video, ``seconds`` after the last. ``seen``: the faces found in it, None where none
        were looked for: those that are known are then followed by their meshes.

        A mesh is smoothed as in the one-euro filter (Casiez et al. 2012): much at rest, hardly in motion, so
        that proportions neither tremble nor lag. A face fades in and out, but is there at once in the first
        frame of a scene.
        """
        start = self._faces is None
        known = self._faces or []
        for one in known:
            low, high = one.mesh[:, :2].min(0), one.mesh[:, :2].max(0)
            box = np.concatenate([low, high])
            mesh, belief = facemesh.fit(rgb, box, one.mesh[[33, 263], :2])
            near = np.linalg.norm(mesh[:, :2].mean(0) - one.middle) < 0.75 * one.width
            if belief >= 0.5 and near:
                one.mesh = _smoothed(one, mesh, seconds)
            else:
                one.aim = 0.0
        if seen is not None:
            self._match(known, seen, start)
        share = 1 - math.exp(-seconds / _FADE)
        for one in known:
            one.weight += share * (one.aim - one.weight)
        self._faces = [one for one in known if one.weight > 0.01 or one.aim > 0]
        for one in sorted(self._faces, key=lambda one: one.width):
            after = deformation.moved(one.mesh, self.form, self.strength * one.weight)
            rgb = deformation.reshaped(rgb, one.mesh, after)
        return rgb

    def _match(self, known: list[_Followed], seen: Sequence[Face], start: bool) -> None:
        free = [face.landmarks for face in seen if face.landmarks is not None]
        for one in known:
            away = [float(np.linalg.norm(mesh[:, :2].mean(0) - one.middle)) for mesh in free]
            one.aim = 0.0
            if away and min(away) < 0.5 * one.width:
                free.pop(int(np.argmin(away)))
                one.aim = 1.0
        known += [_Followed(np.asarray(mesh, float), 1.0 if start else 0.0) for mesh in free]


def _smoothed(one: _Followed, mesh: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    way = mesh - one.mesh
    speed = float(np.median(np.linalg.norm(way[:, :2], axis=1))) / one.width / seconds
    return one.mesh + (1 - math.exp(-2 * math.pi * (_REST + _SPEED * speed) * seconds)) * way
