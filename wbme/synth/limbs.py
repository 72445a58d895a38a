"""A character's proportions of the body, given to a person in a picture by the points of the pose.

As ``wbme.people.deform`` does in space, bones are scaled about their joints, outwards from the hips. All of
it is scaled by one more factor so that the figure keeps its height and its soles stay on the ground: long
legs mean a higher hip, a shorter trunk and a smaller head. Control points along the bones and beside them
(``wbme.synth.figure``) carry the picture along, by a flow that does not fold and ends near the figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbme.people.sheet import Deformation
from wbme.synth import carrying
from wbme.synth.carrying import Flow
from wbme.synth.figure import ARMS, HEAD, LEGS, TRUNK, Figure, Placement, rising, trunk_length

F32 = NDArray[np.float32]
Floats = NDArray[np.float64]

_SHEAR = 0.6  # pixels that two limbs may part or close for each pixel between them
_NEAR, _ROUNDS = (1.2, 0.4), 16  # trunks from head, from others within which that counts; rounds to get there
_YIELDS = (0.0, 0.3, 1.0)  # of head, trunk and limb: how far each gives way
_REACH, _SMOOTHING = 1.0, 1e-4  # of the flow; the reach in trunks
_TRIES = ((1.0, 6), (0.75, 12), (0.5, 16), (0.25, 16))  # share of the way and steps, until nothing folds
_FINE, _KNOTS = 80, 8.0  # pixels: of a trunk, at which the flow is computed, and between its knots there
_GAP, _CLEAR = 0.2, 0.35  # trunks between points that hold still, and from them to the figure
_TWINS = 0.02  # trunks: points that come nearer count once
_OUT = 0.3  # of the picture's longer side, beyond which points of the figure are left out
_HEAD = 0.4  # trunks from the middle of a face within which a place is that head's


@dataclass(frozen=True, eq=False)
class Person:
    """``points`` 33 x 4 of ``wbme.perception.pose.Body``; ``seen`` 6 in [0, 1], as of ``presence``."""

    points: Floats
    seen: Floats

    @property
    def weight(self) -> float:
        """How much of the character's proportions the person takes, in [0, 1]."""
        standing, half = self.seen[:2]
        return float(standing + (1 - standing) * half)

    def has_head(self, place: Floats) -> bool:
        """Whether the ``place`` (x, y) lies in the person's head."""
        away = np.linalg.norm(self.points[:11, :2].mean(0) - place)
        return bool(away < _HEAD * trunk_length(self.points))


def presence(points: Floats, shape: tuple[int, ...]) -> Floats:
    """What of a body (33 x 4) can be reshaped in a picture of ``shape``, 6 in [0, 1]: the whole figure, whose
    trunk and a leg are seen in the picture and stand; its trunk; left and right upper arm, then forearm."""
    if not np.isfinite(points).all():
        return np.zeros(6)
    place, trunk = points[:, :2], trunk_length(points)
    hip, chest = place[[23, 24], 1].mean(), place[[11, 12], 1].mean()
    border = np.minimum(place, np.array(shape[1::-1]) - 1 - place).min(1)
    seen = rising(points[:, 3], 0.35, 0.65) * rising(border / trunk, -0.05, 0.05)
    half = seen[[11, 12, 23, 24]].min() * rising((hip - chest) / trunk, 0.6, 0.85) * rising(trunk, 10, 20)
    legs = []
    for _, knee, ankle, _ in LEGS:
        # Who sits or kneels keeps the legs: longer ones would lift the hips off the chair.
        thigh, calf = (place[knee, 1] - hip) / trunk, (place[ankle, 1] - place[knee, 1]) / trunk
        upright = min(rising(thigh, 0.3, 0.55), rising(calf, 0.2, 0.45))
        legs.append(seen[[knee, ankle]].min() * upright)
    arms = [seen[arm[1]] for arm in ARMS] + [seen[[arm[1], arm[2]]].min() for arm in ARMS]
    return np.array([half * max(legs), half, *arms])


def reshaped(
    rgb: F32, people: Sequence[Person], form: Deformation, strength: float
) -> tuple[F32, list[Flow]]:
    """``rgb`` (H x W x 3 in [0, 1]) with each of ``people`` in the proportions of ``form``, as far as
    ``strength`` in [0, 1] and their weights say, one after the other; and the flows that did it, in order.

    Others in the picture hold still while one is reshaped, as does the border of the picture.
    """
    flows: list[Flow] = []
    people = [person for person in people if np.isfinite(person.points).all()]
    for index in range(len(people)):
        if strength * people[index].weight < 1e-3:
            continue
        found = _flow(people[index], people[:index] + people[index + 1 :], form, strength, rgb.shape)
        if found is None:
            continue
        flows.append(found)
        rgb = found.picture(rgb)
        if len(people) > 1:
            people = [_carried(person, found) for person in people]
    return rgb, flows


def _carried(person: Person, flow: Flow) -> Person:
    return Person(np.hstack([flow.points(person.points[:, :2]), person.points[:, 2:]]), person.seen)


