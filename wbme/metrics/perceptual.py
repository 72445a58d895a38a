"""Perceptual distance on a named backbone: differences of the features of a frozen network.

Not LPIPS, whose channel weights are learnt from human judgements and whose backbones are others: its numbers
must not be compared with published LPIPS values. Tables name it by ``NAME``.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from wbme.nets.mobilenet import BACKBONE, MobileNetV2

NAME = f"feature distance, {BACKBONE}"


def compare(network: MobileNetV2, one: Tensor, two: Tensor) -> Tensor:
    """Distance of each pair of pictures, N x 3 x H x W sRGB in [0, 1]; returns N, differentiable.
    ``two`` may be one picture for all.

    d(x, y) = mean over stages l and places h, w of ||f_l(x) - f_l(y)||^2, the channels of each place scaled
    to length one: equation 1 of Zhang et al., "The Unreasonable Effectiveness of Deep Features as a
    Perceptual Metric" (CVPR 2018), with equal weights and the mean over stages. In [0, 4]; 0 for equal
    pictures.
    """
    return _apart(network.stages(one), network.stages(two))


def _apart(one: list[Tensor], two: list[Tensor]) -> Tensor:
    pairs = ((normalize(f, dim=1), normalize(g, dim=1)) for f, g in zip(one, two, strict=True))
    return torch.stack([(f - g).square().sum(1).mean((1, 2)) for f, g in pairs]).mean(0)


def distances(
    network: MobileNetV2, pictures: Sequence[NDArray[np.float32]], target: NDArray[np.float32]
) -> list[float]:
    """``compare`` of each of ``pictures`` with ``target``, H x W x 3 sRGB in [0, 1], without gradients."""
    # One after the other: a batch of large pictures would take gigabytes.
    tensors = [torch.from_numpy(x.astype(np.float32)).permute(2, 0, 1)[None] for x in (target, *pictures)]
    with torch.inference_mode():
        wanted = network.stages(tensors[0])
        return [float(_apart(network.stages(x), wanted)) for x in tensors[1:]]
