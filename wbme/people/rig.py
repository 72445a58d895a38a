"""Poses: rotations of bones, and what they do to the vertices (linear blend skinning).

Rotations are rotation vectors in degrees about the axes of the scene as the body stands at rest: +x nods
forward, +y turns to the person's left, +z leans to the person's right. Bones in ``.L`` are the person's left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from wbme.people import expression as expressions
from wbme.people.anatomy import Anatomy

Stance = Literal["relaxed", "contrapposto", "hand on hip", "waving", "folded"]
Vector = tuple[float, float, float]

# Where the left wrist goes and where its elbow points, from the shoulder: outwards, up, forwards; the wrist
# in arm lengths. A right arm mirrors it.
_HANG = ((0.20, -0.95, 0.10), (0.35, -0.2, -0.9))
_ARMS: dict[str, tuple[Vector, Vector]] = {
    "hang": _HANG,
    "hip": ((0.09, -0.62, 0.06), (1.0, -0.25, -0.45)),
    "wave": ((0.42, 0.42, 0.30), (0.7, -0.7, -0.1)),
    "fold": ((-0.50, -0.36, 0.34), (0.6, -0.8, 0.05)),
    "fold under": ((-0.44, -0.46, 0.40), (0.6, -0.8, 0.05)),
}


@dataclass(frozen=True)
class Pose:
    """One shot's posture. rotations: bone -> rotation vector in degrees; arms: side ("L", "R") -> where the
    wrist goes and where the elbow points (see ``_ARMS``); expression: facial action -> [0, 1]; gaze: yaw to
    the person's left and pitch down, degrees, from straight ahead of the head. ``name`` of the expression."""

    rotations: Mapping[str, Vector] = field(default_factory=dict)
    arms: Mapping[str, tuple[Vector, Vector]] = field(default_factory=lambda: {"L": _HANG, "R": _HANG})
    expression: Mapping[str, float] = field(default_factory=dict)
    gaze: tuple[float, float] = (0.0, 0.0)
    name: str = "neutral"


def sample(rng: np.random.Generator, *, full: bool = False, expression: str | None = None) -> Pose:
    """A natural posture for a portrait, or with ``full`` a figure; ``expression`` by name, or any.

    The head turns by up to 35 degrees to a side, the eyes mostly stay with the viewer.
    """
    name = expression or str(rng.choice(list(expressions.EXPRESSIONS), p=expressions.OFTEN))
    turned = float(np.clip(rng.normal(0, 16), -35, 35))
    nod, lean = float(np.clip(rng.normal(2, 6), -12, 14)), float(np.clip(rng.normal(0, 4.5), -11, 11))
    chest = float(np.clip(0.4 * turned + rng.normal(0, 8), -22, 22))
    rotations: dict[str, Vector] = {}
    _spread(
        rotations,
        ("spine03", "spine02", "spine01"),
        (float(rng.normal(0, 1.5)), chest, float(rng.normal(0, 1))),
    )
    share = {"neck01": 0.22, "neck02": 0.2, "neck03": 0.2, "head": 0.38}
    for bone, part in share.items():
        rotations[bone] = (nod * part, (turned - chest) * part, lean * part)
    # The eyes go back towards the viewer, as far as they comfortably can.
    away = float(rng.normal(0, 7)) if rng.random() < 0.3 else float(rng.normal(0, 1.5))
    gaze = (
        float(np.clip(-0.75 * turned + away, -20, 20)),
        float(np.clip(-0.7 * nod + rng.normal(0, 1.5), -8, 8)),
    )
    stance = str(rng.choice(get_args(Stance), p=(0.4, 0.25, 0.15, 0.1, 0.1))) if full else "relaxed"
    arms = _stand(rotations, stance, rng)
    return Pose(rotations, arms, expressions.sample(rng, name), gaze, name)


def _spread(rotations: dict[str, Vector], bones: tuple[str, ...], turn: Vector) -> None:
    for bone in bones:
        old = rotations.get(bone, (0.0, 0.0, 0.0))
        rotations[bone] = tuple(o + t / len(bones) for o, t in zip(old, turn, strict=True))  # type: ignore[assignment]


def _stand(rotations: dict[str, Vector], stance: str, rng: np.random.Generator) -> dict:
    """Fill in legs and hips for ``stance``, and say where the arms go."""
    side = "L" if rng.random() < 0.5 else "R"
    other = "R" if side == "L" else "L"
    sign = 1.0 if side == "L" else -1.0
    for leg, s in (("L", 1.0), ("R", -1.0)):  # MakeHuman stands astride
        rotations[f"upperleg01.{leg}"] = (0.0, 0.0, -3.0 * s)
    if stance in ("contrapposto", "hand on hip"):
        lift = float(rng.uniform(3, 6)) * sign  # the hip over the standing leg rises, the shoulders tilt back
        rotations["root"] = (0.0, 0.0, lift)
        _spread(rotations, ("spine05", "spine04", "spine03", "spine02"), (0.0, 0.0, -1.7 * lift))
        _spread(rotations, ("neck01", "neck02"), (0.0, 0.0, 0.6 * lift))
        rotations[f"upperleg01.{side}"] = (0.0, 0.0, -lift - 2.5 * sign)
        rotations[f"upperleg01.{other}"] = (-14.0, -6.0 * sign, -lift + 4.0 * sign)
        rotations[f"lowerleg01.{other}"] = (22.0, 0.0, 0.0)
        rotations[f"foot.{other}"] = (-8.0, 0.0, 0.0)
    jitter = rng.normal(0, 0.02, 3)
    hang = (tuple(np.array(_HANG[0]) + jitter), _HANG[1])
    arms = {"L": hang, "R": hang}
    if stance == "hand on hip":
        arms[side] = _ARMS["hip"]
    elif stance == "waving":
        arms[side] = _ARMS["wave"]
    elif stance == "folded":
        arms = {side: _ARMS["fold"], other: _ARMS["fold under"]}
    return arms


