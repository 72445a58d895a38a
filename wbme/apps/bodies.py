"""The bodies of a picture, and of a video frame after frame, steadily."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wbme.apps.tiles import Rgb
from wbme.perception import pose
from wbme.synth import limbs
from wbme.synth.figure import trunk_length
from wbme.synth.limbs import Person

FADE = 0.4  # seconds in which what is seen takes on its new proportions, and loses them
_REST = 0.8  # hertz: what a body at rest lets through of what its points do, which is noise ...
_SPEED = 8.0  # ... and so much more for each trunk that it moves a second, which is motion ...
_NOISE = 0.4  # ... beyond this
_SAME = 0.5  # trunks between two looks at one body, at most


def found(rgb: Rgb) -> list[Person]:
    """The people of a picture (H x W x 3 in [0, 1]), the largest last."""
    return [
        Person(body.points, limbs.presence(body.points, rgb.shape)) for body in reversed(pose.detect(rgb))
    ]


@dataclass
class _Followed:
    body: pose.Body
    points: NDArray[np.float64]
    seen: NDArray[np.float64]
    weight: float
    aim: float = 1.0

    @property
    def middle(self) -> NDArray[np.float64]:
        return self.points[[11, 12, 23, 24], :2].mean(0)

    @property
    def trunk(self) -> float:
        return trunk_length(self.points)


@dataclass
class Bodies:
    """Bodies over time: looked for now and then, followed by their poses in between, faded in and out."""

    _known: list[_Followed] | None = field(default=None)

    def frame(self, rgb: Rgb, look: bool, seconds: float) -> list[Person]:
        """The people of a frame, ``seconds`` after the last, the largest last. ``look``: whether new ones are
        looked for.

        Points are smoothed as in the one-euro filter (Casiez et al. 2012). Who comes into view, or a limb
        that does, fades in, but is there at once in the first frame.
        """
        start = self._known is None
        known = self._known or []
        share = 1 - math.exp(-seconds / FADE)
        for one in known:
            body = pose.follow(rgb, one.body)
            away = np.linalg.norm(body.points[[11, 12, 23, 24], :2].mean(0) - one.middle)
            if body.score >= 0.5 and away < one.trunk and np.isfinite(body.points).all():
                one.body, one.points = body, _smoothed(one, body.points, seconds)
                one.seen = one.seen + share * (limbs.presence(body.points, rgb.shape) - one.seen)
            else:
                one.aim = 0.0
        for index, one in enumerate(known):
            if any(_same(one, other) for other in known[:index] if other.aim):
                one.aim = 0.0
        if look:
            for body in pose.detect(rgb, tiled=False):
                seen = limbs.presence(body.points, rgb.shape)
                new = _Followed(body, body.points, seen, 1.0 if start else 0.0)
                if not any(_same(new, one) for one in known if one.aim):
                    known.append(new)
        for one in known:
            one.weight += share * (one.aim - one.weight)
        self._known = [one for one in known if one.weight > 0.01 or one.aim > 0]
        order = sorted(self._known, key=lambda one: one.trunk)
        return [Person(one.points, one.seen * [one.weight, one.weight, 1, 1, 1, 1]) for one in order]


def _same(one: _Followed, other: _Followed) -> bool:
    return float(np.linalg.norm(one.middle - other.middle)) < _SAME * max(one.trunk, other.trunk)


def _smoothed(one: _Followed, points: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    way = points - one.points
    speed = np.linalg.norm(way[:, :2], axis=1) / one.trunk / seconds
    # Each point by itself: hands wave on a body at rest.
    cutoff = _REST + _SPEED * np.maximum(speed - _NOISE, 0)
    share = 1 - np.exp(-2 * math.pi * cutoff * seconds)
    return one.points + share[:, None] * way
