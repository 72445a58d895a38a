"""Poses: rotations of bones, and what they do to the vertices (linear blend skinning).

Rotations are rotation vectors in degrees about the axes of the scene as the body stands at rest: +x nods
forward, +y turns to the person's left, +z leans to the person's right. Bones in ``.L`` are the person's left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from wbme.people.anatomy import Anatomy

Vector = tuple[float, float, float]

# How far each finger, from the thumb on, is bent (1 is at ease), and how far the four are spread.
FINGERS: dict[str, tuple[tuple[float, ...], float]] = {
    "ease": ((0.6, 0.75, 0.95, 1.1, 1.25), 0.0),
    "open": ((-0.2, 0.15, 0.1, 0.15, 0.25), 1.0),
    "peace": ((2.0, 0.05, 0.05, 3.6, 3.6), 1.4),
    "fist": ((1.6, 3.3, 3.5, 3.5, 3.5), -0.4),
    "loose fist": ((1.1, 1.8, 2.0, 2.2, 2.3), -0.2),
}


@dataclass(frozen=True)
class Arm:
    """Where the left wrist goes and where its elbow points, from the shoulder: outwards, up, forwards; the
    wrist in arm lengths. A right arm mirrors it. twist: of the forearm, degrees, positive turns the palm
    forwards; bend: of the hand towards the palm and towards the little finger, degrees; fingers: a name of
    ``FINGERS``; free: whether chance may vary it."""

    wrist: Vector = (0.19, -0.96, 0.08)
    elbow: Vector = (0.35, -0.2, -0.9)
    twist: float = 0.0
    bend: tuple[float, float] = (0.0, 0.0)
    fingers: str = "ease"
    free: bool = True


@dataclass(frozen=True)
class Pose:
    """One shot's posture. rotations: bone -> rotation vector in degrees; arms: side ("L", "R") -> what it
    does; expression: facial action -> [0, 1]; gaze: yaw to the person's left and pitch down, degrees, from
    straight ahead of the head. ``name`` of the expression and of the ``stance``."""

    rotations: Mapping[str, Vector] = field(default_factory=dict)
    arms: Mapping[str, Arm] = field(default_factory=lambda: {"L": Arm(), "R": Arm()})
    expression: Mapping[str, float] = field(default_factory=dict)
    gaze: tuple[float, float] = (0.0, 0.0)
    name: str = "neutral"
    stance: str = "relaxed"


def transforms(anatomy: Anatomy, joints: NDArray[np.float32], pose: Pose) -> NDArray[np.float64]:
    """How each bone moves the points that follow it: B x 4 x 4, from the body at rest to the posed one.

    joints: B x 3 pivots at rest, metres.
    """
    turns = {n: Rotation.from_rotvec(v, degrees=True) for n, v in pose.rotations.items()}
    pivots = dict(zip(anatomy.bones, joints.astype(float), strict=True))
    for side, arm in pose.arms.items():
        raised = turns.pop(f"clavicle.{side}", Rotation.identity())
        turns |= _reach(pivots, side, arm, raised) | _hand(pivots, side, arm)
    moves = np.tile(np.eye(4), (len(anatomy.bones), 1, 1))
    for index, name in enumerate(anatomy.bones):
        own = np.eye(4)
        if name in turns:
            own[:3, :3] = turns[name].as_matrix()
            own[:3, 3] = joints[index] - own[:3, :3] @ joints[index]
        parent = anatomy.parents[index]
        moves[index] = moves[parent] @ own if parent >= 0 else own
    return moves


def _reach(joints: dict[str, NDArray], side: str, arm: Arm, shrugged: Rotation) -> dict[str, Rotation]:
    """Turn shoulder and elbow so that the wrist comes where ``arm`` says and the elbow points there."""
    mirror = np.array([1.0 if side == "L" else -1.0, 1, 1])
    shoulder, bend, end = (joints[f"{n}.{side}"] for n in ("upperarm01", "lowerarm01", "wrist"))
    upper, lower = bend - shoulder, end - bend
    a, b = np.linalg.norm(upper), np.linalg.norm(lower)
    goal = np.array(arm.wrist) * mirror * (a + b)
    reach = float(np.clip(np.linalg.norm(goal), 0.35 * (a + b), 0.985 * (a + b)))
    along = goal / np.linalg.norm(goal)
    out = np.array(arm.elbow) * mirror
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
    collar = shrugged * Rotation.from_rotvec([0, 0, raised], degrees=True)
    return {
        f"clavicle.{side}": collar,
        f"upperarm01.{side}": collar.inv() * plain * Rotation.from_rotvec(0.35 * twist),
        f"upperarm02.{side}": Rotation.from_rotvec(0.65 * twist),
        f"lowerarm01.{side}": Rotation.from_rotvec(flex * before[:, 2]),
    }


def _hand(joints: dict[str, NDArray], side: str, arm: Arm) -> dict[str, Rotation]:
    """Forearm, wrist and fingers: MakeHuman's hand is flat and spread, a hand at ease is not."""
    across = joints[f"finger2-1.{side}"] - joints[f"finger5-1.{side}"]
    along = joints[f"finger3-1.{side}"] - joints[f"wrist.{side}"]
    along /= np.linalg.norm(along)
    across -= (across @ along) * along
    across /= np.linalg.norm(across)
    back = np.cross(across, along)
    # Fingers bend to the palm, which looks down as the body stands at rest.
    bend = across * np.sign(np.cross(across, along) @ [0, -1, 0])
    sign = 1.0 if side == "L" else -1.0
    fore = joints[f"wrist.{side}"] - joints[f"lowerarm01.{side}"]
    twist = Rotation.from_rotvec(-sign * np.radians(arm.twist / 2) * fore / np.linalg.norm(fore))
    to_palm, outwards = np.radians(arm.bend)
    wrist = Rotation.from_rotvec(to_palm * bend) * Rotation.from_rotvec(
        -outwards * _towards(back, across, along)
    )
    turns = {f"lowerarm02.{side}": twist, f"wrist.{side}": twist * wrist}
    curls, spread = FINGERS[arm.fingers]
    for finger, own in ((2, 1.0), (3, 0.3), (4, -0.5), (5, -1.2)):
        for joint, angle in ((1, 22), (2, 26), (3, 16)):
            turn = Rotation.from_rotvec(np.radians(min(angle * curls[finger - 1], 88)) * bend)
            if joint == 1:
                close = np.radians(own * (5 - 8 * spread))
                turn = Rotation.from_rotvec(close * back) * turn
            turns[f"finger{finger}-{joint}.{side}"] = turn
    thumb = [joints[f"finger1-{k}.{side}"] for k in (1, 2, 3)]
    way = thumb[2] - thumb[0]
    # The thumb folds across the palm: about the axis that carries it towards the little finger's root.
    axis = np.cross(way, joints[f"finger5-1.{side}"] - thumb[0])
    axis /= np.linalg.norm(axis)
    for joint, angle in ((1, 10), (2, 18), (3, 22)):
        turns[f"finger1-{joint}.{side}"] = Rotation.from_rotvec(np.radians(angle * curls[0]) * axis)
    return turns


def _towards(axis: NDArray, across: NDArray, along: NDArray) -> NDArray:
    """``axis`` with the sign that turns ``along`` towards ``across``."""
    return axis * np.sign(np.cross(axis, along) @ across)


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
