"""A character's proportions of the face, given to the person in a picture before it is drawn.

A network that draws people learns aligned geometry best, so the character's own geometry is a warp of the
photograph. The mesh of a found face is a surface in space: it is put into metres and the head's own axes, and
moved there by the very maps that shape the character's drawings (``wbme.people.faceshape``). A landmark warp
then carries the picture along: the flow of ``wbme.geometry.flowing``, which does not fold and ends near the
face, so that the background stays.
"""

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.geometry import landmarks
from wbme.people import faceshape, sheet
from wbme.people.sheet import Deformation
from wbme.synth import carrying

F32 = NDArray[np.float32]
Floats = NDArray[np.float64]

_WIDTH = 0.142  # metres between the sides of a face (234 and 454 of the mesh)
_PAIRS = ((234, 454), (33, 263), (133, 362), (61, 291), (70, 300))  # the person's right and left
_GROWTH = 0.25  # how much of the head's growth is taken over, of its logarithm: the body does not shrink
_REACH = 1.5  # spreads of the landmarks beyond which the picture stays as it is
_STEPS = 4
_SEEN = 0.25  # of the landmarks that lie in the picture, at least


def of(character: str) -> Deformation:
    """The deformation of the character sheet of that name or path. ParameterError where it keeps the person's
    own geometry."""
    found = sheet.load(character)
    if found.deformation is None:
        raise ParameterError(f"{found.name} keeps the person's own geometry: choose a deformed character")
    return found.deformation


def moved(mesh: NDArray[np.floating], form: Deformation, strength: float) -> Floats:
    """The mesh of a face (468 x 3 pixels, z less towards the viewer) in the character's proportions.

    x' = x + ``strength`` (F(x) - x) with F the maps of ``faceshape.Face`` in the frame of the head; the head
    itself grows about its chin by the quarter power of the sheet's factor. Raises ParameterError for a mesh
    of another shape or with a point that is not finite, and for a strength outside 0 to 1.
    """
    points = np.asarray(mesh, float)
    if points.shape != (landmarks.MESH_POINTS, 3) or not np.isfinite(points).all():
        raise ParameterError(f"a deformation needs a finite mesh of 468 x 3, not one of shape {points.shape}")
    strength = checked(strength)
    unit = _WIDTH / max(float(np.linalg.norm(points[234] - points[454])), 1e-6)
    scene = points * [unit, -unit, -unit]
    # Of a mesh that is no face, an eye may lie beyond the temple and the maps not rise: it stays as it is.
    try:
        face = faceshape.Face(scene, _frame(scene), form)
        local = face.local(face.moved(scene)) - face.pivot
    except ValueError:
        return points.copy()
    if not np.isfinite(local).all():
        return points.copy()
    after = face.scene(face.pivot + form.head**_GROWTH * local) * [1 / unit, -1 / unit, -1 / unit]
    return points + strength * (after - points)


def checked(strength: float) -> float:
    """``strength`` if it lies in [0, 1]; ParameterError otherwise."""
    if not 0 <= strength <= 1:
        raise ParameterError(f"a deformation's strength is {strength}: choose 0 to 1")
    return strength


def _frame(scene: Floats) -> Floats:
    """4 x 4: the head's frame in the scene, x to its left, y up, z ahead, from the middle of the eyes."""
    side = sum(scene[left] - scene[right] for right, left in _PAIRS)
    side = side / np.linalg.norm(side)
    up = scene[10] - scene[152]
    up = up - (up @ side) * side
    up /= np.linalg.norm(up)
    eyes = [scene[list(loop)].mean(0) for loop in (landmarks.RIGHT_EYE, landmarks.LEFT_EYE)]
    frame = np.eye(4)
    frame[:3, :3] = np.stack([side, up, np.cross(side, up)], 1)
    frame[:3, 3] = (eyes[0] + eyes[1]) / 2
    return frame


def reshaped(rgb: F32, before: NDArray[np.floating], after: NDArray[np.floating]) -> F32:
    """``rgb`` (H x W x 3 in [0, 1]) with one face carried from ``before`` to ``after`` (468 x 2 or 3 pixels).

    Only the part around the face is touched, and what lies farther than the warp's reach is unchanged to the
    bit. A face that lies outside the picture by three quarters changes nothing.
    """
    source, target = np.asarray(after, float)[:, :2], np.asarray(before, float)[:, :2]
    size = np.array(rgb.shape[1::-1])
    if ((source >= 0) & (source <= size - 1)).all(1).mean() < _SEEN:
        return rgb
    room = _REACH * float(np.sqrt(((source - source.mean(0)) ** 2).sum(1).mean())) + 4
    return carrying.flow(target, source, rgb.shape, room, reach=_REACH, steps=_STEPS).picture(rgb)
