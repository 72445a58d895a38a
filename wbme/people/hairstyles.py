"""Hair styles: which clumps grow where. Each style is a function of a ``Wig``."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from wbme.base.seeds import generator
from wbme.people.camera import towards
from wbme.people.hair import arc, cut, drape, grow, outward, spare_eyes
from wbme.people.mesh import Curve, Mesh
from wbme.people.scalp import Array, Skull, hairline, unit
from wbme.people.wig import Wig, add_fringe, downhill


def _parting(offset: float, z: Array) -> tuple[Array, Array]:
    """Azimuth and elevation along the parting, from the hairline (``z`` = 0) to the crown (1); ``offset``:
    metres to the person's left in front."""
    x, forward = offset * (1 - 0.65 * z), 0.088 - 0.14 * z
    direction = unit(np.stack([x, np.sqrt(np.maximum(0.0085 - forward**2, 0.0008)), forward], -1))
    azimuth = np.degrees(np.arctan2(direction[:, 0], direction[:, 2]))
    return azimuth, np.maximum(np.degrees(np.arcsin(direction[:, 1])), hairline(azimuth) + 2)


def _hanging(
    wig: Wig, level: str, drop: float, fringes: tuple[str, ...], *, layers: float = 0.03,
    inward: float = 0.15, volume: float = 0.0, width: float = 0.05, number: float = 1.0, thick: float = 0.3,
    wave: float = 0.0, curl: float = 0.0, locks: int = 3, blunt: float = 0.0,
) -> None:  # fmt: skip
    """Hair with a parting that hangs to ``drop`` metres above a level; layers: how unevenly; number: of
    masses; wave, curl: see ``Wig``; blunt: how little the ends are pointed; fringes: one is chosen."""
    skull, rng = wig.skull, wig.rng
    wig.wave, wig.curl = wave, curl
    fringe = str(rng.choice(fringes))
    part = 0.0 if fringe == "curtain" else float(rng.choice([0.0, 0.02, -0.02, 0.03, -0.03]))
    end = skull.levels[level] + drop + rng.normal(0, 0.008)
    wig.cap(0.007 + 0.85 * volume, kind="curls")
    length = 0.34 + max(0.0, skull.centre[1] - end)
    samples = int(np.clip((skull.centre[1] - end) / 0.010 + 16, 22, 46))
    steps = int(np.clip(length / 0.011, 30, 70))
    common = {"steps": steps, "inward": inward, "face": 0.066}

    def mass(
        name: str, start: tuple[Array, Array], goal: tuple[Array, Array], height: ArrayLike, wide: ArrayLike,
        high: float, face: float = 0.066,
    ) -> None:  # fmt: skip
        n = len(start[0])
        start = start[0] + rng.normal(0, 1.5, n), start[1] + rng.normal(0, 1, n)
        falling = common | {"face": face}
        guides = drape(skull, start, goal, height=np.asarray(height) + volume, beyond=length, **falling)
        stop = end + high * layers - np.abs(rng.normal(0, layers, n))
        sizes = width * wide * rng.uniform(0.9, 1.15, n)
        wig.add(name, cut(guides, stop, samples), sizes, locks=locks, tip=0.58 + 0.3 * blunt, root=0.35,
                thick=thick, gather=0.25 + 0.5 * blunt, ragged=0.3 - 0.25 * blunt)  # fmt: skip

    def count(n: int) -> int:
        return max(3, round(n * number))

    ring = np.linspace(84, 276, 30)
    high = hairline(ring) + 14
    inner = grow(skull, skull.at(ring, high)[0], downhill(skull, ring, high), height=0.004 + volume,
                 length=length, **common)  # fmt: skip
    wig.curtain("hair back", cut(inner, np.full(30, end + 0.035 + layers), samples))
    a = wig.spread(96, 264, count(7))
    mass("hair back", (a, np.full_like(a, 40)), (a, np.full_like(a, -8)), 0.006, 1.2, 0.0)
    a = wig.spread(100, 260, count(7))
    mass("hair back", (np.full_like(a, 180) + 0.3 * (a - 180), np.full_like(a, 74)), (a, np.full_like(a, 4)),
         0.010, 1.3, 0.9)  # fmt: skip
    for side, name in ((1, "hair left"), (-1, "hair right")):
        a = side * wig.spread(70, 96, count(3))
        mass(name, (a, np.full_like(a, 34)), (a, np.full_like(a, 6)), 0.004, 0.85, 0.3)
        # From the parting, each over the one behind it; those that frame the face are slender.
        n = count(5)
        z = np.linspace(0, 1, n)
        start = _parting(part, z)
        goal = side * (62 + 58 * z**0.9), np.linspace(10, 4, n)
        mass(name, start, goal, np.linspace(0.015, 0.011, n), np.linspace(0.8, 1.35, n), 1.0, face=0.074)
    if fringe:
        add_fringe(wig, fringe, volume)


