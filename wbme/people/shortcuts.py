"""Short cuts: masses that flow from whorl, parting or hairline over a closed volume and end in points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from wbme.people.hair import cut, drape, outward, spare_eyes
from wbme.people.scalp import Array, hairline
from wbme.people.wig import Wig

Directions = tuple[ArrayLike, ArrayLike]  # azimuth and elevation in degrees


@dataclass(frozen=True)
class _Cut:
    """A short cut: metres of hair on top and at the sides; ``sign``: the side it falls to."""

    wig: Wig
    top: float
    sides: float
    sign: float

    def deep(self, azimuth: Array, elevation: Array) -> Array:
        high = np.clip((elevation - 15) / 40, 0, 1)
        return self.sides + (0.85 * self.top - self.sides) * high * high * (3 - 2 * high)

    def flow(
        self, name: str, start: Directions, goal: tuple[Array, Array], beyond: ArrayLike, height: ArrayLike,
        wide: ArrayLike, *, end: float = 0.004, thick: float = 0.18, tip: float = 0.6, locks: int = 3,
        **falling: float,
    ) -> None:  # fmt: skip
        """Masses from ``start`` to ``goal`` and ``beyond`` metres farther, whose points lie ``end`` high;
        ``tip``: where along them the points begin."""
        rng, n = self.wig.rng, len(goal[0])
        goal = goal[0] + rng.normal(0, 2, n), goal[1] + rng.normal(0, 2, n)
        begin = start[0] + 0 * goal[0], start[1] + 0 * goal[0]
        options = {"face": 0.0, "gravity": 0.06, "stiffness": 0.93, "cling": 0.5, "steps": 20} | falling
        length = beyond * rng.uniform(0.8, 1.2, n)
        guides = drape(self.wig.skull, begin, goal, height=height, beyond=length, **options)
        s = np.linspace(0, 1, guides.shape[1])[None, :, None]
        drop = np.reshape(np.asarray(height) - end, (-1, 1, 1)) * np.clip(s * 1.6 - 0.6, 0, 1) ** 1.5
        guides = guides - outward(self.wig.skull, guides) * drop
        guides = cut(guides, spare_eyes(self.wig.skull, guides, np.full(n, -9.0)), 24)
        self.wig.add(
            name, guides, wide * rng.uniform(0.85, 1.15, n), locks=locks, tip=tip, thick=thick, root=0.3,
            ragged=0.22, gather=0.1, bulge=0.16,
        )  # fmt: skip

    @property
    def whorl(self) -> Directions:
        return 180.0 - 25 * self.sign, 76.0

    def base(self, beyond: float, receding: float = 0.0) -> None:
        """The volume, and points over the ears and at the nape, ``beyond`` metres past the hairline."""
        self.wig.cap(self.deep, receding, rows=30, columns=120)
        a = np.concatenate([np.linspace(64, 82, 2), np.linspace(102, 258, 9), np.linspace(278, 296, 2)])
        goal = a, np.maximum(hairline(a) + 10, -34)
        self.flow("hair side", (a, 34 + 0 * a), goal, beyond, 0.95 * self.sides, 0.042, end=0.6 * self.sides)

    def around(self) -> None:
        """Sides and back, from the whorl."""
        a = np.linspace(62, 298, 10)
        self.flow("hair side", self.whorl, (a, 16 + 0 * a), 0.022, 0.75 * self.top, 0.056, end=self.sides)

    def front(self) -> tuple[Array, Array]:
        """Azimuths and widths of the masses in front."""
        a = np.linspace(-58, 58, 7) + 4 * self.wig.rng.normal(size=7)
        return a, 0.052 * np.exp(self.wig.rng.normal(0, 0.25, 7))


def _cut(wig: Wig, top: float, sides: float) -> _Cut:
    return _Cut(wig, top, sides, float(wig.rng.choice([-1, 1])))


def forward(wig: Wig, top: float, sides: float, long: float, sweep: float) -> None:
    """Over the forehead, ``long`` metres past the hairline in the middle, ``sweep`` degrees to one side."""
    own = _cut(wig, top, sides)
    own.base(0.3 * long)
    own.around()
    a, wide = own.front()
    beyond = long - 0.012 * np.abs(a) / 58
    own.flow("hair top", own.whorl, (a + sweep * own.sign, hairline(a) + 6), beyond, top, 1.1 * wide,
             end=0.010, gravity=0.12, tip=0.72)  # fmt: skip


def parted(wig: Wig) -> None:
    """To both sides from a parting on one side, raised a little in front."""
    own = _cut(wig, 0.017, 0.006)
    own.base(0.016)
    z = np.linspace(0, 1, 6)
    start = own.sign * (34 + 60 * z**2), hairline(34) + 13 + 33 * np.sqrt(z)
    a = own.sign * np.linspace(68, 150, 5)
    near = start[0][1:] + 3 * own.sign, start[1][1:] - 3
    own.flow("hair side", near, (a, 14 + 0 * a), 0.025, 0.8 * own.top, 0.046)
    a = 180 - own.sign * np.linspace(-20, 70, 5)
    own.flow("hair top", own.whorl, (a, 8 + 0 * a), 0.03, 0.9 * own.top, 0.05)
    height, wide = np.linspace(1.3, 1.0, 6) * own.top, np.linspace(0.036, 0.052, 6)
    own.flow("hair top", start, (-own.sign * (60 + 58 * z), 22 - 8 * z), 0.022, height, wide)


def spiky(wig: Wig) -> None:
    """Brushed up from the forehead, with points that stand off."""
    own = _cut(wig, 0.016, 0.0045)
    own.base(0.016)
    own.around()
    up: dict[str, float] = {"gravity": -0.1, "thick": 0.24, "cling": 0.0, "tip": 0.3}
    b = np.linspace(-180, 180, 6, endpoint=False)
    own.flow("hair top", own.whorl, (b, 50 + 0 * b), 0.020, own.top, 0.062, end=0.026, locks=1, **up)
    b = np.linspace(-62, 62, 4)
    goal = 0.9 * b + 10 * own.sign, 74 + 0 * b
    own.flow("hair top", (b, 50 + 0 * b), goal, 0.020, own.top, 0.064, end=0.044, locks=1, **up)
    a = np.linspace(-56, 56, 5) + 5 * wig.rng.normal(size=5)
    wide = 0.054 * np.exp(wig.rng.normal(0, 0.2, 5))
    goal = a + 12 * own.sign, 54 + 0 * a
    own.flow("hair top", (a, hairline(a) + 6), goal, 0.024, own.top, wide, end=0.044, locks=1, **up)


def slick(wig: Wig) -> None:
    """Combed back from the hairline, which may recede."""
    receding = float(wig.rng.choice([0, 0.5]))
    own = _cut(wig, 0.013, 0.005)
    own.base(0.016, receding)
    a = np.linspace(66, 294, 11)
    own.flow("hair side", (a, 40 + 0 * a), (180 + 0.72 * (a - 180), -14 + 0 * a), 0.02, 0.007, 0.044)
    z = np.linspace(-1, 1, 9)
    goal, height = (180 - 70 * z, 20 - 10 * np.abs(z)), own.top * (1.3 - 0.5 * np.abs(z))
    own.flow("hair top", (58 * z, hairline(58 * z, receding) + 1), goal, 0.03, height, 0.044)
