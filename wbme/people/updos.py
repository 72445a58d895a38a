"""Hair combed to a knot: a pony tail, a bun or a braid."""

from dataclasses import replace

import numpy as np

from wbme.people.hair import arc, cut, grow, outward
from wbme.people.scalp import Array, hairline, unit
from wbme.people.wig import Wig, add_fringe, downhill


def tied(wig: Wig, kind: str, *fringes: str) -> None:
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