def _short(wig: Wig, kind: str) -> None:
    """Short cuts: ``crop`` (forward), ``side`` (parted), ``spiky``, ``slick`` (back), ``pixie``.

    Rows of masses from below upwards, each over the roots of the row before, on a closed volume.
    """
    skull, rng = wig.skull, wig.rng
    receding = float(rng.choice([0, 0.5])) if kind == "slick" else 0.0
    top = {"crop": 0.015, "side": 0.017, "spiky": 0.016, "slick": 0.013, "pixie": 0.016}[kind]
    sides = {"crop": 0.0045, "side": 0.006, "spiky": 0.0045, "slick": 0.005, "pixie": 0.009}[kind]
    sign = float(rng.choice([-1, 1]))

    def deep(a: Array, e: Array) -> Array:
        high = np.clip((e - 15) / 40, 0, 1)
        return sides + (0.85 * top - sides) * high * high * (3 - 2 * high)

    def flow(
        name: str, start: tuple[ArrayLike, ArrayLike], goal: tuple[Array, Array], beyond: ArrayLike,
        height: ArrayLike, wide: ArrayLike, *, end: float = 0.004, thick: float = 0.18, tip: float = 0.6,
        **falling: float,
    ) -> None:  # fmt: skip
        n = len(goal[0])
        goal = goal[0] + rng.normal(0, 2, n), goal[1] + rng.normal(0, 2, n)
        start = start[0] + 0 * goal[0], start[1] + 0 * goal[0]
        options = {"face": 0.0, "gravity": 0.06, "stiffness": 0.93, "cling": 0.5, "steps": 20} | falling
        guides = drape(skull, start, goal, height=height, beyond=beyond * rng.uniform(0.8, 1.2, n), **options)
        # The ends lie down on what is below.
        s = np.linspace(0, 1, guides.shape[1])[None, :, None]
        drop = np.reshape(np.asarray(height) - end, (-1, 1, 1))
        guides = guides - outward(skull, guides) * drop * np.clip(s * 1.6 - 0.6, 0, 1) ** 1.5
        guides = cut(guides, spare_eyes(skull, guides, np.full(n, -9.0)), 24)
        wig.add(name, guides, wide * rng.uniform(0.85, 1.15, n), locks=3, tip=tip, thick=thick, root=0.3,
                ragged=0.22, gather=0.1, bulge=0.16)  # fmt: skip

    wig.cap(deep, receding, rows=30, columns=120)
    a = np.concatenate([np.linspace(64, 82, 2), np.linspace(102, 258, 9), np.linspace(278, 296, 2)])
    flow("hair side", (a, 34.0 + 0 * a), (a, np.maximum(hairline(a) + 10, -34)),
         0.026 if kind == "pixie" else 0.016, 0.95 * sides, 0.042, end=0.6 * sides)  # fmt: skip
    if kind == "slick":
        a = np.linspace(66, 294, 11)
        flow("hair side", (a, 40.0 + 0 * a), (180 + 0.72 * (a - 180), -14.0 + 0 * a), 0.02, 0.007, 0.044)
        z = np.linspace(-1, 1, 9)
        flow("hair top", (58 * z, hairline(58 * z, receding) + 1), (180 - 70 * z, 20 - 10 * np.abs(z)), 0.03,
             top * (1.3 - 0.5 * np.abs(z)), 0.044)  # fmt: skip
        return
    whorl = 180.0 - 25 * sign, 76.0
    if kind == "side":
        z = np.linspace(0, 1, 6)
        start = sign * (34 + 60 * z**2), hairline(34) + 13 + 33 * np.sqrt(z)
        a = sign * np.linspace(68, 150, 5)
        flow("hair side", (start[0][1:] + 3 * sign, start[1][1:] - 3), (a, 14.0 + 0 * a), 0.025, 0.8 * top, 0.046)
        flow("hair top", whorl, (180 - sign * np.linspace(-20, 70, 5), 8.0 + 0 * a), 0.03, 0.9 * top, 0.05)
        height, wide = np.linspace(1.3, 1.0, 6) * top, np.linspace(0.036, 0.052, 6)  # it stands up in front
        flow("hair top", start, (-sign * (60 + 58 * z), 22 - 8 * z), 0.022, height, wide)
        return
    a = np.linspace(62, 298, 10)
    flow("hair side", whorl, (a, 16 + 0 * a), 0.022, 0.75 * top, 0.056, end=sides)
    a = np.linspace(-58, 58, 7) + 4 * rng.normal(size=7)
    wide = 0.052 * np.exp(rng.normal(0, 0.25, 7))
    if kind == "spiky":
        up = {"gravity": -0.1, "thick": 0.3, "cling": 0.0, "tip": 0.5}
        b = np.linspace(-180, 180, 7, endpoint=False)
        flow("hair top", whorl, (b, 52.0 + 0 * b), 0.015, top, 0.06, end=0.022, **up)
        b = np.linspace(-64, 64, 5)
        flow("hair top", (b, 54.0 + 0 * b), (0.9 * b + 10 * sign, 76 + 0 * b), 0.012, top, 0.058, end=0.034, **up)
        flow("hair top", (a, hairline(a) + 2), (a + 10 * sign, 56 + 0 * a), 0.015, top, wide, end=0.036, **up)
    else:
        sweep, long = (6, 0.046) if kind == "crop" else (15, 0.062)
        flow("hair top", whorl, (a + sweep * sign, hairline(a) + 6), long - 0.012 * (np.abs(a) / 58), top,
             1.1 * wide, end=0.010, gravity=0.12, tip=0.72)  # fmt: skip