def transforms(anatomy: Anatomy, joints: NDArray[np.float32], pose: Pose) -> NDArray[np.float64]:
    """How each bone moves the points that follow it: B x 4 x 4, from the body at rest to the posed one.

    joints: B x 3 pivots at rest, metres.
    """
    turns = {n: Rotation.from_rotvec(v, degrees=True) for n, v in pose.rotations.items()}
    pivots = dict(zip(anatomy.bones, joints.astype(float), strict=True))
    for side, (wrist, elbow) in pose.arms.items():
        turns |= _reach(pivots, side, wrist, elbow)
    for side in "LR":
        turns = _curl(pivots, side) | turns
    moves = np.tile(np.eye(4), (len(anatomy.bones), 1, 1))
    for index, name in enumerate(anatomy.bones):
        own = np.eye(4)
        if name in turns:
            own[:3, :3] = turns[name].as_matrix()
            own[:3, 3] = joints[index] - own[:3, :3] @ joints[index]
        parent = anatomy.parents[index]
        moves[index] = moves[parent] @ own if parent >= 0 else own
    return moves


def _reach(joints: dict[str, NDArray], side: str, wrist: Vector, elbow: Vector) -> dict[str, Rotation]:
    """Turn shoulder and elbow so that the wrist comes to ``wrist`` and the elbow points to ``elbow``."""
    mirror = np.array([1.0 if side == "L" else -1.0, 1, 1])
    shoulder, bend, end = (joints[f"{n}.{side}"] for n in ("upperarm01", "lowerarm01", "wrist"))
    upper, lower = bend - shoulder, end - bend
    a, b = np.linalg.norm(upper), np.linalg.norm(lower)
    goal = np.array(wrist) * mirror * (a + b)
    reach = float(np.clip(np.linalg.norm(goal), 0.35 * (a + b), 0.985 * (a + b)))
    along = goal / np.linalg.norm(goal)
    out = np.array(elbow) * mirror
    out = out - (out @ along) * along
    out /= np.linalg.norm(out)
    cosine = (a * a + reach * reach - b * b) / (2 * a * reach)
    new_upper = a * (cosine * along + np.sqrt(max(1 - cosine**2, 0)) * out)
    new_lower = along * reach - new_upper
    before, after = _frame(upper, lower), _frame(new_upper, new_lower)
    swing = Rotation.from_matrix(after @ before.T)
    # The twist about the arm's own axis builds up along the arm, or the shoulder would wring.
    axis = upper / a
    plain, _ = Rotation.align_vectors([new_upper / a], [axis])
    twist = (plain.inv() * swing).as_rotvec() @ axis * axis
    flex = _angle(new_upper, new_lower) - _angle(upper, lower)
    raised = float(np.clip((new_upper[1] / a + 0.45) * 30, 0, 25)) * mirror[0]
    collar = Rotation.from_rotvec([0, 0, raised], degrees=True)
    return {
        f"clavicle.{side}": collar,
        f"upperarm01.{side}": collar.inv() * plain * Rotation.from_rotvec(0.35 * twist),
        f"upperarm02.{side}": Rotation.from_rotvec(0.65 * twist),
        f"lowerarm01.{side}": Rotation.from_rotvec(flex * before[:, 2]),
    }


def _curl(joints: dict[str, NDArray], side: str) -> dict[str, Rotation]:
    """Fingers of a hand at ease: a little bent and close together, where MakeHuman's are spread."""
    across = joints[f"finger2-1.{side}"] - joints[f"finger5-1.{side}"]
    across /= np.linalg.norm(across)
    along = joints[f"finger3-1.{side}"] - joints[f"wrist.{side}"]
    back = np.cross(across, along / np.linalg.norm(along))
    # Fingers bend to the palm, which looks down as the body stands at rest.
    bend = across * np.sign(np.cross(across, along) @ [0, -1, 0])
    turns = {}
    for finger, spread in ((2, 1.0), (3, 0.3), (4, -0.5), (5, -1.2)):
        for joint, angle in ((1, 12 + 2 * finger), (2, 24), (3, 16)):
            turn = Rotation.from_rotvec(np.radians(angle) * bend)
            if joint == 1:
                turn = Rotation.from_rotvec(np.radians(5 * spread) * back) * turn
            turns[f"finger{finger}-{joint}.{side}"] = turn
    return turns


def _frame(upper: NDArray, lower: NDArray) -> NDArray:
    """Axes (columns) of a bent arm: along the upper arm, in the plane of the bend, and its normal."""
    along = upper / np.linalg.norm(upper)
    normal = np.cross(along, lower)
    normal /= np.linalg.norm(normal)
    return np.stack([along, np.cross(normal, along), normal], 1)


def _angle(one: NDArray, other: NDArray) -> float:
    return float(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other))


def skin(
    points: NDArray, bone: NDArray[np.int32], weight: NDArray[np.float32], moves: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Points N x 3 carried along by their bones (``bone``, ``weight`` N x K): linear blend skinning."""
    blend = (moves[bone] * weight[..., None, None]).sum(1)
    return ((blend[:, :3, :3] @ points[..., None])[..., 0] + blend[:, :3, 3]).astype(np.float32)
