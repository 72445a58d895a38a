"""The bare person: a shape chosen by phenotype and details, its skin, eyes and mouth, and its poses."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from wbme.base.seeds import generator
from wbme.geometry.parsing import INDEX
from wbme.people import anatomy, eyes, features, landmarks, rig
from wbme.people.anatomy import Anatomy
from wbme.people.mesh import Mesh, Model
from wbme.people.phenotype import BodySpec, shape
from wbme.people.rig import Pose
from wbme.people.skin import Skin, paint

_OPEN = 0.36  # distance of the lids over the width of the eye

_SETBACK = 0.003  # metres that the teeth move back, to lie behind closed lips
_DROP = 0.003  # metres that the upper teeth come down behind parted lips, or a laugh would show none
_OVERLAP = 0.0003  # metres by which closed lips and lids press into each other


def _moved(points: NDArray, anatomy: Anatomy, weights: Mapping[str, float]) -> NDArray[np.float32]:
    """``points`` V x 3 shifted by weighted targets."""
    moved = points.copy()
    for name, weight in weights.items():
        vertices, offsets = anatomy.targets[name]
        moved[vertices] += np.float32(weight) * offsets
    return moved


def _close_lips(vertices: NDArray[np.float32], anatomy: Anatomy) -> None:
    """Bring the lips together in place: many shapes leave them parted by a millimetre or three."""
    upper, lower = (vertices[anatomy.groups[f"lip-{name}"]] for name in ("upper", "lower"))
    ahead = anatomy.groups["body"]
    ahead = ahead[np.linalg.norm(vertices[ahead] - (upper.mean(0) + lower.mean(0)) / 2, axis=1) < 0.05]
    place = vertices[ahead]
    far, near = cKDTree(np.concatenate([upper, lower])).query(place)
    x = place[:, 0]
    above, below = (np.interp(x, lip[:, 0], lip[:, 1]) for lip in (upper, lower))
    gap = np.where((x > upper[0, 0]) & (x < upper[-1, 0]), np.maximum(above - below + _OVERLAP, 0), 0)
    share = np.where(near < len(upper), -0.4, 0.6) * np.exp(-((far / 0.006) ** 2))
    vertices[ahead, 1] += (share * gap).astype(np.float32)


def _lid(anatomy: Anatomy, vertices: NDArray[np.float32], action: str, gap: float) -> float:
    """The weight of a facial action at which the lids of its eye are ``gap`` metres apart."""
    above, below = (386, 374) if action.endswith("Left") else (159, 145)
    moved = _moved(vertices, anatomy, {action: 1.0})
    points = [landmarks.surface(anatomy, v)[[above, below], 1] for v in (vertices, moved)]
    now, then = (pair[0] - pair[1] for pair in points)
    return float((gap - now) / (then - now))


def _shaped(anatomy: Anatomy, spec: BodySpec) -> NDArray[np.float32]:
    """Vertices V x 3 of ``spec`` at rest, the eyes open (MakeHuman's lids droop) and the lips closed."""
    vertices = _moved(anatomy.positions, anatomy, shape(spec))
    points = landmarks.surface(anatomy, vertices)
    wide = {}
    for side, outer, inner in (("Right", 33, 133), ("Left", 263, 362)):
        gap = _OPEN * float(np.linalg.norm(points[outer] - points[inner]))
        wide[f"eyeWide{side}"] = float(np.clip(_lid(anatomy, vertices, f"eyeWide{side}", gap), 0.45, 1.1))
    rims = [vertices[row] for name, row in anatomy.groups.items() if name.startswith("lash")]
    far = cKDTree(np.concatenate(rims)).query(vertices)[0]
    # The lids alone: the brows, which MakeHuman lifts as well, would look surprised.
    share = np.clip((0.016 - far) / 0.010, 0, 1).astype(np.float32)[:, None]
    vertices += share * (_moved(vertices, anatomy, wide) - vertices)
    _close_lips(vertices, anatomy)
    vertices[:, 1] -= vertices[anatomy.groups["body"], 1].min()
    return vertices


@functools.cache
def mean() -> NDArray[np.float32]:
    """Vertices V x 3 of the mean person at rest, metres: where procedural texture is anchored."""
    return _shaped(anatomy.load(), BodySpec())


@dataclass(frozen=True, eq=False)
class Posed:
    """A body in one posture. vertices V x 3 (all of MakeHuman's, helpers too); moves B x 4 x 4: what each
    bone does to the body at rest; model: the bare person."""

    vertices: NDArray[np.float32]
    moves: NDArray[np.float64]
    model: Model


@dataclass(frozen=True, eq=False)
class Body:
    """One person's shape and surface. vertices V x 3 at rest with a neutral face, metres; joints B x 3."""

    spec: BodySpec
    anatomy: Anatomy
    vertices: NDArray[np.float32]
    joints: NDArray[np.float32]
    skin: Skin
    irises: NDArray[np.uint8]

    def pose(self, pose: Pose) -> Posed:
        """The bare person in ``pose``."""
        faced = _moved(self.vertices, self.anatomy, self._lidded(pose.expression))
        moves = rig.transforms(self.anatomy, self.joints, pose)
        vertices = rig.skin(faced, self.anatomy.bone, self.anatomy.weight, moves)
        balls = [self._ball(side, pose, moves) for side in ("R", "L")]
        surface = landmarks.surface(self.anatomy, vertices)
        part = self.anatomy.parts["skin"]
        outward = normals(vertices, part.source[part.triangles])
        parted = float(np.linalg.norm(surface[13] - surface[14]))
        meshes = [*self._flesh(vertices, outward, moves, parted), *(mesh for mesh, _ in balls)]
        irises = np.stack([points for _, points in balls])
        joints = {
            name: (moves[i] @ [*self.joints[i], 1])[:3].astype(np.float32)
            for i, name in enumerate(self.anatomy.bones)
        }
        head = np.eye(4, dtype=np.float32)
        head[:3, :3] = moves[self.anatomy.bones.index("head")][:3, :3]
        head[:3, 3] = (joints["eye.L"] + joints["eye.R"]) / 2
        look = self.spec.complexion
        curves = features.draw(self.anatomy, vertices, outward, surface, brow=look.brow, arch=look.arch)
        model = Model(meshes, curves, surface, irises, head, joints, dict(self.skin.facts))
        return Posed(vertices, moves, model)

    def _lidded(self, expression: Mapping[str, float]) -> dict[str, float]:
        """``expression`` with blinks that shut this person's eyes exactly at 1, wide as they may be."""
        shut = {
            name: weight * _lid(self.anatomy, self.vertices, name, -_OVERLAP)
            for name, weight in expression.items()
            if name.startswith("eyeBlink") and weight
        }
        return {**expression, **shut}

    def _flesh(self, vertices: NDArray, outward: NDArray, moves: NDArray, parted: float) -> list[Mesh]:
        """Skin, lashes, teeth and tongue; ``parted``: metres between the lips, which light what is inside."""
        parts, rest = self.anatomy.parts, mean()
        skin = parts["skin"]
        meshes = [
            Mesh(
                "skin", "skin", vertices[skin.source], outward[skin.source], rest[skin.source], skin.uv,
                skin.triangles, self.skin.labels, np.ones((len(skin.source), 3), np.float32),
                self.skin.texture, self.skin.label_map, smooth=self.skin.smooth,
            )
        ]  # fmt: skip
        for name in ("upper-teeth", "lower-teeth", "tongue", "eyelashes"):
            part = parts[name]
            own = normals(vertices, part.source[part.triangles])[part.source]
            labels, albedo, texture = self.skin.inner[name]
            place = vertices[part.source]
            if name != "eyelashes":
                albedo = albedo * np.float32(np.clip(parted / 0.0025, 0.25, 1))
            if "teeth" in name:
                head = moves[self.anatomy.bones.index("head")][:3].astype(np.float32)
                place = place - _SETBACK * head[:, 2]
                if name == "upper-teeth":
                    place = place - np.float32(_DROP * np.clip(parted / 0.010, 0, 1)) * head[:, 1]
            meshes.append(
                Mesh(
                    name, "hair" if name == "eyelashes" else "mouth", place, own,
                    rest[part.source], part.uv, part.triangles, labels, albedo, texture,
                )
            )  # fmt: skip
        return meshes

    def _ball(self, side: str, pose: Pose, moves: NDArray) -> tuple[Mesh, NDArray[np.float32]]:
        """An eyeball and the 5 points of its iris."""
        own = self.vertices[self.anatomy.groups[f"helper-{side.lower()}-eye"]]
        radius = float(np.ptp(own, axis=0)[:2].mean() / 2)
        centre = (own.max(0) + own.min(0)) / 2
        centre[2] = own[:, 2].min() + radius  # the cornea stands out at the front
        radius *= 0.985
        # Eyes that look ahead converge a little, on something a metre or two away.
        yaw = pose.gaze[0] + (1.0 if side == "R" else -1.0)
        turn = Rotation.from_euler("yx", [yaw, pose.gaze[1]], degrees=True).as_matrix()
        points, uv, triangles = eyes.ball()
        head = moves[self.anatomy.bones.index("head")]

        def placed(unit: NDArray) -> NDArray[np.float32]:
            return ((unit @ turn.T * radius + centre) @ head[:3, :3].T + head[:3, 3]).astype(np.float32)

        positions = placed(points)
        label = np.full(len(points), INDEX["r_eye" if side == "R" else "l_eye"], np.uint8)
        mesh = Mesh(
            f"{side.lower()}_eye", "eye", positions, normals(positions, triangles),
            (points * radius + centre).astype(np.float32), uv, triangles, label,
            np.ones_like(points), self.irises,
        )  # fmt: skip
        return mesh, placed(eyes.rim(1 if side == "R" else -1))


def normals(vertices: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """Unit normals V x 3, each the mean of its triangles' by area; [0, 0, 1] where there is none."""
    a, b, c = vertices[triangles[:, 0]], vertices[triangles[:, 1]], vertices[triangles[:, 2]]
    face = np.cross(b - a, c - a)
    total = np.stack(
        [
            sum(np.bincount(triangles[:, k], face[:, axis], len(vertices)) for k in range(3))
            for axis in range(3)
        ],
        1,
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 0, total / np.maximum(length, 1e-20), [0, 0, 1]).astype(np.float32)


def build(spec: BodySpec) -> Body:
    """The body of ``spec``: what stays the same in all its pictures. The same spec gives the same arrays."""
    base = anatomy.load()
    vertices = _shaped(base, spec)
    complexion = spec.complexion
    white = np.array([0.86, 0.845, 0.83]) - 0.015 * max(complexion.monk - 5, 0)
    irises = eyes.paint(generator(spec.seed, "iris"), np.array(complexion.iris), white)
    surface = paint(complexion, base, mean(), generator(spec.seed, "skin"), age=spec.age, gender=spec.gender)
    return Body(spec, base, vertices, base.joints(vertices), surface, irises)