def _tied(wig: Wig, kind: str, *fringes: str) -> None:
    """Hair combed to a knot: ``ponytail``, ``high bun``, ``low bun``, ``braid``, with one of ``fringes``."""
    skull, rng = wig.skull, wig.rng
    fringe = str(rng.choice(fringes))
    wig.cap(0.006)
    tie = {"ponytail": 22.0, "high bun": 68.0, "low bun": -14.0, "braid": -30.0}[kind] + rng.normal(0, 3)
    knot, out = (x[0] for x in skull.at(np.array([180.0]), np.array([tie])))
    knot = knot + out * 0.012
    n = 20
    a = np.linspace(-180, 180, n, endpoint=False) + rng.normal(0, 2, n)
    s = np.linspace(0, 1, 20)[None, :, None]
    height = (0.0015 + 0.009 * np.sin(np.pi * s[..., 0] ** 0.8)) * rng.uniform(0.8, 1.25, (n, 1))
    guides = arc(skull, (a, hairline(a) + 1.5), (180.0, tie), height)
    gather = np.clip((s - 0.8) / 0.2, 0, 1) ** 2
    guides = guides * (1 - gather) + knot * gather
    wig.add("hair cap", guides, 0.048 * rng.uniform(0.9, 1.15, n), locks=3, tip=0.55, thick=0.2, root=0.7,
            ragged=0.0, bulge=0.12, lines=0.4)  # fmt: skip
    if kind == "ponytail":
        m = 9
        turn = 2 * np.pi * (np.arange(m) + rng.random(m) * 0.5) / m
        side = np.stack([np.cos(turn), 0.6 * np.sin(turn), 0 * turn], -1) * rng.uniform(0.3, 1, (m, 1))
        length = rng.uniform(0.24, 0.42) * rng.uniform(0.8, 1.05, m)
        heading = out + [0, 0.1, 0] + 0.16 * side
        guides = grow(skull, knot + side * 0.012, heading, length=length, height=0.012 + 0.02 * rng.random(m),
                      gravity=0.13, stiffness=0.9, face=0, inward=0.1, cling=0)  # fmt: skip
        wig.add("hair tail", guides[:, ::2], 0.042 * rng.uniform(0.85, 1.2, m), tip=0.5, thick=0.4, root=0.4)
    elif kind == "braid":
        _braid(wig, knot, out)
    else:
        _bun(wig, knot, out, 0.034 if kind == "high bun" else 0.038)
    if fringe:
        add_fringe(wig, fringe)
    for side, name in ((1, "hair left"), (-1, "hair right")):  # loose strands at the temples
        a = side * wig.spread(56, 66, 2)
        e = hairline(a) + 4
        p, normal = skull.at(a, e)
        guides = grow(skull, p, downhill(skull, a, e) + 0.3 * normal, length=0.14, height=0.006)
        end = skull.levels["eye"] - rng.uniform(0.03, 0.08, 2)
        wig.add(name, cut(guides, end, 16), 0.012, locks=1, tip=0.35, lines=0.0)


