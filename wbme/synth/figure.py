"""A figure in a picture by the points of its pose: its measures, and where a character's proportions put it.

All in pixels, x right and y down; left and right are the person's own.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wbme.people.sheet import Deformation

Floats = NDArray[np.float64]
Part = tuple[Floats, Floats, int]  # control points K x 2, where they go, and the limb they belong to

# Points of the pose, left and right: root, middle and end of each limb, and what hangs at the end.
ARMS = ((11, 13, 15, (17, 19, 21)), (12, 14, 16, (18, 20, 22)))
LEGS = ((23, 25, 27, (29, 31)), (24, 26, 28, (30, 32)))
HEAD, TRUNK = -1, 0  # limbs; arms are 1 and 2, legs 3 and 4
_METRE = 2.0  # trunks, from shoulders to hips
# Half widths in trunks at the ends of upper arm, forearm, thigh and calf.
_UPPER_ARM, _FOREARM, _THIGH, _CALF = (0.11, 0.085), (0.085, 0.06), (0.145, 0.11), (0.11, 0.075)
_ALONG = np.linspace(0.15, 0.9, 4)[:, None]  # where on a bone its control points lie


class Figure:
    """Measures of a body, ``points`` 33 x 4 as in ``wbme.perception.pose``, all finite."""

    def __init__(self, points: Floats) -> None:
        p = self.points = points[:, :2]
        self.hip, self.chest = p[[23, 24]].mean(0), p[[11, 12]].mean(0)
        self.trunk = trunk_length(points)
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
        self.feet = [p[[ankle, *tips]] for _, _, ankle, tips in LEGS]
        ankles, soles = ([foot[0, 0] for foot in self.feet], [foot[:, 1].max() for foot in self.feet])
        self.ground = np.array([np.mean(ankles), max(soles)])
        self.leg = max(self.ground[1] - self.hip[1], 0.5 * self.trunk)
        self.top = max(self.hip[1] - self.crown[1], 0.5 * self.trunk)


class Placement:
    """Where a ``figure`` goes in the proportions of ``form``.

    A standing figure keeps its ground and its height: n = (L + T) / (l L + T') scales all of it, with L from
    the ground to the hips, l the factor of the legs, T from the hips to the crown and T' the same by the
    factors of torso, neck and head. Otherwise the hips and all below them stay, and n = T / T'.
    """

    def __init__(self, figure: Figure, form: Deformation, standing: bool) -> None:
        self.figure, self.form, self.standing = figure, form, standing
        chest = form.torso * (figure.chest - figure.hip)
        chin = chest + form.neck * (figure.chin - figure.chest)
        top = max(-(chin + form.head * (figure.crown - figure.chin))[1], 0.3 * figure.trunk)
        if standing:
            self.n = (figure.leg + figure.top) / (form.legs * figure.leg + top)
            self.hip = figure.ground + self.n * form.legs * (figure.hip - figure.ground)
        else:
            self.n, self.hip = figure.top / top, figure.hip
        self.chest, self.chin = self.hip + self.n * chest, self.hip + self.n * chin

    def on_trunk(self, points: Floats) -> Floats:
        """Where points (N x 2) go that lie on the trunk: hips widen half as much as shoulders."""
        figure, form = self.figure, self.form
        up, side = (points - figure.hip) @ figure.along, (points - figure.hip) @ figure.across
        share = (1 + np.clip(up / figure.trunk, 0, 1)) / 2
        wide = self.n * (1 + share * (form.shoulders - 1)) * side
        return self.hip + self.n * form.torso * up[:, None] * figure.along + wide[:, None] * figure.across

    def parts(self, seen: Floats) -> Iterator[Part]:
        """Control points of the whole figure; ``seen`` 4 in [0, 1]: both upper arms, then forearms."""
        yield from self._torso()
        yield self._head()
        for k in (0, 1):
            yield from self._arm(k, seen[k], seen[2 + k])
        for k in (0, 1):
            yield from self._leg(k)

    def _torso(self) -> Iterator[Part]:
        figure, p = self.figure, self.figure.points
        shoulder = max(float(np.linalg.norm(p[11] - p[12])) / 2, 0.22 * figure.trunk)
        waist = 1.35 * max(float(np.linalg.norm(p[23] - p[24])) / 2, 0.6 * shoulder)
        t, s = (axis.ravel() for axis in np.meshgrid([-0.05, 0.25, 0.5, 0.75, 1.0], [-1, -0.5, 0, 0.5, 1]))
        side = s * (waist + t * (shoulder - waist))
        points = figure.hip + np.outer(t, figure.chest - figure.hip) + np.outer(side, figure.across)
        yield points, self.on_trunk(points), TRUNK
        for t in (0.35, 0.7):
            sides = np.outer([-0.05, 0.05], figure.metre * figure.across)
            axis, goal = (a + t * (b - a) for a, b in ((figure.chest, figure.chin), (self.chest, self.chin)))
            yield axis + sides, goal + self.n * self.form.neck_width * sides, TRUNK

    def _head(self) -> Part:
        """Points around the head and in it, scaled about the chin."""
        figure = self.figure
        side = np.array([-figure.up[1], figure.up[0]])
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        tall, wide = 0.127 * figure.metre, 0.092 * figure.metre
        off = tall * np.outer(np.cos(turn), figure.up) + wide * np.outer(np.sin(turn), side)
        off = np.concatenate([off, np.outer([-0.5, 0, 0.5], tall * figure.up)])
        points = (figure.crown + figure.chin) / 2 + off
        return points, self.chin + self.n * self.form.head * (points - figure.chin), HEAD

    def _arm(self, k: int, upper: float, lower: float) -> Iterator[Part]:
        """An arm; as far as it is not seen it goes with the trunk."""
        p, form, n = self.figure.points, self.form, self.n
        root, middle, end, tips = ARMS[k]
        shoulder = self.on_trunk(p[[root]])[0]
        elbow = shoulder + n * form.arms * (p[middle] - p[root])
        wrist = elbow + n * form.arms * (p[end] - p[middle])
        hand = np.concatenate([p[list(tips)], p[[end]] + 1.6 * (p[list(tips)].mean(0) - p[end])])
        for points, goals, share in (
            (*self._bone(p[[root, middle]], np.stack([shoulder, elbow]), _UPPER_ARM), upper),
            (*self._bone(p[[middle, end]], np.stack([elbow, wrist]), _FOREARM), lower),
            (hand, wrist + n * form.hands * (hand - p[end]), lower),
        ):
            still = self.on_trunk(points)
            yield points, still + share * (goals - still), 1 + k

    def _leg(self, k: int) -> Iterator[Part]:
        figure, p, form, n = self.figure, self.figure.points, self.form, self.n
        root, middle, end, _ = LEGS[k]
        foot = figure.feet[k]
        sole = np.array([foot[:, 0].mean(), foot[:, 1].max()])
        # A foot on the ground stays there, one in the air goes with the leg.
        stands = float(rising((sole[1] - figure.hip[1]) / figure.leg, 0.4, 0.75))
        there = sole + (1 - stands) * (self.hip + n * form.legs * (sole - figure.hip) - sole)
        hip, ankle = self.on_trunk(p[[root]])[0], there + n * form.feet * (p[end] - sole)
        knee = _similar(p[[root, end]], np.stack([hip, ankle]), p[middle])
        foot = np.concatenate([foot, sole + np.outer([-0.1, 0, 0.1], [figure.trunk, 0])])
        for points, goals in (
            self._bone(p[[root, middle]], np.stack([hip, knee]), _THIGH),
            self._bone(p[[middle, end]], np.stack([knee, ankle]), _CALF),
            (foot, there + n * form.feet * (foot - sole)),
        ):
            yield points, goals if self.standing else points, 3 + k

    def _bone(self, ends: Floats, goals: Floats, widths: tuple[float, float]) -> tuple[Floats, Floats]:
        """Points on a bone and on both of its sides, before and after; ``ends`` and ``goals`` 2 x 2."""
        half = self.figure.trunk * (widths[0] + _ALONG * (widths[1] - widths[0]))
        found = []
        for (a, b), wide in ((ends, 1.0), (goals, self.n * self.form.limb_width)):
            way = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
            axis, off = a + _ALONG * (b - a), wide * half * [-way[1], way[0]]
            found.append(np.concatenate([axis, axis + off, axis - off]))
        return found[0], found[1]


def _similar(ends: Floats, goals: Floats, point: Floats) -> Floats:
    """``point`` under the turn and scale that carry both ``ends`` to ``goals``, 2 x 2."""
    a, b, c = (complex(*v) for v in (ends[1] - ends[0], goals[1] - goals[0], point - ends[0]))
    turned = c if abs(a) < 1e-6 else c * b / a
    return goals[0] + np.array([turned.real, turned.imag])


def trunk_length(points: Floats) -> float:
    """Pixels from the middle of the shoulders to that of the hips, at least 1, of a body 33 x 4."""
    return max(float(np.linalg.norm(points[[11, 12], :2].mean(0) - points[[23, 24], :2].mean(0))), 1.0)


def rising(x: NDArray[np.floating] | float, low: float, high: float) -> NDArray[np.floating]:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((np.asarray(x, float) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
