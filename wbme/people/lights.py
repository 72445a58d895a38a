"""The light on a person: a key light that casts shadows, a fill, a rim light, and an even surrounding.

Everything is linear RGB. A light is scaled so that a white surface of the face that looks forward gets about
luminance 0.82 at exposure 0: the picture of a matt skin then has about its albedo's colour.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from wbme.color.spaces import XYZ_TO_RGB
from wbme.people.camera import towards
from wbme.people.variety import tables

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Light:
    """Directions are unit vectors of the scene, towards the light.

    direction, colour: the key. radius: tangent of half the angle under which the key appears (0.005 is the
    sun, 0.5 a large window). ambient: 2 x 3, from the sky and from the ground. fill_direction, fill: without
    shadow. rim_direction, rim: from behind. exposure_ev: stops.
    """

    name: str
    direction: Vector
    colour: Vector
    radius: float
    ambient: Vector
    fill_direction: Vector
    fill: Vector
    rim_direction: Vector
    rim: Vector
    exposure_ev: float = 0.0

    def row(self) -> dict[str, Any]:
        """The light as plain values."""
        fields = ("direction", "colour", "ambient", "fill_direction", "fill", "rim_direction", "rim")
        row = {name: np.round(getattr(self, name), 4).tolist() for name in fields}
        return {
            "name": self.name,
            "radius": round(self.radius, 4),
            "exposure_ev": round(self.exposure_ev, 3),
        } | row


@dataclass(frozen=True)
class _Rig:
    """Ranges that a light is drawn from: share of all views, the key's azimuth and elevation in degrees,
    radius, the strengths of key, fill, surrounding and rim, colour temperatures in kelvin, exposure."""

    share: float
    azimuth: tuple[float, float]
    elevation: tuple[float, float]
    radius: tuple[float, float]
    key: float
    fill: float
    ambient: float
    rim: tuple[float, float]
    kelvin: tuple[float, float]
    ambient_kelvin: tuple[float, float]
    ev: tuple[float, float] = (-0.2, 0.3)


RIGS = {name: _Rig(*row) for name, row in tables()["lights"].items()}
# The camera's white balance takes this share of a light's colour away.
_BALANCED = 0.45
_LEVEL = 0.82
_COLOURED = ("stage", "street", "night")
# Share of views that the photographer got wrong: stops below and above.
_AMISS, _UNDER, _OVER = 0.1, (-1.5, -0.6), (0.5, 1.1)


def kelvin(temperature: float) -> Vector:
    """Linear RGB of a black body of 1,700 to 25,000 K, luminance 1 (the locus of Kim et al. 2002)."""
    t = 1e3 / temperature
    if temperature < 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.17991
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.24039
    if temperature < 2222:
        y = -1.1063814 * x**3 - 1.3481102 * x**2 + 2.18555832 * x - 0.20219683
    elif temperature < 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.081758 * x**3 - 5.8733867 * x**2 + 3.75112997 * x - 0.37001483
    return np.maximum(XYZ_TO_RGB @ np.array([x / y, 1.0, (1 - x - y) / y]), 0.02)


def _scaled(light: Light) -> Light:
    """``light`` with all strengths scaled so that the face's front gets luminance ``_LEVEL`` on average."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    total = 0.0
    normals = [towards(a, e) for a in (-35, 0, 35) for e in (-15, 15)]
    for n in normals:
        sky = light.ambient[0] * (0.5 + 0.5 * n[1]) + light.ambient[1] * (0.5 - 0.5 * n[1])
        key = light.colour * max(n @ light.direction, 0) + light.fill * max(
            0.5 + 0.5 * n @ light.fill_direction, 0
        )
        total += float(weights @ (sky + key)) / len(normals)
    factor = _LEVEL / total
    names = ("colour", "ambient", "fill", "rim")
    return replace(light, **{name: getattr(light, name) * factor for name in names})


def sample(rng: Generator, name: str | None = None) -> Light:
    """A light of one of ``RIGS`` (``name``, or drawn by share: more than half are soft), or the ``neutral``
    one, which is always the same. A tenth are under- or overexposed."""
    if name == "neutral":
        return neutral()
    names = list(RIGS)
    chosen = name or names[rng.choice(len(names), p=[RIGS[n].share for n in names])]
    rig = RIGS[chosen]
    side = rng.choice([-1, 1])
    warm, cool = rng.uniform(*rig.kelvin), rng.uniform(*rig.ambient_kelvin)
    balance = kelvin(warm) ** _BALANCED
    key, sky = kelvin(warm) / balance, kelvin(cool) / balance
    ground = sky * rng.uniform(0.35, 0.75) * rng.uniform((0.95, 0.92, 0.85), 1.05)
    rim_colour = sky
    fill_colour = sky
    if chosen == "stage":
        hue = rng.uniform(0, 2 * np.pi)
        key = 0.3 + 0.95 * _hue(hue)
        fill_colour = rim_colour = 0.12 + 1.1 * _hue(hue + rng.uniform(1.6, 3.6))
    elif chosen in _COLOURED and rng.random() < 0.7:  # signs and shop windows
        fill_colour = rim_colour = 0.1 + 1.3 * _hue(rng.choice([4.6, 3.6, 5.6, 0.3, 2.7]))
    light = Light(
        name=chosen,
        direction=towards(side * rng.uniform(*rig.azimuth), rng.uniform(*rig.elevation)),
        colour=key * rig.key * rng.uniform(0.85, 1.15),
        radius=float(rng.uniform(*rig.radius)),
        ambient=np.stack([sky, ground]) * rig.ambient * rng.uniform(0.85, 1.2),
        fill_direction=towards(-side * rng.uniform(20, 60), rng.uniform(-15, 25)),
        fill=fill_colour * rig.fill * rng.uniform(0.6, 1.4),
        rim_direction=towards(rng.choice([-1, 1]) * rng.uniform(125, 165), rng.uniform(10, 50)),
        rim=rim_colour * rng.uniform(*rig.rim),
        exposure_ev=float(rng.uniform(*rig.ev)),
    )
    light = _scaled(light)
    if rng.random() < _AMISS:
        wrong = _UNDER if rng.random() < 0.5 else _OVER
        light = replace(light, exposure_ev=light.exposure_ev + float(rng.uniform(*wrong)))
    return light


def _hue(angle: float) -> Vector:
    """A strong colour, linear RGB in [0, 1], of a hue in radians: 0 red, 2.1 green, 4.2 blue."""
    return np.asarray(np.clip(np.cos(angle - np.array([0, 2.094, 4.189])) * 0.6 + 0.4, 0, 1))


def metered(light: Light, luminance: float) -> Light:
    """``light`` exposed as a photographer does who looks at the face, whose albedo has ``luminance`` (linear,
    0 to 1): dark skin gets up to 1.1 stops more, the fairest a little less."""
    stops = float(np.clip(0.3 * np.log2(0.5 / max(luminance, 1e-3)), -0.1, 1.1))
    return replace(light, exposure_ev=light.exposure_ev + stops)


def neutral() -> Light:
    """A white, soft light from above and a little to the left: for albedo pictures and drawings."""
    white = np.ones(3)
    light = Light(
        "neutral", towards(-25, 35), 0.6 * white, 0.35, np.stack([0.4 * white, 0.3 * white]),
        towards(30, 5), 0.1 * white, towards(150, 30), 0.0 * white,
    )  # fmt: skip
    return _scaled(light)
