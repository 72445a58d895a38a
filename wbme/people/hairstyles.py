"""Hair styles: which clumps grow where. Each style is a function of a ``Wig``."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from wbme.base.seeds import generator
from wbme.people.camera import towards
from wbme.people.hair import cut, grow, outward
from wbme.people.mesh import Curve, Mesh
from wbme.people.scalp import Array, Skull, hairline, unit
from wbme.people.wig import Wig, add_fringe, downhill


def _part_roots(wig: Wig, offset: float, count: int, end: float = -0.062) -> tuple[Array, Array]:
    """Points along the parting from hairline to crown, and the scalp's normals there."""
    z = np.linspace(0.088, end, count)
    x = np.full(count, offset) * np.linspace(1, 0.35, count)
    direction = unit(np.stack([x, np.sqrt(np.maximum(0.0085 - z**2, 0.0008)), z], -1))
    azimuth = np.degrees(np.arctan2(direction[:, 0], direction[:, 2]))
    elevation = np.maximum(np.degrees(np.arcsin(direction[:, 1])), hairline(azimuth) + 2)
    return wig.skull.at(azimuth, elevation)


def _hanging(
    wig: Wig, level: str, drop: float, fringes: tuple[str, ...], *, layers: float = 0.03,
    inward: float = 0.15, volume: float = 0.0, width: float = 0.038, number: float = 1.0, thick: float = 0.3,
    wave: float = 0.0, curl: float = 0.0,
) -> None:  # fmt: skip
    """Hair with a parting that hangs to ``drop`` metres above a level; layers: how unevenly; number: of
    clumps; wave, curl: see ``Wig``; fringes: one is chosen."""
    skull, rng = wig.skull, wig.rng
    wig.wave, wig.curl = wave, curl
    fringe = str(rng.choice(fringes))
    part = 0.0 if fringe == "curtain" else float(rng.choice([0.0, 0.02, -0.02, 0.03, -0.03]))
    end = skull.levels[level] + drop + rng.normal(0, 0.008)
    wig.cap(0.007 + 0.5 * volume, kind="curls")
    length = 0.34 + max(0.0, skull.centre[1] - end)
    samples = int(np.clip((skull.centre[1] - end) / 0.010 + 16, 22, 46))
    steps = int(np.clip(length / 0.011, 30, 70))
    common = {"length": length, "steps": steps, "inward": inward, "face": 0.066}

    def group(
        name: str, a: Array, e: Array, height: float, wide: float, drop: float = 0.0, side: float = 0.0
    ) -> None:
        roots, normal = skull.at(a, e)
        locks(name, roots - 0.15 * height * normal, downhill(skull, a, e, side), height, wide, drop)

    def locks(
        name: str, roots: Array, heading: Array, height: float, wide: ArrayLike, drop: float, **more: float
    ) -> None:
        guides = grow(skull, roots, heading, height=height + volume, **(common | more))
        stop = end + drop * layers - np.abs(rng.normal(0, layers, len(roots)))
        sizes = width * wide * rng.uniform(0.85, 1.2, len(roots))
        wig.add(name, cut(guides, stop, samples), sizes, tip=0.6, lines=0.35, root=0.12, thick=thick)

    def count(n: int) -> int:
        return max(4, round(n * number))

    ring = np.linspace(84, 276, 30)
    high = hairline(ring) + 14
    inner = grow(skull, skull.at(ring, high)[0], downhill(skull, ring, high), height=0.004 + volume, **common)
    wig.curtain("hair back", cut(inner, np.full(30, end + 0.035 + layers), samples))
    a = wig.spread(88, 272, count(17))
    group("hair back", a, np.maximum(hairline(a) + 8, -38), 0.007, 1.0)
    a = wig.spread(100, 260, count(15))
    group("hair back", a, np.full_like(a, 28), 0.009, 1.3, 0.5)
    for side, name in ((1, "hair left"), (-1, "hair right")):
        roots, normal = _part_roots(wig, part, count(13))
        roots = roots + rng.normal(0, 0.0015, roots.shape) * [1, 0, 1] - normal * 0.004
        heading = np.stack(np.broadcast_arrays(float(side), 0.3, np.linspace(-0.1, -0.9, len(roots))), -1)
        heading = unit(heading - (heading * normal).sum(-1, keepdims=True) * normal + 0.25 * normal)
        fine = np.linspace(0.8, 1.5, len(roots))  # those that frame the face are slender
        locks(name, roots, heading, 0.012, fine, 1.2, gravity=0.16, face=0.074)
        a = side * wig.spread(48, 98, count(10))
        group(
            name, a, np.maximum(hairline(a) + 4, 24) + rng.normal(0, 2, len(a)), 0.007, 1.0, 0.5, side * 0.35
        )
    a = wig.spread(120, 240, count(11))
    group("hair crown", a, np.full_like(a, 66), 0.013, 1.5, 1.6)
    if fringe:
        add_fringe(wig, fringe, volume)


