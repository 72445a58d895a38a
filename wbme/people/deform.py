"""A person in a character's proportions: the posed model moved by smooth one-to-one maps.

The face is reshaped in the head's frame by maps of one coordinate each that rise strictly along it for any
values of the other two, one after the other: a chain of such maps cannot fold. Then the bones are scaled
about their joints, outwards from the root, and vertices follow them by the skin weights, as in a pose.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from wbme.geometry.parsing import INDEX
from wbme.people import anatomy, body, faceshape
from wbme.people.camera import Camera
from wbme.people.mesh import Mesh, Model
from wbme.people.sheet import Deformation

Floats = NDArray[np.float64]

_STEP = 5e-4  # metres, of the differences that turn normals
_NEIGHBOURS = 6  # of the mean body's vertices, whose weights carry a vertex


def deformed(model: Model, form: Deformation) -> Model:
    """``model`` in the proportions of ``form``. Each mesh's ``rest`` is where its vertices lay before, in the
    scene, so that a G-buffer of the result tells it for every sample."""
    frame, joints = model.head.astype(float), {n: p.astype(float) for n, p in model.joints.items()}
    bones = _bones(joints, frame, model.landmarks, form)
    face = faceshape.Face(model.landmarks, frame, form)
    skin = next(mesh for mesh in model.meshes if mesh.part == "skin")
    skin_blend = _blend(skin.rest, bones)
    tree = cKDTree(skin.positions)
    meshes = []
    for mesh in model.meshes:
        if _is_hair(mesh):
            meshes.append(_moved(mesh, partial(_hair, face=face, bones=bones, form=form)))
        else:
            blend = skin_blend if mesh is skin else _blend(mesh.rest, bones)
            meshes.append(_moved(mesh, partial(_body, face=face, blend=blend)))

    def on_skin(points: NDArray) -> NDArray[np.float32]:
        flat = points.reshape(-1, 3).astype(float)
        near = tree.query(flat)[1]
        moved = _body(flat, face, (skin_blend[0][near], skin_blend[1][near]))
        return moved.reshape(points.shape).astype(np.float32)

    curves = []
    for curve in model.curves:
        if curve.kind == "hair":
            points = _hair(curve.points.astype(float), face, bones, form).astype(np.float32)
        else:
            points = on_skin(curve.points)
        curves.append(replace(curve, points=points))
    # The eyes lie in the head and move with it as a whole.
    head = (np.tile(bones["head"][0], (10, 1, 1)), np.ones(10))
    irises = _body(model.irises.reshape(-1, 3).astype(float), face, head).reshape(2, 5, 3)
    places = {n: (m[:, :3] @ joints[n] + m[:, 3]).astype(np.float32) for n, (m, _) in bones.items()}
    placed = model.head.copy()
    placed[:3, 3] = _body(model.head[None, :3, 3].astype(float), face, (head[0][:1], head[1][:1]))[0]
    return replace(
        model, meshes=meshes, curves=curves, landmarks=on_skin(model.landmarks),
        irises=irises.astype(np.float32), head=placed, joints=model.joints | places,
    )  # fmt: skip


def framed(camera: Camera, model: Model, after: Model) -> Camera:
    """``camera`` moved so that it frames ``after`` as it framed ``model``: the head in a portrait, all down
    to the hips in a half, everything in a full view. Direction, focal length and roll stay."""
    low, high = _extent(camera, model)
    new_low, new_high = _extent(camera, after)
    scale = float((new_high - new_low)[1] / max((high - low)[1], 1e-6))
    target = (new_low + new_high) / 2 + scale * (camera.target - (low + high) / 2)
    return replace(camera, target=target, eye=target + scale * (camera.eye - camera.target))


def _extent(camera: Camera, model: Model) -> tuple[Floats, Floats]:
    """Corners of the box around what a view is of."""
    points = np.concatenate([mesh.positions for mesh in model.meshes]).astype(float)
    chin = float(model.landmarks[152, 1])
    if camera.framing == "portrait":
        low = chin
    elif camera.framing == "half":
        low = float(np.mean([model.joints[f"upperleg01.{side}"][1] for side in "LR"]))
    else:
        low = float(points[:, 1].min())
    head = points[points[:, 1] > chin]
    middle = (model.landmarks.max(0) + model.landmarks.min(0)) / 2
    return np.array([middle[0], low, middle[2]]), np.array([middle[0], head[:, 1].max(), middle[2]])


def _is_hair(mesh: Mesh) -> bool:
    return bool((mesh.labels == INDEX["hair"]).all())


def _moved(mesh: Mesh, move: Callable[[Floats], Floats]) -> Mesh:
    """``mesh`` under a map of points N x 3, its normals and tangents turned by differences of the map."""
    place, normal = mesh.positions.astype(float), mesh.normals.astype(float)
    after = move(place)
    side = np.cross(normal, np.where(np.abs(normal[:, 1:2]) < 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    other = np.cross(normal, side)
    outward = np.cross(move(place + _STEP * side) - after, move(place + _STEP * other) - after)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-12)
    tangents = mesh.tangents
    if tangents is not None:
        way = move(place + _STEP * tangents) - after
        tangents = (way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return replace(
        mesh, positions=after.astype(np.float32), normals=outward.astype(np.float32), tangents=tangents,
        rest=mesh.positions,
    )  # fmt: skip


def _body(points: Floats, face: faceshape.Face, blend: tuple[Floats, Floats]) -> Floats:
    """Points N x 3 with their blended bones N x 3 x 4 and shares of the head N."""
    matrix, share = blend
    points = points + share[:, None] * (face.moved(points) - points)
    return np.einsum("nij,nj->ni", matrix[:, :, :3], points) + matrix[:, :, 3]


def _hair(points: Floats, face: faceshape.Face, bones: dict, form: Deformation) -> Floats:
    """Hair grows with the head; below the chin no longer than the trunk, and no nearer to it than it was."""
    local = face.local(face.moved(points, hair=True)) - face.pivot
    fall = np.maximum(-local[:, 1], 0)
    t = np.clip(fall / 0.15, 0, 1)
    wide = form.head + (1.2 * max(form.shoulders, 1.0) - form.head) * t * t * (3 - 2 * t)
    long = min(form.torso, form.head)
    # Its length changes from the head's scale to the trunk's over a hand's breadth.
    below = long * fall + (form.head - long) * 0.06 * (1 - np.exp(-fall / 0.06))
    high = np.where(local[:, 1] > 0, form.head * local[:, 1], -below)
    placed = np.column_stack([wide * local[:, 0], high, wide * local[:, 2]])
    # To where the bone takes the place about which all is scaled.
    return placed @ face.turn.T + _applied(bones["head"][0], face.scene(face.pivot[None]))


def _applied(matrix: Floats, points: Floats) -> Floats:
    return points @ matrix[:, :3].T + matrix[:, 3]


def _blend(rest: NDArray, bones: dict) -> tuple[Floats, Floats]:
    """Blended bones N x 3 x 4 for places on the person at rest, and the head's share of each, N."""
    base = anatomy.load()
    own = np.unique(base.parts["skin"].source)
    far, near = cKDTree(body.mean()[own]).query(rest, k=_NEIGHBOURS)
    share = 1 / (far**2 + 4e-6)
    share /= share.sum(1, keepdims=True)
    dense = np.zeros((len(rest), len(base.bones)))
    row = np.repeat(np.arange(len(rest)), _NEIGHBOURS * base.bone.shape[1])
    vertex = own[near]
    np.add.at(dense, (row, base.bone[vertex].ravel()), (share[..., None] * base.weight[vertex]).ravel())
    stack = np.stack([bones[name][0] for name in base.bones])
    heads = [base.bones.index(name) for name in ("head", "eye.L", "eye.R")]
    return np.tensordot(dense, stack, 1), np.clip(dense[:, heads].sum(1), 0, 1)


