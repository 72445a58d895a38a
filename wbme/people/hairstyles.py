"""Hair styles: which clumps grow where. Each style is a function of a ``Wig``."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from wbme.base.seeds import generator
from wbme.people import shortcuts, updos
from wbme.people.camera import towards
from wbme.people.hair import cut, drape, grow
from wbme.people.mesh import Curve, Mesh
from wbme.people.scalp import Array, Skull, hairline, unit
from wbme.people.wig import Wig, add_fringe, downhill

_RISE = 13.0  # degrees above the hairline from which on a volume of curls has its full height


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
        a = side * wig.spread(62, 96, 4)  # straight, close to the head: it covers the ear
        wig.wave = wig.curl = 0.0
        above = 3.0 if curl else 0.3
        mass(name, (a, np.full_like(a, 34)), (a, np.full_like(a, 6)), 0.004, 0.85, above)
        wig.wave, wig.curl = wave, curl
        # From the parting, each over the one behind it; those that frame the face are slender.
        n = count(5)
        z = np.linspace(0, 1, n)
        start = _parting(part, z)
        goal = side * (62 + 58 * z**0.9), np.linspace(10, 4, n)
        mass(name, start, goal, np.linspace(0.015, 0.011, n), np.linspace(0.8, 1.35, n), 1.0, face=0.074)
    if fringe:
        add_fringe(wig, fringe, volume)


def _afro(wig: Wig, low: float, high: float, lumps: int, marks: float) -> None:
    """A round volume of ``low`` to ``high`` metres of ``lumps`` curls, a share ``marks`` with lines."""
    rng = wig.rng
    size = float(rng.uniform(low, high))

    def spiral(count: int, above: float) -> Array:
        """Directions evenly over the scalp, ``above`` degrees over the hairline and more; N x 3."""
        golden = np.arange(count) * 137.508
        e = np.degrees(np.arcsin(np.linspace(-0.75, 0.998, count))) + rng.normal(0, 1.5, count)
        keep = e > hairline(golden) + above
        return towards(golden[keep], e[keep])

    seeds = spiral(lumps, 5)
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
        bump = np.sqrt(np.clip(1 - (near / 0.66) ** 2, 0, 1)) * tall
        shape = 0.5 + 0.5 * np.clip(towards(a, e)[..., 1] + 0.75, 0, 1)
        lump = min(0.55 * size, 0.022)
        return (size - lump) * shape + lump * bump.reshape(a.shape)

    def winding(a: Array, e: Array) -> Array:
        near, angle, _ = curls(a, e)
        return (0.5 + 0.5 * np.sin(2.2 * np.pi * near + 5 * angle)).reshape(a.shape)

    # Curls stand out over the hairline, each a little lower or higher than the next.
    places = np.cumsum(rng.uniform(0.6, 1.4, round(7.2 / spacing)))
    places = places / places[-1] * 360 - 180
    drops = rng.uniform(0.35, 1.0, len(places)) * np.degrees(spacing) * 0.3

    def lower(a: Array) -> Array:
        high = np.searchsorted(places, a).clip(0, len(places) - 1)
        low = np.where(high > 0, places[high - 1], -180.0)
        t = np.clip((a - low) / np.maximum(places[high] - low, 1e-6), 0, 1)
        return drops[high] * np.sqrt(np.clip(1 - (2 * t - 1) ** 2, 0, 1))

    wig.cap(deep, rows=88, columns=300, edge=0.004, rise=_RISE, smooth=0.9, across=winding, lower=lower,
            kind="curls")  # fmt: skip
    # Some short arcs, one within the other, stand for all curls.
    marked = spiral(2 * lumps, 1)
    marked = marked[rng.random(len(marked)) < marks]
    side = unit(np.cross(marked, rng.normal(size=marked.shape)))
    start, turn = rng.uniform(0, 0.7, (2, len(marked), 1))
    for number, radius in enumerate((0.45, 0.32, 0.2)):
        some = slice(None) if number < 2 else slice(None, None, 2)
        angle = start + 0.3 * number + np.linspace(0, 1, 16) * (1.7 + turn + 0.4 * number)
        ring = np.cos(angle)[..., None] * side[:, None]
        ring = ring + np.sin(angle)[..., None] * np.cross(marked, side)[:, None]
        way = unit(marked[:, None] + spacing * radius * ring)[some]
        azimuth, elevation = (
            np.degrees(np.arctan2(way[..., 0], way[..., 2])),
            np.degrees(np.arcsin(way[..., 1])),
        )
        base, normal = wig.skull.at(azimuth, elevation)
        away = elevation - hairline(azimuth) + lower(azimuth)
        risen = np.sin(np.clip(away / _RISE, 0, 1) * np.pi / 2)  # as the volume's
        points = base + normal * (deep(azimuth, elevation) * risen + 0.002)[..., None]
        taper = (1 - 0.2 * number) * np.sin(np.linspace(0.05, np.pi - 0.05, 16)) ** 0.7
        wig.curves += [Curve("hair", line.astype(np.float32), taper.astype(np.float32)) for line in points]


def _style(make: Callable[..., None], *choice: object, **options: object) -> Callable[[Wig], None]:
    return lambda wig: make(wig, *choice, **options)


STYLES: dict[str, Callable[[Wig], None]] = {
    "bald": lambda wig: None,
    "buzz": lambda wig: wig.cap(0.0022, float(wig.rng.choice([0.0, 0.4]))),
    "crop": _style(shortcuts.forward, 0.015, 0.0045, 0.046, 6),
    "side part": shortcuts.parted,
    "spiky": shortcuts.spiky,
    "slick back": shortcuts.slick,
    "pixie": _style(shortcuts.forward, 0.016, 0.009, 0.062, 15),
    "bob": _style(_hanging, "chin", -0.005, ("full", "swept", ""), inward=0.32, layers=0.008, blunt=0.8),
    "bob fringe": _style(_hanging, "chin", -0.02, ("full",), inward=0.3, layers=0.006, blunt=0.9),
    "medium": _style(_hanging, "shoulder", 0.035, ("swept", "curtain", ""), inward=-0.12, thick=0.4),
    "long straight": _style(_hanging, "chest", 0.0, ("", "", "full", "wispy"), inward=0.1, layers=0.02),
    "long wavy": _style(_hanging, "chest", 0.01, ("", "", "curtain"), wave=0.019, volume=0.009,
                        width=0.056),
    "curly": _style(_hanging, "shoulder", 0.05, ("",), curl=0.012, volume=0.012, width=0.03, number=1.6,
                    thick=0.5, locks=1),
    "ponytail": _style(updos.tied, "ponytail", "", "wispy", "swept", "curtain"),
    "high bun": _style(updos.tied, "high bun", "", "wispy"),
    "low bun": _style(updos.tied, "low bun", "", "swept", "curtain"),
    "braid": _style(updos.tied, "braid", "", "wispy", "curtain", "swept"),
    "afro": _style(_afro, 0.045, 0.07, 130, 0.6),
    "short curls": _style(_afro, 0.018, 0.028, 230, 0.4),
}  # fmt: skip


def make(
    skull: Skull, style: str, colour: ArrayLike, seed: int, *names: str | int
) -> tuple[list[Mesh], list[Curve]]:
    """Meshes and lines of hair in a ``STYLES`` style on a skull at rest; ``colour`` sRGB in [0, 1]."""
    wig = Wig(skull, generator(seed, "hair", *names), np.asarray(colour, float))
    STYLES[style](wig)
    return wig.meshes, wig.curves