def _flow(
    person: Person, others: Sequence[Person], form: Deformation, strength: float, shape: tuple[int, ...]
) -> Flow | None:
    """The flow that reshapes one person, or None where there is nothing that it could carry."""
    size = np.array(shape[1::-1])
    before, after = moved(person, form, shape)
    trunk, out = trunk_length(person.points), _OUT * size.max()
    near = ((before > -out) & (before < size - 1 + out)).all(1)
    before, after = before[near], after[near]
    if not ((before >= 0) & (before <= size - 1)).all(1).any():
        return None
    still = np.concatenate([_rim(shape, _GAP * trunk), *(other.points[:, :2] for other in others)])
    away = _apart(still, before).min(1)
    still = still[(away > _CLEAR * trunk) & (away < _REACH * trunk)]
    before, after = np.concatenate([before, still]), np.concatenate([after, still])
    for share, steps in _TRIES:
        goal = before + share * strength * (after - before)
        gap = np.minimum(_apart(before, before), _apart(goal, goal))
        single = ~np.tril(gap < _TWINS * trunk, -1).any(1)
        source, target = before[single], goal[single]
        spread = float(np.sqrt(((target - target.mean(0)) ** 2).sum(1).mean()))
        reach = float(np.clip(_REACH * trunk / spread, 0.5, 5))
        found = carrying.flow(
            source, target, shape, reach * spread + 4, reach=reach, steps=steps, smoothing=_SMOOTHING,
            scale=max(trunk / _FINE, 1.0), step=_KNOTS,
        )  # fmt: skip
        if not found.folds:
            return found
    return None


def moved(person: Person, form: Deformation, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Control points of a person as they are and in the proportions of ``form``, K x 2 pixels each of a
    picture of ``shape``.

    Between the standing figure, the half one whose legs are not seen, and no change, the person's weights
    mix. Points of different limbs that lie near each other go together.
    """
    figure, (standing, half) = Figure(person.points), person.seen[:2]
    whole, upper = (list(Placement(figure, form, s).parts(person.seen[2:])) for s in (True, False))
    before = np.concatenate([part[0] for part in whole])
    limb = np.concatenate([np.full(len(part[0]), part[2]) for part in whole])
    goals = [
        _within(before, np.concatenate([part[1] for part in parts]), limb == HEAD, shape[1], base)
        for parts, base in ((whole, figure.ground[1]), (upper, figure.hip[1]))
    ]
    way = standing * (goals[0] - before) + (1 - standing) * half * (goals[1] - before)
    return before, before + _agreed(before, way, limb, figure.trunk)


def _within(before: Floats, after: Floats, head: NDArray[np.bool_], width: int, base: float) -> Floats:
    """``after``, leaning from the height ``base`` up until a head that was in the picture is there."""
    x, y, old = after[head, 0], after[head, 1], before[head, 0]
    lean = max(min(old.min(), 0) - x.min(), 0) - max(x.max() - max(old.max(), width - 1), 0)
    share = np.clip((base - after[:, 1]) / max(base - y.max(), 1.0), 0, 1)
    return after + np.outer(share * lean, [1, 0])


def _agreed(points: Floats, way: Floats, limb: NDArray[np.int64], trunk: float) -> Floats:
    """``way`` (K x 2) so changed that no point of an arm or leg and another part's near it go apart by more
    than ``_SHEAR`` of their distance: projected on every pair, the mean over a point's pairs each round. The
    head keeps its way, the trunk most of it: a hand at the chin follows the chin."""
    gap = _apart(points, points)
    pairs = (limb[:, None] != limb) & (np.maximum(limb[:, None], limb) > TRUNK) & (gap < _NEAR[1] * trunk)
    head = limb == HEAD
    # Of a head, which grows by itself, what lies next to a limb alone counts, but from farther.
    close = gap[:, head] <= np.sort(gap[:, head], axis=1)[:, 2:3]
    pairs[:, head] = close & (gap[:, head] < _NEAR[0] * trunk) & (limb > TRUNK)[:, None]
    one, other = np.nonzero(np.where(head, pairs, np.triu(pairs & ~head[:, None])))
    most = _SHEAR * np.maximum(gap[one, other], 1e-3 * trunk)
    yields = np.choose(np.minimum(limb, 1) - HEAD, _YIELDS)
    mine, others = yields[one] / (yields[one] + yields[other]), yields[other] / (yields[one] + yields[other])
    index = np.concatenate([one, other])
    for _ in range(_ROUNDS):
        off = way[one] - way[other]
        over = np.maximum(1 - most / np.maximum(np.linalg.norm(off, axis=1), 1e-9), 0)
        if not over.any():
            break
        push = over[:, None] * off
        push = np.concatenate([-mine[:, None] * push, others[:, None] * push])
        count = np.maximum(np.bincount(index, np.tile(over > 0, 2), len(way)), 1)
        way = way + np.stack([np.bincount(index, push[:, k], len(way)) / count for k in (0, 1)], 1)
    return way


def _apart(points: Floats, others: Floats) -> Floats:
    """Distances, N x M."""
    return np.linalg.norm(points[:, None] - others, axis=2)


def _rim(shape: tuple[int, ...], gap: float) -> Floats:
    """Points along the border of a picture, about ``gap`` pixels apart."""
    high, wide = shape[0] - 1, shape[1] - 1
    x, y = (np.linspace(0, n, max(int(np.ceil(n / gap)), 1) + 1) for n in (wide, high))
    rows = [np.stack([x, np.full_like(x, edge)], 1) for edge in (0, high)]
    columns = [np.stack([np.full_like(y[1:-1], edge), y[1:-1]], 1) for edge in (0, wide)]
    return np.concatenate(rows + columns)