def _braid(wig: Wig, knot: Array, out: Array) -> None:
    """Three strands wound over each other, that fall over one shoulder."""
    skull, rng = wig.skull, wig.rng
    side = float(rng.choice([-1, 1]))
    heading = np.array([[0.9 * side, -0.25, 0.25]])
    root = knot[None] + np.array([[0.02 * side, -0.01, 0]])
    axis = grow(skull, root, heading, length=0.40, height=0.022, gravity=0.2, stiffness=0.85, face=0.06,
                steps=80, cling=0.1)  # fmt: skip
    axis = cut(axis, np.array([skull.levels["chest"] - 0.03]), 90)[0]
    normal = outward(skull, axis[None])[0]
    across = unit(np.cross(np.gradient(axis, axis=0), normal))
    s = np.linspace(0, 1, 90)
    thick = 0.016 * np.clip(1.15 - 0.5 * s, 0, 1)
    turns = 2 * np.pi * (0.40 / 0.085) * s
    strands = []
    for k in range(3):
        x, y = np.sin(turns + 2 * np.pi * k / 3), np.sin(2 * (turns + 2 * np.pi * k / 3))
        strands.append(axis + (thick * x)[:, None] * across + (0.45 * thick * y + 0.004)[:, None] * normal)
    wig.add("hair tail", np.stack(strands), 0.036, locks=1, root=0.8, tip=0.8, thick=0.55,
            normal=np.stack([normal] * 3))  # fmt: skip
    tip, way = axis[-4:-3], axis[-1:] - axis[-6:-5]
    ends = grow(skull, np.repeat(tip, 3, 0), np.repeat(way, 3, 0) + 0.004 * rng.normal(size=(3, 3)),
                length=0.055, height=0.02, face=0, cling=0, steps=12)  # fmt: skip
    wig.add("hair tail", ends, 0.024, locks=2, root=0.6, tip=0.3, thick=0.5)


def _bun(wig: Wig, knot: Array, out: Array, radius: float) -> None:
    """A ball of wound clumps on a core."""
    rng, whole, m = wig.rng, wig.skull, 9
    axis = unit(out + 0.25 * rng.normal(size=3))
    u = unit(np.cross(axis, [1.0, 0.2, 0.1]))
    w = np.cross(axis, u)

    def ball(lean: Array, turn: Array) -> Array:
        lean, turn = np.broadcast_arrays(lean, turn)
        c, s = np.cos(lean)[..., None], np.sin(lean)[..., None]
        return c * axis + s * (np.cos(turn)[..., None] * u + np.sin(turn)[..., None] * w)

    centre, t, k = knot + out * radius * 0.65, np.linspace(0, 1, 22)[None], np.arange(m)[:, None]
    core = ball(np.linspace(0.05, np.pi, 14)[:, None], 2 * np.pi * t).transpose(1, 0, 2)
    wig.curtain("hair bun", centre + core * radius * 0.93)
    lean = 0.15 + (np.pi - 0.5) * k / (m - 1) + 0.25 * np.sin(2 * np.pi * t + k)
    locks = ball(lean, 2 * np.pi * (0.75 * t + rng.random((m, 1))))
    wig.skull = replace(whole, centre=centre)
    wig.add("hair bun", centre + locks * radius * rng.uniform(0.92, 1.04, (m, 1, 1)), 0.030, locks=1, tip=0.7)
    wig.skull = whole


