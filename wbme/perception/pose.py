"""Bodies in a picture: 33 points and a mask each (BlazePose, Bazarevsky et al., arXiv 2006.10204)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wbme.color.inputs import check_picture
from wbme.geometry.transforms import Square, apply, compose, invert, warp
from wbme.perception import detector
from wbme.perception.networks import network

# Pairs of points that a skeleton joins. 0 nose, 1-3 left and 4-6 right eye, 7 and 8 ears, 9 and 10 mouth
# corners; then left (odd) and right (even): 11 shoulder, 13 elbow, 15 wrist, 17-21 hand, 23 hip, 25 knee,
# 27 ankle, 29 heel, 31 toes.
# fmt: off
SKELETON: Final = (
    (0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10),
    (11, 12), (11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19),
    (12, 14), (14, 16), (16, 18), (16, 20), (16, 22), (18, 20), (11, 23), (12, 24), (23, 24),
    (23, 25), (25, 27), (27, 29), (29, 31), (27, 31), (24, 26), (26, 28), (28, 30), (30, 32), (28, 32),
)
# fmt: on
# Enlarged, a cat or a cell passes for a person up to a score of 0.62; people of a crowd have 0.7 and more.
_SURE = 0.65


@dataclass(frozen=True, eq=False)
class Body:
    """One person. ``points`` 33 x 4: x, y and z in pixels (z from the hips, smaller is nearer), and how
    likely the point is seen, in [0, 1]; ``score`` in [0, 1]; ``mask`` H x W in [0, 1], soft; ``square``:
    around the person."""

    points: NDArray[np.float64]
    score: float
    mask: NDArray[np.float32]
    square: Square

    @property
    def size(self) -> float:
        """The longer extent of the points in pixels."""
        return float(np.ptp(self.points[:, :2], axis=0).max())


def detect(
    rgb: NDArray[np.float32], *, max_bodies: int | None = None, min_score: float = 0.5, tiled: bool = True
) -> list[Body]:
    """The people in an sRGB picture (H x W x 3, float32 in [0, 1]), the largest first; [] where none is.

    Looks at the whole picture and, where ``tiled``, at tiles of about half of it: of many small people most
    stay unseen, for in still smaller tiles the detector sees people in things. It needs an upright head.
    Raises ParameterError when ``rgb`` is not such a picture.
    """
    picture = check_picture(rgb)
    tiles = detector.windows(picture.shape, 0.6 * max(picture.shape[:2]))[: None if tiled else 1]
    looks = ((tiles[:1], min_score), (tiles, max(min_score, _SURE)))
    found = detector.best([detector.detect(detector.PERSON, picture, *look) for look in looks])
    bodies = []
    for keypoints in found.keypoints:
        rough = _look(picture, _square(*keypoints[:2]))
        if rough.score >= 0.5:
            bodies.append(_look(picture, rough.square))
    bodies = [body for body in bodies if body.score >= min_score]
    bodies.sort(key=lambda body: -body.score)
    # Two people may stand in one box, but not two heads.
    heads = [np.concatenate([b.points[:11, :2].min(0), b.points[:11, :2].max(0)]) for b in bodies]
    kept = [bodies[index] for index in detector.keep_best(np.reshape(heads, (-1, 4)))]
    return sorted(kept, key=lambda body: (-body.size, body.points[0, 0]))[:max_bodies]


def follow(rgb: NDArray[np.float32], body: Body) -> Body:
    """The same person in the next frame of a video; where it has gone, the score is low.

    Raises ParameterError when ``rgb`` is not a picture as in ``detect``.
    """
    return _look(check_picture(rgb), body.square)


def _square(hips: NDArray[np.float64], top: NDArray[np.float64]) -> Square:
    """The square around a person: centred on the hips, 2.5 times as long as from there up to ``top``."""
    x, y = top - hips
    return Square(*hips, max(2.5 * float(np.hypot(x, y)), 1.0), float(np.arctan2(x, -y)))


def _look(picture: NDArray[np.float32], square: Square) -> Body:
    values, score, mask, _, _ = network("pose_landmarks")(square.crop(picture, 256)[None])
    local = values.reshape(39, 5).astype(float)
    matrix = square.matrix()
    points = np.column_stack(
        [apply(matrix, local[:, :2] / 256), local[:, 2] / 256 * square.side, 1 / (1 + np.exp(-local[:, 3]))]
    )
    to_pixels = np.array([[256.0, 0, -0.5], [0, 256.0, -0.5]])
    share = (1 / (1 + np.exp(-np.clip(mask[0, :, :, 0], -30, 30)))).astype(np.float32)
    on_picture = warp(share, compose(to_pixels, invert(matrix)), picture.shape[:2], outside="zero")
    # The last two of the network's 39 points place a tighter square.
    return Body(points[:33], score.item(), on_picture, _square(*points[33:35, :2]))