def _short(wig: Wig, kind: str) -> None:
    """Short cuts: ``crop`` (forward), ``side`` (parted), ``spiky``, ``slick`` (back), ``pixie``."""
    skull, rng = wig.skull, wig.rng
    receding = float(rng.choice([0, 0.5])) if kind == "slick" else 0.0
    top = {"crop": 0.017, "side": 0.020, "spiky": 0.020, "slick": 0.016, "pixie": 0.019}[kind]
    sides = {"crop": 0.0045, "side": 0.007, "spiky": 0.0045, "slick": 0.005, "pixie": 0.010}[kind]
    sign = float(rng.choice([-1, 1]))
    ridge = rng.uniform(0, 2 * np.pi, 3)

    def deep(a: Array, e: Array) -> Array:
        high = np.clip((e - 22) / 30, 0, 1)
        grooves = np.sin(np.radians(a) * 19 + ridge[0]) + np.sin(np.radians(a) * 31 + ridge[1])
        soft = np.cos(np.radians(np.clip(e, 0, 90))) ** 0.5
        return (sides + (top - sides) * high * high * (3 - 2 * high)) * (1 + 0.06 * grooves * soft)

    wig.cap(deep, receding, rows=48, columns=240)
    n, long = 17, 0.050 if kind == "pixie" else 0.036
    a = np.linspace(100, 260, n) + rng.normal(0, 2, n)  # points along the neck's hairline
    e = np.maximum(hairline(a) + 20, -33)
    long = long * np.clip((np.abs(180 - a) + 90) / 90, 0.8, 1.3)
    guides = grow(skull, skull.at(a, e)[0], downhill(skull, a, e, rng.normal(0, 0.12, n)), length=long,
                  height=0.85 * sides, stiffness=0.9, gravity=0.1, face=0, steps=14)  # fmt: skip
    wig.add("hair side", guides, 0.026 * rng.uniform(0.8, 1.25, n), lines=0.2, thick=0.16, tip=0.3, root=0.6)
    rows = ((80, 12, 180), (64, 16, 120), (48, 14, 60))
    for e0, n, reach in rows[: 2 if kind in ("crop", "pixie") else 3]:
        a = np.linspace(-reach, reach, n, endpoint=reach < 180) + rng.normal(0, 3, n)
        e = np.maximum(e0 + rng.normal(0, 3, n), hairline(a, receding) + 6)
        roots, normal = skull.at(a, e)
        down, front = downhill(skull, a, e), np.clip(np.cos(np.radians(a)), 0, 1)[:, None]
        over = unit(np.cross([0.0, 0.0, 1.0], normal)) * -sign  # across the head, towards one side
        lift, reach_of = 0.22, 0.075
        if kind == "side":
            heading, lift, reach_of = over + 0.35 * down * front - 0.2 * down, 0.30, 0.078
        elif kind == "spiky":
            heading, lift, reach_of = 0.6 * down + 0.6 * over + 0.3 * rng.normal(size=down.shape), 0.6, 0.062
        elif kind == "slick":
            heading, lift, reach_of = down * (1 - 2.2 * front) + 0.25 * over, 0.25, 0.100
        else:
            heading = down + 0.40 * over + 0.15 * rng.normal(size=down.shape)
        inside = normal * (0.45 * top)  # from inside the volume, so that no root shows
        guides = grow(skull, roots + inside, unit(heading) + lift * normal, gravity=0.10, stiffness=0.9,
                      cling=0.4 if kind == "side" else 0.15, face=0, steps=16, height=top * 0.98,
                      length=reach_of * rng.uniform(0.8, 1.2, n))  # fmt: skip
        if kind != "spiky":  # the ends merge with the volume again
            s = np.linspace(0, 1, 17)[None, :, None]
            guides = guides - outward(skull, guides) * (0.45 * top * np.clip(s - 0.45, 0, 1) ** 1.5)
        guides = cut(guides, np.full(n, skull.levels["brow"] + 0.03), 17)
        sizes = (0.023 if kind == "spiky" else 0.030) * rng.uniform(0.75, 1.3, n)
        wig.add("hair top", guides, sizes, lines=0.3, tip=0.15, thick=0.26, root=0.1)
    if kind == "crop":
        add_fringe(wig, "full", 0.004, raised=float(rng.uniform(0.012, 0.026)))
    if kind == "pixie":
        add_fringe(wig, "swept")