def _afro(wig: Wig, low: float, high: float, lumps: int) -> None:
    """A round volume of ``low`` to ``high`` metres made of ``lumps`` round curls."""
    rng = wig.rng
    size = float(rng.uniform(low, high))
    golden = np.arange(lumps) * 137.508
    e = np.degrees(np.arcsin(np.linspace(-0.75, 0.998, lumps))) + rng.normal(0, 1.5, lumps)
    keep = e > hairline(golden) + 5
    seeds = towards(golden[keep], e[keep])
    spacing = float(np.sqrt(4 * np.pi * 0.87 / lumps))
    reach = rng.choice([0.55, 0.8, 1.0], len(seeds))
    turned = rng.normal(size=(len(seeds), 3))

    def curls(a: Array, e: Array) -> tuple[Array, Array, Array]:
        d = towards(a, e).reshape(-1, 3)
        near, which = cKDTree(seeds).query(d)
        angle = ((d - seeds[which]) * unit(turned[which])).sum(1) / spacing
        return near / spacing, angle, reach[which]

    def deep(a: Array, e: Array) -> Array:
        near, _, tall = curls(a, e)
        bump = np.sqrt(np.clip(1 - (near / 0.78) ** 2, 0, 1)) * tall
        shape = 0.78 + 0.22 * np.clip(towards(a, e)[..., 1] + 0.4, 0, 1)
        lump = min(0.5 * size, 0.020)
        return (size - lump) * shape + lump * bump.reshape(a.shape)

    def winding(a: Array, e: Array) -> Array:
        near, angle, _ = curls(a, e)
        return (0.5 + 0.5 * np.sin(2.2 * np.pi * near + 5 * angle)).reshape(a.shape)

    wig.cap(deep, rows=88, columns=300, edge=0.003, smooth=0.9, across=winding, kind="curls")


def _style(make: Callable[..., None], *choice: object, **options: object) -> Callable[[Wig], None]:
    return lambda wig: make(wig, *choice, **options)


STYLES: dict[str, Callable[[Wig], None]] = {
    "bald": lambda wig: None,
    "buzz": lambda wig: wig.cap(0.0022, float(wig.rng.choice([0.0, 0.4]))),
    "crop": _style(_short, "crop"),
    "side part": _style(_short, "side"),
    "spiky": _style(_short, "spiky"),
    "slick back": _style(_short, "slick"),
    "pixie": _style(_short, "pixie"),
    "bob": _style(_hanging, "chin", -0.005, ("full", "swept", ""), inward=0.32, layers=0.008, blunt=0.8),
    "bob fringe": _style(_hanging, "chin", -0.02, ("full",), inward=0.3, layers=0.006, blunt=0.9),
    "medium": _style(_hanging, "shoulder", 0.035, ("swept", "curtain", ""), inward=-0.12, thick=0.4),
    "long straight": _style(_hanging, "chest", 0.0, ("", "", "full", "wispy"), inward=0.1, layers=0.02),
    "long wavy": _style(_hanging, "chest", 0.01, ("", "", "curtain"), wave=0.019, volume=0.009,
                        width=0.056),
    "curly": _style(_hanging, "shoulder", 0.05, ("",), curl=0.012, volume=0.012, width=0.03, number=1.6,
                    thick=0.5, locks=1),
    "ponytail": _style(_tied, "ponytail", "", "wispy", "swept", "curtain"),
    "high bun": _style(_tied, "high bun", "", "wispy"),
    "low bun": _style(_tied, "low bun", "", "swept", "curtain"),
    "braid": _style(_tied, "braid", "", "wispy", "curtain", "swept"),
    "afro": _style(_afro, 0.045, 0.075, 170),
    "short curls": _style(_afro, 0.018, 0.028, 300),
}  # fmt: skip


def make(
    skull: Skull, style: str, colour: ArrayLike, seed: int, *names: str | int
) -> tuple[list[Mesh], list[Curve]]:
    """Meshes and lines of hair in a ``STYLES`` style on a skull at rest; ``colour`` sRGB in [0, 1]."""
    wig = Wig(skull, generator(seed, "hair", *names), np.asarray(colour, float))
    STYLES[style](wig)
    return wig.meshes, wig.curves
