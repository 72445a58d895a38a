"""A face in a character's proportions, in the frame of the head: eyes, nose, mouth, jaw and chin.

Every map changes one coordinate and rises strictly along it: x' = x + w(y, z) (X(x) - x) with X rising and
w in [0, 1], and the like. So the face stays whole whatever the numbers are.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from wbme.geometry.landmarks import LEFT_EYE, LIPS_OUTER, RIGHT_EYE
from wbme.people.sheet import Deformation

Floats = NDArray[np.float64]

_CHIN, _TIP, _WINGS, _BASE, _SIDES = 152, 4, (48, 278), 2, (234, 454)
_AXIS = -0.085  # metres behind the eyes, of the neck's axis
_LEAST = 0.28  # of the way from the midline to the eye that stays free beside the nose


def pivot(landmarks: NDArray, frame: NDArray) -> Floats:
    """Where the head is scaled from, in its frame: above the neck, as high as the chin."""
    chin = (landmarks[_CHIN].astype(float) - frame[:3, 3]) @ frame[:3, :3]
    return np.array([0.0, chin[1], _AXIS])


class Face:
    """The maps for one posed face: ``landmarks`` 468 x 3 and the head's ``frame`` 4 x 4 in the scene."""

    def __init__(self, landmarks: NDArray, frame: Floats, form: Deformation):
        self.turn, self.origin, self.form = frame[:3, :3], frame[:3, 3], form
        points = self.local(landmarks.astype(float))
        self.chin, self.pivot = points[_CHIN], pivot(landmarks, frame)
        eyes = np.concatenate([points[list(loop)] * [[side, 1, 1]]
                               for loop, side in ((RIGHT_EYE, -1), (LEFT_EYE, 1))])  # fmt: skip
        self.inner, self.outer = eyes[:, 0].min(), eyes[:, 0].max()
        self.eye = np.array([(self.inner + self.outer) / 2, np.median(eyes[:, 1])])
        self.lids = max(np.ptp(eyes[:, 1]) / 2, 0.004)
        self.side = np.abs(points[list(_SIDES), 0]).mean()
        self.mouth = points[list(LIPS_OUTER)].mean(0)
        self.mouth_wide = np.ptp(points[list(LIPS_OUTER), 0]) / 2
        self.wing_z = points[list(_WINGS), 2].mean()
        self.nose_y, self.nose_wide = points[_TIP, 1], np.abs(points[list(_WINGS), 0]).mean()
        self.base_y = points[_BASE, 1]
        self.front = points[_CHIN, 2]

    def local(self, points: Floats) -> Floats:
        """Scene to the head's frame, N x 3."""
        return (points - self.origin) @ self.turn

    def scene(self, points: Floats) -> Floats:
        """The head's frame to the scene, N x 3."""
        return points @ self.turn.T + self.origin

    def moved(self, points: Floats, hair: bool = False) -> Floats:
        """Points N x 3 of the scene; ``hair`` only follows the eyes' sinking."""
        place = self.local(points)
        if not hair:
            self._jaw(place)
            self._mouth(place)
            self._nose(place)
            self._eyes(place)
        self._sink(place)
        return self.scene(place)

    def _sink(self, p: Floats) -> None:
        drop, low = self.form.eye_drop, self.chin[1]
        if drop:
            high = -1.05 * low  # the crown lies about as far above the eyes as the chin below
            eye = self.eye[1]
            p[:, 1] = _through(p[:, 1], (low, eye, high), (low, eye - drop * (high - low), high))

    def _jaw(self, p: Floats) -> None:
        jaw, end, low, mouth = self.form.jaw, self.form.chin, self.chin[1], self.mouth[1]
        if jaw == end == 1:
            return
        # Cheeks keep their fullness; the width goes towards the chin, and comes back below it.
        fall = np.clip((mouth - p[:, 1]) / (mouth - low), 0, 1)
        k = 1 + (jaw - 1) * _ramp(-p[:, 1], -0.01, -mouth) + (end - jaw) * fall**1.6
        k = 1 + (k - 1) * _ramp(p[:, 1], low - 0.05, low - 0.012)
        p[:, 0] *= 1 + _ramp(p[:, 2], self.front - 0.10, self.front - 0.045) * (k - 1)

    def _mouth(self, p: Floats) -> None:
        scale, (_, y, z) = self.form.mouth, self.mouth
        if scale == 1:
            return
        near = _plateau(p[:, 1] - y, 0.014, 0.035) * _ramp(p[:, 2], z - 0.05, z - 0.02)
        half = self.mouth_wide
        wide = _through(np.abs(p[:, 0]), (0, half, self.side), (0, scale * half, self.side))
        p[:, 0] += near * (np.sign(p[:, 0]) * wide - p[:, 0])
        near = _plateau(p[:, 0], scale * half, 0.05) * _ramp(p[:, 2], z - 0.05, z - 0.02)
        tall = _through(p[:, 1] - y, (-0.03, -0.01, 0.01, 0.022), (-0.03, -0.01 * scale, 0.01 * scale, 0.022))
        p[:, 1] += near * (tall + y - p[:, 1])

    def _nose(self, p: Floats) -> None:
        scale = self.form.nose
        if scale == 1:
            return
        near = _plateau(p[:, 1] - (self.nose_y + self.base_y) / 2, 0.016, 0.045)
        half = self.nose_wide
        wide = _through(np.abs(p[:, 0]), (0, half, 3 * half), (0, scale * half, 3 * half))
        p[:, 0] += near * (np.sign(p[:, 0]) * wide - p[:, 0])
        near *= _plateau(p[:, 0], 0.8 * half, 2.2 * half)
        ahead = p[:, 2] - (self.wing_z - 0.006)
        flat = np.where(ahead > 0, ahead * (scale + (1 - scale) * 0.004 / (np.abs(ahead) + 0.004)), ahead)
        p[:, 2] += near * (flat - ahead)

    def _eyes(self, p: Floats) -> None:
        wide, tall = self.form.eyes, self.form.eyes * self.form.eye_height
        if wide == tall == 1:
            return
        x, y = self.eye
        front = _ramp(p[:, 2], self.front - 0.10, self.front - 0.05)
        inner = max(x - wide * (x - self.inner), _LEAST * self.inner)
        outer = x + wide * (self.outer - x)
        side = max(self.side, outer + 0.35 * (self.side - self.outer))
        near = _plateau(p[:, 1] - y, 0.010 * tall, 0.055) * front
        to = _through(np.abs(p[:, 0]), (0, self.inner, x, self.outer, self.side), (0, inner, x, outer, side))
        p[:, 0] += near * (np.sign(p[:, 0]) * to - p[:, 0])
        near = _plateau(np.abs(p[:, 0]) - x, 0.8 * (outer - x), 0.05) * front
        half = 1.2 * self.lids
        grown = half * tall
        brow, low = 0.024, 0.045
        raised = brow + 0.75 * (grown - half)
        to = _through(
            p[:, 1] - y,
            (-low, -half, 0, half, brow, 0.085), (-low, -grown, 0, grown, max(raised, grown + 0.004), 0.085),
        )  # fmt: skip
        p[:, 1] += near * (to + y - p[:, 1])


def _through(values: Floats, at: tuple, to: tuple) -> Floats:
    """A smooth rising function through (at, to), of slope 1 beyond its ends."""
    ends_at = (at[0] - 0.05, *at, at[-1] + 0.05)
    ends_to = (to[0] - 0.05, *to, to[-1] + 0.05)
    low, high = ends_at[0], ends_at[-1]
    inside = PchipInterpolator(ends_at, ends_to)(np.clip(values, low, high))
    return inside + np.minimum(values - low, 0) + np.maximum(values - high, 0)


def _ramp(values: Floats, low: float, high: float) -> Floats:
    """Smooth from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _plateau(off: Floats, flat: float, end: float) -> Floats:
    """1 up to ``flat`` from the middle, smoothly to 0 at ``end``."""
    return 1 - _ramp(np.abs(off), flat, max(end, flat + 0.005))
