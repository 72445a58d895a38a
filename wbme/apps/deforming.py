"""People in a character's proportions, body and face, in a picture and steadily through a video."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wbme.apps import bodies
from wbme.apps.bodies import Bodies
from wbme.apps.heads import Head
from wbme.apps.tiles import Rgb
from wbme.people.sheet import Deformation
from wbme.perception import facemesh
from wbme.perception.faces import Face
from wbme.synth import deformation, limbs
from wbme.synth.carrying import Flow
from wbme.synth.limbs import Person

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
    """Gives people the proportions of the ``character``'s sheet, as far as ``strength`` in [0, 1] says: faces
    (``wbme.synth.deformation``), and bodies where they are seen (``wbme.synth.limbs``).

    Raises ParameterError for a character that keeps the person's geometry or a strength out of range.
    """

    def __init__(self, character: str, strength: float = 0.7) -> None:
        self.form = deformation.of(character)
        self.strength = deformation.checked(strength)
        self.reset()

    def reset(self) -> None:
        """Forget the people of a video: another scene begins."""
        self._faces: list[_Followed] | None = None
        self._bodies = Bodies()
        self._flows: list[Flow] = []

    def picture(self, rgb: Rgb, faces: Sequence[Face]) -> tuple[Rgb, list[Face]]:
        """``rgb`` (H x W x 3 in [0, 1]) with its people reshaped, and its ``faces`` as they are then."""
        people = bodies.found(rgb)
        rgb, flows = limbs.reshaped(rgb, people, self.form, self.strength)
        out = []
        for found in reversed(faces):  # the largest, which is the first, comes last
            face = _carried(found, flows)
            if face.landmarks is None:
                out.append(face)
                continue
            form = self._of_face(people, found.keypoints.mean(0))
            after = deformation.moved(face.landmarks, form, self.strength)
            rgb = deformation.reshaped(rgb, face.landmarks, after)
            out.append(replace(face, landmarks=after))
        return rgb, out[::-1]

    def frame(self, rgb: Rgb, seen: Sequence[Face] | None, seconds: float) -> Rgb:
        """One frame of a video, ``seconds`` after the last. ``seen``: the faces found in it, None where none
        were looked for: faces that are known are then followed by their meshes, and bodies by their poses.

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
        share = 1 - math.exp(-seconds / bodies.FADE)
        for one in known:
            one.weight += share * (one.aim - one.weight)
        self._faces = [one for one in known if one.weight > 0.01 or one.aim > 0]
        people = self._bodies.frame(rgb, seen is not None, seconds)
        rgb, self._flows = limbs.reshaped(rgb, people, self.form, self.strength)
        for one in sorted(self._faces, key=lambda one: one.width):
            mesh = _carried_mesh(one.mesh, self._flows)
            form = self._of_face(people, one.middle)
            after = deformation.moved(mesh, form, self.strength * one.weight)
            rgb = deformation.reshaped(rgb, mesh, after)
        return rgb

    def heads(self, heads: Sequence[Head]) -> list[Head]:
        """Where ``heads`` of the last frame are since their bodies were reshaped."""
        if not self._flows:
            return list(heads)
        out = []
        for head in heads:
            x = head.x + head.face * np.array([-0.5, 0, 0.5])
            left, (x0, y0), right = _points(np.column_stack([x, np.full(3, head.y)]), self._flows)
            out.append(Head(float(x0), float(y0), float(np.linalg.norm(right - left)), head.weight))
        return out

    def _of_face(self, people: Sequence[Person], middle: NDArray[np.float64]) -> Deformation:
        """The form of the face there, whose head has grown already as far as its body was reshaped."""
        weight = max((one.weight for one in people if one.has_head(middle)), default=0.0)
        return self.form.model_copy(update={"head": self.form.head ** (1 - weight)})

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


def _points(points: NDArray[np.float64], flows: Sequence[Flow]) -> NDArray[np.float64]:
    for flow in flows:
        points = flow.points(points)
    return points


def _carried_mesh(mesh: NDArray[np.float64], flows: Sequence[Flow]) -> NDArray[np.float64]:
    """A mesh (N x 3) where the flows carry it, its depth scaled as its width."""
    flat = _points(mesh[:, :2], flows)
    grown = np.ptp(flat, axis=0).max() / max(np.ptp(mesh[:, :2], axis=0).max(), 1e-6)
    return np.column_stack([flat, grown * mesh[:, 2]])


def _carried(face: Face, flows: Sequence[Flow]) -> Face:
    """A face where the flows carry it."""
    if not flows:
        return face
    x0, y0, x1, y1 = face.box
    corners = _points(np.array([(x0, y0), (x1, y0), (x0, y1), (x1, y1)]), flows)
    irises = face.irises
    return replace(
        face,
        box=np.concatenate([corners.min(0), corners.max(0)]),
        keypoints=_points(face.keypoints, flows),
        landmarks=None if face.landmarks is None else _carried_mesh(face.landmarks, flows),
        irises=None if irises is None else _points(irises.reshape(-1, 2), flows).reshape(irises.shape),
    )
