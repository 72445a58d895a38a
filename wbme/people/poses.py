"""Postures by chance: how people hold head, shoulders, arms, hands and legs before a camera."""

from dataclasses import replace
from typing import Any

import numpy as np

from wbme.people import expression as expressions
from wbme.people.rig import Arm, Pose, Vector
from wbme.people.variety import tables

_TABLES = tables()["poses"]
ARMS = {name: Arm(**row) for name, row in _TABLES["arms"].items()}
STANCES: dict[str, dict[str, Any]] = _TABLES["stances"]
NECK = {"neck01": 0.2, "neck02": 0.2, "neck03": 0.2, "head": 0.4}
_CHEST = ("spine03", "spine02", "spine01")
_LOW = ("spine05", "spine04", "spine03", "spine02")


def sample(
    rng: np.random.Generator, *, full: bool = False, expression: str | None = None, stance: str | None = None
) -> Pose:
    """A natural posture for a portrait, or with ``full`` a figure; ``expression`` and ``stance`` by name, or
    any. The head turns by up to 35 degrees to a side, the eyes mostly stay with the viewer.
    """
    name = expression or expressions.choose(rng)
    odds = np.array([row["often"][int(full)] for row in STANCES.values()], float)
    chosen = stance or str(rng.choice(list(STANCES), p=odds / odds.sum()))
    row = STANCES[chosen]
    calm = float(row.get("calm", 1.0))  # how far the head may turn away from what the arms do
    turned = calm * float(np.clip(rng.normal(0, 16), -35, 35))
    nod = float(np.clip(rng.normal(1, 5), -11, 12))
    lean = calm * float(np.clip(rng.normal(0, 6), -14, 14))
    chest = float(np.clip(0.4 * turned + rng.normal(0, 9 * calm), -24, 24))
    rotations: dict[str, Vector] = {}
    # A tilted head goes with shoulders that slope the other way.
    slope = -0.35 * lean + float(rng.normal(0, 1.5))
    _spread(rotations, _CHEST, (float(rng.normal(0, 1.5)), chest, slope))
    for bone, part in NECK.items():
        rotations[bone] = (nod * part, (turned - chest) * part, (lean - slope) * part)
    # The eyes go back towards the viewer, as far as they comfortably can.
    away = float(rng.normal(0, 7)) if rng.random() < 0.25 else float(rng.normal(0, 1.5))
    gaze = (
        float(np.clip(-0.75 * turned + away, -20, 20)),
        float(np.clip(-0.7 * nod + rng.normal(0, 1.2), -7, 6)),
    )
    side = "L" if rng.random() < 0.5 else "R"
    _stand(rotations, row, side, rng)
    arms = _arms(row, side, rng)
    return Pose(rotations, arms, expressions.sample(rng, name), gaze, name, chosen)


def _spread(rotations: dict[str, Vector], bones: tuple[str, ...], turn: Vector) -> None:
    """Share ``turn`` among ``bones``, on top of what they have."""
    for bone in bones:
        old = rotations.get(bone, (0.0, 0.0, 0.0))
        rotations[bone] = tuple(o + t / len(bones) for o, t in zip(old, turn, strict=True))  # type: ignore[assignment]


def _stand(rotations: dict[str, Vector], row: dict[str, Any], side: str, rng: np.random.Generator) -> None:
    """Legs, hips and shoulders of a stance; ``side`` is the one that carries the weight."""
    other, sign = ("R", 1.0) if side == "L" else ("L", -1.0)
    strength = float(rng.uniform(0.75, 1.15))
    lift = float(row.get("hip", 0.0)) * strength * sign
    for leg, s in (
        ("L", 1.0),
        ("R", -1.0),
    ):  # MakeHuman stands astride; the legs stay upright as the hip rises
        rotations[f"upperleg01.{leg}"] = (0.0, 0.0, -3.0 * s - lift)
    if lift:  # the hip over the standing leg rises, the shoulders tilt back
        rotations["root"] = (0.0, 0.0, lift)
        _spread(rotations, _LOW, (0.0, 0.0, -1.7 * lift))
        _spread(rotations, ("neck01", "neck02"), (0.0, 0.0, 0.6 * lift))
    _spread(rotations, _LOW, (float(row.get("bow", 0.0)), 0.0, 0.0))
    _spread(rotations, ("neck01", "neck02", "head"), (-0.6 * float(row.get("bow", 0.0)), 0.0, 0.0))
    for end, name, s in ((side, "near", sign), (other, "far", -sign)):
        if name in row:
            turns = row[name]
            for bone, (nod, turn, out) in turns.items():
                scale = strength if row.get("varied", True) else 1.0
                own = (nod * scale, turn * s * scale, out * s - (lift if bone == "upperleg01" else 0.0))
                rotations[f"{bone}.{end}"] = own
    shrug = float(row.get("shrug", 0.0)) + abs(float(rng.normal(0, 1.5)))
    for end, s in (("L", 1.0), ("R", -1.0)):
        rotations[f"clavicle.{end}"] = (0.0, 0.0, shrug * s)


def _arms(row: dict[str, Any], side: str, rng: np.random.Generator) -> dict[str, Arm]:
    near, far = (ARMS[name] for name in row.get("arms", ("hang", "hang")))
    other = "R" if side == "L" else "L"
    arms = {}
    for end, arm in ((side, near), (other, far)):
        jitter = rng.normal(0, 0.012, 3) * (1.0 if arm.free else 0.0)
        x, y, z = (np.array(arm.wrist) + jitter).tolist()
        arms[end] = replace(arm, wrist=(x, y, z))
    return arms
