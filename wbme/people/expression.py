"""Facial expressions as weights of the 52 facial actions (names as in ARKit)."""

import numpy as np

_BOTH = ("Left", "Right")


def _sides(**weights: float) -> dict[str, float]:
    """The same weight on both sides of the face."""
    return {name + side: weight for name, weight in weights.items() for side in _BOTH}


# At full strength; ``named`` scales them.
EXPRESSIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "soft smile": _sides(mouthSmile=0.55, cheekSquint=0.3, eyeSquint=0.1, mouthDimple=0.15),
    "grin": {"jawOpen": 0.12}
    | _sides(
        mouthSmile=0.85,
        mouthUpperUp=0.6,
        mouthLowerDown=0.3,
        cheekSquint=0.55,
        eyeSquint=0.25,
        browOuterUp=0.15,
    ),
    "talk": {"jawOpen": 0.24, "mouthFunnel": 0.15} | _sides(mouthUpperUp=0.35, mouthLowerDown=0.15),
    "surprise": {"jawOpen": 0.4, "browInnerUp": 0.8, "mouthFunnel": 0.2}
    | _sides(browOuterUp=0.8, eyeWide=0.7, mouthUpperUp=0.25),
    "sorrow": {"browInnerUp": 0.8, "mouthShrugLower": 0.35}
    | _sides(mouthFrown=0.6, eyeSquint=0.1, browDown=0.1),
    "anger": {"mouthRollLower": 0.1}
    | _sides(browDown=0.85, noseSneer=0.35, mouthPress=0.4, mouthFrown=0.3, eyeSquint=0.2),
    "wink": {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.6, "browDownLeft": 0.15}
    | _sides(mouthSmile=0.55, mouthDimple=0.1),
}

# How often each is asked for, in the order above.
OFTEN = (0.22, 0.24, 0.17, 0.09, 0.08, 0.07, 0.07, 0.06)


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
    for action in ("browInnerUp", *_sides(browOuterUp=1, browDown=1, mouthPress=1)):
        weights[action] = weights.get(action, 0.0) + float(max(rng.normal(0, 0.06), 0))
    return {action: float(min(weight, 1.0)) for action, weight in weights.items()}