def _bones(joints: dict[str, Floats], frame: Floats, landmarks: NDArray, form: Deformation) -> dict:
    """For each bone what it does to points (3 x 4) and its parent, from the root outwards."""
    base = anatomy.load()
    across = joints["upperarm01.L"] - joints["upperarm01.R"]
    across /= np.linalg.norm(across)
    height = joints["neck01"] - joints["spine05"]
    found: dict[str, tuple[Floats, int]] = {}
    for name, parent in zip(base.bones, base.parents, strict=True):
        place = joints[name]
        if name == "head":
            place = frame[:3, 3] + frame[:3, :3] @ faceshape.pivot(landmarks, frame)
        scale = _scale(name, joints, across, height, form)
        anchor = found[base.bones[parent]][0] if parent >= 0 else np.eye(4)[:3]
        target = _applied(anchor, place[None])[0]
        found[name] = (np.column_stack([scale, target - scale @ place]), int(parent))
    return found


def _scale(name: str, joints: dict[str, Floats], across: Floats, height: Floats, form: Deformation) -> Floats:
    """3 x 3: how a bone of that name is scaled, in the scene."""
    stem, _, side = name.partition(".")
    kind = re.sub(r"[\d-]+$", "", stem)
    whole = {
        "head": form.head,
        "eye": form.head,
        "wrist": form.hands,
        "finger": form.hands,
        "foot": form.feet,
    }
    if kind in whole:
        return whole[kind] * np.eye(3)
    ends = {"upperarm": "lowerarm01", "lowerarm": "wrist", "upperleg": "lowerleg01", "lowerleg": "foot"}
    if kind in ends:
        way = joints[f"{ends[kind]}.{side}"] - joints[f"{kind}01.{side}"]
        return _stretched(way, form.arms if kind.endswith("arm") else form.legs, form.limb_width)
    if kind == "neck":
        return _stretched(joints["head"] - joints["neck01"], form.neck, form.neck_width)
    # The trunk: shoulders are as wide as they are told, hips half as much changed.
    high = kind in ("clavicle", "shoulder") or stem in ("spine01", "spine02")
    wider = (form.shoulders - 1) * (1.0 if high else 0.5)
    return _stretched(height, form.torso, 1.0) + wider * np.outer(across, across)


def _stretched(way: Floats, length: float, width: float) -> Floats:
    """3 x 3: ``length`` times as long along ``way`` and ``width`` times as wide across it."""
    way = way / max(float(np.linalg.norm(way)), 1e-9)
    return width * np.eye(3) + (length - width) * np.outer(way, way)