def _tied(wig: Wig, kind: str, *fringes: str) -> None:
    """Hair combed to a knot: ``ponytail``, ``high bun``, ``low bun``, with one of ``fringes``."""
    skull, rng = wig.skull, wig.rng
    fringe = str(rng.choice(fringes))
    wig.cap(0.006)
    tie = {"ponytail": 22.0, "high bun": 68.0, "low bun": -14.0}[kind] + rng.normal(0, 3)
    knot, out = (x[0] for x in skull.at(np.array([180.0]), np.array([tie])))
    knot = knot + out * 0.012
    n = 44
    a = np.linspace(-180, 180, n, endpoint=False) + rng.normal(0, 1.5, n)
    start, goal = towards(a, hairline(a) + 1.5), towards(180.0, tie)
    angle = np.arccos(np.clip(start @ goal, -1, 1))[:, None, None]
    s = np.linspace(0, 1, 18)[None, :, None]
    arc = (np.sin((1 - s) * angle) * start[:, None] + np.sin(s * angle) * goal) / np.sin(angle)
    base, normal = skull.at(
        np.degrees(np.arctan2(arc[..., 0], arc[..., 2])), np.degrees(np.arcsin(arc[..., 1].clip(-1, 1)))
    )
    guides = base + normal * (0.0015 + 0.009 * np.sin(np.pi * s**0.8)) * rng.uniform(0.8, 1.25, (n, 1, 1))
    gather = np.clip((s - 0.8) / 0.2, 0, 1) ** 2
    guides = guides * (1 - gather) + knot * gather
    wig.add("hair cap", guides, 0.030 * rng.uniform(0.85, 1.15, n), tip=0.55, thick=0.2, lines=0.3, root=0.6)
    if kind == "ponytail":
        m = 26
        turn = rng.random(m) * 2 * np.pi
        side = np.stack([np.cos(turn), 0.6 * np.sin(turn), 0 * turn], -1) * rng.random((m, 1)) ** 0.5
        length = rng.uniform(0.20, 0.42) * rng.uniform(0.85, 1.05, m)
        heading = out + [0, 0.1, 0] + 0.16 * side
        guides = grow(skull, knot + side * 0.012, heading, length=length, height=0.012 + 0.02 * rng.random(m),
                      gravity=0.13, stiffness=0.9, face=0, inward=0.1, cling=0)  # fmt: skip
        wig.add("hair tail", guides[:, ::2], 0.026 * rng.uniform(0.8, 1.2, m), tip=0.55, thick=0.4, root=0.5)
    else:
        _bun(wig, knot, out, 0.034 if kind == "high bun" else 0.038)
    if fringe:
        add_fringe(wig, fringe)
    for side, name in ((1, "hair left"), (-1, "hair right")):  # loose strands at the temples
        a = side * wig.spread(56, 68, 3)
        e = hairline(a) + 4
        p, normal = skull.at(a, e)
        guides = grow(skull, p, downhill(skull, a, e) + 0.3 * normal, length=0.14, height=0.006)
        end = skull.levels["eye"] - rng.uniform(0.02, 0.08, 3)
        wig.add(name, cut(guides, end, 14), 0.010, tip=0.35, lines=0.0)


def _bun(wig: Wig, knot: Array, out: Array, radius: float) -> None:
    """A ball of wound clumps on a core."""
    rng, whole, m = wig.rng, wig.skull, 13
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
    wig.add("hair bun", centre + locks * radius * rng.uniform(0.92, 1.04, (m, 1, 1)), 0.026, tip=0.7)
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
    "bob": _style(_hanging, "chin", -0.005, ("full", "swept", ""), inward=0.5, layers=0.008),
    "bob fringe": _style(_hanging, "chin", -0.02, ("full",), inward=0.45, layers=0.006),
    "medium": _style(_hanging, "shoulder", 0.035, ("swept", "curtain", ""), inward=-0.25),
    "long straight": _style(_hanging, "chest", 0.0, ("", "", "full", "wispy"), inward=0.1, layers=0.02),
    "long wavy": _style(_hanging, "chest", 0.01, ("", "", "curtain"), wave=0.011, volume=0.007,
                        width=0.046, number=0.85),
    "curly": _style(_hanging, "shoulder", 0.05, ("",), curl=0.0065, volume=0.01, width=0.021, number=1.9,
                    thick=0.45),
    "ponytail": _style(_tied, "ponytail", "", "wispy", "swept", "curtain"),
    "high bun": _style(_tied, "high bun", "", "wispy"),
    "low bun": _style(_tied, "low bun", "", "swept", "curtain"),
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
