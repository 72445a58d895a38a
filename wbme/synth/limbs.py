"""A character's proportions of the body, given to a person in a picture by the points of the pose.

As ``wbme.people.deform`` does in space, bones are scaled about their joints, outwards from the hips. All of it
is scaled by one more factor so that the figure keeps its height and its soles stay on the ground: long legs
mean a higher hip, a shorter trunk and a smaller head. Control points along the bones and beside them then
carry the picture along, by a flow that does not fold and ends a trunk's length from the figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbme.people.sheet import Deformation
from wbme.synth import carrying
from wbme.synth.carrying import Flow

F32 = NDArray[np.float32]
Floats = NDArray[np.float64]

# Points of the pose, left and right: root, middle and end of each limb, and what hangs at the end.
_ARMS = ((11, 13, 15, (17, 19, 21)), (12, 14, 16, (18, 20, 22)))
_LEGS = ((23, 25, 27, (29, 31)), (24, 26, 28, (30, 32)))
_METRE = 2.0  # trunks, from shoulders to hips
# Half widths in trunks at the ends of upper arm, forearm, thigh and calf.
_WIDTHS = ((0.11, 0.085), (0.085, 0.06), (0.17, 0.12), (0.12, 0.075))
_STATIONS = 4  # pairs of control points along a bone
_SHEAR = 0.6  # pixels that two limbs may part or close for each pixel between them
_NEAR, _ROUNDS = 0.4, 12  # of the trunk, within which that counts; rounds in which it is brought about
_YIELDS = (0.0, 0.3, 1.0)  # of head, trunk and limb: how far each gives way
_REACH, _STEPS, _SMOOTHING = 1.0, 10, 1e-4  # of the flow; the reach in trunks
_GAP, _CLEAR = 0.2, 0.35  # trunks between points that hold still, and from them to the figure
_TWINS = 0.02  # trunks: points that come nearer count once
_OUT = 0.3  # of the picture's longer side, beyond which points of the figure are left out


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


def presence(points: Floats, shape: tuple[int, ...]) -> Floats:
    """What of a body (33 x 4) can be reshaped in a picture of ``shape``, 6 in [0, 1]: the whole figure, whose
    trunk and a leg are seen in the picture and stand; its trunk; left and right upper arm, then forearm."""
    if not np.isfinite(points).all():
        return np.zeros(6)
    place, height = points[:, :2], points[:, 3]
    hip, chest = place[[23, 24]].mean(0), place[[11, 12]].mean(0)
    trunk = float(np.linalg.norm(chest - hip))
    if trunk < 1:
        return np.zeros(6)
    border = np.minimum(place, np.array(shape[1::-1]) - 1 - place).min(1)
    seen = _rising(height, 0.35, 0.65) * _rising(border / trunk, -0.05, 0.05)
    half = seen[[11, 12, 23, 24]].min() * _rising((hip[1] - chest[1]) / trunk, 0.6, 0.85)
    half *= _rising(trunk, 10, 20)
    legs = []
    for _, knee, ankle, _ in _LEGS:
        # Who sits or kneels keeps the legs: a longer one would lift the hips off the chair.
        thigh, calf = (place[knee, 1] - hip[1]) / trunk, (place[ankle, 1] - place[knee, 1]) / trunk
        upright = min(_rising(thigh, 0.3, 0.55), _rising(calf, 0.2, 0.45))
        legs.append(min(seen[knee], seen[ankle]) * upright)
    upper = [seen[arm[1]] for arm in _ARMS]
    return np.array([half * max(legs), half, *upper, *(min(seen[arm[2]], u) for arm, u in zip(_ARMS, upper, strict=True))])


def reshaped(
    rgb: F32, people: Sequence[Person], form: Deformation, strength: float
) -> tuple[F32, list[Flow]]:
    """``rgb`` (H x W x 3 in [0, 1]) with each of ``people`` in the proportions of ``form``, as far as
    ``strength`` in [0, 1] and their weights say, one after the other; and the flows that did it, in order.

    Others in the picture hold still while one is reshaped, as does the border of the picture.
    """
    flows: list[Flow] = []
    people = list(people)
    for index, person in enumerate(people):
        if strength * person.weight < 1e-3:
            continue
        others = [other for k, other in enumerate(people) if k != index]
        found = _flow(person, others, form, strength, rgb.shape)
        if found is None:
            continue
        flows.append(found)
        rgb = found.picture(rgb)
        people = [_carried(other, found) for other in people]
    return rgb, flows


def _carried(person: Person, flow: Flow) -> Person:
    if not np.isfinite(person.points).all():
        return person
    return Person(np.hstack([flow.points(person.points[:, :2]), person.points[:, 2:]]), person.seen)


def _flow(
    person: Person, others: Sequence[Person], form: Deformation, strength: float, shape: tuple[int, ...]
) -> Flow | None:
    """The flow that reshapes one person, or None where there is nothing that it could carry."""
    size = np.array(shape[1::-1])
    before, after = moved(person, form)
    trunk = _trunk(person.points)
    near = ((before > -_OUT * size.max()) & (before < size - 1 + _OUT * size.max())).all(1)
    before, after = before[near], after[near]
    if not ((before >= 0) & (before <= size - 1)).all(1).any():
        return None
    still = np.concatenate([_rim(shape, _GAP * trunk), *(_joints(other) for other in others)])
    away = np.linalg.norm(still[:, None] - before, axis=2).min(1)
    still = still[(away > _CLEAR * trunk) & (away < 2 * _REACH * trunk)]
    before, after = np.concatenate([before, still]), np.concatenate([after, still])
    for share in (1.0, 0.5, 0.25):
        goal = before + share * strength * (after - before)
        gap = np.minimum(*(np.linalg.norm(p[:, None] - p, axis=2) for p in (before, goal)))
        single = ~np.tril(gap < _TWINS * trunk, -1).any(1)
        source, target = before[single], goal[single]
        spread = float(np.sqrt(((target - target.mean(0)) ** 2).sum(1).mean()))
        reach = float(np.clip(_REACH * trunk / spread, 0.5, 5))
        found = carrying.flow(
            source, target, shape, reach * spread + 4, reach=reach, steps=_STEPS, smoothing=_SMOOTHING
        )
        if not found.folds:
            return found
    return None


def moved(person: Person, form: Deformation) -> tuple[Floats, Floats]:
    """Control points of a person as they are and in the proportions of ``form``, K x 2 pixels each.

    A standing figure keeps its ground and its height: n = (L + T) / (l L + T'), with L from the ground to the
    hips, l the factor of the legs, T from the hips to the crown and T' the same by the factors of torso, neck
    and head, scales all of it. Where the legs are not seen the hips and all below them stay, n = T / T'.
    Between the two, and no change, the person's weights mix. Points of different limbs that lie near each
    other and would part by more than a share of their distance go together.
    """
    figure = _Figure(person.points, form)
    standing, half = person.seen[:2]
    before, whole, group = figure.placed(person.seen, standing=True)
    _, upper, _ = figure.placed(person.seen, standing=False)
    way = standing * (whole - before) + (1 - standing) * half * (upper - before)
    return before, before + _agreed(before, way, group, figure.trunk)


class _Figure:
    """A body's measures in pixels, y down, and where its control points lie and go."""

    def __init__(self, points: Floats, form: Deformation) -> None:
        self.points, self.form = points[:, :2], form
        p = self.points
        self.hip, self.chest = p[[23, 24]].mean(0), p[[11, 12]].mean(0)
        self.trunk = _trunk(points)
        self.along = (self.chest - self.hip) / self.trunk
        self.across = np.array([-self.along[1], self.along[0]])
        eyes, mouth = p[[2, 5]].mean(0), p[[9, 10]].mean(0)
        up = eyes - mouth + 0.15 * (eyes - self.chest)
        self.up = up / max(float(np.linalg.norm(up)), 1e-6)
        # Pixels of a metre at the head, from the longest of measures that a turn of the head shortens.
        pairs = ((eyes, mouth, 0.068), (p[3], p[6], 0.092), (p[7], p[8], 0.16))
        seen = max(float(np.linalg.norm(a - b)) / length for a, b, length in pairs)
        self.metre = float(np.clip(seen, 0.7 * _METRE * self.trunk, 1.8 * _METRE * self.trunk))
        self.crown, self.chin = eyes + 0.135 * self.metre * self.up, eyes - 0.118 * self.metre * self.up

    def placed(self, seen: Floats, standing: bool) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Control points before and after, K x 2, and the limb of each, K: -1 the head, 0 the trunk, 1 to 4."""
        p, form, trunk, hip = self.points, self.form, self.trunk, self.hip
        chest, chin = self.chest, self.chin
        high = form.torso * (chest - hip)
        long = high + form.neck * (chin - chest)
        top = max(hip[1] - self.crown[1], 0.5 * trunk)
        new = max(-(long + form.head * (self.crown - chin))[1], 0.3 * trunk)
        feet = [p[[ankle, *tips]] for _, _, ankle, tips in _LEGS]
        ground = np.array([np.mean([foot[0, 0] for foot in feet]), max(foot[:, 1].max() for foot in feet)])
        down = max(ground[1] - hip[1], 0.5 * trunk)
        n = (down + top) / (form.legs * down + new) if standing else top / new
        base = ground + n * form.legs * (hip - ground) if standing else hip
        wide, narrow = n * form.shoulders, n * (1 + (form.shoulders - 1) / 2)
        before: list[Floats] = []
        after: list[Floats] = []
        group: list[int] = []

        def add(points: Floats, goals: Floats, limb: int) -> None:
            before.append(points)
            after.append(goals)
            group.extend([limb] * len(points))

        def on_trunk(points: Floats) -> Floats:
            up, side = (points - hip) @ self.along, (points - hip) @ self.across
            width = narrow + np.clip(up / trunk, 0, 1) * (wide - narrow)
            return base + n * form.torso * up[:, None] * self.along + (width * side)[:, None] * self.across

        half = max(float(np.linalg.norm(p[11] - p[12])) / 2, 0.22 * trunk)
        waist = 1.35 * max(float(np.linalg.norm(p[23] - p[24])) / 2, 0.6 * half)
        t, s = (axis.ravel() for axis in np.meshgrid([-0.05, 0.25, 0.5, 0.75, 1.0], [-1, -0.5, 0, 0.5, 1]))
        rows = hip + t[:, None] * (chest - hip) + (s * (waist + t * (half - waist)))[:, None] * self.across
        add(rows, on_trunk(rows), 0)
        chin_to = base + n * long
        head = self._head()
        add(head, chin_to + n * form.head * (head - chin), -1)
        chest_to = base + n * high
        for t in (0.35, 0.7):
            sides = np.outer([-0.05, 0.05], self.metre * self.across)
            goal = chest_to + t * (chin_to - chest_to)
            add(chest + t * (chin - chest) + sides, goal + n * form.neck_width * sides, 0)
        for k, (root, middle, end, tips) in enumerate(_ARMS):
            shoulder = on_trunk(p[[root]])[0]
            elbow = shoulder + n * form.arms * (p[middle] - p[root])
            wrist = elbow + n * form.arms * (p[end] - p[middle])
            hand = np.concatenate([p[list(tips)], p[[end]] + 1.6 * (p[list(tips)].mean(0) - p[end])])
            parts = (
                (*self._bone(p[root], p[middle], shoulder, elbow, _WIDTHS[0], n), seen[2 + k]),
                (*self._bone(p[middle], p[end], elbow, wrist, _WIDTHS[1], n), seen[4 + k]),
                (hand, wrist + n * form.hands * (hand - p[end]), seen[4 + k]),
            )
            for points, goals, share in parts:  # an arm that is not seen goes with the trunk
                add(points, on_trunk(points) + share * (goals - on_trunk(points)), 1 + k)
        for k, (root, middle, end, _) in enumerate(_LEGS):
            foot = feet[k]
            sole = np.array([foot[:, 0].mean(), foot[:, 1].max()])
            # A foot on the ground stays there, one in the air goes with the leg.
            down_here = float(_rising((sole[1] - hip[1]) / down, 0.4, 0.75))
            away = base + n * form.legs * (sole - hip)
            sole_to = down_here * sole + (1 - down_here) * away
            joint, ankle = on_trunk(p[[root]])[0], sole_to + n * form.feet * (p[end] - sole)
            knee = _similar(p[root], p[end], joint, ankle, p[middle])
            floor = sole + np.outer([-0.1, 0, 0.1], [trunk, 0])
            foot = np.concatenate([foot, floor])
            parts_ = [
                self._bone(p[root], p[middle], joint, knee, _WIDTHS[2], n),
                self._bone(p[middle], p[end], knee, ankle, _WIDTHS[3], n),
                (foot, sole_to + n * form.feet * (foot - sole)),
            ]
            for points, goals in parts_:
                add(points, goals if standing else points, 3 + k)
        return np.concatenate(before), np.concatenate(after), np.array(group)

    def _head(self) -> Floats:
        """Points around the head and in it."""
        side = np.array([-self.up[1], self.up[0]])
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        tall, wide = 0.127 * self.metre, 0.092 * self.metre
        middle = (self.crown + self.chin) / 2
        ring = middle + tall * np.outer(np.cos(turn), self.up) + wide * np.outer(np.sin(turn), side)
        inner = middle + np.outer([-0.5, 0, 0.5], tall * self.up)
        return np.concatenate([ring, inner])

    def _bone(
        self, start: Floats, end: Floats, start_to: Floats, end_to: Floats, widths: tuple[float, float], n: float
    ) -> tuple[Floats, Floats]:
        """Points on a bone and on both of its sides."""
        t = np.linspace(0.15, 0.9, _STATIONS)[:, None]
        half = self.trunk * (widths[0] + t * (widths[1] - widths[0]))
        found = []
        for a, b, wide in ((start, end, 1.0), (start_to, end_to, n * self.form.limb_width)):
            way = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
            normal = np.array([-way[1], way[0]])
            axis = a + t * (b - a)
            found.append(np.concatenate([axis, axis + wide * half * normal, axis - wide * half * normal]))
        return found[0], found[1]


def _similar(start: Floats, end: Floats, start_to: Floats, end_to: Floats, point: Floats) -> Floats:
    """``point`` under the turn and scale that carry start and end to where they go."""
    a, b, c = (complex(*v) for v in (end - start, end_to - start_to, point - start))
    turned = c if abs(a) < 1e-6 else c * b / a
    return start_to + [turned.real, turned.imag]


def _agreed(points: Floats, way: Floats, limb: NDArray[np.int64], trunk: float) -> Floats:
    """``way`` (K x 2) so changed that points of a limb and of another near it, of the trunk or the head do not
    go apart by more than ``_SHEAR`` of their distance: projected on every pair, the mean over a point's pairs
    each round. The head keeps its way, the trunk most of it."""
    gap = np.linalg.norm(points[:, None] - points, axis=2)
    apart = (limb[:, None] != limb) & (np.maximum(limb[:, None], limb) > 0)
    one, other = np.nonzero(np.triu(apart & (gap < _NEAR * trunk)))
    yields = np.choose(np.minimum(limb, 1) + 1, _YIELDS)
    yields = np.stack([yields[one], yields[other]]) / (yields[one] + yields[other])
    most = _SHEAR * np.maximum(gap[one, other], 1e-3 * trunk)
    index = np.concatenate([one, other])
    for _ in range(_ROUNDS):
        apart = way[one] - way[other]
        over = np.maximum(1 - most / np.maximum(np.linalg.norm(apart, axis=1), 1e-9), 0)
        if not over.any():
            break
        push = over[:, None] * apart
        both = np.concatenate([-yields[0][:, None] * push, yields[1][:, None] * push])
        count = np.maximum(np.bincount(index, np.tile(over > 0, 2), len(way)), 1)
        way = way + np.stack([np.bincount(index, both[:, k], len(way)) / count for k in (0, 1)], 1)
    return way


def _trunk(points: Floats) -> float:
    return max(float(np.linalg.norm(points[[11, 12], :2].mean(0) - points[[23, 24], :2].mean(0))), 1.0)


def _joints(person: Person) -> Floats:
    return person.points[:, :2] if np.isfinite(person.points).all() else np.empty((0, 2))


def _rim(shape: tuple[int, ...], gap: float) -> Floats:
    """Points along the border of a picture, about ``gap`` pixels apart."""
    high, wide = shape[0] - 1, shape[1] - 1
    x, y = (np.linspace(0, n, max(int(np.ceil(n / gap)), 1) + 1) for n in (wide, high))
    rows = [np.stack([x, np.full_like(x, edge)], 1) for edge in (0, high)]
    columns = [np.stack([np.full_like(y[1:-1], edge), y[1:-1]], 1) for edge in (0, wide)]
    return np.concatenate(rows + columns)


def _rising(x: NDArray[np.floating] | float, low: float, high: float) -> NDArray[np.floating]:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((np.asarray(x, float) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
