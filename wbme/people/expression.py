"""Facial expressions as weights of the 52 facial actions (names as in ARKit)."""

from collections.abc import Mapping

import numpy as np

from wbme.people.variety import tables


def _spelled(both: Mapping[str, float] | None = None, **own: float) -> dict[str, float]:
    """Weights of single actions, and those of ``both`` sides of the face unless a side has its own."""
    return {name + side: weight for name, weight in (both or {}).items() for side in ("Left", "Right")} | own


# At full strength; ``named`` scales them.
EXPRESSIONS = {name: _spelled(**row) for name, (_, row) in tables()["expressions"].items()}
_OFTEN = [share for share, _ in tables()["expressions"].values()]
_OTHER_SIDE = {"Left": "Right", "Right": "Left"}


def choose(rng: np.random.Generator) -> str:
    """The name of an expression, lively ones more often."""
    return str(rng.choice(list(EXPRESSIONS), p=_OFTEN))


def named(name: str, strength: float = 1.0) -> dict[str, float]:
    """Weights, facial action -> [0, 1], of an expression of ``EXPRESSIONS`` at ``strength`` in [0, 1].

    A wink closes its eye whatever the strength: a half-closed lid would be no wink.
    """
    return {
        action: weight if action.startswith("eyeBlink") else weight * strength
        for action, weight in EXPRESSIONS[name].items()
    }


def sample(rng: np.random.Generator, name: str) -> dict[str, float]:
    """``name`` at a random strength, turned over in half of all cases, a little uneven between the two sides
    and with a trace of other actions."""
    weights = named(name, float(rng.uniform(0.75, 1.0)))
    if rng.random() < 0.5:
        weights = {_turned_over(action): weight for action, weight in weights.items()}
    weights = {
        action: weight if action.startswith("eyeBlink") else weight * float(rng.uniform(0.9, 1.1))
        for action, weight in weights.items()
    }
    for action in ("browInnerUp", *_spelled({"browOuterUp": 1, "browDown": 1, "mouthPress": 1})):
        weights[action] = weights.get(action, 0.0) + float(max(rng.normal(0, 0.05), 0))
    return {action: float(min(weight, 1.0)) for action, weight in weights.items()}


def _turned_over(action: str) -> str:
    for side, other in _OTHER_SIDE.items():
        if action.endswith(side) and action not in ("mouthLeft", "mouthRight", "jawLeft", "jawRight"):
            return action.removesuffix(side) + other
    return action
