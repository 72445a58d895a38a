"""Facial expressions as weights of the 52 facial actions (names as in ARKit)."""

from collections.abc import Mapping

import numpy as np

from wbme.people.variety import tables


def _spelled(both: Mapping[str, float] | None = None, **own: float) -> dict[str, float]:
    """Weights of single actions, and after them those of ``both`` sides of the face."""
    return own | {name + side: weight for name, weight in (both or {}).items() for side in ("Left", "Right")}


# At full strength; ``named`` scales them.
EXPRESSIONS = {name: _spelled(**row) for name, row in tables()["expressions"].items()}
# How often each is asked for, in their order.
OFTEN = (0.17, 0.22, 0.26, 0.1, 0.07, 0.06, 0.06, 0.06)


def named(name: str, strength: float = 1.0) -> dict[str, float]:
    """Weights, facial action -> [0, 1], of an expression of ``EXPRESSIONS`` at ``strength`` in [0, 1].

    A wink closes its eye whatever the strength: a half-closed lid would be no wink.
    """
    return {
        action: weight if action.startswith("eyeBlink") else weight * strength
        for action, weight in EXPRESSIONS[name].items()
    }


def sample(rng: np.random.Generator, name: str) -> dict[str, float]:
    """``name`` at a random strength, a little uneven between the two sides and with a trace of others."""
    weights = named(name, float(rng.uniform(0.65, 1.0)))
    weights = {action: weight * float(rng.uniform(0.9, 1.1)) for action, weight in weights.items()}
    for action in ("browInnerUp", *_spelled({"browOuterUp": 1, "browDown": 1, "mouthPress": 1})):
        weights[action] = weights.get(action, 0.0) + float(max(rng.normal(0, 0.06), 0))
    return {action: float(min(weight, 1.0)) for action, weight in weights.items()}
