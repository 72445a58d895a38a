"""Who a drawing shows: whether the nearest of many photographs is one of the same person.

No network of face recognition comes with wbme; the graph that a user brings may be one. The photographs' own
rate says what a descriptor can tell at all, chance what it would say blindly.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn.functional import normalize

from wbme import runtime
from wbme.base.errors import ModelError
from wbme.geometry import landmarks
from wbme.geometry.transforms import invert, warp
from wbme.geometry.warps import similarity
from wbme.nets.mobilenet import MobileNetV2

F32 = NDArray[np.float32]
SIDE = 112
# Where networks of face recognition want eyes, nose tip and corners of the mouth (Deng et al.: ArcFace, CVPR
# 2019): pixels of the crop, the person's right first.
_PLACES = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]


def aligned(rgb: F32, points: ArrayLike) -> F32:
    """The face with these ``points`` (468 x 2, pixels) upright, 112 x 112 x 3, by the similarity that brings
    its five points nearest to those of ArcFace's crops; ``rgb`` H x W x 3 sRGB in [0, 1]."""
    five = torch.from_numpy(landmarks.subset(points, "5"))[None]
    matrix = similarity(five, torch.tensor([_PLACES], dtype=five.dtype))[0].numpy()
    return np.clip(warp(rgb, invert(matrix), (SIDE, SIDE)), 0, 1)


def by_features(network: MobileNetV2, crop: F32) -> F32:
    """The descriptor of an ``aligned`` face by the backbone: its stages at 1/8 to 1/32, each place scaled to
    length one, as in ``perceptual.compare``. It sees hair, skin, brows, glasses and the pose alike."""
    with torch.inference_mode():
        stages = network.stages(torch.from_numpy(crop).permute(2, 0, 1)[None])[2:]
    return _unit(np.concatenate([(normalize(f, dim=1) / f[0, 0].numel() ** 0.5).flatten() for f in stages]))


class Recogniser:
    """A network of face recognition that the user brings: an .onnx file of one input, N x 3 x 112 x 112 RGB
    in [-1, 1], and one output, N x D, as InsightFace publishes them.

    Raises ModelError for a file that is none.
    """

    def __init__(self, path: str | Path) -> None:
        self._net = runtime.load(path, "onnxruntime", threads=1)
        free, wanted = (None, 1), (3, SIDE, SIDE)
        shapes = [spec.shape or () for spec in (*self._net.inputs, *self._net.outputs)]
        fits = len(shapes) == 2 and len(shapes[0]) == 4 and len(shapes[1]) == 2 and shapes[0][0] in free
        if not fits or any(a not in (None, b) for a, b in zip(shapes[0][1:], wanted, strict=True)):
            said = " and ".join(str(spec) for spec in (*self._net.inputs, *self._net.outputs))
            raise ModelError(
                f"{path} takes and gives {said}, but a network of face recognition takes 1 x 3 x 112 x 112 "
                "and gives 1 x D: give the .onnx of an ArcFace"
            )

    def __call__(self, crop: F32) -> F32:
        """The embedding, of length one, of an ``aligned`` face."""
        return _unit(self._net((2 * crop - 1).transpose(2, 0, 1)[None].astype(np.float32))[0].ravel())


def _unit(values: NDArray[Any]) -> F32:
    return (values / max(float(np.linalg.norm(values)), 1e-12)).astype(np.float32)


class Gallery:
    """Descriptors of photographs, with their owners and the views they show."""

    def __init__(self) -> None:
        self._known: list[tuple[F32, str, str]] = []

    def add(self, descriptor: F32, owner: str, view: str) -> None:
        """Remember a photograph: its descriptor (D, of length one), who it shows, and in which view."""
        self._known.append((descriptor, owner, view))

    def rank_one(self, descriptor: F32, owner: str, view: str) -> tuple[float, float]:
        """Whether the most similar photograph, by the cosine, is of the ``owner``: 1 or 0; and with what
        chance a blind choice would be: the share of photographs that are.

        Photographs of the same ``view`` do not count, or pose and light would give the answer away. NaN for
        both where no other view of the owner is known, or nobody else is.
        """
        others = [one for one in self._known if one[2] != view]
        own = np.array([one[1] == owner for one in others], bool)
        if not own.any() or own.all():
            return float("nan"), float("nan")
        alike = np.stack([one[0] for one in others]) @ descriptor
        return float(own[alike.argmax()]), float(own.mean())
