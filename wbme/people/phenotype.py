"""Who a body is: its values, the MakeHuman targets that they mean, and people drawn by chance."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from wbme.people.skin import Colour, Complexion
from wbme.people.variety import tables

_HEADS = ("oval", "round", "square", "rectangular", "triangular", "invertedtriangular", "diamond")


@dataclass(frozen=True)
class BodySpec:
    """Who it is. gender: 0 male to 1 female; age in years, 18 to 80; african, asian, caucasian: shares, in
    any unit; the other phenotype values in [0, 1], 0.5 being average. details: MakeHuman target -> weight.
    ``seed`` settles what is drawn by chance: moles, brow hairs, iris fibres."""

    gender: float = 0.5
    age: float = 30.0
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.6
    cup: float = 0.5
    african: float = 1.0
    asian: float = 1.0
    caucasian: float = 1.0
    details: Mapping[str, float] = field(default_factory=dict)
    complexion: Complexion = field(default_factory=Complexion)
    seed: int = 0


def sample(rng: np.random.Generator, monk: int | None = None) -> BodySpec:
    """A person by chance: an adult of any kind, with the skin tone ``monk`` (1 to 10) or a random one."""
    tone = int(monk or rng.integers(1, 11))
    female = rng.random() < 0.5
    gender = float(np.clip(rng.normal(0.92 if female else 0.08, 0.07), 0, 1))
    band = rng.choice(3, p=(0.5, 0.32, 0.18))
    age = float(rng.uniform((18, 35, 55)[band], (35, 55, 75)[band]))
    african, asian, caucasian = _ancestry(rng, tone)
    return BodySpec(
        gender=gender,
        age=age,
        muscle=float(np.clip(rng.normal(0.55, 0.12), 0.25, 0.85)),
        weight=float(np.clip(rng.normal(0.43, 0.1), 0.22, 0.85)),
        height=float(np.clip(rng.normal(0.5, 0.12), 0.2, 0.8)),
        proportions=float(rng.uniform(0.55, 0.95)),
        cup=float(np.clip(rng.normal(0.5, 0.15), 0.15, 0.85)),
        african=african,
        asian=asian,
        caucasian=caucasian,
        details=_details(rng, asian, age),
        complexion=_complexion(rng, tone, gender, age, (african, asian, caucasian)),
        seed=int(rng.integers(2**31)),
    )


def _ancestry(rng: np.random.Generator, tone: int) -> tuple[float, float, float]:
    """Shares of the three face types, likelier where such skin is common, mixed like real people."""
    african = float(np.interp(tone, [1, 4, 6, 8, 10], [0.05, 0.15, 0.4, 2.0, 4.0]))
    asian = float(np.interp(tone, [1, 3, 5, 7, 10], [0.5, 1.0, 1.0, 0.5, 0.15]))
    caucasian = float(np.interp(tone, [1, 3, 5, 7, 10], [1.6, 1.2, 0.9, 0.5, 0.15]))
    shares = rng.dirichlet(np.array([african, asian, caucasian]) * 0.9)
    return tuple(float(s) for s in 0.04 + 0.88 * shares)  # type: ignore[return-value]


def _details(rng: np.random.Generator, asian: float, age: float) -> dict[str, float]:
    details: dict[str, float] = {}
    for name, (low, high, deviation) in tables()["details"].items():
        value = float(np.clip(rng.normal(0, deviation), -0.7, 0.7))
        if name == "{}-eye-scale":
            value += 0.18
        for side in "lr" if "{}" in name else ("",):
            own = value + (float(rng.normal(0, 0.05)) if side else 0.0)
            details[f"{name.format(side)}-{high if own > 0 else low}"] = abs(own)
    details[f"head-{rng.choice(_HEADS)}"] = float(rng.uniform(0, 0.3))
    fold = float(np.clip(rng.normal(0.5 * asian, 0.15), 0, 0.7))
    bags = float(np.clip(rng.normal((age - 30) / 70, 0.15), 0, 0.6))
    for side in "lr":
        details[f"{side}-eye-epicanthus-in"] = fold
        details[f"{side}-eye-bag-incr"] = bags
    return details


def _complexion(
    rng: np.random.Generator, tone: int, gender: float, age: float, shares: tuple[float, float, float]
) -> Complexion:
    fair = float(np.clip((6 - tone) / 4, 0, 1)) * shares[2]
    irises = np.array([1.2, 1.6, 0.7 * fair, 0.5 * fair, 0.9 * fair, 0.4 * fair, 0.25 * fair])
    irises[0] += 2.5 * (1 - fair)
    hairs = np.array(
        [0.3 + 3 * (1 - fair), 1.4, 1.0 * fair, 0.6 * fair, 0.25 * fair, 0.2 * fair, 0.5 * fair, 0.5 * fair]
    )
    iris = np.array(list(tables()["irises"].values())[rng.choice(len(irises), p=irises / irises.sum())])
    hair = np.array(list(tables()["natural hair"].values())[rng.choice(len(hairs), p=hairs / hairs.sum())])
    grey = float(np.clip(rng.normal((age - 48) / 30, 0.2), 0, 1))
    hair = hair + grey * (np.array([0.62, 0.60, 0.58]) - hair)
    woman = gender > 0.5
    made_up = woman and rng.random() < 0.5
    return Complexion(
        monk=tone,
        undertone=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        iris=_near(rng, iris),
        hair=_near(rng, hair),
        lips=float(rng.uniform(0.3, 0.85)) if made_up else 0.0,
        lipstick=_near(
            rng, np.array([(0.70, 0.16, 0.20), (0.72, 0.30, 0.32), (0.52, 0.12, 0.20)][rng.integers(3)])
        ),
        brow=float(np.clip(rng.normal(0.92 if woman else 1.2, 0.15), 0.6, 1.6)),
        arch=float(np.clip(rng.normal(0.6 if woman else 0.4, 0.18), 0, 1)),
        density=float(np.clip(rng.normal(0.7, 0.15), 0.35, 1)),
        freckles=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.25 * np.clip((7 - tone) / 5, 0, 1) else 0.0,
        moles=int(rng.choice(4, p=(0.45, 0.3, 0.15, 0.1))),
        blush=float(rng.uniform(0.1, 0.7) if woman else rng.uniform(0, 0.4)),
        stubble=0.0 if woman or rng.random() < 0.4 else float(rng.uniform(0.15, 1.0) ** 2 * 1.6 + 0.1),
        liner=float(rng.uniform(0.4, 1.0)) if made_up else float(rng.uniform(0, 0.3)) + 0.15 * woman,
    )


def _near(rng: np.random.Generator, colour: np.ndarray) -> Colour:
    """A colour like ``colour``, a little lighter or darker and more or less warm."""
    varied = np.clip(colour * rng.normal(1, 0.10) + rng.normal(0, 0.012, 3), 0.02, 0.98)
    return tuple(float(c) for c in varied)  # type: ignore[return-value]


def shape(spec: BodySpec) -> dict[str, float]:
    """The targets of MakeHuman, name -> weight, that make up ``spec``: products of its phenotype values."""
    old = float(np.clip((spec.age - 25) / 60, 0, 1))
    ages = {"young": 1 - old, "old": old}
    genders = {"female": spec.gender, "male": 1 - spec.gender}
    total = spec.african + spec.asian + spec.caucasian
    races = {"african": spec.african, "asian": spec.asian, "caucasian": spec.caucasian}
    weights: dict[str, float] = {}
    for g, of_gender in genders.items():
        for a, of_age in ages.items():
            both = of_gender * of_age
            for race, share in races.items():
                weights[f"{race}-{g}-{a}"] = both * share / total
            for m, of_muscle in _thirds(spec.muscle, "muscle").items():
                for w, of_weight in _thirds(spec.weight, "weight").items():
                    weights[f"universal-{g}-{a}-{m}-{w}"] = both * of_muscle * of_weight
            stem = f"{g}-{a}-averagemuscle-averageweight"
            tall, ideal = 2 * spec.height - 1, 2 * spec.proportions - 1
            weights[f"{stem}-{'max' if tall > 0 else 'min'}height"] = both * abs(tall)
            kind = "ideal" if ideal > 0 else "uncommon"
            weights[f"{stem}-{kind}proportions"] = both * abs(ideal)
    cup = 2 * spec.cup - 1
    stem = "female-young-averagemuscle-averageweight"
    weights[f"{stem}-{'max' if cup > 0 else 'min'}cup-averagefirmness"] = spec.gender * abs(cup)
    for name, weight in spec.details.items():
        weights[name] = weights.get(name, 0.0) + weight
    return {name: weight for name, weight in weights.items() if weight != 0}


def _thirds(value: float, name: str) -> dict[str, float]:
    low, high = max(1 - 2 * value, 0.0), max(2 * value - 1, 0.0)
    return {f"min{name}": low, f"average{name}": 1 - low - high, f"max{name}": high}
